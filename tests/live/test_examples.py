"""The examples answer right, and the demo shows what it promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
REFUSED = {"OLLAMA_HOST": "127.0.0.1:9", "LM_STUDIO_BASE_URL": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("script", "answers"),
    [
        (
            "demo.py",
            [
                "No server runs: the embedded engine takes over.",
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
    environment = {**os.environ, **REFUSED, "LOCAL_MODELS_PATH": str(EXAMPLES / "tiny-model")}
    run = subprocess.run(
        [sys.executable, str(EXAMPLES / script)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for answer in answers:
        assert answer in run.stdout
