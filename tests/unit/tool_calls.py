"""Tool calls as servers really send them, and what must come of each: one table of cases.

Each case names who sends it. Where a report shows the frames, their shape is kept and the words
are ours; `recorded` and `documented` stand for our own cassettes, samples and reference files.
`composed` marks frames that no report shows as they stand: parts of the named ones, together.
DOUBTFUL marks what the rules of the assembler do not decide.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from localmix.types import Kind


@dataclass(frozen=True)
class Case:
    """One answer's tool calls.

    Attributes:
        source: Who sends this, and what is odd about it.
        kind: The dialect.
        frames: The `tool_calls` of each delta of a stream, or of the one message.
        calls: Name, arguments as JSON text and id of each call; no id where it is one of ours.
        whole: Whether it is a whole reply instead of a stream.
    """

    source: str
    kind: Kind
    frames: tuple[list[dict[str, Any]], ...]
    calls: tuple[tuple[str, str, str | None], ...]
    whole: bool = False


class _Left(Enum):
    OUT = "a key that is not there, unlike one that is null"


_OUT: Final = _Left.OUT


def _f(name: str | _Left | None = _OUT, arguments: Any = _OUT, **more: Any) -> dict[str, Any]:
    """Write `function`; what is not given is not there."""
    given = {"name": name, "arguments": arguments}
    return {key: value for key, value in given.items() if value is not _OUT} | more


def _t(index: int | _Left | None, function: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Write an entry of `tool_calls` (`id` and `type` are given by name)."""
    return ({} if index is _OUT else {"index": index}) | more | {"function": function}


_FN: Final = "function"
_PARIS: Final = '{"location": "Paris"}'
_TOKYO: Final = '{"location": "Tokyo"}'
_PIECES: Final = ('{"', 'location": "', "Par", 'is"}')
_LONG: Final = json.dumps({"path": "a.txt", "content": "0123456789 abcdef " * 2000})
_CODE: Final = json.dumps(
    {"code": 'if (a["}"] == "{") { say("\\"]\\n"); }', "then": {"run": ['{"x": "}"}', "[{"]}}
)
_CHINESE: Final = '{"城市": "東京", "note": "naïve 🙂 \\ud83d\\ude00"}'


