"""Ollama's endpoints for its models.

Shape of the conversation: a generation without a prompt loads a model, with `keep_alive: 0` it
unloads it. Copy and delete answer with status 200 and nothing. A pull answers with NDJSON, one
object for a step, layer after layer, and ends with `{"status": "success"}`; an error comes inside
a 200. To hang up stops the pull; the next one goes on where it was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from localmix.dialects import failures
from localmix.dialects.dialect import Endpoint, Target
from localmix.dialects.keeper import LoadOrder, PullMeter
from localmix.errors import (
    DownloadError,
    LocalMixError,
    ModelNotFoundError,
    StreamInterruptedError,
)
from localmix.types import PullStep
from localmix.wire import jsontext
from localmix.wire.flows import Emit, Flow, Open, Opened, Request, Response, Source, read, send
from localmix.wire.lines import LineDecoder

_HTTP_OK = 200
_FIRST = "pulling manifest"


class OllamaModels:
    """Manage Ollama's models."""

    def load(self, target: Target, order: LoadOrder) -> Flow[None]:
        """Load a model with the window of the target; tell a loaded one the new `keep_alive`."""
        payload: dict[str, Any] = {"model": target.model.name}
        if order.keep_alive is not None:
            payload["keep_alive"] = order.keep_alive
        if target.window:
            payload["options"] = {"num_ctx": target.window}
        if target.model.purpose == "embedding":
            request = target.endpoint.post("/api/embed", payload | {"input": []})
        else:
            request = target.endpoint.post("/api/generate", payload | {"stream": False})
        failures.checked_object((yield from send(request)), target.url)

    def unload(self, target: Target) -> Flow[None]:
        """Unload a model once its requests are done."""
        payload = {"model": target.model.name, "stream": False, "keep_alive": 0}
        request = target.endpoint.post("/api/generate", payload)
        failures.checked_object((yield from send(request)), target.url)

    def delete(self, target: Target) -> Flow[None]:
        """Delete a model."""
        request = target.endpoint.post("/api/delete", {"model": target.model.name})
        yield from _done(replace(request, method="DELETE"), target.url)

    def copy(self, target: Target, destination: str) -> Flow[None]:
        """Give a model a second name; the weights are not copied."""
        names = {"source": target.model.name, "destination": destination}
        yield from _done(target.endpoint.post("/api/copy", names), target.url)

    def pull(self, endpoint: Endpoint, meter: PullMeter, *, insecure: bool) -> Source[None]:
        """Fetch a model; broken off, Ollama keeps the pieces that are whole."""
        payload: dict[str, Any] = {"model": meter.model, "stream": True}
        if insecure:
            payload["insecure"] = True
        request = endpoint.post("/api/pull", payload)
        (outcome,) = yield [Open(request, PullDecoder(endpoint.url, meter))]
        if isinstance(outcome, LocalMixError):
            raise outcome
        if isinstance(outcome, Response):
            raise failures.error_of(outcome, endpoint.url)
        assert isinstance(outcome, Opened)  # noqa: S101  (there are no others)
        while step := (yield from read(outcome)):
            yield Emit(step)


class PullDecoder:
    """Turn the lines of a pull into steps."""

    def __init__(self, server: str, meter: PullMeter) -> None:
        self._server = server
        self._lines = LineDecoder()
        self._meter = meter
        self._is_done = False

    def feed(self, data: bytes) -> list[PullStep]:
        """Take some bytes and return the steps that they complete."""
        with failures.reading(self._server):
            frames = [jsontext.load_object(line) for line in self._lines.feed(data) if line]
            return [step for frame in frames if (step := self._step(frame))]

    def close(self) -> list[PullStep]:
        """Check that the server said that it was done."""
        if not self._is_done:
            raise StreamInterruptedError(
                f"{self._server} broke off the pull of {self._meter.model}",
                server=self._server,
                hint="Pull again: it goes on where it was.",
            )
        return []

    def _step(self, frame: dict[str, Any]) -> PullStep | None:
        if complaint := failures.complaint_in(frame):
            raise self._failure(complaint.message)
        said = frame["status"]
        if said == "success":
            self._is_done = True  # the model is there, but nobody has looked at it yet
            return None
        if "total" in frame:
            return self._meter.step(
                "downloading",
                said,
                part=frame.get("digest") or "",
                completed=frame.get("completed") or 0,
                total=frame["total"],
            )
        return self._meter.step("preparing" if said == _FIRST else "finishing", said)

    def _failure(self, said: str) -> LocalMixError:
        if "file does not exist" in said:  # ollama 0.12.11, 0.33.0-rc2: the registry has it not
            return ModelNotFoundError(
                f"{self._server} found no model {self._meter.model} to pull ({said})",
                server=self._server,
                hint="Look up its name and tag at ollama.com/library.",
            )
        return DownloadError(
            f"{self._server} could not pull {self._meter.model}: {said}",
            server=self._server,
            status=_HTTP_OK,
        )


def _done(request: Request, server: str) -> Flow[None]:
    """Send what is answered with a status alone."""
    response = yield from send(request)
    if response.status != _HTTP_OK:
        raise failures.error_of(response, server)
