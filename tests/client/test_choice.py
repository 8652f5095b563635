"""A request goes where it can be served best, and the route says why."""

from __future__ import annotations

from typing import Any

import pytest

from localmix.errors import ModelNotFoundError, UnsupportedFeatureError
from localmix.types import Message, Tool
from tests import stand_ins
from tests.either import MakeEither, route_of
from tests.loopback import Exchange, LoopbackServer, whole

TOOL = Tool(name="t", description="", parameters={"type": "object", "properties": {}})


def shows(**capabilities: list[str]) -> Any:
    """Answer `/api/show` for each model."""

    def reply(exchange: Exchange) -> None:
        name = exchange.json["model"]
        whole({"capabilities": capabilities[name.partition(":")[0]], "model_info": {}})(exchange)

    return reply


def test_where_a_request_would_go_is_told_without_sending_it(
    either: MakeEither, start: Any
) -> None:
    first = start(stand_ins.ollama("tiny:latest"))
    second = start(stand_ins.lmstudio("tiny", loaded=("tiny",)))
    client = either(
        [{"url": first.url, "name": "one", "order": 1}, {"url": second.url, "order": 1}]
    )

    route = client.route("tiny")

    assert (route.server.url, route.model) == (second.url, "tiny")
    assert route.reason == "the server has it under this name; loaded"
    (other,) = route.alternatives
    assert (other.server.name, other.model) == ("one", "tiny:latest")
    assert client.route("one/tiny").server.url == first.url
    assert first.count("POST /api/chat") == second.count("POST /v1/chat/completions") == 0
    assert route_of(client.chat("hello", model="tiny")).server.url == second.url


def test_a_route_for_a_purpose(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama("tiny:latest", "embed:latest"))
    client = either(server.url)
    assert client.route().model == "tiny:latest"
    assert client.route(purpose="embedding").model == "embed:latest"
    with pytest.raises(ModelNotFoundError):
        client.route("another")
    with pytest.raises(UnsupportedFeatureError, match="window of 9000 tokens"):
        client.route("tiny", num_ctx=9000)


@pytest.mark.parametrize("kinds", [("ollama", "ollama"), ("lmstudio", "ollama")])
def test_a_request_goes_only_where_it_can_be_served(
    either: MakeEither, start: Any, kinds: tuple[str, str]
) -> None:
    """LM Studio's listing and Ollama's `/api/show` tell what a model can do."""
    image = Message.model_validate(
        {"role": "user", "content": ({"data": b"x"}, "What is this?")}, strict=False
    )
    blind = stand_ins.lmstudio() if kinds[0] == "lmstudio" else stand_ins.ollama("tiny:latest")
    blind.routes["POST /api/show"] = shows(tiny=["completion"])
    seeing = stand_ins.ollama("tiny:latest", POST__api_show=shows(tiny=["completion", "vision"]))
    first, second = start(blind), start(seeing)
    client = either([first.url, second.url])

    result = client.chat(image, model="tiny")

    assert route_of(result).server.url == second.url
    assert route_of(result).attempts == ()
    assert route_of(client.chat("hello", model="tiny")).server.url == first.url
    client.chat(image, model="tiny")
    assert second.count("POST /api/show") == 1  # asked once for each digest


def test_what_nobody_can_do_is_an_error_that_names_all(either: MakeEither, start: Any) -> None:
    first = start(stand_ins.ollama("tiny:latest", POST__api_show=shows(tiny=["completion"])))
    second = start(stand_ins.ollama("tiny:latest", POST__api_show=shows(tiny=["completion"])))
    with pytest.raises(UnsupportedFeatureError, match="cannot call tools") as caught:
        either([first.url, second.url]).chat("hello", model="tiny", tools=[TOOL])
    assert [attempt.server for attempt in caught.value.attempts] == [first.url, second.url]
    assert first.count("POST /api/chat") == second.count("POST /api/chat") == 0


def test_a_server_that_does_not_tell_is_simply_asked(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama("tiny:latest", POST__api_show=whole({"error": "x"}, 500)))
    assert either(server.url).chat("hello", model="tiny", tools=[TOOL]).content == "Hi."


def test_a_conversation_stays_on_its_server(either: MakeEither, start: Any) -> None:
    servers = [start(_warm()) for _ in range(3)]
    client = either([{"url": server.url, "order": 1} for server in servers])
    for topic in ("a", "b", "c", "d"):
        messages = [Message(role="user", content=topic)]
        homes = set()
        for _ in range(3):
            result = client.chat(messages, model="tiny")
            homes.add(route_of(result).server.url)
            messages += [result.message, Message(role="user", content="more")]
        assert len(homes) == 1
    assert all(server.count("POST /api/chat") for server in servers)  # but they share the work


def test_equal_servers_share_the_load_by_weight(either: MakeEither, start: Any) -> None:
    one, other = start(_warm()), start(_warm())
    client = either([{"url": one.url, "order": 1}, {"url": other.url, "order": 1, "weight": 3.0}])
    for number in range(8):
        client.chat(f"{number}", model="tiny")
    assert one.count("POST /api/chat") == 2
    assert other.count("POST /api/chat") == 6


def test_an_alias_and_a_usual_model(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(stand_ins.ollama("a:latest", "b:latest", loaded=("a:latest",)))
    assert route_of(either(server.url).chat("hello")).model == "a:latest"
    assert route_of(either(server.url, model="b").chat("hello")).model == "b:latest"
    client = either(server.url, aliases={"small": "b"})
    result = client.chat("hello", model="small")
    assert route_of(result).model == "b:latest"
    assert route_of(result).reason.startswith("your alias for b")
    with pytest.raises(ModelNotFoundError, match="nor what it is your alias for \\(gone\\)"):
        either(server.url, aliases={"small": "gone"}).chat("hello", model="small")
    monkeypatch.setenv("OLLAMA_MODEL", "b")
    assert route_of(either(server.url).chat("hello")).model == "b:latest"


def test_a_loaded_window_is_kept_and_a_wider_one_loads_anew(either: MakeEither, start: Any) -> None:
    server = start(_warm())  # with a window of 4096
    client = either(server.url)

    def asked(**options: Any) -> Any:
        client.chat("hello", model="tiny", **options)
        return server.last("POST /api/chat").json.get("options", {}).get("num_ctx")

    server.routes |= _with_window(32768).routes
    assert asked() == 4096
    assert asked(num_ctx=1024) == 4096
    assert asked(num_ctx=8192) == 8192
    assert asked() == 8192  # though the listing of a moment ago says 4096
    assert asked(num_ctx=4096) == 8192


def _warm() -> LoopbackServer:
    return stand_ins.ollama("tiny:latest", loaded=("tiny:latest",))


def _with_window(longest: int) -> LoopbackServer:
    server = stand_ins.ollama("tiny:latest")
    entry = stand_ins._ollama_entry("tiny:latest")
    entry["details"]["context_length"] = longest
    server.routes = {"GET /api/tags": whole({"models": [entry]})}
    return server
