"""Tool calls whose names come in every piece, late, in pieces, or empty."""

from __future__ import annotations

from tests.unit.tool_calls.case import FN, PARIS, PIECES, Case, entry, fn

CASES: dict[str, Case] = {
    "name in every piece": Case(
        "hermes-agent 8259, 11984, faults.md T3 (vllm 13192): MiniMax on NIM; the id only once",
        "openai",
        (
            [entry(0, fn("read_file", ""), id="call_n", type=FN)],
            [entry(0, fn("read_file", '{"path"'))],
            [entry(0, fn("read_file", ': "a"}'))],
        ),
        (("read_file", '{"path": "a"}', "call_n"),),
    ),
    "name in every piece, also the empty last": Case(
        "vLLM-2080Ti-Definitive 127: qwen3_xml: a last piece with the name and no arguments",
        "openai",
        (
            [entry(0, fn("search_weather", '{"query": '), id="call_q", type=FN)],
            [entry(0, fn("search_weather", '"明天天气'))],
            [entry(0, fn("search_weather", '"'))],
            [entry(0, fn("search_weather", "}"))],
            [entry(0, fn("search_weather", ""))],
        ),
        (("search_weather", '{"query": "明天天气"}', "call_q"),),
    ),
    "name and id in every piece": Case(
        "llama-cpp-python llama_chat_format.py: name and id in each piece, `function_call` beside",
        "openai",
        tuple(
            [entry(0, fn("get_weather", each), id="call__0_get_weather_cmpl-1", type=FN)]
            for each in PIECES
        ),
        (("get_weather", PARIS, "call__0_get_weather_cmpl-1"),),
    ),
    "name and id in every piece, kimi": Case(
        "hermes-agent 8089: Fireworks: Kimi's name in each piece",
        "openai",
        (
            [entry(0, fn("search_files", None), id="functions.search_files:99", type=FN)],
            *(
                [entry(0, fn("search_files", each), id="functions.search_files:99", type=FN)]
                for each in ('{"glob": ', '"*.py"', "}")
            ),
        ),
        (("search_files", '{"glob": "*.py"}', "functions.search_files:99"),),
    ),
    "name and another id in every piece": Case(
        "composed: faults.md T3 with T4: nothing begins in the middle of JSON",
        "openai",
        (
            [entry(0, fn("get_weather", '{"location": '), id="chatcmpl-tool-1", type=FN)],
            [entry(0, fn("get_weather", '"Par'), id="chatcmpl-tool-2", type=FN)],
            [entry(0, fn("get_weather", 'is"}'), id="chatcmpl-tool-3", type=FN)],
        ),
        (("get_weather", PARIS, "chatcmpl-tool-1"),),
    ),
    "name is the text null in a later piece": Case(
        "litellm 12513: name is the text null, the type in capitals; in the middle of the JSON",
        "openai",
        (
            [entry(0, fn("list_directory", '{"path": ".'), id="chatcmpl-tool-94", type="FUNCTION")],
            [entry(0, fn("null", '"}'), id="", type="FUNCTION")],
        ),
        (("list_directory", '{"path": "."}', "chatcmpl-tool-94"),),
    ),
    "name empty in later pieces": Case(
        "lmstudio-bug-tracker 649: `name` is empty text in each further piece",
        "lmstudio",
        (
            [entry(0, fn("count", ""), id="345678901", type=FN)],
            [entry(0, fn("", '{"'), type=FN)],
            [entry(0, fn("", "count"), type=FN)],
            [entry(0, fn("", '": 3}'), type=FN)],
        ),
        (("count", '{"count": 3}', "345678901"),),
    ),
    "name late": Case(
        "vmlx 244: the opening has an empty name, the next piece has all of it",
        "openai",
        (
            [entry(0, fn("", ""), id="call_x", type=FN)],
            [entry(0, fn("bash", '{"cmd": "ls"}'), id="call_x", type=FN)],
        ),
        (("bash", '{"cmd": "ls"}', "call_x"),),
    ),
    "name after the arguments began": Case(
        "ai 16507, opencode 32666: Command A on vLLM: arguments before the name",
        "openai",
        (
            [entry(0, fn("", '{"cmd"'), id="call_y", type=FN)],
            [
                entry(0, fn(None, ": ")),
            ],
            [entry(0, fn("bash", '"ls"}'))],
        ),
        (("bash", '{"cmd": "ls"}', "call_y"),),
    ),
    "name in pieces": Case(
        "continue 5849; openclaw 127603: id and index stay, the arguments come beside the pieces",
        "openai",
        (
            [entry(0, fn("get_", '{"location": '), id="call_name", type=FN)],
            [entry(0, fn("weather", '"Paris"}'), id="call_name", type=FN)],
        ),
        (("get_weather", PARIS, "call_name"),),
    ),
    "name in pieces, before the arguments": Case(
        "openclaw 130537: `get_`, then `weather`, neither id nor arguments in later pieces",
        "openai",
        (
            [entry(0, fn("get", ""), id="call_name", type=FN)],
            [entry(0, fn("_"))],
            [entry(0, fn("weather", ""))],
            [entry(0, fn(arguments=PARIS))],
        ),
        (("get_weather", PARIS, "call_name"),),
    ),
    "name that begins another tool's": Case(
        "composed: openclaw 127603, with tools called `get`, `get_time` and `get_time_zone`",
        "openai",
        (
            [entry(0, fn("get", ""), id="call_a", type=FN)],
            [entry(0, fn(arguments="{}"))],
            [entry(1, fn("get_time", ""), id="call_b", type=FN)],
            [entry(2, fn("get_time", ""), id="call_c", type=FN)],
            [entry(2, fn("_zone", "{}"), id="call_c")],
        ),
        (("get", "{}", "call_a"), ("get_time", "{}", "call_b"), ("get_time_zone", "{}", "call_c")),
    ),
}