CASES: dict[str, Case] = {
    # --- As it should be: what was recorded and what is documented -------------------------------
    "ollama 0.12 whole": Case(
        "recorded: ollama/0.12.11/tool-call.yaml: index within `function`, no type",
        "ollama",
        ([{"id": "call_eblyc2kd", "function": _f("get_weather", {"location": "Paris"}, index=0)}],),
        (("get_weather", _PARIS, "call_eblyc2kd"),),
        whole=True,
    ),
    "ollama 0.12 streamed": Case(
        "recorded: ollama/0.12.11/tool-call-streamed.yaml: one frame for the call",
        "ollama",
        ([{"id": "call_jxvrk64r", "function": _f("get_weather", {"location": "Paris"}, index=0)}],),
        (("get_weather", _PARIS, "call_jxvrk64r"),),
    ),
    "ollama 0.33 streamed": Case(
        "recorded: ollama/0.33.0-rc2/tool-call-streamed.yaml: in the last frame, 32 letters of id",
        "ollama",
        (
            [
                {
                    "id": "wn758mSJHdeorlwrJaI6KGFKHOSffgNF",
                    "function": _f("get_weather", {"location": "Paris"}, index=0),
                }
            ],
        ),
        (("get_weather", _PARIS, "wn758mSJHdeorlwrJaI6KGFKHOSffgNF"),),
    ),
    "ollama 0.12 parallel, a frame each": Case(
        "recorded: shared/ollama-samples/0.12.11/chat-tools-parallel-stream.json",
        "ollama",
        (
            [{"id": "call_m1", "function": _f("get_weather", {"location": "Paris"}, index=0)}],
            [{"id": "call_m2", "function": _f("get_weather", {"location": "Tokyo"}, index=1)}],
        ),
        (("get_weather", _PARIS, "call_m1"), ("get_weather", _TOKYO, "call_m2")),
    ),
    "ollama 0.32 parallel, one frame": Case(
        "recorded: shared/ollama-samples/0.32.15/chat-tools-parallel-stream.json",
        "ollama",
        (
            [
                {"id": "yDIW", "function": _f("get_weather", {"location": "Paris"}, index=0)},
                {"id": "ZYGn", "function": _f("get_weather", {"location": "Tokyo"}, index=1)},
            ],
        ),
        (("get_weather", _PARIS, "yDIW"), ("get_weather", _TOKYO, "ZYGn")),
    ),
    "ollama 0.32 parallel, whole": Case(
        "recorded: shared/ollama-samples/0.32.15/chat-tools-parallel.json",
        "ollama",
        (
            [
                {"id": "JUiT", "function": _f("get_weather", {"location": "Paris"}, index=0)},
                {"id": "J5yV", "function": _f("get_weather", {"location": "Tokyo"}, index=1)},
            ],
        ),
        (("get_weather", _PARIS, "JUiT"), ("get_weather", _TOKYO, "J5yV")),
        whole=True,
    ),
    "ollama /v1 whole": Case(
        "recorded: shared/ollama-samples/0.32.15/v1-chat-tool.json: index in a whole reply",
        "openai",
        ([_t(0, _f("get_weather", _PARIS), id="bpSj", type=_FN)],),
        (("get_weather", _PARIS, "bpSj"),),
        whole=True,
    ),
    "lmstudio whole": Case(
        "recorded: lmstudio/0.4/tool-call.yaml: nine digits as id, no index",
        "lmstudio",
        ([{"type": _FN, "id": "628973129", "function": _f("get_weather", _PARIS)}],),
        (("get_weather", _PARIS, "628973129"),),
        whole=True,
    ),
    "lmstudio streamed": Case(
        "recorded: lmstudio/0.4/tool-call-streamed.yaml: the type in every piece, the id in one",
        "lmstudio",
        (
            [_t(0, _f("get_weather", ""), id="628973129", type=_FN)],
            *([_t(0, _f(arguments=piece), type=_FN)] for piece in _PIECES),
        ),
        (("get_weather", _PARIS, "628973129"),),
    ),
    "lmstudio without arguments": Case(
        "recorded: shared/lmstudio-samples/r65-sse-tool-call-2026-05.txt: empty text, then {}",
        "lmstudio",
        (
            [_t(0, _f("get_random_int", ""), id="841199783", type=_FN)],
            [_t(0, _f(arguments="{}"), type=_FN)],
        ),
        (("get_random_int", "{}", "841199783"),),
    ),
    "lmstudio in one piece": Case(
        "lmstudio-bug-tracker 1868: qwen3.6 streams all arguments in one piece",
        "lmstudio",
        (
            [_t(0, _f("echo", ""), id="512340987", type=_FN)],
            [_t(0, _f(arguments='{"input": "int main() { return 0; }"}'), type=_FN)],
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
        ([{"type": _FN, "function": _f("get_weather", _PARIS), "id": "eiRRIqtp"}],),
        (("get_weather", _PARIS, "eiRRIqtp"),),
        whole=True,
    ),
    "llama.cpp streamed": Case(
        "recorded: llamacpp/b11549/tool-call-streamed.yaml: JSON begins beside the name",
        "openai",
        (
            [_t(0, _f("get_weather", "{"), id="eYFpmGi0", type=_FN)],
            *([_t(0, _f(arguments=piece))] for piece in ('"', "location", '":', ' "', "Paris")),
            [_t(0, _f(arguments='"}'))],
        ),
        (("get_weather", _PARIS, "eYFpmGi0"),),
    ),
    "groq streamed": Case(
        "ogx 630: Groq sends each call whole in a chunk of its own",
        "openai",
        (
            [_t(0, _f("get_weather", _PARIS), id="call_g1", type=_FN)],
            [_t(1, _f("get_weather", _TOKYO), id="call_g2", type=_FN)],
        ),
        (("get_weather", _PARIS, "call_g1"), ("get_weather", _TOKYO, "call_g2")),
    ),
    "mistral ids": Case(
        "opencode 1680, vllm 47739: ids of nine letters and digits, no type",
        "openai",
        (
            [_t(0, _f("read_file", ""), id="WcG8xhSs1")],
            [_t(0, _f("", '{"path": '))],
            [_t(0, _f("", '"a"}'))],
        ),
        (("read_file", '{"path": "a"}', "WcG8xhSs1"),),
    ),
    "kimi ids": Case(
        "vllm 46344: Kimi's ids hold the name; the first arguments are null, then begin blank",
        "openai",
        (
            [_t(0, _f("get_weather", None), id="functions.get_weather:0", type=_FN)],
            [_t(0, _f(None, ' {"location": "Paris"}'), id=None, type=None)],
            [_t(1, _f("get_time", None), id="functions.get_time:1", type=_FN)],
            [_t(1, _f(None, ' {"zone": "UTC"}'), id=None, type=None)],
        ),
        (
            ("get_weather", ' {"location": "Paris"}', "functions.get_weather:0"),
            ("get_time", ' {"zone": "UTC"}', "functions.get_time:1"),
        ),
    ),
    # --- Ids: none, late, repeated, another in each piece, numbers -------------------------------
    "id missing, ollama whole": Case(
        "haystack-core-integrations 3321: Ollama before 0.12.10: no id, no index",
        "ollama",
        ([{"function": _f("get_weather", {"location": "Paris"})}],),
        (("get_weather", _PARIS, None),),
        whole=True,
    ),
    "id missing, ollama streamed, two": Case(
        "documented: ollama-api.md 3.4: the id may be absent; two calls of one tool",
        "ollama",
        (
            [{"function": _f("get_weather", {"location": "Paris"})}],
            [{"function": _f("get_weather", {"location": "Tokyo"})}],
        ),
        (("get_weather", _PARIS, None), ("get_weather", _TOKYO, None)),
    ),
    "id missing, ollama, no arguments, two": Case(
        "documented: faults.md T6, ollama-api.md 3.4: two calls with `{}`, no id, no index",
        "ollama",
        ([{"function": _f("get_time", {})}], [{"function": _f("get_time", {})}]),
        (("get_time", "{}", None), ("get_time", "{}", None)),
    ),
    "id missing, streamed": Case(
        "cherry-studio 16322, opencode 12585: GLM and NIM send no id at all",
        "openai",
        (
            [_t(0, _f("web_search", ""), type=_FN)],
            [_t(0, _f(arguments='{"q": "x"}'))],
        ),
        (("web_search", '{"q": "x"}', None),),
    ),
    "id null, streamed": Case(
        "vllm 9693, 18412: id, type and the other half of the function are null",
        "openai",
        (
            [_t(0, _f("sum", None), id=None, type=None)],
            [_t(0, _f(None, '{"n1": 2, "n2": 2}'), id=None, type=None)],
        ),
        (("sum", '{"n1": 2, "n2": 2}', None),),
    ),
    "id missing in the second call": Case(
        "sglang 7048: the id is null where the index is above 0",
        "openai",
        (
            [_t(0, _f("get_temperature", ""), id="call_s1", type=_FN)],
            [_t(0, _f(None, '{"at": "Oslo"}'), id=None, type=_FN)],
            [_t(1, _f("get_forecast", ""), id=None, type=_FN)],
            [_t(1, _f(None, '{"at": "Rome"}'), id=None, type=_FN)],
        ),
        (
            ("get_temperature", '{"at": "Oslo"}', "call_s1"),
            ("get_forecast", '{"at": "Rome"}', None),
        ),
    ),
    "id empty, whole, two": Case(
        "OpenRouter ai-sdk-provider 471: empty and null ids for parallel calls",
        "openai",
        (
            [
                _t(_OUT, _f("get_weather", _PARIS), id="", type=_FN),
                _t(_OUT, _f("get_weather", _TOKYO), id=None, type=_FN),
            ],
        ),
        (("get_weather", _PARIS, None), ("get_weather", _TOKYO, None)),
        whole=True,
    ),
    "id late": Case(
        "documented: faults.md T5; MiMo-Code 2421: name and arguments before the id",
        "openai",
        (
            [_t(0, _f("get_weather", ""), type=_FN)],
            [_t(0, _f(arguments='{"location": '), id="call_late")],
            [_t(0, _f(arguments='"Paris"}'))],
        ),
        (("get_weather", _PARIS, "call_late"),),
    ),
    "id late, with the name again": Case(
        "MiMo-Code 2421, agent-os 3265: the real id stands beside a name that is said again",
        "openai",
        (
            [_t(0, _f("get_weather", ""), id="", type=_FN)],
            [_t(0, _f("get_weather", ""), id="call_late", type=_FN)],
            [_t(0, _f(arguments=_PARIS))],
        ),
        (("get_weather", _PARIS, "call_late"),),
    ),
    "id late, after the arguments": Case(
        "composed: faults.md T5: nothing but the id in the last piece",
        "openai",
        (
            [_t(0, _f("get_weather", _PARIS), type=_FN)],
            [{"index": 0, "id": "call_last"}],
        ),
        (("get_weather", _PARIS, "call_last"),),
    ),
    "id before the name": Case(
        "Zoo-Code 695 (218): id and name in separate chunks",
        "openai",
        (
            [_t(0, _f(None, ""), id="call_z", type=_FN)],
            [_t(0, _f("get_weather", ""))],
            [_t(0, _f(arguments=_PARIS))],
        ),
        (("get_weather", _PARIS, "call_z"),),
    ),
    "index, then id and name": Case(
        "agent-os 3265 (3171): a first piece with nothing but an index",
        "openai",
        (
            [{"index": 0}],
            [_t(0, _f("get_weather", ""), id="call_123", type=_FN)],
            [_t(0, _f(arguments=_PARIS))],
        ),
        (("get_weather", _PARIS, "call_123"),),
    ),
    "id in every piece": Case(
        "spring-ai 5973, 6000: vLLM and others repeat the id in each piece",
        "openai",
        (
            [_t(0, _f("get_weather", ""), id="chatcmpl-tool-1", type=_FN)],
            *([_t(0, _f(arguments=each), id="chatcmpl-tool-1", type=_FN)] for each in _PIECES),
        ),
        (("get_weather", _PARIS, "chatcmpl-tool-1"),),
    ),
    "id empty in later pieces": Case(
        "deepchat 355, opencode 37783, lmdeploy 3412: DashScope, vLLM: id and name are empty text",
        "openai",
        (
            [_t(0, _f("calculator", "{"), id="call_8c1f", type=_FN)],
            [_t(0, _f("", '"of": '), id="", type=_FN)],
            [_t(0, _f("", '"2"}'), id="", type=_FN)],
        ),
        (("calculator", '{"of": "2"}', "call_8c1f"),),
    ),
    "id null in later pieces": Case(
        "sglang 35542, opencodex 1754: id and name are null in each further piece",
        "openai",
        (
            [_t(0, _f("get_weather", ""), id="call_abc", type=_FN)],
            *([_t(0, _f(None, each), id=None, type=_FN)] for each in _PIECES),
        ),
        (("get_weather", _PARIS, "call_abc"),),
    ),
    "id is the text null in a later piece": Case(
        "zed 53605: Mistral sends the text null as id of a later piece",
        "openai",
        (
            [_t(0, _f("read_file", ""), id="WcG8xhSs1")],
            [_t(0, _f("", '{"path":'), id="null")],
            [_t(0, _f("", ' "a"}'), id="null")],
        ),
        (("read_file", '{"path": "a"}', "WcG8xhSs1"),),
    ),
    "another id in each piece": Case(
        "GLM-4 194, faults.md T4 (vllm 23522): glm-4 makes an id for each piece",
        "openai",
        (
            [_t(0, _f("get_weather", ""), id="call_a0", type=_FN)],
            *(
                [_t(0, _f(None, each), id=f"call_a{number}", type=_FN)]
                for number, each in enumerate(_PIECES, start=1)
            ),
        ),
        (("get_weather", _PARIS, "call_a0"),),
    ),
    "another id in each piece, two calls": Case(
        "mlx-openai-server 216: ids are not stable, the index is right",
        "openai",
        (
            [_t(0, _f("get_weather", ""), id="call_1", type=_FN)],
            [_t(0, _f(arguments='{"location": '), id="call_2", type=_FN)],
            [_t(0, _f(arguments='"Paris"}'), id="call_3", type=_FN)],
            [_t(1, _f("get_weather", ""), id="call_4", type=_FN)],
            [_t(1, _f(arguments='{"location": '), id="call_5", type=_FN)],
            [_t(1, _f(arguments='"Tokyo"}'), id="call_6", type=_FN)],
        ),
        (("get_weather", _PARIS, "call_1"), ("get_weather", _TOKYO, "call_4")),
    ),
    "another id in each piece, name null": Case(
        "hermes-agent 45164: Kimi for coding: index 0, a fresh id for each fragment",
        "openai",
        (
            [_t(0, _f("skill_view", ""), id="tool_OE", type=_FN)],
            [_t(0, _f(None, '{"'), id="tool_Cf", type=_FN)],
            [_t(0, _f(None, 'name": '), id="tool_dR", type=_FN)],
            [_t(0, _f(None, '"x"}'), id="tool_xG", type=_FN)],
        ),
        (("skill_view", '{"name": "x"}', "tool_OE"),),
    ),
    "another id in each piece, lmstudio": Case(
        "hermes-agent 5254, 106943: LM Studio with Gemma 4: empty names, an id for each piece",
        "lmstudio",
        (
            [_t(0, _f("shell", ""), id="701601222", type=_FN)],
            [_t(0, _f("", "{\n"), id="tool-call-1", type=_FN)],
            [_t(0, _f("", ' "command'), id="tool-call-2", type=_FN)],
            [_t(0, _f("", '": "ls"\n}'), id="tool-call-3", type=_FN)],
        ),
        (("shell", '{\n "command": "ls"\n}', "701601222"),),
    ),
    "two ids for one call": Case(
        "poolsideai/pool 9: one id beside the name, another in all the rest",
        "openai",
        (
            [_t(0, _f("shell", ""), id="call_first", type=_FN)],
            [_t(0, _f(arguments='{"cmd"'), id="call_rest", type=_FN)],
            [_t(0, _f(arguments=': "ls"}'), id="call_rest", type=_FN)],
        ),
        (("shell", '{"cmd": "ls"}', "call_first"),),
    ),
    "one id for two calls, whole": Case(
        "xinference 4237, faults.md T1: the id is made of the reply's",
        "openai",
        (
            [
                {"id": "call_f0de", "type": _FN, "function": _f("think", '{"thought": "a"}')},
                {"id": "call_f0de", "type": _FN, "function": _f("get_supplier", '{"key": 1}')},
            ],
        ),
        (("think", '{"thought": "a"}', "call_f0de"), ("get_supplier", '{"key": 1}', None)),
        whole=True,
    ),
    "the name as id, whole": Case(
        "documented: faults.md T1: an API that uses the function's name as id",
        "openai",
        (
            [
                _t(_OUT, _f("get_weather", _PARIS), id="get_weather", type=_FN),
                _t(_OUT, _f("get_weather", _TOKYO), id="get_weather", type=_FN),
            ],
        ),
        (("get_weather", _PARIS, "get_weather"), ("get_weather", _TOKYO, None)),
        whole=True,
    ),
    "one id for two equal calls, whole": Case(
        "composed: hermes-agent 67777 (one id twice in a batch), with equal arguments",
        "openai",
        (
            [
                _t(_OUT, _f("get_weather", _PARIS), id="call_k", type=_FN),
                _t(_OUT, _f("get_weather", _PARIS), id="call_k", type=_FN),
            ],
        ),
        (("get_weather", _PARIS, "call_k"), ("get_weather", _PARIS, None)),
        whole=True,
    ),
    # DOUBTFUL: rule 1 gives the second call an id of ours in a whole reply; rule 4 read by the
    # letter keeps the same one in a stream. Ids are to be unique (T7), so: one of ours here too.
    "one id for two calls, streamed": Case(
        "llama.cpp 27966, nanobot 3943: one id for two parallel calls",
        "openai",
        (
            [_t(0, _f("get_weather", "{"), id="ZsSt4SkI", type=_FN)],
            [_t(0, _f(arguments='"location": "Paris"}'))],
            [_t(1, _f("get_time", "{"), id="ZsSt4SkI", type=_FN)],
            [_t(1, _f(arguments='"zone": "UTC"}'))],
        ),
        (("get_weather", _PARIS, "ZsSt4SkI"), ("get_time", '{"zone": "UTC"}', None)),
    ),
    # DOUBTFUL: as above, and the same tool twice: only the arguments tell.
    "one id for two calls of one tool, streamed": Case(
        "llama.cpp 27966: one id, one name, two indices",
        "openai",
        (
            [_t(0, _f("get_weather", "{"), id="ZsSt4SkI", type=_FN)],
            [_t(0, _f(arguments='"location": "Paris"}'))],
            [_t(1, _f("get_weather", "{"), id="ZsSt4SkI", type=_FN)],
            [_t(1, _f(arguments='"location": "Tokyo"}'))],
        ),
        (("get_weather", _PARIS, "ZsSt4SkI"), ("get_weather", _TOKYO, None)),
    ),
    "number as id, whole": Case(
        "opencode 25786, hermes-agent 58562: GLM on NIM and Poolside send a number",
        "openai",
        ([_t(_OUT, _f("get_weather", _PARIS), id=123, type=_FN)],),
        (("get_weather", _PARIS, "123"),),
        whole=True,
    ),
    "number as id, streamed": Case(
        "opencode 19947, kilocode 5816: Kimi on NIM, MiniMax: a number in the stream",
        "openai",
        (
            [_t(0, _f("get_weather", ""), id=456, type=_FN)],
            [_t(0, _f(arguments=_PARIS), id=456)],
        ),
        (("get_weather", _PARIS, "456"),),
    ),
    "number as id, from 0": Case(
        "composed: opencode 19947 (numbers), TGI 2136 (counts from 0): 0 is an id, too",
        "openai",
        (
            [_t(0, _f("get_weather", _PARIS), id=0, type=_FN)],
            [_t(1, _f("get_weather", _TOKYO), id=1, type=_FN)],
        ),
        (("get_weather", _PARIS, "0"), ("get_weather", _TOKYO, "1")),
    ),
    "id within the function": Case(
        "llama.cpp 13774, 13800: builds of May 2025: the id in `function`, the name in each piece",
        "openai",  # DOUBTFUL: the rules know no id within `function`, so it is not read
        (
            [_t(0, _f("final_result", '{"a": ', id="call_in"))],
            [_t(0, _f("final_result", "1", id="call_in"))],
            [_t(0, _f("final_result", "}", id="call_in"))],
        ),
        (("final_result", '{"a": 1}', None),),
    ),
    # --- Index: always 0, missing, null, from 1, one call at several -----------------------------
    "index always 0, other ids": Case(
        "ollama 15457: /v1 gives each call index 0; ids tell, each call is whole",
        "openai",
        (
            [_t(0, _f("file_write", '{"path": "a"}'), id="call_w1", type=_FN)],
            [_t(0, _f("file_write", '{"path": "b"}'), id="call_w2", type=_FN)],
        ),
        (
            ("file_write", '{"path": "a"}', "call_w1"),
            ("file_write", '{"path": "b"}', "call_w2"),
        ),
    ),
    "index always 0, in one frame": Case(
        "ollama 15457, dynamo 4723: the calls of one chunk, all with index 0",
        "openai",
        (
            [
                _t(0, _f("add_numbers", '{"b":2,"a":2}'), id="call-94", type=_FN),
                _t(0, _f("get_weather", _TOKYO), id="call-84", type=_FN),
            ],
        ),
        (("add_numbers", '{"b":2,"a":2}', "call-94"), ("get_weather", _TOKYO, "call-84")),
    ),
    "index always 0, pieces": Case(
        "litellm 21331, plexus 691: parallel calls in pieces, one after the other, all index 0",
        "openai",
        (
            [_t(0, _f("add_task", ""), id="call_t1", type=_FN)],
            [_t(0, _f(arguments='{"title": '))],
            [_t(0, _f(arguments='"one"}'))],
            [_t(0, _f("add_task", ""), id="call_t2", type=_FN)],
            [_t(0, _f(arguments='{"title": '))],
            [_t(0, _f(arguments='"two"}'))],
        ),
        (("add_task", '{"title": "one"}', "call_t1"), ("add_task", '{"title": "two"}', "call_t2")),
    ),
    "index always 0, empty ids between": Case(
        "lmdeploy 3412: vLLM's stream: index 0 twice, id empty in the pieces between",
        "openai",
        (
            [_t(0, _f("func_name", ""), id="chatcmpl-tool-c9", type=_FN)],
            [_t(0, _f(None, '{"x": 1}'), id="", type=_FN)],
            [_t(0, _f("func_name", ""), id="chatcmpl-tool-Hf", type=_FN)],
            [_t(0, _f(None, '{"x": 2}'), id="", type=_FN)],
        ),
        (
            ("func_name", '{"x": 1}', "chatcmpl-tool-c9"),
            ("func_name", '{"x": 2}', "chatcmpl-tool-Hf"),
        ),
    ),
    "index always 0, ids count": Case(
        "lmdeploy 3412: SGLang's stream: index 0 twice, the ids 0 and 1 in every piece",
        "openai",
        (
            [_t(0, _f("func_name", ""), id="0", type=_FN)],
            [_t(0, _f(None, '{"x": 1}'), id="0", type=_FN)],
            [_t(0, _f("func_name", ""), id="1", type=_FN)],
            [_t(0, _f(None, '{"x": 2}'), id="1", type=_FN)],
        ),
        (("func_name", '{"x": 1}', "0"), ("func_name", '{"x": 2}', "1")),
    ),
    "index always 0, restarts in each block": Case(
        "sglang 40291: LFM2: the index begins at 0 in every block; no ids in later pieces",
        "openai",
        (
            [_t(0, _f("get_weather", ""), id="call_b1", type=_FN)],
            [_t(0, _f(None, '{"city": "Paris"}'), id=None)],
            [_t(0, _f("get_weather", ""), id="call_b2", type=_FN)],
            [_t(0, _f(None, '{"city": "London"}'), id=None)],
        ),
        (
            ("get_weather", '{"city": "Paris"}', "call_b1"),
            ("get_weather", '{"city": "London"}', "call_b2"),
        ),
    ),
    "index always 0, interleaved by id": Case(
        "composed: OmniRoute 11144 (heads all at index 0), spring-ai 5973 (id in every piece)",
        "openai",
        (
            [_t(0, _f("tool_a", ""), id="call_A", type=_FN)],
            [_t(0, _f("tool_b", ""), id="call_B", type=_FN)],
            [_t(0, _f(arguments='{"of": '), id="call_A")],
            [_t(0, _f(arguments='{"of": '), id="call_B")],
            [_t(0, _f(arguments='"A"}'), id="call_A")],
            [_t(0, _f(arguments='"B"}'), id="call_B")],
        ),
        (("tool_a", '{"of": "A"}', "call_A"), ("tool_b", '{"of": "B"}', "call_B")),
    ),
    "index always 0, no ids, no arguments": Case(
        "documented: faults.md T6: two calls of one tool, index 0, no id",
        "openai",
        (
            [_t(0, _f("get_time", ""), type=_FN)],
            [_t(0, _f("get_time", ""), type=_FN)],
        ),
        (("get_time", "{}", None), ("get_time", "{}", None)),
    ),
    "index always 0, no ids, other names": Case(
        "composed: sglang 40291 (one index for all), cherry-studio 16322 (no ids)",
        "openai",
        (
            [_t(0, _f("get_weather", _PARIS), type=_FN)],
            [_t(0, _f("get_time", '{"zone": "UTC"}'), type=_FN)],
        ),
        (("get_weather", _PARIS, None), ("get_time", '{"zone": "UTC"}', None)),
    ),
    "index always 0, no ids, whole calls": Case(
        "litellm 33678, 11262: ollama_chat: index 0 for each call; ids were missing",
        "openai",
        (
            [_t(0, _f("read", '{"path": "a.rs"}'), type=_FN)],
            [_t(0, _f("read", '{"path": "b.rs"}'), type=_FN)],
        ),
        (("read", '{"path": "a.rs"}', None), ("read", '{"path": "b.rs"}', None)),
    ),
    # DOUBTFUL: two calls with one id in a stream (see llama.cpp 27966 above).
    "index and id never change": Case(
        "OmniRoute 11044: index, id and name are those of the first call, the arguments whole",
        "openai",
        (
            [_t(0, _f("glob", '{"pattern": "*"}'), id="call_o", type=_FN)],
            [_t(0, _f("glob", '{"pattern": "b"}'), id="call_o", type=_FN)],
        ),
        (("glob", '{"pattern": "*"}', "call_o"), ("glob", '{"pattern": "b"}', None)),
    ),
    "index missing": Case(
        "OpenMAIC 1556, dayu-agent 45: Gemini's endpoint sends no index, and a signature",
        "openai",
        (
            [
                {
                    "extra_content": {"google": {"thought_signature": "EjQK"}},
                    "function": _f("read", '{"offset":1}'),
                    "id": "call_297140",
                    "type": _FN,
                }
            ],
        ),
        (("read", '{"offset":1}', "call_297140"),),
    ),
    "index missing, a call in each frame": Case(
        "atomic-agent 103, brainlid/langchain 620: Gemini: parallel calls, told by ids alone",
        "openai",
        (
            [_t(_OUT, _f("get_weather", '{"city":"Denver"}'), id="call_4162774", type=_FN)],
            [_t(_OUT, _f("get_weather", '{"city":"Moab"}'), id="call_4162775", type=_FN)],
        ),
        (
            ("get_weather", '{"city":"Denver"}', "call_4162774"),
            ("get_weather", '{"city":"Moab"}', "call_4162775"),
        ),
    ),
    "index missing, calls in one frame": Case(
        "ollama 7881, sglang 5661: no index, both calls in one chunk",
        "openai",
        (
            [
                _t(_OUT, _f("get_weather", _PARIS), id="call_u1", type=_FN),
                _t(_OUT, _f("get_weather", _TOKYO), id="call_u2", type=_FN),
            ],
        ),
        (("get_weather", _PARIS, "call_u1"), ("get_weather", _TOKYO, "call_u2")),
    ),
    "index missing, pieces": Case(
        "AstrBot 6661, open-webui/computer 224: no index, id and type empty in later pieces",
        "openai",
        (
            [_t(_OUT, _f("memory_save", ""), id="call_mem", type=_FN)],
            [_t(_OUT, _f(arguments='{"content":'), id="", type="")],
            [_t(_OUT, _f(arguments='"x"}'), id="", type="")],
        ),
        (("memory_save", '{"content":"x"}', "call_mem"),),
    ),
    "index missing, pieces, two calls": Case(
        "term-llm 314, langchain-oracle 252: no index; the pieces follow their own call's head",
        "openai",
        (
            [_t(_OUT, _f("market_research", ""), id="call_A")],
            [_t(_OUT, _f(arguments='{"idea": "a"}'))],
            [_t(_OUT, _f("customer_signal", ""), id="call_B")],
            [_t(_OUT, _f(arguments='{"idea": '))],
            [_t(_OUT, _f(arguments='"b"}'))],
        ),
        (
            ("market_research", '{"idea": "a"}', "call_A"),
            ("customer_signal", '{"idea": "b"}', "call_B"),
        ),
    ),
    "index missing, interleaved by id": Case(
        "composed: atomic-agent 103 (no index), bifrost 1830 (pieces of two calls alternate)",
        "openai",
        (
            [_t(_OUT, _f("tool_a", ""), id="A"), _t(_OUT, _f("tool_b", ""), id="B")],
            [_t(_OUT, _f(arguments='{"x":'), id="A"), _t(_OUT, _f(arguments='{"y":'), id="B")],
            [_t(_OUT, _f(arguments="1}"), id="A"), _t(_OUT, _f(arguments="2}"), id="B")],
        ),
        (("tool_a", '{"x":1}', "A"), ("tool_b", '{"y":2}', "B")),
    ),
    "index missing, only a signature": Case(
        "open-webui/computer 224: Gemini: a last entry with nothing but the signature",
        "openai",
        (
            [_t(_OUT, _f("get_weather", _PARIS), id="function-call-1", type=_FN)],
            [{"extra_content": {"google": {"thought_signature": "AbCd"}}}],
        ),
        (("get_weather", _PARIS, "function-call-1"),),
    ),
    "index null": Case(
        "GPT_API_free 254, xinference 3634: the index is null",
        "openai",
        (
            [_t(None, _f("squareRoot", ""), id="call_Un", type=_FN)],
            [_t(None, _f(arguments='{"of": 9}'), id=None)],
        ),
        (("squareRoot", '{"of": 9}', "call_Un"),),
    ),
    "index null, two calls": Case(
        "composed: GPT_API_free 254 (index null), grok2api 239 (calls whole, with ids)",
        "openai",
        (
            [_t(None, _f("list_voices", '{"type": "all"}'), id="call_v1", type=_FN)],
            [_t(None, _f("list_voices", '{"type": "new"}'), id="call_v2", type=_FN)],
        ),
        (
            ("list_voices", '{"type": "all"}', "call_v1"),
            ("list_voices", '{"type": "new"}', "call_v2"),
        ),
    ),
    "index from 1": Case(
        "litellm 11407, CLIProxyAPI 5229, agentgateway 2965: counts text blocks, too",
        "openai",
        (
            [_t(1, _f("get_weather", ""), id="toolu_1", type=_FN)],
            [_t(1, _f(arguments=""), type=_FN)],
            [_t(1, _f(arguments=_PARIS), type=_FN)],
            [_t(2, _f("get_time", ""), id="toolu_2", type=_FN)],
            [_t(2, _f(arguments="{}"), type=_FN)],
        ),
        (("get_weather", _PARIS, "toolu_1"), ("get_time", "{}", "toolu_2")),
    ),
    "index with gaps, backwards, interleaved": Case(
        "composed: Netcatty 3434's own tests (ai 18333: indices with gaps), pieces in turn",
        "openai",
        (
            [_t(4, _f("tool_a", ""), id="call_4", type=_FN)],
            [_t(1, _f("tool_b", ""), id="call_1", type=_FN)],
            [_t(4, _f(arguments='{"x": 1}'))],
            [_t(1, _f(arguments='{"y": 2}'))],
        ),
        (("tool_a", '{"x": 1}', "call_4"), ("tool_b", '{"y": 2}', "call_1")),
    ),
    "index new in the last piece": Case(
        "pipecat 4688, dirac 215: Nebius gives the last fragment index 1",
        "openai",
        (
            [_t(0, _f("get_weather", ""), id="chatcmpl-tool-n", type=_FN)],
            [_t(0, _f(arguments='{"location": "Pa'))],
            [_t(1, _f(arguments='ris"}'))],
        ),
        (("get_weather", _PARIS, "chatcmpl-tool-n"),),
    ),
    "index new, the same id": Case(
        "composed: LocalAI 9722: one call at several indices; its first frame read, the rest told",
        "openai",
        (
            [_t(0, _f("exec", ""), id="LipwoT0p", type=_FN)],
            [_t(1, _f(None, '{"cmd": "ls"}'), id="LipwoT0p", type=_FN)],
        ),
        (("exec", '{"cmd": "ls"}', "LipwoT0p"),),
    ),
    "one index twice in a frame": Case(
        "openai-python 3201: vLLM with speculative decoding: head and first piece in one frame",
        "openai",
        (
            [
                _t(0, _f("list_files"), id="functions.list_files:0", type=_FN),
                _t(0, _f(arguments=' {"')),
            ],
            [_t(0, _f(arguments='path": "."}'))],
        ),
        (("list_files", ' {"path": "."}', "functions.list_files:0"),),
    ),
    "interleaved by index": Case(
        "composed: continue 13223's example; azure-sdk-for-net 46830 says that it happens",
        "openai",
        (
            [_t(0, _f("tool_a", ""), id="call_A", type=_FN)],
            [_t(1, _f("tool_b", ""), id="call_B", type=_FN)],
            [_t(0, _f(arguments='{"target":'))],
            [_t(1, _f(arguments='{"target":'))],
            [_t(0, _f(arguments='"A"}'))],
            [_t(1, _f(arguments='"B"}'))],
        ),
        (("tool_a", '{"target":"A"}', "call_A"), ("tool_b", '{"target":"B"}', "call_B")),
    ),
    "interleaved in each frame": Case(
        "composed: bifrost 7235, headroom 2890: two calls in one chunk, then their pieces",
        "openai",
        (
            [
                _t(0, _f("tool_a", ""), id="call_A", type=_FN),
                _t(1, _f("tool_b", ""), id="call_B", type=_FN),
            ],
            [_t(0, _f(arguments='{"x": ')), _t(1, _f(arguments='{"y": '))],
            [_t(1, _f(arguments="2}")), _t(0, _f(arguments="1}"))],
        ),
        (("tool_a", '{"x": 1}', "call_A"), ("tool_b", '{"y": 2}', "call_B")),
    ),
    # --- Names: in every piece, late, empty ------------------------------------------------------
    "name in every piece": Case(
        "hermes-agent 8259, 11984, faults.md T3 (vllm 13192): MiniMax on NIM; the id only once",
        "openai",
        (
            [_t(0, _f("read_file", ""), id="call_n", type=_FN)],
            [_t(0, _f("read_file", '{"path"'))],
            [_t(0, _f("read_file", ': "a"}'))],
        ),
        (("read_file", '{"path": "a"}', "call_n"),),
    ),
    "name in every piece, also the empty last": Case(
        "vLLM-2080Ti-Definitive 127: qwen3_xml: a last piece with the name and no arguments",
        "openai",
        (
            [_t(0, _f("search_weather", '{"query": '), id="call_q", type=_FN)],
            [_t(0, _f("search_weather", '"明天天气'))],
            [_t(0, _f("search_weather", '"'))],
            [_t(0, _f("search_weather", "}"))],
            [_t(0, _f("search_weather", ""))],
        ),
        (("search_weather", '{"query": "明天天气"}', "call_q"),),
    ),
    "name and id in every piece": Case(
        "llama-cpp-python llama_chat_format.py: name and id in each piece, `function_call` beside",
        "openai",
        tuple(
            [_t(0, _f("get_weather", each), id="call__0_get_weather_cmpl-1", type=_FN)]
            for each in _PIECES
        ),
        (("get_weather", _PARIS, "call__0_get_weather_cmpl-1"),),
    ),
    "name and id in every piece, kimi": Case(
        "hermes-agent 8089: Fireworks: Kimi's name in each piece",
        "openai",
        (
            [_t(0, _f("search_files", None), id="functions.search_files:99", type=_FN)],
            *(
                [_t(0, _f("search_files", each), id="functions.search_files:99", type=_FN)]
                for each in ('{"glob": ', '"*.py"', "}")
            ),
        ),
        (("search_files", '{"glob": "*.py"}', "functions.search_files:99"),),
    ),
    "name and another id in every piece": Case(
        "composed: faults.md T3 with T4: nothing begins in the middle of JSON",
        "openai",
        (
            [_t(0, _f("get_weather", '{"location": '), id="chatcmpl-tool-1", type=_FN)],
            [_t(0, _f("get_weather", '"Par'), id="chatcmpl-tool-2", type=_FN)],
            [_t(0, _f("get_weather", 'is"}'), id="chatcmpl-tool-3", type=_FN)],
        ),
        (("get_weather", _PARIS, "chatcmpl-tool-1"),),
    ),
    "name is the text null in a later piece": Case(
        "litellm 12513: name is the text null, the type in capitals; in the middle of the JSON",
        "openai",
        (
            [_t(0, _f("list_directory", '{"path": ".'), id="chatcmpl-tool-94", type="FUNCTION")],
            [_t(0, _f("null", '"}'), id="", type="FUNCTION")],
        ),
        (("list_directory", '{"path": "."}', "chatcmpl-tool-94"),),
    ),
    "name empty in later pieces": Case(
        "lmstudio-bug-tracker 649: `name` is empty text in each further piece",
        "lmstudio",
        (
            [_t(0, _f("count", ""), id="345678901", type=_FN)],
            [_t(0, _f("", '{"'), type=_FN)],
            [_t(0, _f("", "count"), type=_FN)],
            [_t(0, _f("", '": 3}'), type=_FN)],
        ),
        (("count", '{"count": 3}', "345678901"),),
    ),
    "name late": Case(
        "vmlx 244: the opening has an empty name, the next piece has all of it",
        "openai",
        (
            [_t(0, _f("", ""), id="call_x", type=_FN)],
            [_t(0, _f("bash", '{"cmd": "ls"}'), id="call_x", type=_FN)],
        ),
        (("bash", '{"cmd": "ls"}', "call_x"),),
    ),
    "name after the arguments began": Case(
        "ai 16507, opencode 32666: Command A on vLLM: arguments before the name",
        "openai",
        (
            [_t(0, _f("", '{"cmd"'), id="call_y", type=_FN)],
            [
                _t(0, _f(None, ": ")),
            ],
            [_t(0, _f("bash", '"ls"}'))],
        ),
        (("bash", '{"cmd": "ls"}', "call_y"),),
    ),
    # --- Arguments: none, null, objects, texts of texts, control characters ----------------------
    "arguments missing, whole": Case(
        "vllm 21301: a tool without parameters: no `arguments` at all",
        "openai",
        ([_t(_OUT, _f("current_time"), id="chatcmpl-tool-5", type=_FN)],),
        (("current_time", "{}", "chatcmpl-tool-5"),),
        whole=True,
    ),
    "arguments missing, streamed": Case(
        "vllm 28806, 21365: Hermes parser: the head and no more",
        "openai",
        ([_t(0, _f("current_time"), id="chatcmpl-tool-6", type=_FN)],),
        (("current_time", "{}", "chatcmpl-tool-6"),),
    ),
    "arguments null, whole": Case(
        "braintrust-sdk-javascript 1061, llm 1170: GLM-4.6, Copilot: null",
        "openai",
        ([_t(_OUT, _f("weather", None), id="call_xA", type=_FN)],),
        (("weather", "{}", "call_xA"),),
        whole=True,
    ),
    "arguments null beside another call": Case(
        "odysseus 2922: null arguments, and a second call in the same delta",
        "openai",
        (
            [
                _t(0, _f("get_time", None), id="call_p", type=_FN),
                _t(1, _f("get_weather", _PARIS), id="call_q", type=_FN),
            ],
        ),
        (("get_time", "{}", "call_p"), ("get_weather", _PARIS, "call_q")),
    ),
    "arguments null in the first piece": Case(
        "strands 97, ogx 5462: vLLM with Qwen: null in the head, then the arguments",
        "openai",
        (
            [_t(0, _f("calculator", None), id="chatcmpl-tool-d0", type=_FN)],
            [_t(0, _f(None, '{"of": '), id=None, type=None)],
            [_t(0, _f(None, "1}"), id=None, type=None)],
        ),
        (("calculator", '{"of": 1}', "chatcmpl-tool-d0"),),
    ),
    "arguments the text null, streamed": Case(
        "jcode 225: the arguments are the text null (the server is not named)",
        "openai",
        (
            [_t(0, _f("ls", ""), id="call_l", type=_FN)],
            [_t(0, _f(arguments="null"))],
        ),
        (("ls", "{}", "call_l"),),
    ),
    "arguments the text null, whole": Case(
        "composed: jcode 225, as a whole reply",
        "openai",
        ([_t(_OUT, _f("ReadCatalog", "null"), id="call_r", type=_FN)],),
        (("ReadCatalog", "{}", "call_r"),),
        whole=True,
    ),
    "arguments empty, streamed": Case(
        "Kilo-Org/cloud 4753: Claude on Bedrock: one empty text and nothing more",
        "openai",
        ([_t(0, _f("get_page_snapshot", ""), id="toolu_bdrk", type=_FN)],),
        (("get_page_snapshot", "{}", "toolu_bdrk"),),
    ),
    "arguments empty, whole, then others": Case(
        "documented: faults.md T2: no ids, the first has no arguments",
        "openai",
        (
            [
                _t(_OUT, _f("get_weather", ""), type=_FN),
                _t(_OUT, _f("get_weather", '{"location": "Rome"}'), type=_FN),
            ],
        ),
        (("get_weather", "{}", None), ("get_weather", '{"location": "Rome"}', None)),
        whole=True,
    ),
    "arguments empty in a last piece": Case(
        "ai 3953: vLLM: a piece with empty arguments beside the reason for the end",
        "openai",
        (
            [_t(0, _f("searchGoogle"), id="chatcmpl-tool-a0", type=_FN)],
            [_t(0, _f(arguments='{"query": "ai"}'))],
            [_t(0, _f(arguments=""))],
        ),
        (("searchGoogle", '{"query": "ai"}', "chatcmpl-tool-a0"),),
    ),
    "arguments an object, whole": Case(
        "TGI 2136, 2461: arguments are an object, the id is 0, `description` is null",
        "openai",
        (
            [
                {
                    "id": "0",
                    "type": _FN,
                    "function": _f("get_status", {"id": "T1001"}, description=None),
                }
            ],
        ),
        (("get_status", '{"id": "T1001"}', "0"),),
        whole=True,
    ),
    "arguments an object, whole, llama.cpp": Case(
        "llama.cpp 20198, 20202: builds of March 2026: two objects, nested",
        "openai",
        (
            [
                _t(_OUT, _f("edit", {"at": {"line": 3}, "to": ["é", None]}), id="e1", type=_FN),
                _t(_OUT, _f("edit", {}), id="e2", type=_FN),
            ],
        ),
        (("edit", '{"at": {"line": 3}, "to": ["é", null]}', "e1"), ("edit", "{}", "e2")),
        whole=True,
    ),
    "arguments an object, streamed": Case(
        "litellm 37792: ollama_chat's stream: objects, all with index 0",
        "openai",
        (
            [_t(0, _f("get_weather", {"location": "Paris"}), id="a1", type=_FN)],
            [_t(0, _f("get_weather", {"location": "Tokyo"}), id="a2", type=_FN)],
        ),
        (("get_weather", _PARIS, "a1"), ("get_weather", _TOKYO, "a2")),
    ),
    "arguments an object, one id, streamed": Case(
        "composed: faults.md T1 in Ollama's dialect: whole calls, one id",
        "ollama",
        (
            [{"id": "system.bash", "function": _f("system.bash", {"cmd": "ls"}, index=0)}],
            [{"id": "system.bash", "function": _f("system.bash", {"cmd": "pwd"}, index=0)}],
        ),
        (("system.bash", '{"cmd": "ls"}', "system.bash"), ("system.bash", '{"cmd": "pwd"}', None)),
    ),
    # DOUBTFUL: a text that holds JSON is kept as it is; the rules do not unwrap it.
    "arguments twice encoded, whole": Case(
        "vllm 54964, oracle/langchain-oracle 52: Granite 4 with the Hermes parser",
        "openai",
        ([_t(_OUT, _f("get_db_config", json.dumps('{"param": "x"}')), id="call_g", type=_FN)],),
        (("get_db_config", json.dumps('{"param": "x"}'), "call_g"),),
        whole=True,
    ),
    # DOUBTFUL: as above.
    "arguments twice encoded, streamed": Case(
        "vllm 54964, sglang 12456: the same in pieces",
        "openai",
        (
            [_t(0, _f("get_db_config", '"{\\"par'), id="call_g", type=_FN)],
            [_t(0, _f(arguments='am\\": \\"x\\"}"'))],
        ),
        (("get_db_config", json.dumps('{"param": "x"}'), "call_g"),),
    ),
    "arguments cut off": Case(
        "llama.cpp 22072: the JSON is not finished; it is handed on",
        "openai",
        (
            [_t(0, _f("fetch", '{"id": '), id="call_c", type=_FN)],
            [_t(0, _f(arguments='"th'))],
        ),
        (("fetch", '{"id": "th', "call_c"),),
    ),
    "raw line end, whole": Case(
        "kimi-cli 1378, faults.md T9: a commit message with raw line ends",
        "openai",
        ([_t(_OUT, _f("Shell", '{"command": "git commit -m \'a\n\nb\'"}'), id="c1", type=_FN)],),
        (("Shell", '{"command": "git commit -m \'a\\n\\nb\'"}', "c1"),),
        whole=True,
    ),
    "raw line end, streamed": Case(
        "kimi-cli 1378, 1379: the raw line end is a piece of its own",
        "openai",
        (
            [_t(0, _f("Shell", '{"command": "a'), id="c2", type=_FN)],
            [_t(0, _f(arguments="\n"))],
            [_t(0, _f(arguments='b\r\n"}'))],
        ),
        (("Shell", '{"command": "a\\nb\\r\\n"}', "c2"),),
    ),
    "raw tab, whole": Case(
        "omlx 1672: raw tabs of Go code beside escaped ones",
        "openai",
        ([_t(_OUT, _f("edit", '{"old": "\t\t// x\\n\\t\\tif a {"}'), id="c3", type=_FN)],),
        (("edit", '{"old": "\\t\\t// x\\n\\t\\tif a {"}', "c3"),),
        whole=True,
    ),
    "raw control characters, streamed": Case(
        "prism 937: DeepSeek streams raw control characters; layout between values stays",
        "openai",
        (
            [_t(0, _f("write", '{\n\t"text": "bell \x07'), id="c4", type=_FN)],
            [_t(0, _f(arguments='\x1b[0m"\n}'))],
        ),
        (("write", '{\n\t"text": "bell \\u0007\\u001b[0m"\n}', "c4"),),
    ),
    "escape split between pieces": Case(
        "composed: kimi-cli 1378 (raw line ends), vllm 19056 (a token a piece)",
        "openai",
        (
            [_t(0, _f("write", '{"text": "a\\'), id="c5", type=_FN)],
            [_t(0, _f(arguments='"b\\'))],
            [_t(0, _f(arguments='nc\n"}'))],
        ),
        (("write", '{"text": "a\\"b\\nc\\n"}', "c5"),),
    ),
    "braces and quotes in texts": Case(
        "vllm 43267, lmstudio-bug-tracker 1868: code as an argument, a letter a piece",
        "openai",
        (
            [_t(0, _f("run", ""), id="call_code", type=_FN)],
            *([_t(0, _f(arguments=letter))] for letter in _CODE),
        ),
        (("run", _CODE, "call_code"),),
    ),
    "braces and quotes in texts, name in every piece": Case(
        "composed: vLLM-2080Ti-Definitive 127, with code: a } in a text completes nothing",
        "openai",
        (
            [_t(0, _f("run", '{"code": "}'), id="call_code", type=_FN)],
            [_t(0, _f("run", '{\\"}"'))],
            [_t(0, _f("run", ', "n": {}'))],
            [_t(0, _f("run", "}"))],
        ),
        (("run", '{"code": "}{\\"}", "n": {}}', "call_code"),),
    ),
    "unicode, whole": Case(
        "xinference 4237: Chinese arguments; an escaped pair stays escaped",
        "openai",
        ([_t(_OUT, _f("搜索", _CHINESE), id="call_u", type=_FN)],),
        (("搜索", _CHINESE, "call_u"),),
        whole=True,
    ),
    "unicode, streamed": Case(
        "vllm 19056, sglang 19662: Chinese arguments, a token a piece",
        "openai",
        (
            [_t(0, _f("搜索", ""), id="call_u", type=_FN)],
            *([_t(0, _f(None, letter), id=None, type=None)] for letter in _CHINESE),
        ),
        (("搜索", _CHINESE, "call_u"),),
    ),
    "unicode, ollama": Case(
        "documented: langchain.md (test_unicode_tool_call_integration): not escaped by us",
        "ollama",
        ([{"id": "call_j", "function": _f("顧客", {"名前": "あおい", "æ": "🙂"}, index=0)}],),
        (("顧客", '{"名前": "あおい", "æ": "🙂"}', "call_j"),),
    ),
    "long arguments": Case(
        "vllm 30999, 43267: a whole file as an argument, in thousands of pieces",
        "openai",
        (
            [_t(0, _f("write_article", ""), id="call_long", type=_FN)],
            *(
                [_t(0, _f(arguments=_LONG[start : start + 11]))]
                for start in range(0, len(_LONG), 11)
            ),
        ),
        (("write_article", _LONG, "call_long"),),
    ),
    "long arguments, all in every piece": Case(
        "llama-cpp-python llama_chat_format.py: name and id in each of thousands of pieces",
        "openai",
        tuple(
            [_t(0, _f("write", _LONG[start : start + 17]), id="call__0_write_cmpl-2", type=_FN)]
            for start in range(0, len(_LONG), 17)
        ),
        (("write", _LONG, "call__0_write_cmpl-2"),),
    ),
    # --- Phantoms and leftovers ------------------------------------------------------------------
    "phantom, whole": Case(
        "lmstudio-bug-tracker 830: an entry with an empty id and no function",
        "lmstudio",
        ([{"id": "", "type": _FN}],),
        (),
        whole=True,
    ),
    "phantom beside a call, whole": Case(
        "composed: lmstudio-bug-tracker 830, beside a call",
        "lmstudio",
        (
            [
                {"id": "193629320", "type": _FN, "function": _f("bash", '{"command": "ls"}')},
                {"id": "", "type": _FN},
            ],
        ),
        (("bash", '{"command": "ls"}', "193629320"),),
        whole=True,
    ),
    "phantom, streamed": Case(
        "composed: lmstudio-bug-tracker 830, as a stream",
        "lmstudio",
        ([_t(0, _f("", ""), id="", type=_FN)], [_t(0, {}, type=_FN)]),
        (),
    ),
    "phantom after a call, streamed": Case(
        "composed: lmstudio-bug-tracker 830: an empty entry with a new index",
        "lmstudio",
        (
            [_t(0, _f("bash", '{"command": "ls"}'), id="193629320", type=_FN)],
            [_t(1, _f("", ""), id="", type=_FN)],
        ),
        (("bash", '{"command": "ls"}', "193629320"),),
    ),
    "type missing": Case(
        "documented: llamacpp/b11549 (no type in later pieces), zed 53605 (none at all)",
        "openai",
        ([_t(0, _f("get_weather", _PARIS), id="call_t")],),
        (("get_weather", _PARIS, "call_t"),),
    ),
    "id empty in every piece": Case(
        "TGI 2794: id empty, name null (there `tool_calls` is one entry, no list); head composed",
        "openai",
        (
            [_t(0, _f("get_weather", '{"'), id="", type=_FN)],
            [_t(0, _f(None, "loc"), id="", type=_FN)],
            [_t(0, _f(None, 'ation": "Paris"}'), id="", type=_FN)],
        ),
        (("get_weather", _PARIS, None),),
    ),
    "index within the function, streamed, openai": Case(
        "amplio 3: LiteLLM over ollama_chat: 0 and 1 within `function`, 0 and 0 outside",
        "openai",
        (
            [_t(0, _f("read", '{"path":"a.rs"}', index=0), id="call_ag", type=_FN)],
            [_t(0, _f("read", '{"path":"b.rs"}', index=1), id="call_mq", type=_FN)],
        ),
        (("read", '{"path":"a.rs"}', "call_ag"), ("read", '{"path":"b.rs"}', "call_mq")),
    ),
}
