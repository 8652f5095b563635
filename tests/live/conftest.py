"""The embedded engine with the tiny models: a real engine in every run."""

from __future__ import annotations

import pytest

from tests.either import Either, MakeEither


@pytest.fixture(autouse=True)
def _engine_alone(engine_alone: None) -> None:
    pass


@pytest.fixture
def client(either: MakeEither) -> Either:
    """Give a client that finds nothing but the embedded engine."""
    return either()
