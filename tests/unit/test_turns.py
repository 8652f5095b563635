"""System messages stand where templates take them."""

from __future__ import annotations

import pytest

from localmix import Image, Message
from localmix.adapting.messages import settled

FIRST, SECOND = Message(role="system", content="One."), Message(role="system", content="Two.")
HELLO = Message(role="user", content="Hello")
PICTURE = Image(data=b"x")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([HELLO], [HELLO]),
        ([FIRST, HELLO], [FIRST, HELLO]),
        ([FIRST, SECOND, HELLO], [Message(role="system", content="One.\n\nTwo."), HELLO]),
        ([HELLO, SECOND], [HELLO, Message(role="user", content="Two.")]),
        ([FIRST, HELLO, SECOND], [FIRST, HELLO, Message(role="user", content="Two.")]),
        ([FIRST, SECOND], [Message(role="system", content="One.\n\nTwo.")]),
        (
            [FIRST, Message(role="system", content=("Look: ", PICTURE))],
            [Message(role="system", content=("One.", "\n\n", "Look: ", PICTURE))],
        ),
        ([], []),
    ],
)
def test_settled(given: list[Message], expected: list[Message]) -> None:
    before = list(given)
    assert settled(given) == expected
    assert given == before


def test_later_ones_can_stay_what_they_are() -> None:
    assert settled([HELLO, SECOND], "system") == [HELLO, SECOND]
