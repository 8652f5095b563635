"""Streams as servers send them, with what they say.

Written by hand after recorded exchanges (Ollama 0.12.11 and 0.32.15, llama.cpp b11549) and LM
Studio's public recordings (0.4.12 to 0.4.25); the recordings themselves are in `cassettes/`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from localmix.dialects import KINDS, Endpoint, Target
from localmix.types import (
    ChatRequest,
    ChatResult,
    CompletionRequest,
    GenerationRequest,
    Kind,
    Message,
    ModelInfo,
    Timings,
    TokenLogprob,
    Tool,
    ToolCall,
    Usage,
)
from localmix.wire.flows import Decoder, Timeouts
from tests.stand_ins import OLLAMA_DONE, OPENAI_USAGE, ollama_says, openai_says

URL = "http://127.0.0.1:1"
CHAT = ChatRequest(messages=(Message(role="user", content="Hello"),))
WEATHER = Tool(
    name="get_weather",
    description="Get the weather at a location.",
    parameters={
        "type": "object",
        "properties": {"location": {"type": "string"}},
        "required": ["location"],
    },
)


@dataclass(frozen=True)
class Stream:
    """Hold the bytes of a stream and the answer they make."""

    kind: Kind
    data: bytes
    answer: ChatResult
    request: GenerationRequest = CHAT

    def decoder(self) -> Decoder[Any]:
        return KINDS[self.kind].dialect.generation_decoder(target(self.kind), self.request)


def target(kind: Kind, name: str = "tiny", **facts: Any) -> Target:
    """Name a model on a server of some kind."""
    endpoint = Endpoint(URL, Timeouts(1, 1, 1))
    return Target(endpoint, ModelInfo(name=name, server=URL, kind=kind, **facts))


def lines(*frames: Any) -> bytes:
    return b"".join(json.dumps(frame, ensure_ascii=False).encode() + b"\n" for frame in frames)


def sse(*frames: Any, newline: bytes = b"\n") -> bytes:
    said = [frame if isinstance(frame, bytes) else json.dumps(frame).encode() for frame in frames]
    return b"".join(b"data: " + each + newline * 2 for each in [*said, b"[DONE]"])


def tool_pieces(*pieces: dict[str, Any]) -> dict[str, Any]:
    return openai_says(tool_calls=list(pieces))


def openai_piece(
    index: int | None, id: str = "", name: str = "", arguments: str = ""
) -> dict[str, Any]:
    piece: dict[str, Any] = {"function": {"arguments": arguments}}
    if index is not None:
        piece["index"] = index
    if id:
        piece["id"] = id
    if name:
        piece["function"]["name"] = name
    return piece


def ollama_call(index: int, location: str, **about: Any) -> dict[str, Any]:
    function = {"index": index, "name": "get_weather", "arguments": {"location": location}}
    return {"function": function, **about}


def weather(location: str, id: str) -> ToolCall:
    return ToolCall(name="get_weather", arguments=json.dumps({"location": location}), id=id)


OLLAMA_TIMINGS = Timings(load=1.0, prompt=0.5, output=2.0, first_token=1.5, total=4.0)
OLLAMA_END: dict[str, Any] = {
    "model": "tiny:latest",
    "usage": Usage(19, 26),
    "timings": OLLAMA_TIMINGS,
}
OPENAI_END: dict[str, Any] = {"model": "tiny", "usage": Usage(19, 26)}
STOP = openai_says("stop")
# U+2028 and U+0085 break lines for text, not for JSON; the last two need four and six bytes.
UNICODE = "caf\u00e9 \u2028 \u0085 \u4f60\u597d \U0001f680"

STREAMS = {
    "ollama text": Stream(
        "ollama",
        lines(ollama_says(content="Hel"), ollama_says(content="lo."), OLLAMA_DONE),
        ChatResult(content="Hello.", finish_reason="stop", **OLLAMA_END),
    ),
    "ollama unicode": Stream(
        "ollama",
        lines(ollama_says(content=UNICODE), OLLAMA_DONE),
        ChatResult(content=UNICODE, finish_reason="stop", **OLLAMA_END),
    ),
    "ollama text in the last frame": Stream(
        "ollama",
        lines({**OLLAMA_DONE, "message": {"content": "Hi."}, "done_reason": "length"}),
        ChatResult(content="Hi.", finish_reason="length", **OLLAMA_END),
    ),
    "ollama reasoning": Stream(
        "ollama",
        lines(
            ollama_says(thinking="Well"),
            ollama_says(thinking=".", content="Hi"),
            ollama_says(content="."),
            OLLAMA_DONE,
        ),
        ChatResult(content="Hi.", reasoning="Well.", finish_reason="stop", **OLLAMA_END),
    ),
    "ollama reasoning in the text": Stream(
        "ollama",
        lines(
            ollama_says(content="\n<thi"),
            ollama_says(content="nk>\nWell.</th"),
            ollama_says(content="ink>\n\nHi <think> there"),
            OLLAMA_DONE,
        ),
        ChatResult(
            content="Hi <think> there", reasoning="Well.", finish_reason="stop", **OLLAMA_END
        ),
    ),
    "ollama 0.12.11 two calls, one a frame": Stream(
        "ollama",
        lines(
            ollama_says(tool_calls=[ollama_call(0, "Paris", id="call_a")]),
            ollama_says(tool_calls=[ollama_call(1, "Tokyo", id="call_b")]),
            OLLAMA_DONE,
        ),
        ChatResult(
            tool_calls=(weather("Paris", "call_a"), weather("Tokyo", "call_b")),
            finish_reason="tool_calls",
            **OLLAMA_END,
        ),
    ),
    "ollama 0.32.15 two equal calls in the last frame": Stream(
        "ollama",
        lines(
            ollama_says(content="I call."),
            OLLAMA_DONE
            | {
                "message": {
                    "tool_calls": [
                        ollama_call(0, "Paris", id="a"),
                        ollama_call(1, "Paris", id="b"),
                    ]
                }
            },
        ),
        ChatResult(
            content="I call.",
            tool_calls=(weather("Paris", "a"), weather("Paris", "b")),
            finish_reason="tool_calls",
            **OLLAMA_END,
        ),
    ),
    "ollama before 0.12.10, calls without ids": Stream(
        "ollama",
        lines(
            ollama_says(tool_calls=[ollama_call(0, "Paris"), ollama_call(0, "Tokyo")]), OLLAMA_DONE
        ),
        ChatResult(
            tool_calls=(weather("Paris", "call_0"), weather("Tokyo", "call_1")),
            finish_reason="tool_calls",
            **OLLAMA_END,
        ),
    ),
    "ollama forced call": Stream(
        "ollama",
        lines(
            ollama_says(thinking="Well."),
            ollama_says(content='{"name": "get_weather", '),
            ollama_says(content='"parameters": {"location": "Oslo"}}'),
            OLLAMA_DONE,
        ),
        ChatResult(
            reasoning="Well.",
            tool_calls=(weather("Oslo", "call_0"),),
            finish_reason="tool_calls",
            **OLLAMA_END,
        ),
        CHAT.model_copy(update={"tools": (WEATHER,), "tool_choice": "get_weather"}),
    ),
    "ollama forced call, and text instead": Stream(
        "ollama",
        lines(ollama_says(content="I would rather talk."), OLLAMA_DONE),
        ChatResult(content="I would rather talk.", finish_reason="stop", **OLLAMA_END),
        CHAT.model_copy(update={"tools": (WEATHER,), "tool_choice": "required"}),
    ),
    "ollama completion with logprobs": Stream(
        "ollama",
        lines(
            {
                "response": "Hi",
                "done": False,
                "logprobs": [
                    {
                        "token": "Hi",
                        "logprob": -0.1,
                        "bytes": [72, 105],
                        "top_logprobs": [{"token": "Ho", "logprob": -2.0}],
                    }
                ],
            },
            {**OLLAMA_DONE, "response": "", "prompt_eval_count": None},
        ),
        ChatResult(
            content="Hi",
            logprobs=(TokenLogprob("Hi", -0.1, (TokenLogprob("Ho", -2.0),)),),
            finish_reason="stop",
            model="tiny:latest",
            usage=Usage(0, 26),
            timings=OLLAMA_TIMINGS,
        ),
        CompletionRequest(prompt="Say"),
    ),
    "openai text": Stream(
        "openai",
        sse(
            openai_says(role="assistant", content="Hel"),
            openai_says(content="lo."),
            STOP,
            OPENAI_USAGE,
        ),
        ChatResult(content="Hello.", finish_reason="stop", **OPENAI_END),
    ),
    "openai with CRLF, comments and names": Stream(
        "openai",
        b": ping\r\n\r\nevent: message\r\nid: 7\r\nretry: 1\r\n"
        + sse(openai_says(content=UNICODE), STOP, OPENAI_USAGE, newline=b"\r\n"),
        ChatResult(content=UNICODE, finish_reason="stop", **OPENAI_END),
    ),
    "openai with CR alone": Stream(
        "openai",
        sse(openai_says(content="Hi."), STOP, OPENAI_USAGE, newline=b"\r"),
        ChatResult(content="Hi.", finish_reason="stop", **OPENAI_END),
    ),
    "openai reasoning_content": Stream(
        "openai",
        sse(openai_says(reasoning_content="Well."), openai_says(content="Hi."), STOP, OPENAI_USAGE),
        ChatResult(content="Hi.", reasoning="Well.", finish_reason="stop", **OPENAI_END),
    ),
    "openai reasoning": Stream(
        "openai",
        sse(
            openai_says(reasoning="Well.", content=""),
            openai_says(content="Hi."),
            STOP,
            OPENAI_USAGE,
        ),
        ChatResult(content="Hi.", reasoning="Well.", finish_reason="stop", **OPENAI_END),
    ),
    "openai thinks to the end": Stream(
        "openai",
        sse(
            openai_says(content="<think>We"),
            openai_says(content="ll</"),
            openai_says("length"),
            OPENAI_USAGE,
        ),
        ChatResult(reasoning="Well</", finish_reason="length", **OPENAI_END),
    ),
    "openai call in pieces": Stream(
        "openai",
        sse(
            openai_says(content=None),
            tool_pieces(openai_piece(0, "a", "get_weather", "")),
            tool_pieces(openai_piece(0, arguments='{"location":')),
            tool_pieces(openai_piece(0, arguments=' "Paris"}')),
            openai_says("tool_calls"),
            OPENAI_USAGE,
        ),
        ChatResult(tool_calls=(weather("Paris", "a"),), finish_reason="tool_calls", **OPENAI_END),
    ),
    "openai forced call, with prose before it": Stream(
        "openai",
        sse(
            openai_says(reasoning_content="Well.", content="The capital of "),
            openai_says(content="France is Paris."),
            tool_pieces(openai_piece(0, "a", "get_weather", '{"location": "Paris"}')),
            openai_says("tool_calls"),
            OPENAI_USAGE,
        ),
        ChatResult(
            reasoning="Well.",
            tool_calls=(weather("Paris", "a"),),
            finish_reason="tool_calls",
            **OPENAI_END,
        ),
        CHAT.model_copy(update={"tools": (WEATHER,), "tool_choice": "required"}),
    ),
    "openai forced call, and text instead": Stream(
        "openai",
        sse(openai_says(content="I would rather talk."), STOP, OPENAI_USAGE),
        ChatResult(content="I would rather talk.", finish_reason="stop", **OPENAI_END),
        CHAT.model_copy(update={"tools": (WEATHER,), "tool_choice": "get_weather"}),
    ),
    "openai two calls in one frame": Stream(
        "openai",
        sse(
            tool_pieces(
                openai_piece(0, "a", "get_weather", '{"location": "Paris"}'),
                openai_piece(1, "b", "get_weather", '{"location": '),
            ),
            tool_pieces(openai_piece(1, "b", arguments='"Tokyo"}')),
            STOP,
            OPENAI_USAGE,
        ),
        ChatResult(
            tool_calls=(weather("Paris", "a"), weather("Tokyo", "b")),
            finish_reason="tool_calls",
            **OPENAI_END,
        ),
    ),
    "openai calls all numbered 0": Stream(
        "openai",
        sse(
            tool_pieces(openai_piece(0, "a", "get_weather", '{"location": "Paris"}')),
            tool_pieces(openai_piece(0, "b", "get_weather", '{"location": "Tokyo"}')),
            openai_says("tool_calls"),
            OPENAI_USAGE,
        ),
        ChatResult(
            tool_calls=(weather("Paris", "a"), weather("Tokyo", "b")),
            finish_reason="tool_calls",
            **OPENAI_END,
        ),
    ),
    "openai calls without number or id": Stream(
        "openai",
        sse(
            tool_pieces(openai_piece(None, name="get_weather", arguments='{"location":')),
            tool_pieces(openai_piece(None, arguments=' "Paris"}')),
            tool_pieces(openai_piece(None, name="get_weather", arguments='{"location": "Tokyo"}')),
            openai_says("tool_calls"),
            OPENAI_USAGE,
        ),
        ChatResult(
            tool_calls=(weather("Paris", "call_0"), weather("Tokyo", "call_1")),
            finish_reason="tool_calls",
            **OPENAI_END,
        ),
    ),
    "openai frames spliced": Stream(
        "openai",
        b"data: "
        + json.dumps(openai_says(content="H")).encode()
        + b"\ndata: "
        + json.dumps(openai_says(content="e")).encode()
        + b"\n\ndata: "
        + json.dumps(openai_says(content="l")).encode()
        + b"data: "
        + json.dumps(openai_says(content="lo.")).encode()
        + b"\n\n"
        + sse(STOP, OPENAI_USAGE),
        ChatResult(content="Hello.", finish_reason="stop", **OPENAI_END),
    ),
    "llama.cpp usage and timings": Stream(
        "embedded",
        sse(
            openai_says(content="Hi."),
            STOP,
            {
                "model": "tiny",
                "choices": [],
                "usage": {
                    "prompt_tokens": 19,
                    "completion_tokens": 26,
                    "completion_tokens_details": {"reasoning_tokens": 7},
                    "prompt_tokens_details": {"cached_tokens": 18},
                },
                "timings": {"prompt_ms": 500.0, "predicted_ms": 2000.0},
            },
        ),
        ChatResult(
            content="Hi.",
            finish_reason="stop",
            model="tiny",
            usage=Usage(19, 26, reasoning_tokens=7, cached_tokens=18),
            timings=Timings(prompt=0.5, output=2.0, first_token=0.5),
        ),
    ),
    "lmstudio schema answered as reasoning": Stream(
        "lmstudio",
        sse(
            openai_says(reasoning_content='{"a":'),
            openai_says(reasoning_content=" 1}"),
            STOP,
            OPENAI_USAGE,
        ),
        ChatResult(content='{"a": 1}', reasoning='{"a": 1}', finish_reason="stop", **OPENAI_END),
        CHAT.model_copy(update={"response_format": {"type": "object"}}),
    ),
    "llama.cpp completion with logprobs": Stream(
        "embedded",
        sse(
            {
                "model": "tiny",
                "choices": [
                    {
                        "text": "<think>Hi",
                        "logprobs": {"content": [{"token": "Hi", "logprob": -0.1}]},
                        "finish_reason": None,
                    }
                ],
            },
            {"model": "tiny", "choices": [{"text": "", "finish_reason": "length"}]},
            OPENAI_USAGE,
        ),
        ChatResult(
            content="<think>Hi",
            logprobs=(TokenLogprob("Hi", -0.1),),
            finish_reason="length",
            **OPENAI_END,
        ),
        CompletionRequest(prompt="Say"),
    ),
}
