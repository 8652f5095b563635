"""What takes something away acts on what was named, and on nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from localmix.errors import ConfigError, ModelNotFoundError
from tests import stand_ins
from tests.either import MakeEither
from tests.lmstudio import LMStudio
from tests.lmstudio.server import CHAT
from tests.loopback import LoopbackServer, whole
from tests.management.conftest import Start

DONE = whole(b"", content_type="text/plain")
LOADED = "qwen2.5:7b-instruct-q8_0"


def ollama(*models: str, **routes: Any) -> LoopbackServer:
    server = stand_ins.ollama(
        DELETE__api_delete=DONE,
        POST__api_copy=DONE,
        POST__api_generate=whole({"done": True, "done_reason": "unload"}),
        **routes,
    )
    details = {"family": "qwen2", "parameter_size": "7.6B", "quantization_level": "Q8_0"}
    entries = [{"name": name, "digest": "81fbd01b23a85376", "details": details} for name in models]
    server.routes["GET /api/tags"] = whole({"models": entries})
    server.routes["GET /api/ps"] = whole({"models": entries})
    return server


def changes(server: LoopbackServer) -> list[str]:
    return [each.path for each in server.requests if each.method != "GET"]


@pytest.mark.parametrize("call", [("delete",), ("unload",), ("copy", "taken:latest")])
@pytest.mark.parametrize(
    "name", ["qwen2.5:7b", "ollama/qwen2.5:7b", "mine", "qwen2.5-7b-instruct", "qwen2.5:7B"]
)
def test_what_routing_would_take_is_offered_and_not_taken(
    either: MakeEither, start: Start, call: tuple[str, ...], name: str
) -> None:
    server = start(ollama(LOADED, "taken:latest"))
    client = either(server.url, aliases={"mine": LOADED})
    assert client.route(name).model == LOADED
    with pytest.raises(ModelNotFoundError) as caught:
        client.manage(call[0], name, *call[1:])
    assert LOADED in str(caught.value)
    assert LOADED in caught.value.available
    assert changes(server) == []


@pytest.mark.parametrize("name", ["Tiny", "tiny:latest", "ollama/TINY", "{server}/tiny"])
def test_case_latest_and_pins_say_the_same(either: MakeEither, start: Start, name: str) -> None:
    server = start(ollama("tiny:latest", "taken:latest"))
    client = either(server.url)
    name = name.format(server=server.url.removeprefix("http://"))
    assert [model.name for model in client.manage("named", name)] == ["tiny:latest"]
    assert client.manage("delete", name).name == "tiny:latest"
    assert client.manage("unload", name)[0].name == "tiny:latest"
    assert client.manage("copy", name, "taken").name == "taken:latest"


def test_one_of_two_namespaces_can_be_deleted(either: MakeEither, start: Start) -> None:
    """For a request the two names are equal."""
    server = start(ollama("qwen/qwen3-8b:latest", "hf.co/qwen/qwen3-8b:latest"))
    client = either(server.url)
    assert client.manage("delete", "hf.co/qwen/qwen3-8b").name == "hf.co/qwen/qwen3-8b:latest"
    assert client.manage("delete", "qwen/qwen3-8b").name == "qwen/qwen3-8b:latest"


def test_a_copy_to_a_new_name_takes_nothing_away(either: MakeEither, start: Start) -> None:
    server = start(ollama(LOADED))
    client = either(server.url, aliases={"mine": LOADED})
    with pytest.raises(ModelNotFoundError, match="no longer at"):  # the stand-in copies nothing
        client.manage("copy", "mine", "new")
    assert server.last("POST /api/copy").json["source"] == LOADED


def test_a_copy_onto_something_needs_one_server(either: MakeEither, start: Start) -> None:
    one, two = (start(ollama("tiny:latest", "taken:latest")) for _ in range(2))
    client = either([one.url, two.url])
    with pytest.raises(ConfigError, match="on 2 servers"):
        client.manage("copy", "tiny", "taken")
    assert changes(one) + changes(two) == []
    pin = two.url.removeprefix("http://")
    assert client.manage("copy", f"{pin}/tiny", "taken").server == two.url


def test_an_instance_is_unloaded_and_not_its_siblings(either: MakeEither, start: Start) -> None:
    server = start(LMStudio(loaded={CHAT: CHAT, "my-tiny": CHAT}))
    client = either(server.url)
    (model,) = client.manage("unload", "my-tiny")
    assert (model.loaded, model.aliases) == (True, (CHAT,))
    with pytest.raises(ModelNotFoundError):
        client.manage("unload", "my-tiny")


def test_only_the_named_one_is_unloaded(either: MakeEither, start: Start) -> None:
    server, other = start(ollama("tiny:latest")), start(ollama("tiny:other"))
    client = either([server.url, other.url])
    client.manage("unload", "tiny")
    assert (changes(server), changes(other)) == (["/api/generate"], [])
