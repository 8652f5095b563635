"""The embedded engine's models: files in folders, each loaded in a process of its own."""

from __future__ import annotations

from localmix.dialects import EMBEDDED, Endpoint, PullMeter, Target, refusal
from localmix.embedded import Engine, started
from localmix.errors import UnsupportedFeatureError
from localmix.types import LoadRequest, ModelInfo
from localmix.wire.flows import Flow, Source, call


class EmbeddedModels:
    """The embedded engine's models; the files are the user's own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self, target: Target, request: LoadRequest) -> Flow[None]:
        """Start the model's process; it stays until it is unloaded or the program ends."""
        if request.keep_alive is not None and request.keep_alive >= 0:
            raise _cannot("unload a model after a time", "Call unload() when you are done.")
        patience = target.endpoint.timeouts.first_byte
        yield from started(self._engine, target.model.name, patience, request.num_ctx)

    def unload(self, target: Target) -> Flow[None]:
        """Stop the model's process."""
        yield from call(lambda: self._engine.stop(target.model.name))

    def delete(self, target: Target) -> Flow[None]:
        """Refuse: the file is not localmix's."""
        raise _cannot("delete models", f"Delete the file {_path(target.model)}.")

    def copy(self, target: Target, destination: str) -> Flow[None]:
        """Refuse: a model is called as its file."""
        hint = f"Copy or link the file {_path(target.model)} to {destination}.gguf."
        raise _cannot("copy models", hint)

    def pull(self, endpoint: Endpoint, meter: PullMeter, *, insecure: bool) -> Source[None]:
        """Refuse: it serves the files that are there."""
        folders = ", ".join(map(str, self._engine.folders))
        raise _cannot("pull models", f"Download a .gguf file into {folders}.")


def _path(model: ModelInfo) -> str:
    return str(model.details["path"])


def _cannot(what: str, by_hand: str) -> UnsupportedFeatureError:
    return refusal(EMBEDDED.title, EMBEDDED.name, what, by_hand)
