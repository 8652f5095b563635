"""What other clients call things, named in errors with the word to use."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import BaseModel

import localmix
from localmix import ChatRequest, Client, CompletionRequest, EmbedRequest, Settings
from localmix.errors import ConfigError
from localmix.types.arguments import Elsewhere, Names
from localmix.types.peers import (
    NAMES_FOR_CHATS,
    NAMES_FOR_CLIENTS,
    NAMES_FOR_EMBEDDINGS,
    NAMES_FOR_GENERATIONS,
)

NOBODY = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"base_url": NOBODY}, "Use servers."),
        ({"host": NOBODY}, "Use servers."),
        ({"request_timeout": 3}, "Use timeout."),
        ({"api_key": "sesame"}, "token"),
        ({"timout": 3}, "Did you mean timeout?"),
    ],
)
def test_a_client_names_the_word_to_use(given: dict[str, Any], hint: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(hint)) as caught:
        Client(**given)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"num_predict": 5}, "Use max_tokens."),
        ({"max_completion_tokens": 5}, "Use max_tokens."),
        ({"format": "json"}, "Use response_format."),
        ({"reasoning_effort": "low"}, "Use think."),
        ({"options": {"num_ctx": 5}}, "num_ctx=..."),
        ({"stream": True}, "stream()"),
        ({"base_url": NOBODY}, "Client(servers="),
        ({"temprature": 1}, "Did you mean temperature?"),
    ],
)
def test_a_chat_names_the_word_to_use(given: dict[str, Any], hint: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(hint)):
        Client(NOBODY).chat("hello", **given)


def test_vectors_have_words_of_their_own() -> None:
    with pytest.raises(ConfigError, match="Use chunk_size"):
        Client(NOBODY).embed("hello", batch_size=5)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("names", "model"),
    [
        (NAMES_FOR_CLIENTS, Settings),
        (NAMES_FOR_CHATS, ChatRequest),
        (NAMES_FOR_GENERATIONS, CompletionRequest),
        (NAMES_FOR_EMBEDDINGS, EmbedRequest),
    ],
)
def test_every_word_to_use_exists(names: Names, model: type[BaseModel]) -> None:
    assert not names.keys() & model.model_fields.keys()
    for meant in names.values():
        assert isinstance(meant, Elsewhere)
        if word := re.fullmatch(r'Use (\w+)(="\w+")?\.', meant.hint):
            assert word[1] in model.model_fields


def test_all_that_is_exported_can_be_had() -> None:
    assert set(localmix.__all__) <= set(dir(localmix))
    for name in localmix.__all__:
        assert getattr(localmix, name)
    with pytest.raises(AttributeError, match="nothing"):
        _ = localmix.nothing
