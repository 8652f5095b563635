"""What the classes of both adapters have in common."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from localmix import Client
from localmix.adapting.connected import Connected, Generating
from localmix.errors import ConfigError
from localmix.settings import ServerConfig
from localmix.types import Purpose
from tests import stand_ins

SECRET = "s3cret"


def test_a_client_follows_its_fields(start: Any) -> None:
    first, second = start(stand_ins.ollama("a:latest")), start(stand_ins.ollama("b:latest"))
    model = Connected(base_url=first.url)
    assert [each.name for each in model.client.models_by_server()] == ["a:latest"]
    assert model.client is model.client
    assert model.async_client is model.async_client

    copied = model.model_copy(update={"base_url": second.url})
    assert [each.name for each in copied.client.models_by_server()] == ["b:latest"]
    assert model.client is not copied.client
    model.base_url = second.url
    assert [each.name for each in model.client.models_by_server()] == ["b:latest"]


def test_settings_reach_the_client() -> None:
    given: dict[str, Any] = {
        "prefer": ("lmstudio", "ollama"),
        "timeout": 5.5,
        "max_retries": 1,
        "connect_timeout": 1.5,
        "first_byte_timeout": 2.5,
        "between_timeout": 3.5,
    }
    settings = Connected(**given).client.settings
    assert {name: getattr(settings, name) for name in given} == given
    with pytest.raises(ConfigError, match="connect_timeout"):
        Connected(connect_timeout=0)


def test_no_secret_stands_in_a_dump_or_a_repr() -> None:
    given = [
        ServerConfig(url="a:1", token=SECRET, headers={"X-Key": SECRET}),
        f"http://user:{SECRET}@b:2",
    ]
    for model in (Connected(servers=given), Connected(base_url=given[0])):
        for text in (repr(model), str(model.model_dump()), model.model_dump_json()):
            assert SECRET not in text
    dumped = Connected(servers=given).model_dump()
    assert dumped["servers"] == ["http://a:1", "http://b:2"]
    assert Connected(**dumped).model_dump() == dumped


def test_one_address_or_several() -> None:
    with pytest.raises(ConfigError, match="both given") as caught:
        Connected(servers=["a:1"], base_url=f"http://user:{SECRET}@b:2")
    assert SECRET not in str(caught.value)


def test_a_client_may_be_shared(start: Any) -> None:
    server = start(stand_ins.ollama("a:latest"))
    with Client(server.url) as client:
        one, other = Connected(client=client), Connected(client=client, model="a")
        assert one.client is other.client is client
        assert [each.name for each in one.list_models()] == ["a:latest"]
        asked = len(server.requests)
        one.close()  # not its own
        assert asyncio.run(other.alist_models())[0].name == "a:latest"
        assert len(server.requests) > asked
    with pytest.raises(ConfigError, match="client and settings are both given"):
        Connected(client=client, max_retries=0)


def test_the_key_goes_to_the_servers_that_were_named(start: Any) -> None:
    one, other = start(stand_ins.ollama()), start(stand_ins.ollama())
    named = ServerConfig(url=other.url, token=SecretStr("other"))
    with Connected(servers=[one.url, named], api_key=SecretStr(SECRET)) as model:
        model.list_models()
    assert one.last("GET /api/tags").headers["authorization"] == f"Bearer {SECRET}"
    assert other.last("GET /api/tags").headers["authorization"] == "Bearer other"


def test_the_key_goes_to_no_server_of_this_machine_but_lm_studio(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ollama, lmstudio = start(stand_ins.ollama()), start(stand_ins.lmstudio())
    monkeypatch.setattr("localmix.settings.OLLAMA_PORT", int(ollama.url.rpartition(":")[2]))
    monkeypatch.setattr("localmix.settings.LMSTUDIO_PORT", int(lmstudio.url.rpartition(":")[2]))
    Connected(api_key=SecretStr(SECRET)).list_models()
    listing = lmstudio.last("GET /api/v1/models")
    assert listing.headers["authorization"] == f"Bearer {SECRET}"
    assert not any("authorization" in each.headers for each in ollama.requests)


@pytest.mark.parametrize("places", [(), ("127.0.0.1:9",)])
def test_a_pickle_holds_no_key_and_a_copy_does(places: tuple[str, ...]) -> None:
    model = Connected(servers=places, api_key=SecretStr(SECRET), max_retries=3)
    assert model.client
    data = pickle.dumps(model)
    assert SECRET.encode() not in data
    assert SECRET.encode() not in pickle.dumps(model.client)
    assert pickle.loads(data).max_retries == 3
    assert copy.deepcopy(model).client is model.client


def test_what_was_never_opened_can_be_closed() -> None:
    model = Connected()
    model.close()
    asyncio.run(model.aclose())


def test_leaving_closes_and_a_later_request_opens_again(start: Any) -> None:
    server = start(stand_ins.ollama("a:latest"))
    model = Connected(base_url=server.url)
    with model:
        model.list_models()
    assert model.list_models()

    async def main() -> None:
        async with model:
            await model.alist_models()
        assert await model.alist_models()

    asyncio.run(main())


def test_what_it_knows_of_its_servers(start: Any) -> None:
    server = start(stand_ins.ollama("a:latest", "embed:latest"))

    class Embedding(Connected):
        purpose: ClassVar[Purpose] = "embedding"

    for kind, name in ((Connected, "a:latest"), (Embedding, "embed:latest")):
        model = kind(base_url=server.url)
        assert model.known_model() is None
        assert [each.url for each in model.list_servers()] == [server.url]
        assert asyncio.run(model.alist_servers()) == model.list_servers()
        known = model.known_model()
        assert known
        assert known.name == model.route().model == asyncio.run(model.aroute()).model == name
        model.base_url = "127.0.0.1:9"
        assert model.known_model() is None


def test_a_model_is_loaded_with_what_it_shall_be_used_with(start: Any) -> None:
    server = start(stand_ins.ollama())
    model = Generating(base_url=server.url, num_ctx=512, keep_alive=60, temperature=0.5)
    model.preload()
    asyncio.run(model.apreload())
    assert server.count("POST /api/chat") == 2
    body = server.last("POST /api/chat").json
    assert body["options"] == {"num_ctx": 512, "num_predict": 1}
    assert body["keep_alive"] == 60


def test_a_dump_holds_no_key() -> None:
    assert SECRET not in str(Connected(api_key=SecretStr(SECRET)).model_dump_json())
    assert "api_key" not in Connected(api_key=SecretStr(SECRET)).model_dump()
