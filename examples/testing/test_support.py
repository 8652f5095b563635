"""The program and a real model, which every machine has that runs this."""

from __future__ import annotations

from typing import Any

from support import answer, nearest


def test_it_answers(localmix_server: Any) -> None:
    said = answer("What is the capital of France?", localmix_server.url, localmix_server.model)
    assert "Paris" in said


def test_it_finds_what_is_near(localmix_server: Any) -> None:
    answers = ["The bridge is red.", "The train leaves at nine."]
    model = localmix_server.embedding_model
    assert nearest("When does the train leave?", answers, localmix_server.url, model) == answers[1]


def test_clients_of_openai_find_it_too(localmix_server: Any) -> None:
    assert localmix_server.openai_url == f"{localmix_server.url}/v1"
