"""What notebooks offer while a call is typed: the options, by name."""

from __future__ import annotations

import inspect
from typing import Any, get_type_hints

import pytest
from IPython.core.completer import IPCompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import localmix
from langchain_localmix import ChatLocalMix, LocalMixEmbeddings
from llamaindex_localmix import LocalMix, LocalMixEmbedding
from localmix.types import options

pytestmark = pytest.mark.slow

CLIENTS = (localmix.Client, localmix.AsyncClient)
ADAPTERS = (ChatLocalMix, LocalMixEmbeddings, LocalMix, LocalMixEmbedding)
NAMES = {
    **{name: getattr(localmix, name) for name in localmix.__all__},
    **{adapter.__name__: adapter for adapter in ADAPTERS},
    "client": localmix.Client(),
    "aclient": localmix.AsyncClient(),
}


@pytest.fixture(scope="module", params=["jedi", "without"])
def completer(request: pytest.FixtureRequest) -> IPCompleter:
    """Give IPython's completer, which Jupyter's kernel asks; it may work with jedi or without."""
    config = Config({"HistoryManager": {"enabled": False}})
    config.Completer.use_jedi = request.param == "jedi"
    make_shell: Any = InteractiveShell
    completer = make_shell(config=config, user_ns=dict(NAMES)).Completer
    assert isinstance(completer, IPCompleter)
    return completer


@pytest.mark.filterwarnings("ignore")  # it says that its interface is provisional
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("Client(first_b", "first_byte_timeout="),
        ("AsyncClient(aliase", "aliases="),
        ("ServerConfig(hea", "headers="),
        ("ChatRequest(messages=[], temp", "temperature="),
        ("Message(rol", "role="),
        ("client.chat('hello', temp", "temperature="),
        ("client.chat('hello', response_f", "response_format="),
        ("client.stream('hello', thi", "think="),
        ("client.run('hello', [], max_to", "max_tokens="),
        ("client.complete('hello', suf", "suffix="),
        ("client.embed('hello', dim", "dimensions="),
        ("client.embed_many(['hello'], chu", "chunk_size="),
        ("client.load('tiny', num_", "num_ctx="),
        ("client.pull('tiny', pro", "progress="),
        ("client.route('tiny', pur", "purpose="),
        ("aclient.chat('hello', temp", "temperature="),
        ("ChatLocalMix(temp", "temperature="),
        ("LocalMixEmbeddings(dim", "dimensions="),
        ("LocalMix(temp", "temperature="),
        ("LocalMixEmbedding(dim", "dimensions="),
    ],
)
def test_options_are_offered(completer: IPCompleter, typed: str, offered: str) -> None:
    assert offered in {each.text for each in completer.completions(typed, len(typed))}


@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_shown_is_what_is_taken(client: type) -> None:
    typed: dict[str, Any] = {
        "__init__": options.SettingsOptions,
        "chat": options.ChatOptions,
        "stream": options.ChatOptions,
        "run": options.ChatOptions,
        "count_tokens": options.ChatOptions,
        "complete": options.CompletionOptions,
        "stream_complete": options.CompletionOptions,
        "embed": options.EmbedOptions,
        "embed_many": options.EmbedOptions,
        "load": options.LoadOptions,
        "preload": options.LoadOptions,
        "pull": options.PullOptions,
        "route": options.RouteOptions,
    }
    for name, method in inspect.getmembers(client, inspect.isfunction):
        parameters = inspect.signature(method).parameters
        assert not any(each.kind is each.VAR_KEYWORD for each in parameters.values()), name
        assert set(get_type_hints(typed[name])) <= set(parameters) if name in typed else True
