"""Answer a customer's question, by whatever speaks Ollama's API."""

from __future__ import annotations

import json
import urllib.request
from typing import Any


def answer(question: str, url: str, model: str) -> str:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": question}],
        "options": {"temperature": 0},
        "stream": False,
    }
    content: str = _post(f"{url}/api/chat", body)["message"]["content"]
    return content


def nearest(question: str, answers: list[str], url: str, model: str) -> str:
    """Find the answer that is nearest to a question."""
    body = {"model": model, "input": [question, *answers]}
    asked, *known = _post(f"{url}/api/embed", body)["embeddings"]
    scores = [sum(a * b for a, b in zip(asked, each, strict=True)) for each in known]
    return answers[scores.index(max(scores))]


def _post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)
