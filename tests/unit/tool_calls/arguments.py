"""Tool calls whose arguments are missing, null, objects, texts of texts, or not quite JSON."""

from __future__ import annotations

import json
from typing import Final

from tests.unit.tool_calls.case import FN, OUT, PARIS, TOKYO, Case, entry, fn

LONG: Final = json.dumps({"path": "a.txt", "content": "0123456789 abcdef " * 2000})
CODE: Final = json.dumps(
    {"code": 'if (a["}"] == "{") { say("\\"]\\n"); }', "then": {"run": ['{"x": "}"}', "[{"]}}
)
CHINESE: Final = '{"城市": "東京", "note": "naïve 🙂 \\ud83d\\ude00"}'

CASES: dict[str, Case] = {
    "arguments missing, whole": Case(
        "vllm 21301: a tool without parameters: no `arguments` at all",
        "openai",
        ([entry(OUT, fn("current_time"), id="chatcmpl-tool-5", type=FN)],),
        (("current_time", "{}", "chatcmpl-tool-5"),),
        whole=True,
    ),
    "arguments missing, streamed": Case(
        "vllm 28806, 21365: Hermes parser: the head and no more",
        "openai",
        ([entry(0, fn("current_time"), id="chatcmpl-tool-6", type=FN)],),
        (("current_time", "{}", "chatcmpl-tool-6"),),
    ),
    "arguments null, whole": Case(
        "braintrust-sdk-javascript 1061, llm 1170: GLM-4.6, Copilot: null",
        "openai",
        ([entry(OUT, fn("weather", None), id="call_xA", type=FN)],),
        (("weather", "{}", "call_xA"),),
        whole=True,
    ),
    "arguments null beside another call": Case(
        "odysseus 2922: null arguments, and a second call in the same delta",
        "openai",
        (
            [
                entry(0, fn("get_time", None), id="call_p", type=FN),
                entry(1, fn("get_weather", PARIS), id="call_q", type=FN),
            ],
        ),
        (("get_time", "{}", "call_p"), ("get_weather", PARIS, "call_q")),
    ),
    "arguments null in the first piece": Case(
        "strands 97, ogx 5462: vLLM with Qwen: null in the head, then the arguments",
        "openai",
        (
            [entry(0, fn("calculator", None), id="chatcmpl-tool-d0", type=FN)],
            [entry(0, fn(None, '{"of": '), id=None, type=None)],
            [entry(0, fn(None, "1}"), id=None, type=None)],
        ),
        (("calculator", '{"of": 1}', "chatcmpl-tool-d0"),),
    ),
    "arguments the text null, streamed": Case(
        "jcode 225: the arguments are the text null (the server is not named)",
        "openai",
        (
            [entry(0, fn("ls", ""), id="call_l", type=FN)],
            [entry(0, fn(arguments="null"))],
        ),
        (("ls", "{}", "call_l"),),
    ),
    "arguments the text null, whole": Case(
        "composed: jcode 225, as a whole reply",
        "openai",
        ([entry(OUT, fn("ReadCatalog", "null"), id="call_r", type=FN)],),
        (("ReadCatalog", "{}", "call_r"),),
        whole=True,
    ),
    "arguments empty, streamed": Case(
        "Kilo-Org/cloud 4753: Claude on Bedrock: one empty text and nothing more",
        "openai",
        ([entry(0, fn("get_page_snapshot", ""), id="toolu_bdrk", type=FN)],),
        (("get_page_snapshot", "{}", "toolu_bdrk"),),
    ),
    "arguments empty, whole, then others": Case(
        "documented: faults.md T2: no ids, the first has no arguments",
        "openai",
        (
            [
                entry(OUT, fn("get_weather", ""), type=FN),
                entry(OUT, fn("get_weather", '{"location": "Rome"}'), type=FN),
            ],
        ),
        (("get_weather", "{}", None), ("get_weather", '{"location": "Rome"}', None)),
        whole=True,
    ),
    "arguments empty in a last piece": Case(
        "ai 3953: vLLM: a piece with empty arguments beside the reason for the end",
        "openai",
        (
            [entry(0, fn("searchGoogle"), id="chatcmpl-tool-a0", type=FN)],
            [entry(0, fn(arguments='{"query": "ai"}'))],
            [entry(0, fn(arguments=""))],
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
                    "type": FN,
                    "function": fn("get_status", {"id": "T1001"}, description=None),
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
                entry(OUT, fn("edit", {"at": {"line": 3}, "to": ["é", None]}), id="e1", type=FN),
                entry(OUT, fn("edit", {}), id="e2", type=FN),
            ],
        ),
        (("edit", '{"at": {"line": 3}, "to": ["é", null]}', "e1"), ("edit", "{}", "e2")),
        whole=True,
    ),
    "arguments an object, streamed": Case(
        "litellm 37792: ollama_chat's stream: objects, all with index 0",
        "openai",
        (
            [entry(0, fn("get_weather", {"location": "Paris"}), id="a1", type=FN)],
            [entry(0, fn("get_weather", {"location": "Tokyo"}), id="a2", type=FN)],
        ),
        (("get_weather", PARIS, "a1"), ("get_weather", TOKYO, "a2")),
    ),
    "arguments an object, one id, streamed": Case(
        "composed: faults.md T1 in Ollama's dialect: whole calls, one id",
        "ollama",
        (
            [{"id": "system.bash", "function": fn("system.bash", {"cmd": "ls"}, index=0)}],
            [{"id": "system.bash", "function": fn("system.bash", {"cmd": "pwd"}, index=0)}],
        ),
        (("system.bash", '{"cmd": "ls"}', "system.bash"), ("system.bash", '{"cmd": "pwd"}', None)),
    ),
    # DOUBTFUL: a text that holds JSON is kept as it is; the rules do not unwrap it.
    "arguments twice encoded, whole": Case(
        "vllm 54964, oracle/langchain-oracle 52: Granite 4 with the Hermes parser",
        "openai",
        ([entry(OUT, fn("get_db_config", json.dumps('{"param": "x"}')), id="call_g", type=FN)],),
        (("get_db_config", json.dumps('{"param": "x"}'), "call_g"),),
        whole=True,
    ),
    # DOUBTFUL: as above.
    "arguments twice encoded, streamed": Case(
        "vllm 54964, sglang 12456: the same in pieces",
        "openai",
        (
            [entry(0, fn("get_db_config", '"{\\"par'), id="call_g", type=FN)],
            [entry(0, fn(arguments='am\\": \\"x\\"}"'))],
        ),
        (("get_db_config", json.dumps('{"param": "x"}'), "call_g"),),
    ),
    "arguments cut off": Case(
        "llama.cpp 22072: the JSON is not finished; it is handed on",
        "openai",
        (
            [entry(0, fn("fetch", '{"id": '), id="call_c", type=FN)],
            [entry(0, fn(arguments='"th'))],
        ),
        (("fetch", '{"id": "th', "call_c"),),
    ),
    "raw line end, whole": Case(
        "kimi-cli 1378, faults.md T9: a commit message with raw line ends",
        "openai",
        ([entry(OUT, fn("Shell", '{"command": "git commit -m \'a\n\nb\'"}'), id="c1", type=FN)],),
        (("Shell", '{"command": "git commit -m \'a\\n\\nb\'"}', "c1"),),
        whole=True,
    ),
    "raw line end, streamed": Case(
        "kimi-cli 1378, 1379: the raw line end is a piece of its own",
        "openai",
        (
            [entry(0, fn("Shell", '{"command": "a'), id="c2", type=FN)],
            [entry(0, fn(arguments="\n"))],
            [entry(0, fn(arguments='b\r\n"}'))],
        ),
        (("Shell", '{"command": "a\\nb\\r\\n"}', "c2"),),
    ),
    "raw tab, whole": Case(
        "omlx 1672: raw tabs of Go code beside escaped ones",
        "openai",
        ([entry(OUT, fn("edit", '{"old": "\t\t// x\\n\\t\\tif a {"}'), id="c3", type=FN)],),
        (("edit", '{"old": "\\t\\t// x\\n\\t\\tif a {"}', "c3"),),
        whole=True,
    ),
    "raw control characters, streamed": Case(
        "prism 937: DeepSeek streams raw control characters; layout between values stays",
        "openai",
        (
            [entry(0, fn("write", '{\n\t"text": "bell \x07'), id="c4", type=FN)],
            [entry(0, fn(arguments='\x1b[0m"\n}'))],
        ),
        (("write", '{\n\t"text": "bell \\u0007\\u001b[0m"\n}', "c4"),),
    ),
    "escape split between pieces": Case(
        "composed: kimi-cli 1378 (raw line ends), vllm 19056 (a token a piece)",
        "openai",
        (
            [entry(0, fn("write", '{"text": "a\\'), id="c5", type=FN)],
            [entry(0, fn(arguments='"b\\'))],
            [entry(0, fn(arguments='nc\n"}'))],
        ),
        (("write", '{"text": "a\\"b\\nc\\n"}', "c5"),),
    ),
    "braces and quotes in texts": Case(
        "vllm 43267, lmstudio-bug-tracker 1868: code as an argument, a letter a piece",
        "openai",
        (
            [entry(0, fn("run", ""), id="call_code", type=FN)],
            *([entry(0, fn(arguments=letter))] for letter in CODE),
        ),
        (("run", CODE, "call_code"),),
    ),
    "braces and quotes in texts, name in every piece": Case(
        "composed: vLLM-2080Ti-Definitive 127, with code: a } in a text completes nothing",
        "openai",
        (
            [entry(0, fn("run", '{"code": "}'), id="call_code", type=FN)],
            [entry(0, fn("run", '{\\"}"'))],
            [entry(0, fn("run", ', "n": {}'))],
            [entry(0, fn("run", "}"))],
        ),
        (("run", '{"code": "}{\\"}", "n": {}}', "call_code"),),
    ),
    "unicode, whole": Case(
        "xinference 4237: Chinese arguments; an escaped pair stays escaped",
        "openai",
        ([entry(OUT, fn("搜索", CHINESE), id="call_u", type=FN)],),
        (("搜索", CHINESE, "call_u"),),
        whole=True,
    ),
    "unicode, streamed": Case(
        "vllm 19056, sglang 19662: Chinese arguments, a token a piece",
        "openai",
        (
            [entry(0, fn("搜索", ""), id="call_u", type=FN)],
            *([entry(0, fn(None, letter), id=None, type=None)] for letter in CHINESE),
        ),
        (("搜索", CHINESE, "call_u"),),
    ),
    "unicode, ollama": Case(
        "documented: langchain.md (test_unicode_tool_call_integration): not escaped by us",
        "ollama",
        ([{"id": "call_j", "function": fn("顧客", {"名前": "あおい", "æ": "🙂"}, index=0)}],),
        (("顧客", '{"名前": "あおい", "æ": "🙂"}', "call_j"),),
    ),
    "long arguments": Case(
        "vllm 30999, 43267: a whole file as an argument, in thousands of pieces",
        "openai",
        (
            [entry(0, fn("write_article", ""), id="call_long", type=FN)],
            *(
                [entry(0, fn(arguments=LONG[start : start + 11]))]
                for start in range(0, len(LONG), 11)
            ),
        ),
        (("write_article", LONG, "call_long"),),
    ),
    "long arguments, all in every piece": Case(
        "llama-cpp-python llama_chat_format.py: name and id in each of thousands of pieces",
        "openai",
        tuple(
            [entry(0, fn("write", LONG[start : start + 17]), id="call__0_write_cmpl-2", type=FN)]
            for start in range(0, len(LONG), 17)
        ),
        (("write", LONG, "call__0_write_cmpl-2"),),
    ),
}
