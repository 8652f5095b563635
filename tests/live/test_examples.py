"""The examples answer right, and the demo shows what it promises."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lmstudio import LMStudio

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
REFUSED = {"OLLAMA_HOST": "127.0.0.1:9", "LM_STUDIO_BASE_URL": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("script", "answers"),
    [
        (
            "demo.py",
            [
                "No server can be used: the embedded engine takes over.",
                "localmix-tiny ",
                "Mira Okafor designed the red bridge.",
                "calls get_weather({'location': 'Paris'})",
                "It is sunny in Paris.",
                "The lighthouse at Cape Sable is forty two meters tall.",
                "tokens/s, first token after",
            ],
        ),
        ("langchain_retrieval.py", ["Mira Okafor designed the red bridge."]),
        ("langchain_agent.py", ["It is sunny in Paris."]),
        ("llamaindex_query.py", ["The lighthouse at Cape Sable is forty two meters tall."]),
    ],
)
def test_an_example(script: str, answers: list[str]) -> None:
    """Run it as a user would, where neither Ollama nor LM Studio can be found."""
    shown = run(script)
    for answer in answers:
        assert answer in shown


def test_the_demo_tells_of_the_servers_that_run(start: Callable[[LMStudio], LMStudio]) -> None:
    """The embedded engine is there as well, and takes nothing over."""
    server = start(LMStudio())
    shown = run("demo.py", LM_STUDIO_BASE_URL=server.url)
    assert "takes over" not in shown
    assert f"[localmix-tiny on lmstudio ({server.url})" in shown
    assert "on embedded" not in shown
    assert "chats with localmix-tiny, and embeds with text-embedding-localmix-tiny-embed." in shown


def test_the_demo_tells_of_a_server_that_cannot_be_used(
    start: Callable[[LMStudio], LMStudio],
) -> None:
    shown = run("demo.py", LM_STUDIO_BASE_URL=start(LMStudio(token="secret")).url)
    assert "HTTP 401" in shown
    assert "No server can be used: the embedded engine takes over." in shown


def run(script: str, **variables: str) -> str:
    """Run a script as a user would; give what it prints."""
    models = {"LOCAL_MODELS_PATH": str(EXAMPLES / "tiny-model")}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script)],
        capture_output=True,
        text=True,
        env={**os.environ, **REFUSED, **models, **variables},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
