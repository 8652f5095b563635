"""The core on a real engine, in both colours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from localmix import Client, Image, Message
from localmix.embedded import engine
from localmix.embedded.engine import Engine
from localmix.errors import (
    ConfigError,
    ContextLengthError,
    LocalMixError,
    ModelCrashedError,
    ModelNotFoundError,
    NoServerError,
    RequestRejectedError,
    UnsupportedFeatureError,
    UnusableAnswerError,
)
from tests.conftest import TINY_MODELS
from tests.either import Either, MakeEither
from tests.unit.streams import WEATHER

FRANCE = "What is the capital of France?"
PARIS = "The capital of France is Paris."
LONG = {"type": "array", "items": {"type": "string"}, "minItems": 600}


def test_it_stands_in_when_there_is_no_server(client: Either) -> None:
    *others, embedded = client.servers()
    assert all("Connection refused" in server.problem for server in others)
    assert (embedded.url, embedded.kind) == ("embedded:", "embedded")
    assert {model.name: model.purpose for model in client.models_by_server()} == {
        "localmix-tiny": "chat",
        "localmix-tiny-embed": "embedding",
    }


def test_chat(client: Either) -> None:
    result = client.chat(FRANCE, temperature=0.0)
    assert result.content == PARIS
    assert result.reasoning.startswith("The user says")
    assert result.finish_reason == "stop"
    assert result.model == "localmix-tiny"
    assert result.usage is not None
    assert result.usage.input_tokens > 0
    assert (result.timings.output or 0) > 0
    assert result.route is not None
    assert result.route.server.kind == "embedded"


def test_stream(client: Either) -> None:
    deltas = client.stream(FRANCE, temperature=0.0, think=False)
    assert "".join(delta.content for delta in deltas) == PARIS
    assert not any(delta.reasoning for delta in deltas)
    assert len(deltas) > 5
    assert deltas[-1].usage is not None


def test_thinking(client: Either) -> None:
    assert client.chat(FRANCE, temperature=0.0, think=True).reasoning
    assert not client.chat(FRANCE, temperature=0.0, think=False).reasoning


def test_a_tool_is_called_and_its_result_understood(client: Either) -> None:
    question = Message(role="user", content="What is the weather in Paris?")
    options: dict[str, Any] = {"tools": [WEATHER], "temperature": 0.0}
    asked = client.chat(question, **options)
    (call,) = asked.tool_calls
    assert (call.name, call.parsed()) == ("get_weather", {"location": "Paris"})
    assert asked.finish_reason == "tool_calls"
    assert call.id

    result = Message(role="tool", content="It's sunny.", tool_call_id=call.id)
    answer = client.chat([question, asked.message, result], **options)
    assert answer.content == "It is sunny in Paris."


def test_two_calls_in_one_turn(client: Either) -> None:
    question = "What is the weather in Paris and Tokyo?"
    options: dict[str, Any] = {"tools": [WEATHER], "temperature": 0.0, "think": False}
    whole = client.chat(question, **options)
    streamed = client.stream(question, **options)
    assert [call.parsed()["location"] for call in whole.tool_calls] == ["Paris", "Tokyo"]
    assert len({call.id for call in whole.tool_calls}) == 2
    assert {piece.index for delta in streamed for piece in delta.tool_calls} == {0, 1}
    assert streamed[-1].finish_reason == "tool_calls"


def test_a_tool_that_must_be_called(client: Either) -> None:
    for choice in ("required", "get_weather"):
        result = client.chat("Hello", tools=[WEATHER], tool_choice=choice, temperature=0.0)
        assert [call.name for call in result.tool_calls] == ["get_weather"]
    result = client.chat(
        "What is the weather in Paris?", tools=[WEATHER], tool_choice="none", temperature=0.0
    )
    assert result.tool_calls == ()


def test_no_prose_comes_before_a_call_that_must_be_made(client: Either) -> None:
    """This very question makes the model talk first."""
    options: Any = {"tools": [WEATHER], "tool_choice": "required", "temperature": 0.0}
    whole, streamed = client.chat(FRANCE, **options), client.stream(FRANCE, **options)
    assert (whole.content, whole.finish_reason) == ("", "tool_calls")
    assert "".join(delta.content for delta in streamed) == ""
    for ask in (client.chat, client.stream):
        with pytest.raises(UnusableAnswerError, match="Raise max_tokens"):
            ask(FRANCE, **options, max_tokens=3)


def test_structured_output(client: Either) -> None:
    import json

    schema = {
        "type": "object",
        "properties": {"country": {"type": "string"}, "capital": {"type": "string"}},
        "required": ["country", "capital"],
    }
    result = client.chat(FRANCE, response_format=schema, temperature=0.0, think=False)
    assert json.loads(result.content) == {"country": "France", "capital": "Paris"}


def test_limits_stops_and_seeds(client: Either) -> None:
    cut = client.chat("Count to ten.", max_tokens=3, temperature=0.0, think=False)
    assert cut.finish_reason == "length"
    assert cut.usage is not None
    assert cut.usage.output_tokens == 3

    stopped = client.chat("Count to ten.", stop=["5"], temperature=0.0, think=False)
    assert stopped.content.rstrip(", ").endswith("4")

    story: list[str] = [
        client.chat("Tell me a story.", seed=7, temperature=2.0, think=False).content
        for _ in range(2)
    ]
    assert story[0] == story[1]


def test_log_probabilities(client: Either) -> None:
    result = client.chat("Hello", logprobs=True, top_logprobs=2, max_tokens=2, temperature=0.0)
    assert len(result.logprobs) == 2
    assert len(result.logprobs[0].top) == 2
    assert result.logprobs[0].logprob <= 0


def test_completion(client: Either) -> None:
    prompt = "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    assert client.complete(prompt, temperature=0.0).content == "Hello! How can I help you today?"
    streamed = client.stream_complete(prompt, temperature=0.0)
    assert "".join(delta.content for delta in streamed) == "Hello! How can I help you today?"


def test_vectors(client: Either) -> None:
    result = client.embed(["The library opens at nine.", "When does the library open?", "boat"])
    assert [len(vector) for vector in result.vectors] == [96, 96, 96]

    def likeness(a: int, b: int) -> float:
        pairs = zip(result.vectors[a], result.vectors[b], strict=True)
        return sum(x * y for x, y in pairs)

    assert likeness(0, 1) > likeness(0, 2)
    assert result.model == "localmix-tiny-embed"


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda client: client.chat("word " * 3000), ContextLengthError),
        (lambda client: client.stream("word " * 3000), ContextLengthError),
        (lambda client: client.embed(["fine", "word " * 600]), ContextLengthError),
        (lambda client: client.chat("hi", model="localmix-tini"), ModelNotFoundError),
        (lambda client: client.chat("hi", model="embedded/none"), ModelNotFoundError),
        (lambda client: client.embed("hi", model="localmix-tiny"), UnsupportedFeatureError),
        (lambda client: client.chat("hi", model="localmix-tiny-embed"), UnsupportedFeatureError),
        (lambda client: client.chat("hi", num_ctx=100_000), UnsupportedFeatureError),
        (
            lambda client: client.chat(Message(role="user", content=(Image(data=b"x"), "?"))),
            UnsupportedFeatureError,
        ),
        (lambda client: client.chat("hi", response_format={"type": "odd"}), RequestRejectedError),
    ],
)
def test_what_cannot_be_done_is_a_typed_error(
    client: Either, ask: Any, error: type[LocalMixError]
) -> None:
    with pytest.raises(error):
        ask(client)


def test_leaving_early_frees_the_engine(client: Either) -> None:
    """An abandoned answer of 600 strings would keep a slot busy for seconds."""
    for _ in range(engine._SLOTS + 1):
        deltas = client.stream(
            "Count to ten.", response_format=LONG, think=False, temperature=0.0, at_most=3
        )
        assert len(deltas) == 3
    assert client.chat(FRANCE, temperature=0.0).content == PARIS


def test_an_engine_that_dies_in_mid_answer_is_a_typed_error_and_is_started_again(
    client: Either, tmp_path: Path
) -> None:
    served = _served("localmix-tiny")
    if served is None:
        client.chat("Hello")
        served = _served("localmix-tiny")
    assert served is not None
    stream = Client().stream("Count.", response_format=LONG, think=False, temperature=0.0)
    with pytest.raises(LocalMixError) as caught:
        for received, _ in enumerate(stream, start=1):
            if received == 5:
                served.process.kill()
    assert caught.value.partial is not None
    assert caught.value.partial.content

    assert client.chat(FRANCE, temperature=0.0).content == PARIS
    assert _served("localmix-tiny") is not served


def _served(name: str) -> Any:
    return engine._served.get((TINY_MODELS / f"{name}.gguf").absolute())


def test_one_process_serves_all_clients_of_a_program(client: Either) -> None:
    client.chat("Hello")
    before = _served("localmix-tiny")
    with Client() as other:
        other.chat("Hello", model="embedded/localmix-tiny")
    assert _served("localmix-tiny") is before


def test_asked_for_by_name_it_serves_beside_other_servers(either: MakeEither, start: Any) -> None:
    from tests import stand_ins

    server = start(stand_ins.ollama("other:latest"))
    client = either(server.url)
    result = client.chat(FRANCE, model="embedded/localmix-tiny", temperature=0.0)
    assert result.content == PARIS
    assert client.chat("hello").content == "Hi."
    assert client.show("embedded/localmix-tiny").context_length == 2048
    # Servers that were named are not replaced behind the user's back.
    with pytest.raises(ModelNotFoundError):
        client.chat("hello", model="localmix-tiny")


@pytest.mark.slow
def test_a_broken_file_is_named_and_takes_nothing_down(either: MakeEither, tmp_path: Path) -> None:
    good = (TINY_MODELS / "localmix-tiny.gguf").read_bytes()
    (tmp_path / "cut.gguf").write_bytes(good[:1_000_000])
    (tmp_path / "junk.gguf").write_bytes(b"junk")
    (tmp_path / "good.gguf").write_bytes(good)
    client = either(models_path=tmp_path)

    assert [model.name for model in client.models_by_server()] == ["cut", "good"]
    with pytest.raises(ModelCrashedError, match=r"cut\.gguf.*corrupted or incomplete"):
        client.chat("hi", model="cut")
    with pytest.raises(ModelCrashedError, match=r"junk\.gguf.*does not begin with GGUF"):
        Engine((tmp_path,)).start("junk")
    assert client.chat(FRANCE, model="good", temperature=0.0).content == PARIS


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("raise SystemExit(3)", "ended with code 3"),
        ('print(\'{"error": "no such wheel"}\')', "no such wheel"),
    ],
)
def test_a_process_that_ends_without_serving_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    (tmp_path / "m.gguf").symlink_to(TINY_MODELS / "localmix-tiny.gguf")
    (tmp_path / "serve.py").write_text(script)
    monkeypatch.setattr(engine, "_SERVE", tmp_path / "serve.py")
    with pytest.raises(ModelCrashedError, match=reason):
        Engine((tmp_path,)).start("m")


def test_a_process_that_does_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.gguf").symlink_to(TINY_MODELS / "localmix-tiny.gguf")
    deaf = 'import time; print(\'{"url": "http://127.0.0.1:9"}\', flush=True); time.sleep(60)'
    (tmp_path / "serve.py").write_text(deaf)
    monkeypatch.setattr(engine, "_SERVE", tmp_path / "serve.py")
    monkeypatch.setattr(engine, "_GRACE_SECONDS", 0.1)
    Engine((tmp_path,)).start("m")
    served = engine._served.pop((tmp_path / "m.gguf").absolute())
    served.stop()
    assert served.process.returncode == -signal.SIGKILL


def test_the_image_reader_of_another_model_is_no_model(tmp_path: Path) -> None:
    from tests.unit.test_gguf import gguf, string

    (tmp_path / "mmproj.gguf").write_bytes(gguf(("general.architecture", 8, string("clip"))))
    assert Engine((tmp_path,)).models() == []


def test_the_same_name_in_two_folders_means_the_first(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        (folder / "m.gguf").symlink_to(TINY_MODELS / "localmix-tiny.gguf")
    (second / "m-00002-of-00002.gguf").write_bytes(b"")
    (model,) = Engine((first, second)).models()
    assert model.details["path"] == str(first / "m.gguf")


def test_without_the_extra_it_says_what_to_install(
    either: MakeEither, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "is_installed", staticmethod(lambda: False))
    with pytest.raises(NoServerError, match=r"localmix\[embedded\]"):
        either().chat("hi")
    with pytest.raises(ConfigError, match=r"localmix\[embedded\]"):
        Engine((TINY_MODELS,)).start("localmix-tiny")


def test_no_server_and_no_models_lists_what_was_tried(
    either: MakeEither, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOCAL_MODELS_PATH")
    with pytest.raises(NoServerError) as caught:
        either().chat("hi")
    for word in ("ollama serve", "lms server start", "LOCAL_MODELS_PATH", "http://127.0.0.1:9"):
        assert word in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["ends", "is killed", "forks and is killed"])
def test_the_engine_dies_with_its_program(how: str, tmp_path: Path) -> None:
    code = f"""
        import os, sys, time
        from pathlib import Path
        from localmix.embedded import engine
        engine.Engine((Path({str(TINY_MODELS)!r}),)).start("localmix-tiny")
        (served,) = engine._served.values()
        if {how!r} == "forks and is killed" and os.fork() == 0:
            time.sleep(10)  # holds a copy of the pipe open
            os._exit(0)
        print(served.process.pid, flush=True)
        if {how!r} != "ends":
            time.sleep(60)
    """
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    with program.stdout as output:
        pid = int(output.readline())
    if how != "ends":
        program.send_signal(signal.SIGKILL)
    program.wait()

    deadline = time.monotonic() + 5
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
