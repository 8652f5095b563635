"""Ollama's endpoints for its models.

Shape of the conversation: a generation without a prompt loads a model, with `keep_alive: 0` it
unloads it. Copy and delete answer with status 200 and nothing. A pull answers with NDJSON, one
object for a step, layer after layer, and ends with `{"status": "success"}`; an error comes inside
a 200. Closing the connection stops the pull; the next one resumes where it stopped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from localmix.dialects import failures
from localmix.dialects.dialect import Endpoint, Target
from localmix.dialects.keeper import PullMeter
from localmix.dialects.parts.framed import FramedDecoder
from localmix.dialects.reading import Record
from localmix.errors import (
    AuthenticationError,
    DownloadError,
    LocalMixError,
    ModelNotFoundError,
    StreamInterruptedError,
)
from localmix.types import LoadRequest, PullProgress
from localmix.wire import jsontext
from localmix.wire.flows import Emit, Flow, Open, Opened, Request, Response, Source, read, send
from localmix.wire.lines import LineDecoder

_HTTP_OK = 200
_JUDGED = 500
# What a registry says of a model that is private, gated or not there for strangers.
_UNAUTHORIZED = re.compile(r"\b40[13]\b|unauthorized|access denied|forbidden", re.IGNORECASE)
_SIGN_IN = "The registry needs to know who you are: run `ollama signin`, or check the model's name."
_FIRST = "pulling manifest"


class OllamaModels:
    """Ollama's models."""

    def load(self, target: Target, request: LoadRequest) -> Flow[None]:
        """Load a model with the window of the target; tell a loaded one the new `keep_alive`."""
        payload: dict[str, Any] = {"model": target.model.name}
        if request.keep_alive is not None:
            payload["keep_alive"] = request.keep_alive
        if target.window:
            payload["options"] = {"num_ctx": target.window}
        if target.model.purpose == "embedding":
            asked = target.endpoint.post("/api/embed", payload | {"input": []})
        else:
            asked = target.endpoint.post("/api/generate", payload | {"stream": False})
        failures.checked((yield from send(asked)), target.url)

    def unload(self, target: Target) -> Flow[None]:
        """Unload a model once its requests are done."""
        payload = {"model": target.model.name, "stream": False, "keep_alive": 0}
        request = target.endpoint.post("/api/generate", payload)
        failures.checked((yield from send(request)), target.url)

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


class PullDecoder(FramedDecoder[bytes, PullProgress]):
    """The lines of a pull, read into steps."""

    def __init__(self, server: str, meter: PullMeter) -> None:
        super().__init__(server)
        self._lines = LineDecoder()
        self._meter = meter

    def _split(self, data: bytes) -> Iterable[bytes]:
        return self._lines.feed(data)

    def _split_whole(self, body: bytes) -> Iterable[bytes]:
        return [body]

    def _rest(self) -> Iterable[bytes]:
        return self._lines.close()

    def _at_end_of_body(self) -> Iterable[PullProgress]:
        raise StreamInterruptedError(
            f"{self._server} broke off the pull of {self._meter.model}",
            server=self._server,
            hint="Pull again: it resumes where it stopped.",
        )

    def _read(self, line: bytes) -> Iterator[PullProgress]:
        if not line.strip():
            return
        frame = Record(jsontext.load_object(line), self._server)
        if complaint := failures.complaint_in(frame):
            raise self._meaning(complaint)
        facts, said = frame.facts, frame.text("status")
        if not said:
            raise frame.wrong("status", "a text")
        if said == "success":
            self.is_done = True  # the model is there, but nobody has looked at it yet
            return
        total = facts.count("total")
        if total is None:
            yield self._meter.step("preparing" if said == _FIRST else "finishing", said)
            return
        part, completed = facts.text("digest"), facts.count("completed") or 0
        yield self._meter.step("downloading", said, part=part, completed=completed, total=total)

    def _meaning(self, complaint: failures.Complaint) -> LocalMixError:
        said = complaint.message
        if "file does not exist" in said:  # ollama 0.12.11, 0.33.0-rc2: the registry has it not
            return ModelNotFoundError(
                f"{self._server} found no model {self._meter.model} to pull ({said})",
                server=self._server,
                hint="Look up its name and tag at ollama.com/library.",
            )
        if complaint.signin_url or _UNAUTHORIZED.search(said[:_JUDGED]):
            return AuthenticationError(
                f"{self._server} was refused the model {self._meter.model} ({said[:_JUDGED]})",
                server=self._server,
                hint=failures.remedy(complaint) or _SIGN_IN,
                status=_HTTP_OK,
            )
        return DownloadError(
            f"{self._server} could not pull {self._meter.model}: {said[:_JUDGED]}",
            server=self._server,
            hint=failures.remedy(complaint) or None,
            status=_HTTP_OK,
        )


def _done(request: Request, server: str) -> Flow[None]:
    """Send what is answered with a status alone."""
    response = yield from send(request)
    if response.status != _HTTP_OK:
        raise failures.error_of(response, server)
