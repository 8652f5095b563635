"""Any value in the head of a model's file, and in what the embedded engine answers.

The engine's process is the real one; xllamacpp in it is a stand-in that says where an odd server
of OpenAI's dialect listens.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localmix.embedded.engine import stop_all
from localmix.errors import LocalMixError
from localmix.types import ModelInfo
from tests import stand_ins
from tests.client.test_odd_servers import KEYS, ask_alone, either, odd_openai
from tests.conftest import leave_only_the_engine
from tests.either import Either
from tests.loopback import serving
from tests.unit.test_gguf import gguf, string
from tests.unit.test_mutations import JSON

XLLAMACPP = """
import os

class Anything:
    def __getattr__(self, name):
        self.__dict__[name] = Anything()
        return self.__dict__[name]

CommonParams = Anything

class Server:
    def __init__(self, params):
        self.listening_address = os.environ["ODD_ADDRESS"]
"""
HEAD: dict[str, Any] = {
    "general.architecture": "llama",
    "general.size_label": "1B",
    "general.file_type": 7,
    "llama.context_length": 2048,
    "llama.embedding_length": 64,
}
NUMBERS = st.sampled_from([0, -1, 2**53, 2**63 - 1, 2**64 - 1, -(2**63), float("nan"), 1e308])


def write(path: Path, head: dict[str, Any]) -> None:
    path.write_bytes(gguf(*(_pair(key, value) for key, value in head.items())))


def _pair(key: str, value: Any) -> tuple[str, int, bytes]:
    if isinstance(value, bool):
        return key, 7, struct.pack("<?", value)
    if isinstance(value, int) and -(2**63) <= value < 2**64:
        return key, *(
            (11, struct.pack("<q", value)) if value < 0 else (10, struct.pack("<Q", value))
        )
    if isinstance(value, float):
        return key, 12, struct.pack("<d", value)
    if isinstance(value, list):
        return key, 9, struct.pack("<IQ", 8, len(value)) + b"".join(map(_letters, value))
    return key, 8, _letters(value)


def _letters(value: Any) -> bytes:
    return string(value if isinstance(value, str) else json.dumps(value))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the file of the one model, `tiny`."""
    leave_only_the_engine(monkeypatch)
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "xllamacpp.py").write_text(XLLAMACPP)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    monkeypatch.setenv("LOCAL_MODELS_PATH", str(tmp_path))
    return tmp_path / "tiny.gguf"


@pytest.mark.exhaustive
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_whatever_the_engine_answers_is_an_answer_or_an_error_of_ours(
    colour: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, HEAD)
    with serving(stand_ins.openai()) as odd, serving(stand_ins.ollama("tiny:latest")) as healthy:
        monkeypatch.setenv("ODD_ADDRESS", odd.url)

        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        @given(key=st.sampled_from(KEYS[odd_openai].split()), value=JSON)
        def try_one(key: str, value: Any) -> None:
            odd.routes = odd_openai(key, value).routes
            with either(colour, None) as alone:
                ask_alone(alone)
            with either(colour, [healthy.url]) as client:
                assert client.chat("hello", model="tiny").finish_reason

        try_one()
        assert odd.count("POST /v1/chat/completions"), "nobody asked the engine"
    stop_all()


@pytest.mark.slow
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_whatever_stands_in_the_head_of_a_file(colour: str, path: Path) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(key=st.sampled_from(list(HEAD)), value=JSON | NUMBERS)
    def try_one(key: str, value: Any) -> None:
        write(path, HEAD | {key: value})
        with either(colour, None) as client:
            for model in _models(client):
                assert model.context_length is None or 0 < model.context_length < 2**53
                assert model.loaded_context_length
                assert 0 < model.loaded_context_length <= 8192
                assert model.embedding_length is None or 0 < model.embedding_length < 2**53

    try_one()


def _models(client: Either) -> list[ModelInfo]:
    try:
        return client.models_by_server()
    except LocalMixError:
        return []
