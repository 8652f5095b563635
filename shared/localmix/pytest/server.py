"""A model server with two tiny models, and nothing else that has to be installed or started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localmix.proxy.running import Listener
from localmix.pytest.listening import listening
from localmix.settings import Settings


@dataclass(frozen=True, slots=True)
class TinyServer:
    """A server on loopback that speaks as Ollama, as OpenAI's API, and as LM Studio's older one.

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
def serving(models: Path) -> Iterator[TinyServer]:
    """Serve the models of a folder, and those alone, on a free port.

    Raises:
        ConfigError: What `localmix[embedded,proxy]` brings is not installed.
    """
    settings = Settings(models_path=(models,), use_ollama=False, use_lm_studio=False, proxy_port=0)
    with listening(lambda: Listener(settings, grace=1.0)) as listener:
        yield TinyServer(listener.url)
