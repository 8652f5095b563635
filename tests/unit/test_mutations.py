"""Every key of recorded replies, set to every JSON type: only our own errors come out.

The replies are the cassettes'. What is tried is what a client does with them: it probes, lists,
ranks, answers, streams and embeds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localmix.dialects import KINDS
from localmix.discovery.probe import Found
from localmix.errors import LocalMixError
from localmix.routing.catalog import Catalog
from localmix.routing.needs import Needs
from localmix.routing.ranking import ranked
from localmix.servers.record import Vitals
from localmix.types import EmbedRequest, Kind, ModelInfo, Server, Timings
from localmix.types.fold import fold
from localmix.wire.flows import Response
from tests.replay.cassettes import ROOT, read_tape
from tests.unit.streams import CHAT, URL, target
from tests.unit.test_replies import run

VALUES: list[Any] = [None, True, -1, 1.5, 10**400, float("nan"), "", "text", [], [5], {}, {"a": 5}]
KIND_OF: dict[str, Kind] = {"ollama": "ollama", "llamacpp": "openai", "lmstudio": "lmstudio"}
LISTS = ("/api/tags", "/api/ps", "/v1/models", "/api/v0/models", "/api/v1/models")
CHATS = ("/api/chat", "/api/generate", "/v1/chat/completions", "/v1/completions")
EMBEDS = ("/api/embed", "/v1/embeddings")


def _recorded() -> dict[tuple[str, str], Any]:
    """Take the first whole reply of each kind for each path."""
    found: dict[tuple[str, str], Any] = {}
    for path in sorted(ROOT.rglob("*.yaml")):
        kind = path.relative_to(ROOT).parts[0]
        for exchange in read_tape(path)["exchanges"]:
            where = exchange["request"].split(" ", 1)[1]
            if exchange["status"] == 200 and exchange["content-type"].startswith(
                "application/json"
            ):
                found.setdefault((kind, where), json.loads(exchange["reply"]))
    return found


RECORDED = _recorded()
CASES = [key for key in RECORDED if key[1] in (*LISTS, *CHATS, *EMBEDS, "/api/show")]


def mutated(value: Any, depth: int = 0) -> Iterator[Any]:
    """Set each key, however deep, to each of the values; and leave it out."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield {name: each for name, each in value.items() if name != key}
            for other in VALUES:
                yield value | {key: other}
            if depth < 6:
                yield from (value | {key: each} for each in mutated(item, depth + 1))
    elif isinstance(value, list) and value:
        for other in VALUES:
            yield [other, *value[1:]]
        if depth < 6:
            yield from ([each, *value[1:]] for each in mutated(value[0], depth + 1))


def use(kind: Kind, path: str, body: Any) -> None:
    """Do with a reply what a client does; raise nothing but a `LocalMixError`."""
    dialect, asked = KINDS[kind].dialect, target(kind, "tiny")
    response = Response(200, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        if path in LISTS:
            answers: dict[str, Any] = {path: response}
            answers |= {"/api/tags": {"models": []}} if "ps" in path else {}
            rank(kind, run(dialect.list_models(asked.endpoint), answers).models)
        elif path == "/api/show":
            rank(kind, [run(dialect.show(asked), {path: response})])
        elif path in EMBEDS:
            dialect.parse_embed(asked, EmbedRequest(texts=("a",)), response)
        else:
            learn(dialect.parse_generation(asked, CHAT, response))
            decoder = dialect.generation_decoder(asked, CHAT)
            line = json.dumps(body).encode()
            data = line + b"\n" if kind == "ollama" else b"data: " + line + b"\n\n"
            learn(fold([*decoder.feed(data), *decoder.close()]))
    except LocalMixError as error:
        if error.hint.startswith("Please report it"):
            raise AssertionError("the last wall had to hold") from error


def rank(kind: Kind, models: list[ModelInfo]) -> None:
    found = Found(Server(URL, kind), target(kind).endpoint, tuple(models))
    catalog = Catalog((found,), {})
    for name in (model.name for model in models):
        places = [(place, Vitals()) for place in catalog.places(name)]
        ranked(places, Needs(name, prompt_tokens=10), None, 0.0)
    catalog.suitable("chat")
    catalog.nearest("tiny")


def learn(answer: Any) -> None:
    """Let an answer's figures be remembered: what is kept is finite and positive."""
    speeds = Vitals().rates["tiny"]
    speeds.add(answer.usage, answer.timings or Timings())
    for kept in (speeds.load, speeds.prompt, speeds.output):
        assert kept is None or 0 < kept < float("inf")


@pytest.mark.parametrize(("kind", "path"), CASES)
def test_no_value_of_any_type_gets_through(kind: str, path: str) -> None:
    for body in mutated(RECORDED[kind, path]):
        use(KIND_OF[kind], path, body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(case=st.sampled_from(CASES), value=JSON, data=st.data())
def test_no_json_at_all_gets_through(
    case: tuple[str, str], value: Any, data: st.DataObject
) -> None:
    kind, path = case
    body = RECORDED[case]
    key = data.draw(st.sampled_from(sorted(body)))
    use(KIND_OF[kind], path, body | {key: value})
