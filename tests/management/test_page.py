"""docs/models.md: its examples run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests import stand_ins
from tests.loopback import ndjson, whole
from tests.management.conftest import Start

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_examples_run(
    start: Start, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = whole(b"", content_type="text/plain")
    part = {"status": "pulling 1", "digest": "sha256:1", "total": 9, "completed": 9}
    server = stand_ins.ollama(
        *("qwen3:8b", "nomic-embed-text:latest", "my-qwen:latest"),
        loaded=("qwen3:8b",),
        POST__api_show=whole({"capabilities": ["completion"]}),
        POST__api_generate=whole({"done": True}),
        POST__api_embed=whole({"embeddings": []}),
        POST__api_pull=ndjson({"status": "pulling manifest"}, part, {"status": "success"}),
        POST__api_copy=done,
        DELETE__api_delete=done,
    )
    monkeypatch.setenv("OLLAMA_HOST", start(server).url)
    monkeypatch.setenv("USE_LM_STUDIO", "false")
    assert len(EXAMPLES) >= 6
    names: dict[str, Any] = {}  # what is the stand-in's own is replaced
    for example in EXAMPLES:
        code = example.replace("500a1f067a9f", "81fbd01b23a8").replace("16_384", "2_048")
        exec(compile(code, str(PAGE), "exec"), names)
    for name in ("client", "pinned"):
        names[name].close()
    assert "downloading 9 9 0" in capsys.readouterr().out
    assert server.last("POST /api/generate").json["keep_alive"] == 0
    assert server.count("DELETE /api/delete") == 1
