"""Errors say whose fault it is, carry what they know, and survive a pickle."""

from __future__ import annotations

import copy
import pickle

import pytest

from localmix import errors
from localmix.errors import (
    Attempt,
    ConfigError,
    ConnectError,
    ContextLengthError,
    LocalMixError,
    ModelNotFoundError,
    OverloadedError,
    TimedOutError,
    UnusableAnswerError,
)
from localmix.types import ChatResult

ALL = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, LocalMixError)
]


@pytest.mark.parametrize("kind", ALL)
def test_an_error_survives_pickle_and_copy(kind: type[LocalMixError]) -> None:
    attempts = (Attempt("http://a", ConnectError("refused")),)
    error = kind(
        "It failed", hint="Try.", server="http://b", attempts=attempts, partial=ChatResult("Hel")
    )

    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert type(twin) is kind
        assert str(twin) == str(error)
        assert twin.partial == ChatResult("Hel")
        assert twin.attempts[0].error.message == "refused."
        assert twin.server == "http://b"


def test_more_than_the_common_facts_survive_too() -> None:
    for error in (
        ContextLengthError("x", prompt_tokens=5, context_length=4, status=400),
        OverloadedError("x", retry_after=2.0),
        ModelNotFoundError("x", available=("a",)),
        UnusableAnswerError("x", answer="y"),
    ):
        assert vars(pickle.loads(pickle.dumps(error))) == vars(error)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (ConfigError, ValueError),
        (ConnectError, ConnectionError),
        (TimedOutError, TimeoutError),
        (UnusableAnswerError, ValueError),
    ],
)
def test_plain_except_clauses_work(kind: type[LocalMixError], builtin: type[Exception]) -> None:
    assert issubclass(kind, builtin)


def test_the_text_holds_sentence_hint_and_the_other_attempts() -> None:
    last = ConnectError("http://b could not be reached", hint="Start it.")
    first = ConnectError("http://a could not be reached")
    last.tried((Attempt("http://a", first), Attempt("http://b", last)))

    assert str(last) == (
        "http://b could not be reached. Start it.\n  http://a: http://a could not be reached."
    )


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    for kind in ALL:
        assert f"`{kind.__name__}`" in str(errors.__doc__)
