"""An OpenAI-compatible server that says what Ollama's own integration tests want to hear."""

from __future__ import annotations

import json
from typing import Any

from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, events, whole

TEXT = (
    "Rayleigh scattering of sunlight by nitrogen in the atmosphere; water droplets refract light."
    " 180. Tokyo. Once upon a time in Europe \U0001f600 there was a conflict, and on the fourth of"
    " July a declaration of independence."
)
USAGE = {"prompt_tokens": 19, "completion_tokens": 26, "total_tokens": 45}


def scripted() -> LoopbackServer:
    server = stand_ins.openai("tiny")
    server.routes["POST /v1/chat/completions"] = _answer
    return server


def _answer(exchange: Exchange) -> None:
    asked = exchange.json
    message, reason = _message(asked)
    logprobs = _logprobs(asked)
    if not asked.get("stream"):
        choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": logprobs}
        whole({"model": "tiny", "choices": [choice], "usage": USAGE})(exchange)
        return
    said: dict[str, Any] = {"index": 0, "delta": message, "logprobs": logprobs}
    end = {"index": 0, "delta": {}, "finish_reason": reason}
    frames = [{"model": "tiny", "choices": [choice]} for choice in (said, end)]
    events(*frames, {"model": "tiny", "choices": [], "usage": USAGE}, b"[DONE]")(exchange)


def _message(asked: Any) -> tuple[dict[str, Any], str]:
    """Call the tool that there is, or say the text."""
    last = asked["messages"][-1]
    if not asked.get("tools") or last["role"] == "tool":
        return {"role": "assistant", "content": TEXT}, "stop"
    function = asked["tools"][0]["function"]
    place = "Boston" if "Boston" in json.dumps(last) else "Paris"
    arguments = json.dumps(dict.fromkeys(function["parameters"]["properties"], place))
    named = {"name": function["name"], "arguments": arguments}
    call = {"index": 0, "id": "call_1", "type": "function", "function": named}
    return {"role": "assistant", "content": "", "tool_calls": [call]}, "tool_calls"


def _logprobs(asked: Any) -> dict[str, Any] | None:
    if not asked.get("logprobs"):
        return None
    rivals = range(asked.get("top_logprobs") or 0)
    return {
        "content": [
            {
                "token": word,
                "logprob": -0.1,
                "top_logprobs": [{"token": f"{word}{n}", "logprob": -0.1 - n} for n in rivals],
            }
            for word in TEXT.split()[:5]
        ]
    }
