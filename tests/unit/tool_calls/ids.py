"""Tool calls whose ids are missing, late, repeated, numbers, or others in each piece."""

from __future__ import annotations

from tests.unit.tool_calls.case import FN, OUT, PARIS, PIECES, TOKYO, Case, entry, fn

CASES: dict[str, Case] = {
    "id missing, ollama whole": Case(
        "haystack-core-integrations 3321: Ollama before 0.12.10: no id, no index",
        "ollama",
        ([{"function": fn("get_weather", {"location": "Paris"})}],),
        (("get_weather", PARIS, None),),
        whole=True,
    ),
    "id missing, ollama streamed, two": Case(
        "documented: ollama-api.md 3.4: the id may be absent; two calls of one tool",
        "ollama",
        (
            [{"function": fn("get_weather", {"location": "Paris"})}],
            [{"function": fn("get_weather", {"location": "Tokyo"})}],
        ),
        (("get_weather", PARIS, None), ("get_weather", TOKYO, None)),
    ),
    "id missing, ollama, no arguments, two": Case(
        "documented: faults.md T6, ollama-api.md 3.4: two calls with `{}`, no id, no index",
        "ollama",
        ([{"function": fn("get_time", {})}], [{"function": fn("get_time", {})}]),
        (("get_time", "{}", None), ("get_time", "{}", None)),
    ),
    "id missing, streamed": Case(
        "cherry-studio 16322, opencode 12585: GLM and NIM send no id at all",
        "openai",
        (
            [entry(0, fn("web_search", ""), type=FN)],
            [entry(0, fn(arguments='{"q": "x"}'))],
        ),
        (("web_search", '{"q": "x"}', None),),
    ),
    "id null, streamed": Case(
        "vllm 9693, 18412: id, type and the other half of the function are null",
        "openai",
        (
            [entry(0, fn("sum", None), id=None, type=None)],
            [entry(0, fn(None, '{"n1": 2, "n2": 2}'), id=None, type=None)],
        ),
        (("sum", '{"n1": 2, "n2": 2}', None),),
    ),
    "id missing in the second call": Case(
        "sglang 7048: the id is null where the index is above 0",
        "openai",
        (
            [entry(0, fn("get_temperature", ""), id="call_s1", type=FN)],
            [entry(0, fn(None, '{"at": "Oslo"}'), id=None, type=FN)],
            [entry(1, fn("get_forecast", ""), id=None, type=FN)],
            [entry(1, fn(None, '{"at": "Rome"}'), id=None, type=FN)],
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
                entry(OUT, fn("get_weather", PARIS), id="", type=FN),
                entry(OUT, fn("get_weather", TOKYO), id=None, type=FN),
            ],
        ),
        (("get_weather", PARIS, None), ("get_weather", TOKYO, None)),
        whole=True,
    ),
    "id late": Case(
        "documented: faults.md T5; MiMo-Code 2421: name and arguments before the id",
        "openai",
        (
            [entry(0, fn("get_weather", ""), type=FN)],
            [entry(0, fn(arguments='{"location": '), id="call_late")],
            [entry(0, fn(arguments='"Paris"}'))],
        ),
        (("get_weather", PARIS, "call_late"),),
    ),
    "id late, with the name again": Case(
        "MiMo-Code 2421, agent-os 3265: the real id stands beside a name that is said again",
        "openai",
        (
            [entry(0, fn("get_weather", ""), id="", type=FN)],
            [entry(0, fn("get_weather", ""), id="call_late", type=FN)],
            [entry(0, fn(arguments=PARIS))],
        ),
        (("get_weather", PARIS, "call_late"),),
    ),
    "id late, after the arguments": Case(
        "composed: faults.md T5: nothing but the id in the last piece",
        "openai",
        (
            [entry(0, fn("get_weather", PARIS), type=FN)],
            [{"index": 0, "id": "call_last"}],
        ),
        (("get_weather", PARIS, "call_last"),),
    ),
    "id before the name": Case(
        "Zoo-Code 695 (218): id and name in separate chunks",
        "openai",
        (
            [entry(0, fn(None, ""), id="call_z", type=FN)],
            [entry(0, fn("get_weather", ""))],
            [entry(0, fn(arguments=PARIS))],
        ),
        (("get_weather", PARIS, "call_z"),),
    ),
    "index, then id and name": Case(
        "agent-os 3265 (3171): a first piece with nothing but an index",
        "openai",
        (
            [{"index": 0}],
            [entry(0, fn("get_weather", ""), id="call_123", type=FN)],
            [entry(0, fn(arguments=PARIS))],
        ),
        (("get_weather", PARIS, "call_123"),),
    ),
    "id in every piece": Case(
        "spring-ai 5973, 6000: vLLM and others repeat the id in each piece",
        "openai",
        (
            [entry(0, fn("get_weather", ""), id="chatcmpl-tool-1", type=FN)],
            *([entry(0, fn(arguments=each), id="chatcmpl-tool-1", type=FN)] for each in PIECES),
        ),
        (("get_weather", PARIS, "chatcmpl-tool-1"),),
    ),
    "id empty in later pieces": Case(
        "deepchat 355, opencode 37783, lmdeploy 3412: DashScope, vLLM: id and name are empty text",
        "openai",
        (
            [entry(0, fn("calculator", "{"), id="call_8c1f", type=FN)],
            [entry(0, fn("", '"of": '), id="", type=FN)],
            [entry(0, fn("", '"2"}'), id="", type=FN)],
        ),
        (("calculator", '{"of": "2"}', "call_8c1f"),),
    ),
    "id null in later pieces": Case(
        "sglang 35542, opencodex 1754: id and name are null in each further piece",
        "openai",
        (
            [entry(0, fn("get_weather", ""), id="call_abc", type=FN)],
            *([entry(0, fn(None, each), id=None, type=FN)] for each in PIECES),
        ),
        (("get_weather", PARIS, "call_abc"),),
    ),
    "id is the text null in a later piece": Case(
        "zed 53605: Mistral sends the text null as id of a later piece",
        "openai",
        (
            [entry(0, fn("read_file", ""), id="WcG8xhSs1")],
            [entry(0, fn("", '{"path":'), id="null")],
            [entry(0, fn("", ' "a"}'), id="null")],
        ),
        (("read_file", '{"path": "a"}', "WcG8xhSs1"),),
    ),
    "another id in each piece": Case(
        "GLM-4 194, faults.md T4 (vllm 23522): glm-4 makes an id for each piece",
        "openai",
        (
            [entry(0, fn("get_weather", ""), id="call_a0", type=FN)],
            *(
                [entry(0, fn(None, each), id=f"call_a{number}", type=FN)]
                for number, each in enumerate(PIECES, start=1)
            ),
        ),
        (("get_weather", PARIS, "call_a0"),),
    ),
    "another id in each piece, two calls": Case(
        "mlx-openai-server 216: ids are not stable, the index is right",
        "openai",
        (
            [entry(0, fn("get_weather", ""), id="call_1", type=FN)],
            [entry(0, fn(arguments='{"location": '), id="call_2", type=FN)],
            [entry(0, fn(arguments='"Paris"}'), id="call_3", type=FN)],
            [entry(1, fn("get_weather", ""), id="call_4", type=FN)],
            [entry(1, fn(arguments='{"location": '), id="call_5", type=FN)],
            [entry(1, fn(arguments='"Tokyo"}'), id="call_6", type=FN)],
        ),
        (("get_weather", PARIS, "call_1"), ("get_weather", TOKYO, "call_4")),
    ),
    "another id in each piece, name null": Case(
        "hermes-agent 45164: Kimi for coding: index 0, a fresh id for each fragment",
        "openai",
        (
            [entry(0, fn("skill_view", ""), id="tool_OE", type=FN)],
            [entry(0, fn(None, '{"'), id="tool_Cf", type=FN)],
            [entry(0, fn(None, 'name": '), id="tool_dR", type=FN)],
            [entry(0, fn(None, '"x"}'), id="tool_xG", type=FN)],
        ),
        (("skill_view", '{"name": "x"}', "tool_OE"),),
    ),
    "another id in each piece, lmstudio": Case(
        "hermes-agent 5254, 106943: LM Studio with Gemma 4: empty names, an id for each piece",
        "lmstudio",
        (
            [entry(0, fn("shell", ""), id="701601222", type=FN)],
            [entry(0, fn("", "{\n"), id="tool-call-1", type=FN)],
            [entry(0, fn("", ' "command'), id="tool-call-2", type=FN)],
            [entry(0, fn("", '": "ls"\n}'), id="tool-call-3", type=FN)],
        ),
        (("shell", '{\n "command": "ls"\n}', "701601222"),),
    ),
    "two ids for one call": Case(
        "poolsideai/pool 9: one id beside the name, another in all the rest",
        "openai",
        (
            [entry(0, fn("shell", ""), id="call_first", type=FN)],
            [entry(0, fn(arguments='{"cmd"'), id="call_rest", type=FN)],
            [entry(0, fn(arguments=': "ls"}'), id="call_rest", type=FN)],
        ),
        (("shell", '{"cmd": "ls"}', "call_first"),),
    ),
    "one id for two calls, whole": Case(
        "xinference 4237, faults.md T1: the id is made of the reply's",
        "openai",
        (
            [
                {"id": "call_f0de", "type": FN, "function": fn("think", '{"thought": "a"}')},
                {"id": "call_f0de", "type": FN, "function": fn("get_supplier", '{"key": 1}')},
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
                entry(OUT, fn("get_weather", PARIS), id="get_weather", type=FN),
                entry(OUT, fn("get_weather", TOKYO), id="get_weather", type=FN),
            ],
        ),
        (("get_weather", PARIS, "get_weather"), ("get_weather", TOKYO, None)),
        whole=True,
    ),
    "one id for two equal calls, whole": Case(
        "composed: hermes-agent 67777 (one id twice in a batch), with equal arguments",
        "openai",
        (
            [
                entry(OUT, fn("get_weather", PARIS), id="call_k", type=FN),
                entry(OUT, fn("get_weather", PARIS), id="call_k", type=FN),
            ],
        ),
        (("get_weather", PARIS, "call_k"), ("get_weather", PARIS, None)),
        whole=True,
    ),
    # DOUBTFUL: rule 1 gives the second call an id of ours in a whole reply; rule 4 read by the
    # letter keeps the same one in a stream. Ids are to be unique (T7), so: one of ours here too.
    "one id for two calls, streamed": Case(
        "llama.cpp 27966, nanobot 3943: one id for two parallel calls",
        "openai",
        (
            [entry(0, fn("get_weather", "{"), id="ZsSt4SkI", type=FN)],
            [entry(0, fn(arguments='"location": "Paris"}'))],
            [entry(1, fn("get_time", "{"), id="ZsSt4SkI", type=FN)],
            [entry(1, fn(arguments='"zone": "UTC"}'))],
        ),
        (("get_weather", PARIS, "ZsSt4SkI"), ("get_time", '{"zone": "UTC"}', None)),
    ),
    # DOUBTFUL: as above, and the same tool twice: only the arguments tell.
    "one id for two calls of one tool, streamed": Case(
        "llama.cpp 27966: one id, one name, two indices",
        "openai",
        (
            [entry(0, fn("get_weather", "{"), id="ZsSt4SkI", type=FN)],
            [entry(0, fn(arguments='"location": "Paris"}'))],
            [entry(1, fn("get_weather", "{"), id="ZsSt4SkI", type=FN)],
            [entry(1, fn(arguments='"location": "Tokyo"}'))],
        ),
        (("get_weather", PARIS, "ZsSt4SkI"), ("get_weather", TOKYO, None)),
    ),
    "number as id, whole": Case(
        "opencode 25786, hermes-agent 58562: GLM on NIM and Poolside send a number",
        "openai",
        ([entry(OUT, fn("get_weather", PARIS), id=123, type=FN)],),
        (("get_weather", PARIS, "123"),),
        whole=True,
    ),
    "number as id, streamed": Case(
        "opencode 19947, kilocode 5816: Kimi on NIM, MiniMax: a number in the stream",
        "openai",
        (
            [entry(0, fn("get_weather", ""), id=456, type=FN)],
            [entry(0, fn(arguments=PARIS), id=456)],
        ),
        (("get_weather", PARIS, "456"),),
    ),
    "number as id, from 0": Case(
        "composed: opencode 19947 (numbers), TGI 2136 (counts from 0): 0 is an id, too",
        "openai",
        (
            [entry(0, fn("get_weather", PARIS), id=0, type=FN)],
            [entry(1, fn("get_weather", TOKYO), id=1, type=FN)],
        ),
        (("get_weather", PARIS, "0"), ("get_weather", TOKYO, "1")),
    ),
    "id within the function": Case(
        "llama.cpp 13774, 13800: builds of May 2025: the id in `function`, the name in each piece",
        "openai",  # DOUBTFUL: the rules know no id within `function`, so it is not read
        (
            [entry(0, fn("final_result", '{"a": ', id="call_in"))],
            [entry(0, fn("final_result", "1", id="call_in"))],
            [entry(0, fn("final_result", "}", id="call_in"))],
        ),
        (("final_result", '{"a": 1}', None),),
    ),
    "one id in every piece of two calls": Case(
        "cloudflare/ai 424: every call has the id chatcmplt; spring-ai 5973: in every piece",
        "openai",
        (
            [entry(0, fn("get_weather", ""), id="chatcmplt", type=FN)],
            [entry(0, fn(arguments=PARIS), id="chatcmplt")],
            [entry(1, fn("get_time", ""), id="chatcmplt", type=FN)],
            [entry(1, fn(arguments='{"zone": '), id="chatcmplt")],
            [entry(1, fn(arguments='"UTC"}'), id="chatcmplt")],
        ),
        (("get_weather", PARIS, "chatcmplt"), ("get_time", '{"zone": "UTC"}', None)),
    ),
    "one id and one index in every piece of two calls": Case(
        "hass_local_openai_llm 92: an engine of OpenRouter's: only the name tells parallel calls",
        "openai",
        (
            [entry(0, fn("get_weather", ""), id="call_1", type=FN)],
            [entry(0, fn(arguments=PARIS), id="call_1")],
            [entry(0, fn("get_time", ""), id="call_1", type=FN)],
            [entry(0, fn(arguments='{"zone": "UTC"}'), id="call_1")],
        ),
        (("get_weather", PARIS, "call_1"), ("get_time", '{"zone": "UTC"}', None)),
    ),
    "one id in every piece of two calls, interleaved": Case(
        "composed: cloudflare/ai 424 (one id), bifrost 7235 (the pieces of two calls alternate)",
        "openai",
        (
            [entry(0, fn("get_weather", "{"), id="chatcmplt", type=FN)],
            [entry(1, fn("get_time", "{"), id="chatcmplt", type=FN)],
            [entry(0, fn(arguments='"location": "Paris"}'), id="chatcmplt")],
            [entry(1, fn(arguments='"zone": "UTC"}'), id="chatcmplt")],
        ),
        (("get_weather", PARIS, "chatcmplt"), ("get_time", '{"zone": "UTC"}', None)),
    ),
    "one id in every piece of two calls of one tool, interleaved": Case(
        "composed: as above, and the heads come first (azure-sdk-for-net 46830)",
        "openai",
        (
            [
                entry(0, fn("get_weather", ""), id="chatcmplt", type=FN),
                entry(1, fn("get_weather", ""), id="chatcmplt", type=FN),
            ],
            [entry(1, fn(arguments=TOKYO), id="chatcmplt")],
            [entry(0, fn(arguments=PARIS), id="chatcmplt")],
        ),
        (("get_weather", PARIS, "chatcmplt"), ("get_weather", TOKYO, None)),
    ),
}
