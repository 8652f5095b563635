"""The one list of scenarios: what is asked of every server, and what must come of it.

A scenario plays and judges; it is recorded, and replayed by every player, with the same words.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from localmix import Image, Message, Tool
from localmix.errors import (
    ContextLengthError,
    LocalMixError,
    ModelNotFoundError,
    RequestRejectedError,
    UnsupportedFeatureError,
)
from tests.replay.cassettes import Source
from tests.replay.registry import NAME

FRANCE = "What is the capital of France?"
PARIS = "The capital of France is Paris."
WEATHER_QUESTION = "What is the weather in Paris?"
JOKE = {
    "type": "object",
    "properties": {"setup": {"type": "string"}, "punchline": {"type": "string"}},
    "required": ["setup", "punchline"],
}
WEATHER = Tool(
    name="get_weather",
    description="Get the weather at a location.",
    parameters={
        "type": "object",
        "properties": {"location": {"type": "string"}},
        "required": ["location"],
    },
)
TIME = Tool(name="get_time", description="Get the current time.")
LONG_TEXT = "river stone lamp green " * 600

Play = Callable[[Any, "Stage"], None]


@dataclass(frozen=True)
class Stage:
    """Say on which server a scenario is played."""

    source: Source

    @property
    def kind(self) -> str:
        return self.source.kind

    @property
    def is_old_ollama(self) -> bool:
        """Ollama before 0.24 has its own runner and Go templates."""
        return str(self.source).startswith("ollama-0.12.11")

    @property
    def chat(self) -> dict[str, Any]:
        """Name the chat model, and options under which it says the same again.

        Ollama 0.12.11 has a repeat penalty of 1.1 by default, which confuses so small a model.
        """
        return {"model": "localmix-tiny", "temperature": 0.0, "repeat_penalty": 1.0}

    @property
    def embedding(self) -> dict[str, Any]:
        prefix = "text-embedding-" if self.kind == "lmstudio" else ""
        return {"model": f"{prefix}localmix-tiny-embed"}


@dataclass(frozen=True)
class Scenario:
    """Hold a scenario, who can play it, and where it makes sense."""

    name: str
    play: Play
    core_only: bool
    kinds: tuple[str, ...]


SCENARIOS: dict[str, Scenario] = {}
_EVERYWHERE = ("ollama", "llamacpp", "lmstudio")


def scenario(
    *, core_only: bool = False, kinds: tuple[str, ...] = _EVERYWHERE
) -> Callable[[Play], Play]:
    """Enter a function in the list, under its name."""

    def enter(play: Play) -> Play:
        name = play.__name__.replace("_", "-")
        SCENARIOS[name] = Scenario(name, play, core_only, kinds)
        return play

    return enter


@scenario()
def chat(ask: Any, on: Stage) -> None:
    result = ask.chat(FRANCE, **on.chat)
    assert result.content == PARIS
    assert result.finish_reason == "stop"
    assert result.usage.input_tokens > 0
    assert result.usage.output_tokens > 0


@scenario()
def stream(ask: Any, on: Stage) -> None:
    result = ask.streamed(FRANCE, **on.chat)
    assert result.content == PARIS
    assert result.finish_reason == "stop"
    assert result.usage.output_tokens > 0


@scenario()
def thinks_unless_told_not_to(ask: Any, on: Stage) -> None:
    """Every server lets a model think that can, when nothing is said."""
    assert ask.chat(FRANCE, **on.chat).reasoning


@scenario()
def think_on(ask: Any, on: Stage) -> None:
    result = ask.streamed(FRANCE, think=True, **on.chat)
    assert result.reasoning.startswith("The user says")
    assert result.content == PARIS


@scenario()
def think_off(ask: Any, on: Stage) -> None:
    for result in (
        ask.chat(FRANCE, think=False, **on.chat),
        ask.streamed(FRANCE, think=False, **on.chat),
    ):
        assert result.reasoning == ""
        assert result.content == PARIS


@scenario()
def think_level(ask: Any, on: Stage) -> None:
    """Ollama before 0.17.7 knows levels for one family alone."""
    if on.is_old_ollama:
        with pytest.raises(UnsupportedFeatureError, match="not supported"):
            ask.chat(FRANCE, think="high", **on.chat)
    else:
        assert ask.chat(FRANCE, think="high", **on.chat).reasoning


@scenario()
def history(ask: Any, on: Stage) -> None:
    messages = [
        Message(role="system", content="You are a helpful assistant."),
        Message(role="user", content="hello"),
        Message(role="assistant", content="hello"),
        Message(role="user", content=FRANCE),
    ]
    assert ask.chat(messages, think=False, **on.chat).content == PARIS


@scenario()
def reasoning_sent_back(ask: Any, on: Stage) -> None:
    first = ask.chat(FRANCE, **on.chat)
    messages = [
        Message(role="user", content=FRANCE),
        Message(role="assistant", content=first.content, reasoning=first.reasoning),
        Message(role="user", content="What is the capital of Italy?"),
    ]
    assert ask.chat(messages, **on.chat).content == "The capital of Italy is Rome."


@scenario()
def unicode(ask: Any, on: Stage) -> None:
    question = "Say hello in Japanese."
    assert ask.chat(question, think=False, **on.chat).content == "こんにちは"
    assert ask.streamed(question, think=False, **on.chat).content == "こんにちは"


@scenario()
def length(ask: Any, on: Stage) -> None:
    for answer in (ask.chat, ask.streamed):
        result = answer("Write a story about a cat.", think=False, max_tokens=5, **on.chat)
        assert result.finish_reason == "length"
        assert result.usage.output_tokens == 5


@scenario()
def stop(ask: Any, on: Stage) -> None:
    result = ask.chat("Count to ten.", think=False, stop=["5"], **on.chat)
    assert result.content.rstrip(" ,").endswith("4")
    assert result.finish_reason == "stop"


@scenario()
def tool_call(ask: Any, on: Stage) -> None:
    result = ask.chat(WEATHER_QUESTION, tools=[WEATHER, TIME], think=False, **on.chat)
    (call,) = result.tool_calls
    assert (call.name, call.parsed()) == ("get_weather", {"location": "Paris"})
    assert call.id
    assert result.finish_reason == "tool_calls"


@scenario()
def tool_call_streamed(ask: Any, on: Stage) -> None:
    result = ask.streamed(WEATHER_QUESTION, tools=[WEATHER], think=False, **on.chat)
    (call,) = result.tool_calls
    assert (call.name, call.parsed()) == ("get_weather", {"location": "Paris"})
    assert result.finish_reason == "tool_calls"


@scenario()
def tool_call_after_thinking(ask: Any, on: Stage) -> None:
    result = ask.streamed(WEATHER_QUESTION, tools=[WEATHER], think=True, **on.chat)
    assert result.reasoning
    assert [call.name for call in result.tool_calls] == ["get_weather"]


@scenario()
def two_tool_calls(ask: Any, on: Stage) -> None:
    question = "What is the weather in Paris and Tokyo?"
    for answer in (ask.chat, ask.streamed):
        result = answer(question, tools=[WEATHER], think=False, **on.chat)
        assert [call.parsed()["location"] for call in result.tool_calls] == ["Paris", "Tokyo"]
        assert len({call.id for call in result.tool_calls}) == 2


@scenario()
def tool_result(ask: Any, on: Stage) -> None:
    options = {"tools": [WEATHER], "think": False, **on.chat}
    first = ask.chat(WEATHER_QUESTION, **options)
    (call,) = first.tool_calls
    messages = [
        Message(role="user", content=WEATHER_QUESTION),
        Message(role="assistant", content=first.content, tool_calls=first.tool_calls),
        Message(role="tool", content="It's sunny.", tool_call_id=call.id),
    ]
    assert ask.chat(messages, **options).content == "It is sunny in Paris."


@scenario()
def tool_not_needed(ask: Any, on: Stage) -> None:
    result = ask.streamed(FRANCE, tools=[WEATHER], think=False, **on.chat)
    assert result.tool_calls == ()
    assert result.content == PARIS


@scenario()
def tool_required(ask: Any, on: Stage) -> None:
    """Ollama ignores the choice, so the call is forced by a grammar."""
    for choice in ("required", "get_weather"):
        result = ask.chat(
            WEATHER_QUESTION, tools=[WEATHER, TIME], tool_choice=choice, think=False, **on.chat
        )
        assert [call.name for call in result.tool_calls] == ["get_weather"]
        assert result.tool_calls[0].parsed() == {"location": "Paris"}


@scenario()
def tool_choice_none(ask: Any, on: Stage) -> None:
    result = ask.chat(WEATHER_QUESTION, tools=[WEATHER], tool_choice="none", think=False, **on.chat)
    assert result.tool_calls == ()


@scenario()
def schema(ask: Any, on: Stage) -> None:
    for think in (None, False):
        result = ask.chat(
            "Tell me a joke about cats.", response_format=JOKE, think=think, **on.chat
        )
        assert json.loads(result.content) == {
            "setup": "Why did the cat sit on the computer?",
            "punchline": "To keep an eye on the mouse.",
        }


@scenario()
def json_mode(ask: Any, on: Stage) -> None:
    result = ask.chat(
        "Tell me a joke about cats. Return the result as a JSON with 'setup' and 'punchline' keys."
        " Return nothing other than JSON.",
        response_format="json",
        think=False,
        **on.chat,
    )
    assert set(json.loads(result.content)) == {"setup", "punchline"}


@scenario()
def schema_with_tools(ask: Any, on: Stage) -> None:
    """Quirk (ollama, llama.cpp): in one turn the schema would win; so it takes two."""
    for answer in (ask.chat, ask.streamed):
        calls = answer(WEATHER_QUESTION, tools=[WEATHER], response_format=JOKE, **on.chat)
        assert [call.parsed() for call in calls.tool_calls] == [{"location": "Paris"}]
        result = answer(
            "Tell me a joke about cats.", tools=[WEATHER], response_format=JOKE, **on.chat
        )
        assert set(json.loads(result.content)) == {"setup", "punchline"}


@scenario()
def bad_schema(ask: Any, on: Stage) -> None:
    with pytest.raises(RequestRejectedError):
        ask.chat(FRANCE, response_format={"type": "odd"}, **on.chat)


@scenario()
def image_on_a_text_model(ask: Any, on: Stage) -> None:
    """Quirk (ollama 0.12.11): it would answer without having seen it; so it is asked first."""
    picture = Message(role="user", content=("What is this?", Image(data=_PNG)))
    with pytest.raises(UnsupportedFeatureError):
        ask.chat(picture, **on.chat)


@scenario()
def overflow(ask: Any, on: Stage) -> None:
    """Quirk (ollama 0.12.11): it would cut the prompt silently if `truncate` were not false."""
    for answer in (ask.chat, ask.streamed):
        with pytest.raises(ContextLengthError):
            answer(LONG_TEXT, max_tokens=5, **on.chat)


@scenario()
def overflow_of_a_history(ask: Any, on: Stage) -> None:
    """Quirk (ollama 0.12.11, 0.32.15): older messages would be dropped silently."""
    messages = [Message(role="user", content=LONG_TEXT), Message(role="user", content=FRANCE)]
    with pytest.raises(ContextLengthError):
        ask.chat(messages, max_tokens=5, **on.chat)


@scenario(kinds=("ollama", "llamacpp"), core_only=True)
def logprobs(ask: Any, on: Stage) -> None:
    for answer in (ask.chat, ask.streamed):
        result = answer("Hello", logprobs=True, top_logprobs=2, max_tokens=2, **on.chat)
        assert len(result.logprobs) == 2
        assert len(result.logprobs[0].top) == 2


@scenario(core_only=True)
def sampling(ask: Any, on: Stage) -> None:
    options = {"top_k": 20, "top_p": 0.9, "seed": 7, "presence_penalty": 0.1}
    options |= {"frequency_penalty": 0.1, "max_tokens": 8}
    assert (
        ask.chat("Tell me a story.", **{**on.chat, **options, "temperature": 0.7}).content or True
    )


@scenario(core_only=True)
def completion(ask: Any, on: Stage) -> None:
    prompt = "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    options = {**on.chat, "max_tokens": 30, "stop": ["<|im_end|>"]}
    assert ask.complete(prompt, **options).content == "Hello! How can I help you today?"
    streamed = ask.stream_complete(prompt, **options)
    assert "".join(delta.content for delta in streamed) == "Hello! How can I help you today?"


@scenario(core_only=True, kinds=("ollama",))
def completion_with_a_gap(ask: Any, on: Stage) -> None:
    with pytest.raises(UnsupportedFeatureError, match="fill in a gap|does not support insert"):
        ask.complete("def f(", suffix="return x", **on.chat)


@scenario()
def vectors(ask: Any, on: Stage) -> None:
    texts = ["The library opens at nine.", "The bridge was finished in 1987."]
    first, second = ask.vectors(texts, **on.embedding)
    assert len(first) == len(second) == 96
    assert first != second
    assert ask.vectors(texts[:1], **on.embedding)[0] == pytest.approx(first, abs=1e-3)


@scenario(core_only=True)
def vectors_of_an_empty_text(ask: Any, on: Stage) -> None:
    """Quirk (ollama 0.12.11, 0.32.15): `embeddings: []`; so it is refused before it is sent."""
    with pytest.raises(LocalMixError, match=r"texts\[1\] is empty"):
        ask.embed(["a", ""], **on.embedding)
    assert ask.models_by_server()


@scenario(core_only=True, kinds=("ollama",))
def vectors_cut(ask: Any, on: Stage) -> None:
    (vector,) = ask.vectors(["The library opens at nine."], dimensions=32, **on.embedding)
    assert len(vector) == 32


@scenario(core_only=True)
def vectors_overflow(ask: Any, on: Stage) -> None:
    with pytest.raises(ContextLengthError):
        ask.embed([LONG_TEXT], **on.embedding)


@scenario(core_only=True, kinds=("ollama",))
def vectors_overflow_allowed(ask: Any, on: Stage) -> None:
    result = ask.embed([LONG_TEXT], truncate=True, **on.embedding)
    assert len(result.vectors[0]) == 96


@scenario(core_only=True)
def vectors_of_a_chat_model(ask: Any, on: Stage) -> None:
    """Ollama 0.12.11 gives vectors of any model; the others refuse."""
    if on.is_old_ollama:
        assert ask.embed("river", model="localmix-tiny").vectors
    else:
        with pytest.raises(UnsupportedFeatureError):
            ask.embed("river", model="localmix-tiny")


@scenario(core_only=True, kinds=("ollama", "llamacpp"))
def chat_with_an_embedding_model(ask: Any, on: Stage) -> None:
    with pytest.raises(LocalMixError):
        ask.chat("hello", **on.embedding)


@scenario(core_only=True)
def listing(ask: Any, on: Stage) -> None:
    purposes = {
        model.name.removesuffix(":latest"): model.purpose for model in ask.models_by_server()
    }
    assert purposes == {"localmix-tiny": "chat", on.embedding["model"]: "embedding"}
    (server, *_) = ask.servers()
    assert server.kind == ("openai" if on.kind == "llamacpp" else on.kind)


@scenario(core_only=True, kinds=("ollama",))
def load_and_unload(ask: Any, on: Stage) -> None:
    def is_loaded() -> bool:
        return any(m.loaded for m in ask.models_by_server() if m.name.startswith("localmix-tiny:"))

    ask.chat("Hello", keep_alive=60.0, **on.chat)
    assert is_loaded()
    ask.chat("Hello", keep_alive=0.0, **on.chat)
    assert not is_loaded()


@scenario(core_only=True)
def show(ask: Any, on: Stage) -> None:
    model = ask.show("localmix-tiny")
    assert model.purpose == "chat"
    assert model.context_length == 2048
    if on.kind == "ollama":
        assert model.capabilities == frozenset({"tools", "thinking"})


@scenario(core_only=True)
def models_joined(ask: Any, on: Stage) -> None:
    """Ollama tells what a model can do in another place than its listing."""
    by_name = {model.name.removesuffix(":latest"): model for model in ask.manage("models")}
    assert set(by_name) == {"localmix-tiny", on.embedding["model"]}
    (place,) = by_name["localmix-tiny"].places
    assert place.size_bytes or str(on.source) == "lmstudio-0.3"
    if on.kind == "ollama":
        assert place.capabilities == frozenset({"tools", "thinking"})
        assert place.quantization == "Q8_0"
        assert len(place.digest) == 64


@scenario(core_only=True, kinds=("ollama", "lmstudio"))
def model_loaded_and_unloaded(ask: Any, on: Stage) -> None:
    if on.source.version == "0.3":
        with pytest.raises(UnsupportedFeatureError, match="Run: lms unload localmix-tiny"):
            ask.manage("unload", "localmix-tiny")
        return
    for name, window in (("localmix-tiny", 1024), (on.embedding["model"], 256)):
        loaded = ask.manage("load", name, num_ctx=window)
        assert (loaded.loaded, loaded.loaded_context_length) == (True, window)
        assert loaded in ask.manage("running")
        (unloaded,) = ask.manage("unload", name)
        assert not unloaded.loaded


@scenario(core_only=True, kinds=("ollama",))
def model_kept(ask: Any, on: Stage) -> None:
    """One that stays for ever is given some 292 years by Ollama, and no end by us."""
    assert ask.manage("load", "localmix-tiny", keep_alive=-1).unload_at is None
    assert ask.manage("unload", "localmix-tiny")
    assert ask.manage("unload", "localmix-tiny") == []


@scenario(core_only=True, kinds=("ollama",))
def model_copied_and_deleted(ask: Any, on: Stage) -> None:
    copied = ask.manage("copy", "localmix-tiny", "localmix-copy")
    assert copied.name == "localmix-copy:latest"
    assert copied.digest == ask.show("localmix-tiny").digest
    assert ask.manage("delete", "localmix-copy").name == "localmix-copy:latest"
    with pytest.raises(ModelNotFoundError):
        ask.manage("delete", "localmix-copy")


@scenario(core_only=True, kinds=("ollama",))
def model_pulled(ask: Any, on: Stage) -> None:
    """Pulled by the real server from `tests/replay/registry.py`."""
    steps = ask.pull(NAME, insecure=True)
    statuses = list(dict.fromkeys(step.status for step in steps))
    assert statuses == ["preparing", "downloading", "finishing", "done"]
    completed = [step.completed for step in steps]
    assert completed == sorted(completed)
    assert steps[-1].completed == steps[-1].total
    assert ask.manage("delete", NAME.removeprefix("http://")).size_bytes > 1_000_000


@scenario(core_only=True, kinds=("ollama",))
def model_not_to_be_found(ask: Any, on: Stage) -> None:
    """The error comes inside a stream with status 200."""
    with pytest.raises(ModelNotFoundError, match="file does not exist"):
        ask.pull(f"{NAME}-not", insecure=True)


@scenario(core_only=True, kinds=("llamacpp", "lmstudio"))
def managed_by_hand(ask: Any, on: Stage) -> None:
    """What a server cannot do names the way that there is."""
    for method, *rest in (("delete",), ("copy", "second")):
        with pytest.raises(UnsupportedFeatureError) as caught:
            ask.manage(method, "localmix-tiny", *rest)
        assert caught.value.server
        assert caught.value.hint
    if on.kind == "llamacpp":
        for method in ("pull", "manage"):
            with pytest.raises(UnsupportedFeatureError):
                ask.pull("any") if method == "pull" else ask.manage("unload", "localmix-tiny")
        assert ask.manage("load", "localmix-tiny").loaded
        with pytest.raises(UnsupportedFeatureError, match="-c N"):
            ask.manage("load", "localmix-tiny", num_ctx=1024)


@scenario(core_only=True, kinds=("lmstudio",))
def model_that_is_there(ask: Any, on: Stage) -> None:
    if on.source.version == "0.3":
        with pytest.raises(UnsupportedFeatureError, match="Run: lms get localmix-tiny"):
            ask.pull("localmix-tiny")
    else:
        (done,) = ask.pull("localmix-tiny")
        assert done.status == "done"


_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080600000"
    "01f15c4890000000d49444154789c63646062f90f0001850101e0c8b75b"
    "0000000049454e44ae426082"
)
