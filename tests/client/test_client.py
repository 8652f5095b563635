"""The façade: choice, options, lifetimes."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from typing import Any

import pytest

from localmix import AsyncClient, ChatRequest, Client, Image, Message, Tool
from localmix.errors import ConfigError, ModelNotFoundError, UnsupportedFeatureError
from localmix.types import Timings
from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import events, whole
from tests.stand_ins import either_way


def test_loaded_before_installed(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama("a:latest", "b:latest", loaded=("b:latest",)))
    result = either(server.url).chat("hello")
    assert result.route is not None
    assert (result.route.model, result.route.reason) == (
        "b:latest",
        "no model was named: the first that is loaded; no other server can serve it",
    )


def test_no_cloud_model_and_no_embedding_model_by_default(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama("embed:latest", "gpt-oss:cloud"))
    with pytest.raises(ModelNotFoundError, match="No server holds a model for chat"):
        either(server.url).chat("hello")


def test_the_users_order_counts(either: MakeEither, start: Any) -> None:
    first, second = start(stand_ins.openai()), start(stand_ins.ollama())
    result = either([second.url, first.url]).chat("hello", model="tiny")
    assert result.route is not None
    assert result.route.server.url == second.url


@pytest.mark.parametrize(
    ("name", "kind"), [("ollama/tiny", "ollama"), ("lmstudio/tiny", "lmstudio")]
)
def test_a_name_can_be_pinned_to_a_kind(
    either: MakeEither, start: Any, name: str, kind: str
) -> None:
    urls = [start(stand_ins.lmstudio()).url, start(stand_ins.ollama()).url]
    result = either(urls).chat("hello", model=name)
    assert result.route is not None
    assert result.route.server.kind == kind


def test_a_whole_name_comes_before_a_pin(either: MakeEither, start: Any) -> None:
    """LM Studio's own names may begin like one: `openai/gpt-oss-20b`."""
    server = start(stand_ins.ollama("openai/gpt-oss-20b"))
    assert either(server.url).chat("hello", model="openai/gpt-oss-20b").content == "Hi."


def test_deltas_fold_to_the_result(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama())
    *first, last = either(server.url).stream("hello")

    assert [delta.content for delta in first] == ["H", "i."]
    assert all(delta.route is None and delta.timings is None for delta in first)
    assert last.finish_reason == "stop"
    assert last.usage is not None
    assert last.usage.total_tokens == 45
    assert last.route is not None
    assert last.timings is not None
    assert last.timings.output == 2.0  # the server's own
    assert 0 < (last.timings.first_token or 0) <= (last.timings.total or 0)


def test_a_server_that_does_not_stream_is_understood(either: MakeEither, start: Any) -> None:
    choice = {"message": {"content": "Hi."}, "finish_reason": "stop"}
    body = whole({"model": "tiny", "choices": [choice]})
    server = start(stand_ins.openai(POST__v1_chat_completions=body))
    (delta,) = either(server.url).stream("hello")
    assert delta.content == "Hi."
    assert delta.route is not None


def test_timings_that_the_server_does_not_tell_are_measured(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.openai())
    result = either(server.url).chat("hello")
    assert (result.timings.total or 0) > 0
    assert result.timings.output is None
    last = either(server.url).stream("hello")[-1]
    assert (last.timings or Timings()).output is not None


def test_completions_and_vectors(either: MakeEither, start: Any) -> None:
    frames = [{"model": "tiny", "choices": [{"text": "x", "finish_reason": "stop"}]}]
    text = either_way(events(*frames, b"[DONE]"), whole(frames[0]))
    server = start(stand_ins.openai(POST__v1_completions=text))
    client = either(server.url)
    assert client.complete("Once").content == "x"
    assert [delta.content for delta in client.stream_complete("Once")] == ["x", ""]

    ollama = either(start(stand_ins.ollama()).url)
    result = ollama.embed("hello")
    assert result.vectors == [[1.0, 0.0]]
    assert result.route is not None
    assert result.route.model == "embed:latest"
    assert ollama.embed([]).vectors == []


def test_show(either: MakeEither, start: Any) -> None:
    shown = {"capabilities": ["completion", "tools"], "model_info": {}}
    server = start(stand_ins.ollama(POST__api_show=whole(shown)))
    assert either(server.url).show("tiny").capabilities == frozenset({"tools"})


def test_an_image_goes_only_where_it_is_seen(either: MakeEither, start: Any) -> None:
    """Quirk (ollama 0.12.11): a text model answers all the same, without having seen it."""
    shown: dict[str, Any] = {"capabilities": ["completion"], "model_info": {}}
    server = start(stand_ins.ollama(POST__api_show=whole(shown)))
    picture = Message(role="user", content=("What is it?", Image(data=b"png")))
    with pytest.raises(UnsupportedFeatureError, match="cannot see images"):
        either(server.url).chat(picture)
    assert server.count("POST /api/chat") == 0

    shown["capabilities"].append("vision")
    server.routes["POST /api/show"] = whole(shown)
    assert either(server.url).chat(picture).content == "Hi."


