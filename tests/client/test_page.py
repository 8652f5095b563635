"""docs/client.md and docs/names.md: their examples run, and are what type checkers accept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import stand_ins
from tests.loopback import Exchange, ndjson, whole
from tests.markdown import blocks_in, run

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "client.md"
NAMES = ROOT / "docs" / "names.md"
CALL = {"function": {"name": "temperature", "arguments": {"city": "Paris"}}}


def answer(exchange: Exchange) -> None:
    """Be the model of the page."""
    asked = exchange.json
    message: dict[str, Any] = {"role": "assistant", "content": "Paris."}
    if asked.get("format"):
        message["content"] = json.dumps({"name": "Paris", "country": "France"})
    elif asked["messages"][-1]["role"] == "tool":
        message["content"] = f"It is {asked['messages'][-1]['content']} degrees in Paris."
    elif asked.get("tools"):
        message = {"role": "assistant", "content": "", "tool_calls": [CALL]}
    last = stand_ins.OLLAMA_DONE | {"message": message}
    (ndjson(last) if asked["stream"] else whole(last))(exchange)


def test_the_examples_run(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start(
        stand_ins.ollama(
            "qwen3:8b",
            POST__api_chat=answer,
            POST__api_show=whole({"capabilities": ["completion", "tools"]}),
            POST__api_generate=whole({"done": True}),
            POST__api_pull=ndjson({"status": "pulling manifest"}, {"status": "success"}),
        )
    )
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    monkeypatch.setenv("USE_LM_STUDIO", "false")
    assert run(PAGE) == len(list(blocks_in(PAGE.read_text())))
    assert server.last("POST /api/generate").json["keep_alive"] == 300
    assert server.last("POST /api/chat").json["keep_alive"] == 5400


def test_the_examples_of_names_run(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start(stand_ins.ollama("qwen3:8b", POST__api_chat=answer))
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    monkeypatch.setenv("USE_LM_STUDIO", "false")
    assert run(NAMES)
    assert server.last("POST /api/chat").json["model"] == "qwen3:8b"


@pytest.mark.parametrize("page", [PAGE, NAMES], ids=lambda page: page.stem)
def test_the_examples_pass_a_type_checker(page: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("\n".join(block.code for block in blocks_in(page.read_text())))
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
