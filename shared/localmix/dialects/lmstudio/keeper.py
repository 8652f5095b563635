"""LM Studio's endpoints for its models.

Shape of the conversation (0.4.0 and later): `POST /api/v1/models/load` takes a key and answers when
the model is loaded; `unload` takes the name of an instance, of which a model may have several.
`download` begins a job, whose status is asked for again and again. Earlier versions load a model
when a request asks for it (JIT), and that is all. Sources: LM Studio's documentation of April 2026
and recordings of March 2026 (0.4.6).
"""

from __future__ import annotations

import shlex
from typing import Any
from urllib.parse import quote

from localmix.dialects import failures
from localmix.dialects.dialect import Endpoint, Target
from localmix.dialects.keeper import PullMeter, refusal
from localmix.dialects.reading import Facts
from localmix.errors import DownloadError, ModelNotFoundError, UnsupportedFeatureError
from localmix.types import LoadRequest, PullStatus
from localmix.wire.flows import Emit, Flow, Source, send, wait

# Seconds between two looks at a download.
LOOK_EVERY = 1.0
_STATUS: dict[str, PullStatus] = {
    "downloading": "downloading",
    "paused": "paused",
    "completed": "finishing",
}


class LMStudioModels:
    """LM Studio's models."""

    def load(self, target: Target, request: LoadRequest) -> Flow[None]:
        """Load a model once: LM Studio itself would load a second copy of one that is loaded."""
        model, window = target.model, request.num_ctx
        if window and _ttl(request):
            hint = _lms("load", model.name, "--context-length", window, "--ttl", _ttl(request))
            raise _cannot(target.url, "accept a context length and keep_alive together", hint)
        if model.loaded:
            if window in (None, model.loaded_context_length) and not _ttl(request):
                return
            yield from self.unload(target)
        if _ttl(request):
            yield from _load_by_request(target, request)
            return
        payload: dict[str, Any] = {"model": model.name}
        if window:
            payload["context_length"] = window
        try:
            yield from _ask(target.endpoint, "/api/v1/models/load", payload)
        except UnsupportedFeatureError as error:
            if window:
                hint = _lms("load", model.name, "--context-length", window)
                raise _cannot(target.url, "accept a context length before 0.4", hint) from error
            yield from _load_by_request(target, request)

    def unload(self, target: Target) -> Flow[None]:
        """Unload every instance of a model."""
        for instance in target.model.aliases or (target.model.name,):
            try:
                payload = {"instance_id": instance}
                yield from _ask(target.endpoint, "/api/v1/models/unload", payload)
            except UnsupportedFeatureError as error:
                hint = _lms("unload", target.model.name)
                raise _cannot(target.url, "unload models before 0.4", hint) from error

    def delete(self, target: Target) -> Flow[None]:
        """Refuse: no version can."""
        raise _cannot(target.url, "delete models", "Delete it in LM Studio under My Models.")

    def copy(self, target: Target, destination: str) -> Flow[None]:
        """Refuse: only what is loaded can have a second name, and only by the command line."""
        hint = _lms("load", target.model.name, "--identifier", destination)
        raise _cannot(target.url, "copy models", hint)

    def pull(self, endpoint: Endpoint, meter: PullMeter, *, insecure: bool) -> Source[None]:
        """Begin a download, or find the one that is running, and watch it.

        There is no way to stop it: who leaves stops watching, and LM Studio loads on.
        """
        if insecure:
            raise _cannot(endpoint.url, "accept `insecure`", "Leave it out.")
        job = yield from _begun(endpoint, meter.model)
        job_id = job.text("job_id")
        while (said := job.text("status")) in _STATUS:
            yield Emit(
                meter.step(
                    _STATUS[said],
                    said,
                    completed=job.count("downloaded_bytes") or 0,
                    total=job.count("total_size_bytes"),
                )
            )
            if said == "completed":
                return
            yield from wait(LOOK_EVERY)
            path = f"/api/v1/models/download/status/{quote(job_id)}"
            job = failures.checked((yield from send(endpoint.get(path))), endpoint.url).facts
        if said != "already_downloaded":
            raise DownloadError(
                f"{endpoint.url} could not download {meter.model}: {said or 'no status'}",
                server=endpoint.url,
                hint="LM Studio shows the reason under Downloads.",
            )


def _begun(endpoint: Endpoint, model: str) -> Flow[Facts]:
    """Begin a download, or find the one that is running."""
    try:
        return (yield from _ask(endpoint, "/api/v1/models/download", {"model": model}))
    except UnsupportedFeatureError as error:
        hint = _lms("get", model)
        raise _cannot(endpoint.url, "download models before 0.4", hint) from error
    except ModelNotFoundError as error:
        error.hint = "Look up its name at lmstudio.ai/models."
        raise


def _load_by_request(target: Target, request: LoadRequest) -> Flow[None]:
    """Have a model loaded by the shortest request there is.

    That is how versions before 0.4 load, and the only way to say how long a model should stay;
    what is loaded explicitly stays for ever.
    """
    payload: dict[str, Any] = {"model": target.model.name, "ttl": _ttl(request)}
    if target.model.purpose == "embedding":
        path, payload = "/v1/embeddings", payload | {"input": "a"}
    else:
        messages = [{"role": "user", "content": "a"}]
        path, payload = "/v1/chat/completions", payload | {"messages": messages, "max_tokens": 1}
    payload = {key: value for key, value in payload.items() if value is not None}
    yield from _ask(target.endpoint, path, payload)


def _ttl(request: LoadRequest) -> int | None:
    seconds = request.keep_alive or -1
    return max(round(seconds), 1) if seconds > 0 else None


def _ask(endpoint: Endpoint, path: str, payload: dict[str, Any]) -> Flow[Facts]:
    response = yield from send(endpoint.post(path, payload))
    return failures.checked(response, endpoint.url).facts


def _lms(*words: object) -> str:
    """Write a command to be copied; a server's names are quoted for the shell."""
    return f"Run: {shlex.join(('lms', *map(str, words)))}"


def _cannot(server: str, what: str, by_hand: str) -> UnsupportedFeatureError:
    return refusal(server, "lmstudio", what, by_hand)
