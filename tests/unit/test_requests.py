"""What is sent for a request, in each dialect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localmix.dialects import KINDS
from localmix.errors import ConfigError, ContextLengthError, UnsupportedFeatureError
from localmix.types import (
    ChatRequest,
    CompletionRequest,
    EmbedRequest,
    GenerationRequest,
    Image,
    Kind,
    Message,
    Tool,
    ToolCall,
)
from tests.unit.streams import WEATHER, target

HELLO = Message(role="user", content="Hello")
SAMPLING: dict[str, Any] = {
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 40,
    "seed": 7,
    "max_tokens": 10,
    "repeat_penalty": 1.1,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.2,
    "stop": ["a", "b"],
}


def sent(
    kind: Kind, request: GenerationRequest, *, stream: bool = True, **facts: Any
) -> tuple[str, dict[str, Any]]:
    built = KINDS[kind].dialect.generation_request(target(kind, **facts), request, stream=stream)
    assert built.body is not None
    return built.url.removeprefix("http://127.0.0.1:1"), json.loads(built.body)


def chat(*messages: Message, **options: Any) -> ChatRequest:
    return ChatRequest(messages=messages or (HELLO,), **options)


class TestOllama:
    def test_what_is_not_set_is_not_sent(self) -> None:
        path, body = sent("ollama", chat())
        assert path == "/api/chat"
        assert body == {
            "model": "tiny",
            "stream": True,
            "messages": [{"role": "user", "content": "Hello"}],
            "truncate": False,
        }

    def test_options_have_ollamas_names(self) -> None:
        asked = chat(**SAMPLING, min_p=0.1, typical_p=0.8, repeat_last_n=3, num_ctx=9, num_keep=2)
        assert sent("ollama", asked)[1]["options"] == {
            **{name: value for name, value in SAMPLING.items() if name != "max_tokens"},
            "num_predict": 10,
            "min_p": 0.1,
            "typical_p": 0.8,
            "repeat_last_n": 3,
            "num_ctx": 9,
            "num_keep": 2,
        }

    def test_the_rest_of_a_request(self) -> None:
        schema = {"type": "object", "properties": {"a": {"type": "string"}}}
        asked = chat(
            think=False, keep_alive=-1.0, logprobs=True, top_logprobs=2, response_format=schema
        )
        body = sent("ollama", asked, stream=False)[1]
        assert body["stream"] is False
        assert body["think"] is False
        assert body["keep_alive"] == -1
        assert (body["logprobs"], body["top_logprobs"]) == (True, 2)
        assert body["format"] == schema

    def test_extra_keys_are_sent_as_they_are(self) -> None:
        extra = {"options": {"num_gpu": 0}, "shift": False}
        body = sent("ollama", chat(temperature=0.0, extra=extra))[1]
        assert body["options"] == {"temperature": 0.0, "num_gpu": 0}
        assert body["shift"] is False

    def test_a_turn_with_tools(self) -> None:
        call = ToolCall(id="a", name="get_weather", arguments='{"location": "Oslo"}')
        asked = chat(
            HELLO,
            Message(role="assistant", content="", reasoning="Well.", tool_calls=(call,)),
            Message(role="tool", content="sunny", tool_call_id="a"),
            tools=(WEATHER,),
        )
        body = sent("ollama", asked)[1]
        assert body["tools"][0]["function"]["name"] == "get_weather"
        assert body["messages"][1:] == [
            {
                "role": "assistant",
                "content": "",
                "thinking": "Well.",
                "tool_calls": [
                    {
                        "id": "a",
                        "function": {"name": "get_weather", "arguments": {"location": "Oslo"}},
                    }
                ],
            },
            {
                "role": "tool",
                "content": "sunny",
                "tool_call_id": "a",
                "tool_name": "get_weather",
            },
        ]

    def test_images_stand_beside_the_text(self) -> None:
        picture = Message(role="user", content=("What", Image(data=b"png"), " is it?"))
        assert sent("ollama", chat(picture))[1]["messages"][0] == {
            "role": "user",
            "content": "What is it?",
            "images": ["cG5n"],
        }

    def test_a_forced_call_is_a_grammar(self) -> None:
        other = Tool(name="get_time")
        asked = chat(tools=(WEATHER, other), tool_choice="get_weather")
        body = sent("ollama", asked)[1]
        assert [tool["function"]["name"] for tool in body["tools"]] == ["get_weather"]
        assert body["format"]["properties"]["name"] == {"type": "string", "enum": ["get_weather"]}
        assert body["format"]["properties"]["parameters"] == WEATHER.parameters

        any_call = sent("ollama", chat(tools=(WEATHER, other), tool_choice="required"))[1]
        assert len(any_call["format"]["anyOf"]) == 2

    def test_no_tool_is_offered_when_none_may_be_called(self) -> None:
        assert "tools" not in sent("ollama", chat(tools=(WEATHER,), tool_choice="none"))[1]

    def test_single_tokens_cannot_be_biased(self) -> None:
        with pytest.raises(UnsupportedFeatureError, match="logit_bias"):
            sent("ollama", chat(logit_bias={"1": 2.0}))

    def test_broken_arguments_in_the_history_are_refused(self) -> None:
        call = ToolCall(id="a", name="f", arguments='{"a":')
        with pytest.raises(ConfigError, match="not a JSON object"):
            sent("ollama", chat(HELLO, Message(role="assistant", tool_calls=(call,)), HELLO))

    def test_a_completion_has_no_template(self) -> None:
        path, body = sent("ollama", CompletionRequest(prompt="Once", seed=1))
        assert path == "/api/generate"
        assert body == {
            "model": "tiny",
            "stream": True,
            "prompt": "Once",
            "raw": True,
            "options": {"seed": 1},
        }

    def test_a_gap_is_filled_by_the_servers_template(self) -> None:
        body = sent("ollama", CompletionRequest(prompt="def f(", suffix="return x"))[1]
        assert body["suffix"] == "return x"
        assert "raw" not in body


class TestOpenAI:
    def test_what_is_not_set_is_not_sent(self) -> None:
        path, body = sent("openai", chat(), stream=False)
        assert path == "/v1/chat/completions"
        assert body == {
            "model": "tiny",
            "stream": False,
            "messages": [{"role": "user", "content": "Hello"}],
        }

    def test_a_stream_is_asked_for_its_usage(self) -> None:
        assert sent("openai", chat())[1]["stream_options"] == {"include_usage": True}

    def test_options(self) -> None:
        asked = chat(**SAMPLING, num_keep=2, logprobs=True, top_logprobs=2, logit_bias={"5": -1.0})
        body = sent("openai", asked)[1]
        for name, value in SAMPLING.items():
            assert body[name] == value
        assert body["n_keep"] == 2
        assert body["logit_bias"] == {"5": -1.0}
        assert (body["logprobs"], body["top_logprobs"]) == (True, 2)

    def test_a_turn_with_tools(self) -> None:
        call = ToolCall(id="a", name="get_weather", arguments='{"location": "Oslo"}')
        asked = chat(
            Message(role="assistant", content="I call.", reasoning="Well.", tool_calls=(call,)),
            Message(role="tool", content="sunny", tool_call_id="a"),
            HELLO,
        )
        assert sent("openai", asked)[1]["messages"][:2] == [
            {
                "role": "assistant",
                "content": "I call.",
                "reasoning_content": "Well.",
                "tool_calls": [
                    {
                        "id": "a",
                        "type": "function",
                        "function": {"name": "get_weather", "arguments": '{"location": "Oslo"}'},
                    }
                ],
            },
            {"role": "tool", "content": "sunny", "tool_call_id": "a", "name": "get_weather"},
        ]

    @pytest.mark.parametrize(
        ("choice", "names", "wire"),
        [
            ("auto", ["get_weather", "get_time"], None),
            ("none", ["get_weather", "get_time"], "none"),
            ("required", ["get_weather", "get_time"], "required"),
            ("get_time", ["get_time"], "required"),
        ],
    )
    def test_tool_choice(self, choice: str, names: list[str], wire: str | None) -> None:
        """Named choices as objects are refused by LM Studio and ignored by llama.cpp."""
        asked = chat(tools=(WEATHER, Tool(name="get_time")), tool_choice=choice)
        body = sent("openai", asked)[1]
        assert [tool["function"]["name"] for tool in body["tools"]] == names
        assert body.get("tool_choice") == wire

    def test_images_keep_their_place(self) -> None:
        picture = Message(role="user", content=("a", Image(data=b"png"), "b"))
        assert sent("openai", chat(picture))[1]["messages"][0]["content"] == [
            {"type": "text", "text": "a"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,cG5n"}},
            {"type": "text", "text": "b"},
        ]

    def test_structured_output(self) -> None:
        schema = {"title": "Joke", "type": "object"}
        body = sent("openai", chat(response_format=schema))[1]
        assert body["response_format"]["json_schema"] == {
            "name": "Joke",
            "strict": True,
            "schema": schema,
        }
        body = sent("openai", chat(response_format="json"))[1]
        assert body["response_format"] == {"type": "json_object"}

    @pytest.mark.parametrize(
        ("think", "fields"),
        [
            (True, {"chat_template_kwargs": {"enable_thinking": True}}),
            (
                False,
                {"chat_template_kwargs": {"enable_thinking": False}, "reasoning_effort": "none"},
            ),
            (
                "low",
                {
                    "chat_template_kwargs": {"enable_thinking": True, "reasoning_effort": "low"},
                    "reasoning_effort": "low",
                },
            ),
        ],
    )
    def test_thinking(self, think: Any, fields: dict[str, Any]) -> None:
        body = sent("openai", chat(think=think))[1]
        assert fields.items() <= body.items()

    def test_a_completion(self) -> None:
        asked = CompletionRequest(prompt="Once", suffix="end", logprobs=True)
        path, body = sent("openai", asked, stream=False)
        assert path == "/v1/completions"
        assert body == {
            "model": "tiny",
            "stream": False,
            "prompt": "Once",
            "suffix": "end",
            "logprobs": 1,
        }

    def test_a_window_that_is_large_enough_will_do(self) -> None:
        assert "num_ctx" not in sent("openai", chat(num_ctx=10), loaded_context_length=10)[1]
        with pytest.raises(UnsupportedFeatureError, match="num_ctx, and its window is 10"):
            sent("openai", chat(num_ctx=11), loaded_context_length=10)

    def test_a_model_that_stays_for_ever_cannot_be_unloaded(self) -> None:
        assert "keep_alive" not in sent("openai", chat(keep_alive=60.0))[1]
        with pytest.raises(UnsupportedFeatureError, match="keep_alive"):
            sent("openai", chat(keep_alive=0.0))


class TestLMStudio:
    def test_options_that_it_would_ignore_are_refused(self) -> None:
        body = sent("lmstudio", chat(**SAMPLING))[1]
        assert body["top_k"] == 40
        with pytest.raises(UnsupportedFeatureError, match="logprobs, min_p, typical_p"):
            sent("lmstudio", chat(min_p=0.1, typical_p=0.5, logprobs=True))
        assert sent("lmstudio", chat(extra={"min_p": 0.1}))[1]["min_p"] == 0.1

    def test_keep_alive_is_a_ttl(self) -> None:
        assert sent("lmstudio", chat(keep_alive=90.0))[1]["ttl"] == 90
        with pytest.raises(UnsupportedFeatureError, match="keep_alive=-1"):
            sent("lmstudio", chat(keep_alive=-1.0))

    def test_json_is_any_object(self) -> None:
        """Quirk (lmstudio, all): `json_object` is a 400."""
        body = sent("lmstudio", chat(response_format="json"))[1]
        assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}

    @pytest.mark.parametrize(
        ("think", "effort"), [(True, "medium"), (False, "none"), ("high", "high")]
    )
    def test_thinking_is_an_effort(self, think: Any, effort: str) -> None:
        assert sent("lmstudio", chat(think=think))[1]["reasoning_effort"] == effort


class TestEmbedding:
    def body(self, kind: Kind, request: EmbedRequest, **facts: Any) -> Any:
        built = KINDS[kind].dialect.embed_request(target(kind, **facts), request)
        assert built.body is not None
        return json.loads(built.body)

    def test_ollama(self) -> None:
        request = EmbedRequest(texts=("a", "b"), dimensions=4, keep_alive=5.0)
        assert self.body("ollama", request) == {
            "model": "tiny",
            "input": ["a", "b"],
            "truncate": False,
            "dimensions": 4,
            "keep_alive": 5.0,
        }

    def test_openai(self) -> None:
        assert self.body("openai", EmbedRequest(texts=("a",), dimensions=4)) == {
            "model": "tiny",
            "input": ["a"],
            "encoding_format": "float",
            "dimensions": 4,
        }
        with pytest.raises(UnsupportedFeatureError, match="truncate"):
            self.body("openai", EmbedRequest(texts=("a",), truncate=True))

    def test_lmstudio(self) -> None:
        assert self.body("lmstudio", EmbedRequest(texts=("a",), keep_alive=5.0))["ttl"] == 5
        with pytest.raises(UnsupportedFeatureError, match="dimensions"):
            self.body("lmstudio", EmbedRequest(texts=("a",), dimensions=4))

    def test_lmstudio_would_cut_a_long_text_without_a_sign(self) -> None:
        """Quirk (lmstudio 0.4.25): status 200, and usage is always 0."""
        long = EmbedRequest(texts=("fine", "word " * 11))
        with pytest.raises(ContextLengthError, match="has 11 words"):
            self.body("lmstudio", long, context_length=10)
        assert self.body("lmstudio", long, context_length=11)
        assert self.body("lmstudio", long)


@pytest.mark.parametrize("text", ["lone \ud83d surrogate"])
def test_what_json_cannot_say_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="cannot be written as JSON"):
        sent("ollama", chat(extra={"x": text}))
    with pytest.raises(ConfigError, match="cannot be written as JSON"):
        sent("ollama", chat(extra={"x": float("nan")}))
