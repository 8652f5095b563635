"""Entries that are no calls, and what belongs nowhere else."""

from __future__ import annotations

from tests.unit.tool_calls.case import FN, OUT, PARIS, Case, entry, fn

CASES: dict[str, Case] = {
    "phantom, whole": Case(
        "lmstudio-bug-tracker 830: an entry with an empty id and no function",
        "lmstudio",
        ([{"id": "", "type": FN}],),
        (),
        whole=True,
    ),
    "phantom beside a call, whole": Case(
        "composed: lmstudio-bug-tracker 830, beside a call",
        "lmstudio",
        (
            [
                {"id": "193629320", "type": FN, "function": fn("bash", '{"command": "ls"}')},
                {"id": "", "type": FN},
            ],
        ),
        (("bash", '{"command": "ls"}', "193629320"),),
        whole=True,
    ),
    "phantom, streamed": Case(
        "composed: lmstudio-bug-tracker 830, as a stream",
        "lmstudio",
        ([entry(0, fn("", ""), id="", type=FN)], [entry(0, {}, type=FN)]),
        (),
    ),
    "phantom after a call, streamed": Case(
        "composed: lmstudio-bug-tracker 830: an empty entry with a new index",
        "lmstudio",
        (
            [entry(0, fn("bash", '{"command": "ls"}'), id="193629320", type=FN)],
            [entry(1, fn("", ""), id="", type=FN)],
        ),
        (("bash", '{"command": "ls"}', "193629320"),),
    ),
    "type missing": Case(
        "documented: llamacpp/b11549 (no type in later pieces), zed 53605 (none at all)",
        "openai",
        ([entry(0, fn("get_weather", PARIS), id="call_t")],),
        (("get_weather", PARIS, "call_t"),),
    ),
    "id empty in every piece": Case(
        "TGI 2794: id empty, name null (there `tool_calls` is one entry, no list); head composed",
        "openai",
        (
            [entry(0, fn("get_weather", '{"'), id="", type=FN)],
            [entry(0, fn(None, "loc"), id="", type=FN)],
            [entry(0, fn(None, 'ation": "Paris"}'), id="", type=FN)],
        ),
        (("get_weather", PARIS, None),),
    ),
    "index within the function, streamed, openai": Case(
        "amplio 3: LiteLLM over ollama_chat: 0 and 1 within `function`, 0 and 0 outside",
        "openai",
        (
            [entry(0, fn("read", '{"path":"a.rs"}', index=0), id="call_ag", type=FN)],
            [entry(0, fn("read", '{"path":"b.rs"}', index=1), id="call_mq", type=FN)],
        ),
        (("read", '{"path":"a.rs"}', "call_ag"), ("read", '{"path":"b.rs"}', "call_mq")),
    ),
    "one entry instead of a list, streamed": Case(
        "TGI 2794: `tool_calls` is an entry, no list; the head is composed",
        "openai",
        (
            entry(0, fn("get_weather", '{"'), id="", type=FN),
            entry(0, fn(None, "loc"), id="", type=FN),
            entry(0, fn(None, 'ation": "Paris"}'), id="", type=FN),
        ),
        (("get_weather", PARIS, None),),
    ),
    "one entry instead of a list, whole": Case(
        "composed: TGI 2794, as a whole reply",
        "openai",
        (entry(OUT, fn("get_weather", PARIS), id="0", type=FN),),
        (("get_weather", PARIS, "0"),),
        whole=True,
    ),
}
