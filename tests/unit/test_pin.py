"""The pin that holds an embedding object to one model."""

from __future__ import annotations

import pytest

from localmix import EmbedResult, Route, Server
from localmix.adapting.pin import Pin
from localmix.errors import ProtocolError

ROUTE = Route(Server("http://a", kind="ollama"), "tiny-embed")


def test_the_first_answer_pins() -> None:
    pin = Pin.of("asked", EmbedResult([[1.0, 2.0]], route=ROUTE))
    assert pin == Pin("asked", "ollama/tiny-embed", 2)
    assert Pin.of("asked", EmbedResult([], route=ROUTE)) is None


def test_another_length_is_another_model() -> None:
    pin = Pin("asked", "ollama/tiny-embed", 2)
    pin.check(EmbedResult([[3.0, 4.0]]))
    pin.check(EmbedResult([]))
    with pytest.raises(ProtocolError, match="length 1; earlier ones had 2") as caught:
        pin.check(EmbedResult([[1.0]], route=ROUTE))
    assert caught.value.server == "http://a"
