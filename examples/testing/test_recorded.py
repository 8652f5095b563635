"""The program and what a real server said once; no server is needed."""

from __future__ import annotations

from typing import Any

from support import answer


def test_it_asks_as_it_did(localmix_recorder: Any) -> None:
    (url, *_) = localmix_recorder.servers
    assert "Paris" in answer("What is the capital of France?", url, "localmix-tiny")
