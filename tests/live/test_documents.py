"""The documents run as they stand; tiny models answer to the names of large ones."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from tests.markdown import blocks_in, run

DOCS = Path(__file__).parents[2] / "docs"
NAMES = {"qwen3:8b": "localmix-tiny", "nomic-embed-text": "localmix-tiny-embed"}
DOCUMENTS = ("index", "errors", "adapters", "caching", "langchain", "observing", "scale")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALMIX_ALIASES", json.dumps(NAMES))
    log = logging.getLogger("localmix")
    level = log.level
    try:
        assert run(DOCS / f"{name}.md")
    finally:
        log.setLevel(level)


DOCUMENT = """
```python
import asyncio
x = 1
print(x)
```

```text
1
```

```python
await asyncio.sleep(0)
print(x + 1)
```

```text
3
```
"""


def test_the_runner_itself(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(DOCUMENT)
    assert [(block.printed, block.line) for block in blocks_in(DOCUMENT)] == [
        ("1\n", 2),
        ("3\n", 12),
    ]
    with pytest.raises(AssertionError, match=r"page\.md, line 13: it prints '2\\n'"):
        run(path)
    path.write_text(DOCUMENT.replace("3\n", "2\n"))
    assert run(path) == 2
