"""Which places a name means, and which of them comes first: no socket, no clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from localmix.discovery import Found
from localmix.routing.catalog import Catalog, Place
from localmix.routing.loading import window_for
from localmix.routing.needs import Needs, needs_of
from localmix.routing.ranking import ranked, reason_of, take_turn
from localmix.servers import MEMORY, Vitals
from localmix.types import (
    ChatRequest,
    Image,
    Kind,
    Message,
    ModelInfo,
    Server,
    Timings,
    Tool,
    Usage,
)
from tests.unit.streams import target

ENDPOINT = target("ollama").endpoint
NOW = 1000.0


def remembered(places: list[Place]) -> list[tuple[Place, Vitals]]:
    """Add to each place what is remembered of its server."""
    return [(place, MEMORY.vitals(place.found.server.url)) for place in places]


def server(url: str, *models: str, kind: Kind = "ollama", **about: Any) -> Found:
    """Describe a server; what begins with `model_` is said of its models."""
    facts = {name[6:]: about.pop(name) for name in list(about) if name.startswith("model_")}
    infos = tuple(ModelInfo(name, url, kind, **facts) for name in models)
    about.setdefault("asked_at", NOW)
    return Found(Server(url, kind, name=about.pop("name", url)), ENDPOINT, infos, **about)


def found(name: str, *servers: Found, **aliases: tuple[str, ...]) -> list[tuple[str, str]]:
    places = Catalog(servers, aliases).places(name)
    return [(place.found.server.url, place.model.name) for place in places]


def order(*servers: Found, model: str = "m", home: str | None = None, **needs: Any) -> list[str]:
    places = Catalog(servers, {}).places(model)
    sorted_places = ranked(remembered(places), Needs(model, **needs), home, NOW)
    return [each.place.found.server.url for each in sorted_places]


def reason(*servers: Found, home: str | None = None, **needs: Any) -> str:
    places = remembered(Catalog(servers, {}).places("m"))
    return reason_of(ranked(places, Needs("m", **needs), home, NOW))


# Names

A = server("http://a", "qwen2.5:7b", "llama3.2:latest", model_quantization="Q4_K_M")
B = server("http://b", "qwen2.5-7b-instruct", kind="lmstudio", name="gpu")


def test_a_name_that_a_server_has_is_its_model_and_the_same_elsewhere() -> None:
    assert found("qwen2.5:7b", A, B) == [
        ("http://a", "qwen2.5:7b"),
        ("http://b", "qwen2.5-7b-instruct"),
    ]
    assert found("Llama3.2", A, B) == [("http://a", "llama3.2:latest")]


@pytest.mark.parametrize("pin", ["lmstudio", "gpu", "GPU"])
def test_a_pin_names_a_kind_or_a_server(pin: str) -> None:
    assert found(f"{pin}/qwen2.5:7b", A, B) == [("http://b", "qwen2.5-7b-instruct")]
    (place,) = Catalog((A, B), {}).places(f"{pin}/qwen2.5:7b")
    assert place.rule.endswith(f"pinned to {pin}")


def test_a_name_with_a_slash_is_no_pin_where_a_server_has_it() -> None:
    slashed = server("http://c", "ollama/m", kind="lmstudio")
    assert found("ollama/m", slashed, server("http://d", "m")) == [("http://c", "ollama/m")]
    assert found("ollama/m", server("http://d", "m")) == [("http://d", "m")]
    assert found("nobody/m", server("http://d", "m")) == []


def test_an_alias_means_the_first_that_is_there() -> None:
    assert found("small", A, B, small=("gone:1b", "llama3.2"))[0] == (
        "http://a",
        "llama3.2:latest",
    )
    assert found("Small:latest", A, B, small=("lmstudio/qwen2.5:7b",))[0][0] == "http://b"
    rules = {place.rule for place in Catalog((A,), {"small": ("llama3.2",)}).places("small")}
    assert rules == {"your alias for llama3.2"}


def test_a_name_that_a_server_has_wins_over_an_alias() -> None:
    servers = server("http://a", "small:latest", "large:latest")
    assert found("small", servers, small=("large",)) == [("http://a", "small:latest")]


def test_a_cloud_model_is_taken_by_its_own_name_alone() -> None:
    cloud = server("http://a", "qwen3:8b", model_remote=True)
    assert found("qwen3:8b", cloud) == [("http://a", "qwen3:8b")]
    assert found("qwen/qwen3-8b", cloud) == []


@pytest.mark.parametrize(
    ("facts", "other", "joined"),
    [
        ({"digest": "d1"}, {"digest": "d1"}, True),
        ({"digest": "d1"}, {"digest": "d2"}, False),
        ({"family": "nomic-bert", "embedding_length": 768}, {}, False),
        ({"family": "nomic-bert", "embedding_length": 768}, {"embedding_length": 512}, False),
    ],
)
def test_models_that_embed_are_joined_by_what_proves_them_the_same(
    facts: dict[str, Any], other: dict[str, Any], joined: bool
) -> None:
    name = "nomic-embed-text-v1.5"
    said = {f"model_{key}": value for key, value in ({"purpose": "embedding"} | facts).items()}
    said_there = said | {f"model_{key}": value for key, value in other.items()}
    one = server("http://a", name, **said)
    another = server("http://b", name, kind="lmstudio", **said_there)
    assert len(Catalog((one, another), {}).same(name)) == 1 + joined


def test_a_server_in_reserve_serves_what_is_pinned_to_it() -> None:
    reserve = server("embedded:", "m", kind="embedded", is_reserve=True)
    assert found("m", reserve) == []
    assert found("embedded/m", reserve) == [("embedded:", "m")]
    assert Catalog((reserve,), {}).everything == []


# Order


def test_the_users_order_comes_before_what_is_loaded() -> None:
    first = server("http://a", "m", rank=(0, 0, 0))
    second = server("http://b", "m", rank=(0, 0, 1), model_loaded=True)
    assert order(second, first) == ["http://a", "http://b"]
    assert reason(second, first).endswith("first in your order")


def test_what_is_loaded_comes_first() -> None:
    one, other = server("http://a", "m"), server("http://b", "m", model_loaded=True)
    assert order(one, other) == ["http://b", "http://a"]
    assert reason(one, other) == "the server has it under this name; loaded"


def test_an_answer_since_the_listing_shows_that_it_is_loaded() -> None:
    one, other = server("http://a", "m"), server("http://b", "m")
    MEMORY.vitals("http://b").answered_at["m"] = NOW + 1
    assert order(one, other) == ["http://b", "http://a"]
    later = server("http://b", "m", asked_at=NOW + 2)  # listed since, and not as loaded
    assert order(one, later)[0] == "http://a"


@pytest.mark.parametrize(
    ("listed", "trained", "wanted", "asked"),
    [
        (4096, 32768, None, 4096),  # keep what stands
        (4096, None, None, 4096),
        (4096, 32768, 1024, 4096),
        (4096, 32768, 8192, 8192),
        (None, 32768, None, None),
        (None, 32768, 8192, 8192),
        (2048, 2048, None, None),  # cut to what it was trained for: nobody knows what was asked
        (2048, 2048, 1024, 2048),
    ],
)
def test_the_window_to_ask_for(
    listed: int | None, trained: int | None, wanted: int | None, asked: int | None
) -> None:
    facts: dict[str, Any] = {"model_loaded_context_length": listed, "model_context_length": trained}
    (place,) = Catalog([server("http://a", "m", **facts)], {}).places("m")
    vitals = MEMORY.vitals("http://a")
    assert window_for(place, vitals, Needs("m", window=wanted)) == asked
    other = replace(place, model=replace(place.model, kind="lmstudio"))
    assert window_for(other, vitals, Needs("m", window=wanted)) is None


def test_the_window_that_was_asked_for_a_moment_ago_is_kept() -> None:
    facts: dict[str, Any] = {"model_loaded_context_length": 4096, "model_context_length": 8192}
    (place,) = Catalog([server("http://a", "m", **facts)], {}).places("m")
    vitals = MEMORY.vitals("http://a")
    vitals.windows["m"], vitals.answered_at["m"] = 8192, NOW + 1
    assert window_for(place, vitals, Needs("m")) == 8192
    vitals.answered_at["m"] = NOW - 1  # listed since: somebody has loaded it with less
    assert window_for(place, vitals, Needs("m")) == 4096
    vitals.windows["m"], vitals.answered_at["m"] = 0, NOW + 1
    assert window_for(place, vitals, Needs("m")) is None  # its server's own default stands


def test_the_least_busy_comes_first_by_its_weight() -> None:
    one, other = server("http://a", "m"), server("http://b", "m", weight=4.0)
    MEMORY.vitals("http://a").slots.reserve(None)
    assert order(one, other) == ["http://b", "http://a"]
    for _ in range(3):
        MEMORY.vitals("http://b").slots.reserve(None)
    assert order(one, other) == ["http://b", "http://a"]  # 3 of 4 is less than 1 of 1
    assert reason(one, other).endswith("least busy")


def test_a_server_at_its_limit_comes_after_one_that_is_loading() -> None:
    full = server("http://a", "m", limit=1, model_loaded=True)
    MEMORY.vitals("http://a").slots.reserve(1)
    assert order(full, server("http://b", "m")) == ["http://b", "http://a"]
    assert reason(full, server("http://b", "m")).endswith("its server has a free slot")


def test_the_faster_comes_first_if_it_is_much_faster() -> None:
    one, other = server("http://a", "m"), server("http://b", "m")
    for url, rate in (("http://a", 10), ("http://b", 11)):
        MEMORY.vitals(url).rates["m"].add(Usage(1, 100), Timings(output=100 / rate))
    MEMORY.vitals("http://b").turn = 1.0
    assert order(one, other, output_tokens=100) == ["http://a", "http://b"]  # about the same
    MEMORY.vitals("http://b").rates["m"].output = 40.0
    assert order(one, other, output_tokens=100) == ["http://b", "http://a"]
    assert reason(one, other, output_tokens=100).endswith("likely the fastest")


def test_a_conversation_stays_where_it_is_while_its_server_is_well() -> None:
    one, other = server("http://a", "m", model_loaded=True), server("http://b", "m")
    assert order(one, other, home="http://b") == ["http://b", "http://a"]
    assert reason(one, other, home="http://b").endswith("the conversation is there")
    MEMORY.vitals("http://b").health.failed(NOW, max_failures=3, is_unreachable=False)
    assert order(one, other, home="http://b") == ["http://a", "http://b"]
    assert reason(one, other, home="http://b").endswith("its server is healthy")


def test_equals_take_turns_by_their_weight() -> None:
    servers = [server("http://a", "m"), server("http://b", "m", weight=2.0)]
    places = Catalog(servers, {}).places("m")
    taken = []
    for _ in range(9):
        candidates = ranked(remembered(places), Needs("m"), None, NOW)
        take_turn(candidates[0], candidates)
        taken.append(candidates[0].place.found.server.url[-1])
    assert (taken.count("a"), taken.count("b")) == (3, 6)
    assert reason(*servers).endswith("its turn among equals")


def test_one_place_needs_no_reason() -> None:
    only = server("http://a", "m")
    assert reason(only) == "the server has it under this name; no other server can serve it"


# Needs


def test_a_request_tells_what_it_needs() -> None:
    request = ChatRequest(
        model="m",
        messages=(
            Message(role="user", content=("look", Image(data=b"hi", media_type="image/png"))),
        ),
        tools=(Tool(name="t", description="", parameters={"type": "object"}),),
        think=True,
        num_ctx=100,
        max_tokens=7,
    )
    needs = needs_of(request)
    assert needs.capabilities == {"tools", "vision", "thinking"}
    assert (needs.window, needs.output_tokens, needs.is_continued) == (100, 7, False)
    assert needs_of(request.model_copy(update={"tool_choice": "none"})).capabilities == {
        "vision",
        "thinking",
    }


def test_what_a_model_lacks_is_said_and_what_is_not_known_is_no_lack() -> None:
    needs = Needs("m", capabilities=frozenset({"tools", "vision"}), window=8192)
    model = ModelInfo("m", "http://a", "ollama", capabilities=frozenset({"tools"}))
    assert needs.lacking(model) == "see images"
    small = ModelInfo("m", "http://a", "ollama", context_length=2048)
    assert needs.lacking(small) == "have a window of 8192 tokens (at most 2048)"
    assert needs.lacking(ModelInfo("m", "http://a", "openai")) == ""
    unsaid = ModelInfo(
        "m", "http://a", "lmstudio", capabilities=frozenset(), unsaid=frozenset({"tools"})
    )
    assert Needs("m", capabilities=frozenset({"tools"})).lacking(unsaid) == ""


def test_a_conversation_is_known_by_its_beginning() -> None:
    first = ChatRequest(model="m", messages=(Message(role="user", content="hi"),))
    answer = (Message(role="assistant", content="Hi."), Message(role="user", content="more"))
    second = first.model_copy(update={"messages": (*first.messages, *answer)})
    other = ChatRequest(model="m", messages=(Message(role="user", content="ho"),))
    assert needs_of(first).conversation == needs_of(second).conversation
    assert needs_of(second).is_continued
    assert needs_of(first).conversation != needs_of(other).conversation
