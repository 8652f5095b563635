"""How results look: in a shell, as text, and in a notebook."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import BaseModel

from localmix import (
    ChatRequest,
    ChatResult,
    EmbedRequest,
    EmbedResult,
    Message,
    ModelInfo,
    Route,
    Server,
)
from localmix.errors import ConfigError, UnusableAnswerError
from localmix.types import Table

SERVER = Server(name="here", url="http://localhost:11434", kind="ollama", version="0.12")
ROUTE = Route(SERVER, "tiny", "the only one")
LINE = 400


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


def test_an_answer_is_its_text() -> None:
    assert str(ChatResult(content="Paris.")) == "Paris."
    assert f"{ChatResult(content='Paris.')}" == "Paris."


def test_what_is_at_its_default_is_left_out_of_a_repr() -> None:
    assert repr(ChatResult(content="Paris.")) == "ChatResult(content='Paris.')"
    assert repr(Message(role="user", content="Hi")) == "Message(role='user', content='Hi')"


@pytest.mark.parametrize(
    "large",
    [
        EmbedResult(vectors=[[0.5] * 1024] * 10_000, model="tiny"),
        ChatResult(content="word " * 100_000),
        ModelInfo(name="tiny", server="here", kind="ollama", details={"template": "x" * 100_000}),
        EmbedRequest(texts=["word " * 100] * 10_000),
        ChatRequest(messages=[Message(role="user", content="word " * 100_000)] * 1000),
    ],
)
def test_a_repr_is_short_whatever_it_holds(large: object) -> None:
    assert len(repr(large)) < LINE


def test_a_notebook_shows_tables() -> None:
    model = ModelInfo(name="tiny", server="here", kind="ollama", size_bytes=1_500_000_000)
    shown = Table([model, replace(model, name="big")])._repr_html_()
    assert shown.count("<tr>") == 3
    assert "<td>1.5 GB</td>" in shown
    assert "<td>big</td>" in shown
    for one in (SERVER, ROUTE, ChatResult(content="Paris."), EmbedResult(vectors=[[0.5]])):
        assert "<table>" in one._repr_html_()


def test_what_a_model_wrote_is_text_in_a_notebook() -> None:
    shown = ChatResult(content="<script>alert(1)</script>", route=ROUTE)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_a_table_of_nothing_is_a_table() -> None:
    assert Table[ModelInfo]()._repr_html_().startswith("<table>")


class TestParsed:
    def test_the_answer_is_an_object_of_the_class(self) -> None:
        answer = ChatResult('```json\n{"name": "Ada", "age": 36}\n```', form=Person)
        assert answer.parsed == Person(name="Ada", age=36)
        assert answer.parsed is answer.parsed

    def test_an_answer_that_a_server_took_for_thoughts_is_read(self) -> None:
        assert ChatResult(reasoning='{"name": "Ada", "age": 36}', form=Person).parsed.age == 36

    def test_what_is_wrong_is_said(self) -> None:
        with pytest.raises(UnusableAnswerError, match="no valid Person: age: ") as caught:
            _ = ChatResult('{"name": "Ada", "age": "old"}', form=Person).parsed
        assert "old" in caught.value.answer

    def test_an_answer_that_was_cut_says_so(self) -> None:
        with pytest.raises(UnusableAnswerError, match="max_tokens"):
            _ = ChatResult('{"name": "A', finish_reason="length", form=Person).parsed

    def test_without_a_class_there_is_nothing_to_read_as(self) -> None:
        with pytest.raises(ConfigError, match="response_format"):
            _ = ChatResult("{}").parsed
