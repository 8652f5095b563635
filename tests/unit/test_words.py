"""What other clients call things is named in errors, with the word to use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import localmix
from localmix import (
    AsyncClient,
    ChatRequest,
    Client,
    CompletionRequest,
    EmbedRequest,
    Message,
    RouteRequest,
    ServerConfig,
    Settings,
)
from localmix.errors import ConfigError
from localmix.types import LoadRequest, PullRequest
from localmix.types.meant import CALLS, OF_CLIENTS
from localmix.types.peers import MEANINGS, SENTENCES

NOBODY = "http://127.0.0.1:1"
CHECKED = (
    ChatRequest,
    CompletionRequest,
    EmbedRequest,
    LoadRequest,
    PullRequest,
    RouteRequest,
    ServerConfig,
    Settings,
)


def in_a_loop(**given: Any) -> None:
    async def make() -> None:
        AsyncClient(**given)

    asyncio.run(make())


def with_a_client(method: str, *arguments: Any) -> dict[str, Callable[..., Any]]:
    async def ask(**given: Any) -> None:
        result = getattr(AsyncClient(NOBODY), method)(*arguments, **given)
        await anext(aiter(result)) if hasattr(result, "__aiter__") else await result

    return {
        method: lambda **given: getattr(Client(NOBODY), method)(*arguments, **given),
        f"async {method}": lambda **given: asyncio.run(ask(**given)),
    }


def tell(words: str) -> int:
    """Tell words."""
    return len(words)


GENERATIONS = {
    **with_a_client("chat", "hello"),
    **with_a_client("stream", "hello"),
    **with_a_client("complete", "hello"),
    **with_a_client("stream_complete", "hello"),
    **with_a_client("run", "hello", [tell]),
    **with_a_client("count_tokens", "hello"),
}
VECTORS = {**with_a_client("embed", "hello"), **with_a_client("embed_many", ["hello"])}
LOADS = {**with_a_client("load", "tiny"), **with_a_client("preload", "tiny")}
PULLS = with_a_client("pull", "tiny")
ROUTES = with_a_client("route", "tiny")
CLIENTS: dict[str, Callable[..., Any]] = {
    "Client": Client,
    "AsyncClient": AsyncClient,
    "in a loop": in_a_loop,
    "Settings": Settings,
    "Settings.load": Settings.load,
}
SERVERS: dict[str, Callable[..., Any]] = {
    "ServerConfig": lambda **given: ServerConfig(url=NOBODY, **given),
    "a table": lambda **given: Client({"url": NOBODY, **given}),
}
EVERYWHERE = GENERATIONS | VECTORS | LOADS | PULLS | ROUTES | CLIENTS | SERVERS

# A word of others, the places that have another word for it, and what the rest says.
WORDS: tuple[tuple[str, Mapping[str, Mapping[str, Any]], str], ...] = (
    ("base_url", {"Use servers.": CLIENTS}, "Use Client(servers=...)."),
    ("host", {"Use servers.": CLIENTS, "Use url.": SERVERS}, "Use Client(servers=...)."),
    ("request_timeout", {"Use timeout.": CLIENTS}, "Use Client(timeout=...)."),
    ("api_key", {"Use token.": SERVERS}, 'Use servers=[ServerConfig(url="...", token=...)].'),
    ("num_predict", {"Use max_tokens.": GENERATIONS}, "Use chat(..., max_tokens=...)."),
    ("max_new_tokens", {"Use max_tokens.": GENERATIONS}, "Use chat(..., max_tokens=...)."),
    ("n_ctx", {"Use num_ctx.": GENERATIONS | LOADS | ROUTES}, "Use chat(..., num_ctx=...)."),
    ("context_length", {"Use num_ctx.": GENERATIONS | LOADS}, "Use chat(..., num_ctx=...)."),
    ("batch_size", {"Use chunk_size.": VECTORS}, "Use embed(..., chunk_size=...)."),
    ("max_iterations", {}, "Use run(..., max_turns=...)."),
    ("show_progress", {"Use progress.": PULLS}, "Use embed_many(..., progress=...)."),
    ("repetition_penalty", {"Use repeat_penalty.": GENERATIONS}, "repeat_penalty=...)."),
)
CASES = [
    (word, name, next((say for say in own if name in own[say]), rest))
    for word, own, rest in WORDS
    for name in EVERYWHERE
    if not (word in ("context_length", "base_url") and (name in ROUTES or name in SERVERS))
]


@pytest.mark.parametrize(("word", "place", "hint"), CASES)
def test_the_word_to_use_is_named(word: str, place: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=f"^{word} is not an argument here") as caught:
        EVERYWHERE[place](**{word: 5})
    assert caught.value.hint.endswith(hint)


@pytest.mark.parametrize(
    ("place", "given", "hint"),
    [
        ("chat", {"format": "json"}, "Use response_format."),
        ("chat", {"reasoning_effort": "low"}, "Use think."),
        ("chat", {"reasoning": False}, "Use think."),
        ("chat", {"options": {"num_ctx": 5}}, "num_ctx=..."),
        ("chat", {"stream": True}, "Call stream()"),
        ("chat", {"system": "Be brief."}, '"role": "system"'),
        ("chat", {"num_gpu": 5}, 'extra={"options": {"num_gpu": ...}}'),
        ("chat", {"timeout": 5}, "Use Client(timeout=...)."),
        ("chat", {"prompt_template": "x"}, "extra={...}"),
        ("embed", {"options": {}}, "dimensions"),
        ("Client", {"keep_alive": 5}, "Use chat(..., keep_alive=...)."),
        ("Client", {"token": "sesame"}, 'ServerConfig(url="...", token=...)'),
        ("Client", {"http_client": 5}, "Leave it out"),
        ("ServerConfig", {"timeout": 5}, "Use Client(timeout=...)."),
        ("load", {"temperature": 1}, "Use chat(..., temperature=...)."),
    ],
)
def test_so_are_what_has_another_place_and_what_has_none(
    place: str, given: dict[str, Any], hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        EVERYWHERE[place](**given)
    assert hint in caught.value.hint
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "word", "meant"),
    [
        ("Client", "timout", "timeout"),
        ("in a loop", "timout", "timeout"),
        ("Settings", "timout", "timeout"),
        ("ServerConfig", "tokn", "token"),
        ("a table", "tokn", "token"),
        ("chat", "temprature", "temperature"),
        ("chat", "num_predic", "max_tokens"),
        ("run", "temprature", "temperature"),
        ("embed_many", "chunksize", "chunk_size"),
        ("load", "numctx", "num_ctx"),
        ("async load", "keepalive", "keep_alive"),
        ("pull", "insecur", "insecure"),
        ("route", "purpos", "purpose"),
        ("Client", "temprature", "temperature? Use chat(..., temperature=...)"),
    ],
)
def test_what_is_misspelt_is_answered_with_what_is_meant(place: str, word: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=f"{word} is not an argument here") as caught:
        EVERYWHERE[place](**{word: 5})
    assert caught.value.hint.startswith(f"Did you mean {meant}")


def test_a_word_stands_before_what_is_missing_because_of_it() -> None:
    with pytest.raises(ConfigError, match="Use url"):
        ServerConfig(base_url=NOBODY)  # type: ignore[call-arg]


def test_a_message_of_a_conversation_is_checked_too() -> None:
    with pytest.raises(ConfigError, match="Did you mean content"):
        Message(role="user", contents="hello")  # type: ignore[call-arg]


def test_every_word_to_use_exists() -> None:
    said = {name for names in CALLS.values() for name in names}
    own = said | {name for each in CHECKED for name in each.model_fields}
    for word, meanings in MEANINGS.items():
        assert own & set(meanings), word
    assert SENTENCES.keys() <= own


def test_every_method_to_call_exists() -> None:
    for call in CALLS.keys() - OF_CLIENTS.keys():
        assert callable(getattr(Client, call.partition("(")[0]))


def test_all_that_is_exported_can_be_had() -> None:
    assert set(localmix.__all__) <= set(dir(localmix))
    for name in localmix.__all__:
        assert getattr(localmix, name)
    with pytest.raises(AttributeError, match="nothing"):
        _ = localmix.nothing
