"""Tool calls whose indices are always 0, missing, null, from 1, or several for one call."""

from __future__ import annotations

from tests.unit.tool_calls.case import FN, OUT, PARIS, PIECES, TOKYO, Case, entry, fn

CASES: dict[str, Case] = {
    "index always 0, other ids": Case(
        "ollama 15457: /v1 gives each call index 0; ids tell, each call is whole",
        "openai",
        (
            [entry(0, fn("file_write", '{"path": "a"}'), id="call_w1", type=FN)],
            [entry(0, fn("file_write", '{"path": "b"}'), id="call_w2", type=FN)],
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
                entry(0, fn("add_numbers", '{"b":2,"a":2}'), id="call-94", type=FN),
                entry(0, fn("get_weather", TOKYO), id="call-84", type=FN),
            ],
        ),
        (("add_numbers", '{"b":2,"a":2}', "call-94"), ("get_weather", TOKYO, "call-84")),
    ),
    "index always 0, pieces": Case(
        "litellm 21331, plexus 691: parallel calls in pieces, one after the other, all index 0",
        "openai",
        (
            [entry(0, fn("add_task", ""), id="call_t1", type=FN)],
            [entry(0, fn(arguments='{"title": '))],
            [entry(0, fn(arguments='"one"}'))],
            [entry(0, fn("add_task", ""), id="call_t2", type=FN)],
            [entry(0, fn(arguments='{"title": '))],
            [entry(0, fn(arguments='"two"}'))],
        ),
        (("add_task", '{"title": "one"}', "call_t1"), ("add_task", '{"title": "two"}', "call_t2")),
    ),
    "index always 0, empty ids between": Case(
        "lmdeploy 3412: vLLM's stream: index 0 twice, id empty in the pieces between",
        "openai",
        (
            [entry(0, fn("func_name", ""), id="chatcmpl-tool-c9", type=FN)],
            [entry(0, fn(None, '{"x": 1}'), id="", type=FN)],
            [entry(0, fn("func_name", ""), id="chatcmpl-tool-Hf", type=FN)],
            [entry(0, fn(None, '{"x": 2}'), id="", type=FN)],
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
            [entry(0, fn("func_name", ""), id="0", type=FN)],
            [entry(0, fn(None, '{"x": 1}'), id="0", type=FN)],
            [entry(0, fn("func_name", ""), id="1", type=FN)],
            [entry(0, fn(None, '{"x": 2}'), id="1", type=FN)],
        ),
        (("func_name", '{"x": 1}', "0"), ("func_name", '{"x": 2}', "1")),
    ),
    "index always 0, restarts in each block": Case(
        "sglang 40291: LFM2: the index begins at 0 in every block; no ids in later pieces",
        "openai",
        (
            [entry(0, fn("get_weather", ""), id="call_b1", type=FN)],
            [entry(0, fn(None, '{"city": "Paris"}'), id=None)],
            [entry(0, fn("get_weather", ""), id="call_b2", type=FN)],
            [entry(0, fn(None, '{"city": "London"}'), id=None)],
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
            [entry(0, fn("tool_a", ""), id="call_A", type=FN)],
            [entry(0, fn("tool_b", ""), id="call_B", type=FN)],
            [entry(0, fn(arguments='{"of": '), id="call_A")],
            [entry(0, fn(arguments='{"of": '), id="call_B")],
            [entry(0, fn(arguments='"A"}'), id="call_A")],
            [entry(0, fn(arguments='"B"}'), id="call_B")],
        ),
        (("tool_a", '{"of": "A"}', "call_A"), ("tool_b", '{"of": "B"}', "call_B")),
    ),
    "index always 0, no ids, no arguments": Case(
        "documented: faults.md T6: two calls of one tool, index 0, no id",
        "openai",
        (
            [entry(0, fn("get_time", ""), type=FN)],
            [entry(0, fn("get_time", ""), type=FN)],
        ),
        (("get_time", "{}", None), ("get_time", "{}", None)),
    ),
    "index always 0, no ids, other names": Case(
        "composed: sglang 40291 (one index for all), cherry-studio 16322 (no ids)",
        "openai",
        (
            [entry(0, fn("get_weather", PARIS), type=FN)],
            [entry(0, fn("get_time", '{"zone": "UTC"}'), type=FN)],
        ),
        (("get_weather", PARIS, None), ("get_time", '{"zone": "UTC"}', None)),
    ),
    "index always 0, no ids, whole calls": Case(
        "litellm 33678, 11262: ollama_chat: index 0 for each call; ids were missing",
        "openai",
        (
            [entry(0, fn("read", '{"path": "a.rs"}'), type=FN)],
            [entry(0, fn("read", '{"path": "b.rs"}'), type=FN)],
        ),
        (("read", '{"path": "a.rs"}', None), ("read", '{"path": "b.rs"}', None)),
    ),
    # DOUBTFUL: two calls with one id in a stream (see llama.cpp 27966 above).
    "index and id never change": Case(
        "OmniRoute 11044: index, id and name are those of the first call, the arguments whole",
        "openai",
        (
            [entry(0, fn("glob", '{"pattern": "*"}'), id="call_o", type=FN)],
            [entry(0, fn("glob", '{"pattern": "b"}'), id="call_o", type=FN)],
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
                    "function": fn("read", '{"offset":1}'),
                    "id": "call_297140",
                    "type": FN,
                }
            ],
        ),
        (("read", '{"offset":1}', "call_297140"),),
    ),
    "index missing, a call in each frame": Case(
        "atomic-agent 103, brainlid/langchain 620: Gemini: parallel calls, told by ids alone",
        "openai",
        (
            [entry(OUT, fn("get_weather", '{"city":"Denver"}'), id="call_4162774", type=FN)],
            [entry(OUT, fn("get_weather", '{"city":"Moab"}'), id="call_4162775", type=FN)],
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
                entry(OUT, fn("get_weather", PARIS), id="call_u1", type=FN),
                entry(OUT, fn("get_weather", TOKYO), id="call_u2", type=FN),
            ],
        ),
        (("get_weather", PARIS, "call_u1"), ("get_weather", TOKYO, "call_u2")),
    ),
    "index missing, pieces": Case(
        "AstrBot 6661, open-webui/computer 224: no index, id and type empty in later pieces",
        "openai",
        (
            [entry(OUT, fn("memory_save", ""), id="call_mem", type=FN)],
            [entry(OUT, fn(arguments='{"content":'), id="", type="")],
            [entry(OUT, fn(arguments='"x"}'), id="", type="")],
        ),
        (("memory_save", '{"content":"x"}', "call_mem"),),
    ),
    "index missing, pieces, two calls": Case(
        "term-llm 314, langchain-oracle 252: no index; the pieces follow their own call's head",
        "openai",
        (
            [entry(OUT, fn("market_research", ""), id="call_A")],
            [entry(OUT, fn(arguments='{"idea": "a"}'))],
            [entry(OUT, fn("customer_signal", ""), id="call_B")],
            [entry(OUT, fn(arguments='{"idea": '))],
            [entry(OUT, fn(arguments='"b"}'))],
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
            [entry(OUT, fn("tool_a", ""), id="A"), entry(OUT, fn("tool_b", ""), id="B")],
            [entry(OUT, fn(arguments='{"x":'), id="A"), entry(OUT, fn(arguments='{"y":'), id="B")],
            [entry(OUT, fn(arguments="1}"), id="A"), entry(OUT, fn(arguments="2}"), id="B")],
        ),
        (("tool_a", '{"x":1}', "A"), ("tool_b", '{"y":2}', "B")),
    ),
    "index missing, only a signature": Case(
        "open-webui/computer 224: Gemini: a last entry with nothing but the signature",
        "openai",
        (
            [entry(OUT, fn("get_weather", PARIS), id="function-call-1", type=FN)],
            [{"extra_content": {"google": {"thought_signature": "AbCd"}}}],
        ),
        (("get_weather", PARIS, "function-call-1"),),
    ),
    "index null": Case(
        "GPT_API_free 254, xinference 3634: the index is null",
        "openai",
        (
            [entry(None, fn("squareRoot", ""), id="call_Un", type=FN)],
            [entry(None, fn(arguments='{"of": 9}'), id=None)],
        ),
        (("squareRoot", '{"of": 9}', "call_Un"),),
    ),
    "index null, two calls": Case(
        "composed: GPT_API_free 254 (index null), grok2api 239 (calls whole, with ids)",
        "openai",
        (
            [entry(None, fn("list_voices", '{"type": "all"}'), id="call_v1", type=FN)],
            [entry(None, fn("list_voices", '{"type": "new"}'), id="call_v2", type=FN)],
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
            [entry(1, fn("get_weather", ""), id="toolu_1", type=FN)],
            [entry(1, fn(arguments=""), type=FN)],
            [entry(1, fn(arguments=PARIS), type=FN)],
            [entry(2, fn("get_time", ""), id="toolu_2", type=FN)],
            [entry(2, fn(arguments="{}"), type=FN)],
        ),
        (("get_weather", PARIS, "toolu_1"), ("get_time", "{}", "toolu_2")),
    ),
    "index with gaps, backwards, interleaved": Case(
        "composed: Netcatty 3434's own tests (ai 18333: indices with gaps), pieces in turn",
        "openai",
        (
            [entry(4, fn("tool_a", ""), id="call_4", type=FN)],
            [entry(1, fn("tool_b", ""), id="call_1", type=FN)],
            [entry(4, fn(arguments='{"x": 1}'))],
            [entry(1, fn(arguments='{"y": 2}'))],
        ),
        (("tool_a", '{"x": 1}', "call_4"), ("tool_b", '{"y": 2}', "call_1")),
    ),
    "index new in the last piece": Case(
        "pipecat 4688, dirac 215: Nebius gives the last fragment index 1",
        "openai",
        (
            [entry(0, fn("get_weather", ""), id="chatcmpl-tool-n", type=FN)],
            [entry(0, fn(arguments='{"location": "Pa'))],
            [entry(1, fn(arguments='ris"}'))],
        ),
        (("get_weather", PARIS, "chatcmpl-tool-n"),),
    ),
    "index new, the same id": Case(
        "composed: LocalAI 9722: one call at several indices; its first frame read, the rest told",
        "openai",
        (
            [entry(0, fn("exec", ""), id="LipwoT0p", type=FN)],
            [entry(1, fn(None, '{"cmd": "ls"}'), id="LipwoT0p", type=FN)],
        ),
        (("exec", '{"cmd": "ls"}', "LipwoT0p"),),
    ),
    "one index twice in a frame": Case(
        "openai-python 3201: vLLM with speculative decoding: head and first piece in one frame",
        "openai",
        (
            [
                entry(0, fn("list_files"), id="functions.list_files:0", type=FN),
                entry(0, fn(arguments=' {"')),
            ],
            [entry(0, fn(arguments='path": "."}'))],
        ),
        (("list_files", ' {"path": "."}', "functions.list_files:0"),),
    ),
    "interleaved by index": Case(
        "composed: continue 13223's example; azure-sdk-for-net 46830 says that it happens",
        "openai",
        (
            [entry(0, fn("tool_a", ""), id="call_A", type=FN)],
            [entry(1, fn("tool_b", ""), id="call_B", type=FN)],
            [entry(0, fn(arguments='{"target":'))],
            [entry(1, fn(arguments='{"target":'))],
            [entry(0, fn(arguments='"A"}'))],
            [entry(1, fn(arguments='"B"}'))],
        ),
        (("tool_a", '{"target":"A"}', "call_A"), ("tool_b", '{"target":"B"}', "call_B")),
    ),
    "interleaved in each frame": Case(
        "composed: bifrost 7235, headroom 2890: two calls in one chunk, then their pieces",
        "openai",
        (
            [
                entry(0, fn("tool_a", ""), id="call_A", type=FN),
                entry(1, fn("tool_b", ""), id="call_B", type=FN),
            ],
            [entry(0, fn(arguments='{"x": ')), entry(1, fn(arguments='{"y": '))],
            [entry(1, fn(arguments="2}")), entry(0, fn(arguments="1}"))],
        ),
        (("tool_a", '{"x": 1}', "call_A"), ("tool_b", '{"y": 2}', "call_B")),
    ),
    "a call again, whole, at another index": Case(
        "new-api 6278: the end of a Responses stream says the call once more, at the next index",
        "openai",
        (
            [entry(0, fn("get_weather", ""), id="call_r", type=FN)],
            *([entry(0, fn(arguments=piece))] for piece in PIECES),
            [entry(1, fn("get_weather", PARIS), id="call_r", type=FN)],
        ),
        (("get_weather", PARIS, "call_r"),),
    ),
    "a call again, in pieces, at another index": Case(
        "LocalAI 9722: first whole at index 1, then a head and the arguments at index 0, one id",
        "openai",
        (
            [entry(1, fn("bash", '{"script": "ls"}'), id="f4c1", type=FN)],
            [entry(0, fn("bash", ""), id="f4c1", type=FN)],
            [entry(0, fn(arguments='{"script": "ls"}'), id="f4c1", type=FN)],
        ),
        (("bash", '{"script": "ls"}', "f4c1"),),
    ),
    "a call again, in pieces, at its own index": Case(
        "LocalAI 9286: said again after the stream, name and arguments apart",
        "openai",
        (
            [entry(0, fn("bash", '{"script": "ls"}'), id="f4c1", type=FN)],
            [entry(0, fn("bash", ""), id="f4c1", type=FN)],
            [entry(0, fn(arguments='{"script": "ls"}'), id="f4c1", type=FN)],
        ),
        (("bash", '{"script": "ls"}', "f4c1"),),
    ),
    "a call again, but for its end": Case(
        "composed: llama.cpp 27966 (one id for two calls), in pieces that are equal at first",
        "openai",
        (
            *([entry(0, fn("get_weather", piece), id="ZsSt4SkI")] for piece in PIECES),
            [entry(1, fn("get_weather", '{"'), id="ZsSt4SkI")],
            *([entry(1, fn(arguments=piece))] for piece in ('location": "', "To", 'kyo"}')),
        ),
        (("get_weather", PARIS, "ZsSt4SkI"), ("get_weather", TOKYO, None)),
    ),
    "arguments begin again without a name": Case(
        "composed: LocalAI 9286 with other arguments: what follows complete JSON is another call",
        "openai",
        (
            [entry(0, fn("get_weather", PARIS), id="call_s", type=FN)],
            [entry(0, fn(arguments=" \n"))],
            [entry(0, fn(arguments=TOKYO))],
        ),
        (("get_weather", PARIS + " \n", "call_s"), ("get_weather", TOKYO, None)),
    ),
}
