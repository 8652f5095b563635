"""A pydantic class as the form of an answer, and the object that comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from localmix import Client
from localmix.errors import UnusableAnswerError
from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import ndjson, whole


class Person(BaseModel):
    """Somebody."""

    name: str


def said(content: str) -> dict[str, Any]:
    return stand_ins.OLLAMA_DONE | {"message": {"role": "assistant", "content": content}}


def test_the_answer_is_asked_for_and_read_as_the_class(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=whole(said('{"name": "Ada"}'))))
    answer = either(server.url).chat("hello", model="tiny", response_format=Person)
    assert answer.parsed == Person(name="Ada")
    assert server.last("POST /api/chat").json["format"] == Person.model_json_schema()


def test_an_answer_of_another_form_is_no_object(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=whole(said("I am Ada."))))
    answer = either(server.url).chat("hello", model="tiny", response_format=Person)
    assert answer.content == "I am Ada."
    with pytest.raises(UnusableAnswerError, match="no valid Person"):
        _ = answer.parsed


def test_a_stream_is_read_when_it_has_ended(start: Any) -> None:
    server = start(stand_ins.ollama(POST__api_chat=ndjson(said('{"name": "Ada"}'))))
    stream = Client(server.url).stream("hello", model="tiny", response_format=Person)
    assert [delta.content for delta in stream] == ['{"name": "Ada"}']
    assert stream.result.parsed == Person(name="Ada")


def test_an_answer_from_the_cache_is_read_too(
    either: MakeEither, start: Any, tmp_path: Path
) -> None:
    server = start(stand_ins.ollama(POST__api_chat=whole(said('{"name": "Ada"}'))))
    client = either(server.url, cache=str(tmp_path / "cache.sqlite"))
    options = {"model": "tiny", "temperature": 0, "seed": 1, "response_format": Person}
    answers = [client.chat("hello", **options) for _ in range(2)]
    assert [answer.cached for answer in answers] == [False, True]
    assert [answer.parsed for answer in answers] == [Person(name="Ada")] * 2
