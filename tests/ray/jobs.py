"""What the tests ask for, and a server that counts what it is asked."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.loopback import Exchange, whole

ROWS = 600
# One actor has one request on its way: two at once are two actors'.
OPTIONS: Any = {
    "column": "text",
    "model": "embed",
    "id_column": "id",
    "rows": 20,
    "concurrency": 1,
}


class Embedder:
    """Give each text a vector that tells its number, after some time.

    Args:
        seconds: How long a request takes.

    Attributes:
        asked: How often each text was asked for.
        at_once: The most requests that there were at once.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds
        self._changed = threading.Condition()
        self._now = 0
        self.asked: Counter[str] = Counter()
        self.at_once = 0

    def __call__(self, exchange: Exchange) -> None:
        texts = exchange.json["input"]
        with self._changed:
            self._now += 1
            self.at_once = max(self.at_once, self._now)
            self.asked.update(texts)
            self._changed.notify_all()
        time.sleep(self._seconds)
        with self._changed:
            self._now -= 1
        whole({"model": "embed", "embeddings": list(map(vector_of, texts))})(exchange)

    def wait(self, texts: int, at_once: int = 1) -> None:
        """Wait until so many texts were asked for, and so many requests were there at once."""
        with self._changed:
            come = self._changed.wait_for(
                lambda: self.numbered >= texts and self.at_once >= at_once, timeout=300
            )
        assert come, (self.numbered, self.at_once)

    @property
    def numbered(self) -> int:
        """How many texts of the rows were asked for."""
        return sum(text.startswith("text ") for text in self.asked)


def vector_of(text: str) -> list[float]:
    number = text.removeprefix("text ")
    return [float(number) if number.isdigit() else 1.0, 0.5]


def write_rows(path: Path, count: int = ROWS) -> str:
    """Write rows with an id and a text, in one file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = range(count)
    texts = [f"text {number}" for number in numbers]
    pq.write_table(pa.table({"id": list(numbers), "text": texts}), path)
    return str(path)


def is_right(rows: list[dict[str, Any]], count: int = ROWS) -> bool:
    """Tell whether each row is there once, with its vector."""
    told = sorted((row["id"], row["text"], list(row["vector"])) for row in rows)
    return told == [
        (number, f"text {number}", vector_of(f"text {number}")) for number in range(count)
    ]