@pytest.mark.parametrize(
    ("messages", "options", "sentence"),
    [
        ([], {}, "messages"),
        ("hi", {"temprature": 1}, "temprature is not an argument.*Did you mean temperature?"),
        ("hi", {"temperature": "hot"}, "Wrong temperature"),
        ("hi", {"temperature": -1.0}, "Wrong temperature"),
        ("hi", {"tool_choice": "required"}, "there are no tools"),
        ("hi", {"tool_choice": "f", "tools": [Tool(name="g")]}, "'f' is not one of the tools"),
        ({"role": "robot", "content": "hi"}, {}, "Wrong role"),
        ({"role": "tool", "content": "hi"}, {}, "needs the tool_call_id"),
        ({"role": "system", "content": "hi"}, {}, "nothing to answer"),
        ("hi", {"max_tokens": 0}, "Wrong max_tokens"),
        ("hi", {"think": "deeply"}, "Wrong think"),
        ("hi", {"stop": ["a", 1]}, r"Wrong stop\[1\]"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(
    either: MakeEither, messages: Any, options: dict[str, Any], sentence: str
) -> None:
    client = either("127.0.0.1:9")
    with pytest.raises(ConfigError, match=sentence):
        client.chat(messages, **options)
    with pytest.raises(ConfigError, match=sentence):
        client.stream(messages, **options)


def test_an_empty_text_has_no_vector(either: MakeEither) -> None:
    with pytest.raises(ConfigError, match=r"texts\[1\] is empty"):
        either("127.0.0.1:9").embed(["a", ""])


@pytest.mark.parametrize(
    "conversation",
    [
        "hello",
        Message(role="user", content="hello"),
        {"role": "user", "content": "hello"},
        [{"role": "user", "content": "hello"}],
        ChatRequest(messages=(Message(role="user", content="hello"),)),
    ],
    ids=["text", "message", "dict", "list", "request"],
)
def test_a_conversation_in_any_form(either: MakeEither, start: Any, conversation: Any) -> None:
    server = start(stand_ins.ollama())
    either(server.url).chat(conversation, temperature=0.5, stop="x")
    body = server.last("POST /api/chat").json
    assert body["messages"] == [{"role": "user", "content": "hello"}]
    assert body["options"] == {"temperature": 0.5, "stop": ["x"]}


def test_the_constructor_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    for kind in (Client, AsyncClient):
        assert "127.0.0.1:11434" in repr(kind())


def test_a_wrong_setting_is_refused_by_the_constructor() -> None:
    with pytest.raises(ConfigError, match="not the address of a server"):
        Client("ftp://h")
    with pytest.raises(ConfigError, match="Wrong connect_timeout"):
        AsyncClient(connect_timeout=-1.0)


def test_one_async_client_serves_one_loop_after_another(start: Any) -> None:
    server = start(stand_ins.ollama())
    client = AsyncClient(server.url)

    async def twice() -> list[str]:
        results = await asyncio.gather(client.chat("hello"), client.chat("hello"))
        return [result.content for result in results]

    for _ in range(3):
        assert asyncio.run(twice()) == ["Hi.", "Hi."]


def test_one_client_serves_many_threads(start: Any) -> None:
    server = start(stand_ins.ollama())
    client = Client(server.url)
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.chat("hello").content))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    assert answers == ["Hi."] * 8


def test_a_client_works_after_close_pickle_and_deepcopy(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama())
    client = either(server.url, connect_timeout=1.5)
    for change in (None, _pickled, copy.deepcopy):
        if change:
            client.client = change(client.client)
        assert client.chat("hello").content == "Hi."
        assert client.client.settings.connect_timeout == 1.5
        client.close()
        assert client.chat("hello").content == "Hi."
        client.close()


def _pickled(client: Any) -> Any:
    return pickle.loads(pickle.dumps(client))


def test_the_asynchronous_twin_knows_what_its_client_knows(start: Any) -> None:
    server = start(stand_ins.ollama())
    with Client(server.url) as client:
        client.chat("hello")
        assert asyncio.run(client.as_async().chat("hello")).content == "Hi."
    assert server.count("GET /api/tags") == 1


def test_context_managers_and_streams(start: Any) -> None:
    server = start(stand_ins.ollama())
    with Client(server.url) as client, client.stream("hello") as stream:
        assert next(stream).content == "H"
        assert stream.route is not None
        assert stream.result.content == "H"

    async def main() -> None:
        async with AsyncClient(server.url) as client, client.stream("hello") as stream:
            assert (await anext(stream)).content == "H"
            assert stream.route is not None
            assert stream.result.content == "H"

    asyncio.run(main())


def test_a_stream_that_is_never_started_sends_nothing(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama())
    client = either(server.url)
    assert client.stream("hello", at_most=0) == []
    assert server.requests == []
