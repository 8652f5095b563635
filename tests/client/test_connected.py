"""What the classes of both adapters have in common."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from localmix.connected import Connected
from localmix.settings import ServerConfig
from tests import stand_ins

SECRET = "s3cret"


def test_a_client_follows_its_fields(start: Any) -> None:
    first, second = start(stand_ins.ollama("a:latest")), start(stand_ins.ollama("b:latest"))
    model = Connected(base_url=first.url)
    assert [each.name for each in model.client.models()] == ["a:latest"]
    assert model.client is model.client
    assert model.async_client is model.async_client

    copied = model.model_copy(update={"base_url": second.url})
    assert [each.name for each in copied.client.models()] == ["b:latest"]
    assert model.client is not copied.client
    model.base_url = second.url
    assert [each.name for each in model.client.models()] == ["b:latest"]


def test_timeouts_reach_the_client() -> None:
    model = Connected(connect_timeout=1.5, first_byte_timeout=2.5, between_timeout=3.5)
    settings = model.client.settings
    assert (settings.connect_timeout, settings.first_byte_timeout) == (1.5, 2.5)
    assert settings.between_timeout == 3.5
    with pytest.raises(ValidationError, match="connect_timeout"):
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
    with pytest.raises(ValidationError, match="both given") as caught:
        Connected(servers=["a:1"], base_url=f"http://user:{SECRET}@b:2")
    assert SECRET not in str(caught.value)
