"""Tool calls as they should be: what was recorded, and what is documented."""

from __future__ import annotations

from tests.unit.tool_calls.case import FN, PARIS, PIECES, TOKYO, Case, entry, fn

CASES: dict[str, Case] = {
    "ollama 0.12 whole": Case(
        "recorded: ollama/0.12.11/tool-call.yaml: index within `function`, no type",
        "ollama",
        ([{"id": "call_eblyc2kd", "function": fn("get_weather", {"location": "Paris"}, index=0)}],),
        (("get_weather", PARIS, "call_eblyc2kd"),),
        whole=True,
    ),
    "ollama 0.12 streamed": Case(
        "recorded: ollama/0.12.11/tool-call-streamed.yaml: one frame for the call",
        "ollama",
        ([{"id": "call_jxvrk64r", "function": fn("get_weather", {"location": "Paris"}, index=0)}],),
        (("get_weather", PARIS, "call_jxvrk64r"),),
    ),
    "ollama 0.33 streamed": Case(
        "recorded: ollama/0.33.0-rc2/tool-call-streamed.yaml: in the last frame, 32 letters of id",
        "ollama",
        (
            [
                {
                    "id": "wn758mSJHdeorlwrJaI6KGFKHOSffgNF",
                    "function": fn("get_weather", {"location": "Paris"}, index=0),
                }
            ],
        ),
        (("get_weather", PARIS, "wn758mSJHdeorlwrJaI6KGFKHOSffgNF"),),
    ),
    "ollama 0.12 parallel, a frame each": Case(
        "recorded: shared/ollama-samples/0.12.11/chat-tools-parallel-stream.json",
        "ollama",
        (
            [{"id": "call_m1", "function": fn("get_weather", {"location": "Paris"}, index=0)}],
            [{"id": "call_m2", "function": fn("get_weather", {"location": "Tokyo"}, index=1)}],
        ),
        (("get_weather", PARIS, "call_m1"), ("get_weather", TOKYO, "call_m2")),
    ),
    "ollama 0.32 parallel, one frame": Case(
        "recorded: shared/ollama-samples/0.32.15/chat-tools-parallel-stream.json",
        "ollama",
        (
            [
                {"id": "yDIW", "function": fn("get_weather", {"location": "Paris"}, index=0)},
                {"id": "ZYGn", "function": fn("get_weather", {"location": "Tokyo"}, index=1)},
            ],
        ),
        (("get_weather", PARIS, "yDIW"), ("get_weather", TOKYO, "ZYGn")),
    ),
    "ollama 0.32 parallel, whole": Case(
        "recorded: shared/ollama-samples/0.32.15/chat-tools-parallel.json",
        "ollama",
        (
            [
                {"id": "JUiT", "function": fn("get_weather", {"location": "Paris"}, index=0)},
                {"id": "J5yV", "function": fn("get_weather", {"location": "Tokyo"}, index=1)},
            ],
        ),
        (("get_weather", PARIS, "JUiT"), ("get_weather", TOKYO, "J5yV")),
        whole=True,
    ),
    "ollama /v1 whole": Case(
        "recorded: shared/ollama-samples/0.32.15/v1-chat-tool.json: index in a whole reply",
        "openai",
        ([entry(0, fn("get_weather", PARIS), id="bpSj", type=FN)],),
        (("get_weather", PARIS, "bpSj"),),
        whole=True,
    ),
    "lmstudio whole": Case(
        "recorded: lmstudio/0.4/tool-call.yaml: nine digits as id, no index",
        "lmstudio",
        ([{"type": FN, "id": "628973129", "function": fn("get_weather", PARIS)}],),
        (("get_weather", PARIS, "628973129"),),
        whole=True,
    ),
    "lmstudio streamed": Case(
        "recorded: lmstudio/0.4/tool-call-streamed.yaml: the type in every piece, the id in one",
        "lmstudio",
        (
            [entry(0, fn("get_weather", ""), id="628973129", type=FN)],
            *([entry(0, fn(arguments=piece), type=FN)] for piece in PIECES),
        ),
        (("get_weather", PARIS, "628973129"),),
    ),
    "lmstudio without arguments": Case(
        "recorded: shared/lmstudio-samples/r65-sse-tool-call-2026-05.txt: empty text, then {}",
        "lmstudio",
        (
            [entry(0, fn("get_random_int", ""), id="841199783", type=FN)],
            [entry(0, fn(arguments="{}"), type=FN)],
        ),
        (("get_random_int", "{}", "841199783"),),
    ),
    "lmstudio in one piece": Case(
        "lmstudio-bug-tracker 1868: qwen3.6 streams all arguments in one piece",
        "lmstudio",
        (
            [entry(0, fn("echo", ""), id="512340987", type=FN)],
            [entry(0, fn(arguments='{"input": "int main() { return 0; }"}'), type=FN)],
        ),
        (("echo", '{"input": "int main() { return 0; }"}', "512340987"),),
    ),
    "lmstudio no calls, whole": Case(
        "lmstudio-bug-tracker 1318: `tool_calls: []` in every reply",
        "lmstudio",
        ([],),
        (),
        whole=True,
    ),
    "llama.cpp whole": Case(
        "recorded: llamacpp/b11549/tool-call.yaml: the id comes last",
        "openai",
        ([{"type": FN, "function": fn("get_weather", PARIS), "id": "eiRRIqtp"}],),
        (("get_weather", PARIS, "eiRRIqtp"),),
        whole=True,
    ),
    "llama.cpp streamed": Case(
        "recorded: llamacpp/b11549/tool-call-streamed.yaml: JSON begins beside the name",
        "openai",
        (
            [entry(0, fn("get_weather", "{"), id="eYFpmGi0", type=FN)],
            *([entry(0, fn(arguments=piece))] for piece in ('"', "location", '":', ' "', "Paris")),
            [entry(0, fn(arguments='"}'))],
        ),
        (("get_weather", PARIS, "eYFpmGi0"),),
    ),
    "groq streamed": Case(
        "ogx 630: Groq sends each call whole in a chunk of its own",
        "openai",
        (
            [entry(0, fn("get_weather", PARIS), id="call_g1", type=FN)],
            [entry(1, fn("get_weather", TOKYO), id="call_g2", type=FN)],
        ),
        (("get_weather", PARIS, "call_g1"), ("get_weather", TOKYO, "call_g2")),
    ),
    "mistral ids": Case(
        "opencode 1680, vllm 47739: ids of nine letters and digits, no type",
        "openai",
        (
            [entry(0, fn("read_file", ""), id="WcG8xhSs1")],
            [entry(0, fn("", '{"path": '))],
            [entry(0, fn("", '"a"}'))],
        ),
        (("read_file", '{"path": "a"}', "WcG8xhSs1"),),
    ),
    "kimi ids": Case(
        "vllm 46344: Kimi's ids hold the name; the first arguments are null, then begin blank",
        "openai",
        (
            [entry(0, fn("get_weather", None), id="functions.get_weather:0", type=FN)],
            [entry(0, fn(None, ' {"location": "Paris"}'), id=None, type=None)],
            [entry(1, fn("get_time", None), id="functions.get_time:1", type=FN)],
            [entry(1, fn(None, ' {"zone": "UTC"}'), id=None, type=None)],
        ),
        (
            ("get_weather", ' {"location": "Paris"}', "functions.get_weather:0"),
            ("get_time", ' {"zone": "UTC"}', "functions.get_time:1"),
        ),
    ),
}
