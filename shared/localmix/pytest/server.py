"""A model server with two tiny models, and nothing else that has to be installed or started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localmix.proxy.application import make
from localmix.proxy.posing import pose
from localmix.proxy.running import Listener
from localmix.pytest.listening import listening
from localmix.servers import MEMORY
from localmix.settings import Settings

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware


@dataclass(frozen=True, slots=True)
class TinyServer:
    """A server on loopback that speaks as Ollama, as LM Studio, or as both.

    Attributes:
        url: Its address, as clients of Ollama want it.
        model: A chat model: it knows some forty answers by heart, and calls tools.
        embedding_model: A model for vectors of 96 numbers.
    """

    url: str
    model: str = "localmix-tiny"
    embedding_model: str = "localmix-tiny-embed"

    @property
    def openai_url(self) -> str:
        """Its address, as clients of OpenAI's API and of LM Studio want it."""
        return f"{self.url}/v1"


@contextmanager
def serving(models: Path, as_one: Middleware | None = None) -> Iterator[TinyServer]:
    """Serve the models of a folder, and those alone, on a free port.

    Args:
        models: The folder.
        as_one: The program to be; else all.

    Raises:
        ConfigError: What `localmix[embedded,proxy]` brings is not installed.
    """
    settings = Settings(models_path=(models,), use_ollama=False, use_lm_studio=False, proxy_port=0)

    def listener() -> Listener:
        app = make(settings)
        pose(app, as_one)
        return Listener(settings, app, grace=1.0)

    try:
        with listening(listener) as running:
            yield TinyServer(running.url)
    finally:
        MEMORY.forget()  # the next one is no stranger that has a model of the same name
