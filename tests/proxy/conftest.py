"""What tests with foreign clients share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture
def unclosed_clients() -> Iterator[None]:
    """Collect what clients leave open that cannot be closed, before another test is blamed."""
    yield
    gc.collect()
