"""Where servers may be, what answers there, and whether it is what it says it is.

A server is what it proves to be, not what its port says: LM Studio answers 200 to every path, and
many programs imitate one listing or another. So each candidate is asked for three things at once,
and only a body of the right shape counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from localmix.dialects import DIALECTS, Endpoint
from localmix.errors import LocalMixError, ProtocolError
from localmix.settings import ServerConfig, Settings
from localmix.types import Kind, ModelInfo, Server
from localmix.wire import jsontext
from localmix.wire.exchange import Flow, Outcome, Response, Timeouts, together

# Seconds for which "there is no server" is believed, while the embedded engine stands in.
_LOOK_AGAIN_AFTER = 5.0
_EVIDENCE = ("/lmstudio-greeting", "/api/version", "/v1/models")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Say what a candidate proved to be, or what it lacks."""

    kind: Kind | None = None
    version: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Hold the verdict on one candidate and, if it is of use, its models."""

    server: Server
    endpoint: Endpoint
    models: tuple[ModelInfo, ...] = ()


class Directory:
    """Remember which servers and models there are, for a short time."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._found: tuple[Found, ...] = ()
        self._read_at = -float("inf")

    @property
    def known(self) -> tuple[Found, ...]:
        """Give what was found last, however old; nobody is asked."""
        return self._found

    @property
    def age(self) -> float:
        """Give the seconds since the servers were last asked."""
        return self._clock() - self._read_at

    def read(self) -> Flow[tuple[Found, ...]]:
        """Give what is known; ask the servers again if that is too old."""
        any_server = any(found.server.kind for found in self._found)
        if self.age > (self._settings.refresh_after if any_server else _LOOK_AGAIN_AFTER):
            return (yield from self.refresh())
        return self._found

    def refresh(self) -> Flow[tuple[Found, ...]]:
        """Ask all candidates at once."""
        found = yield from discover(self._settings)
        self._found, self._read_at = found, self._clock()
        return found


def discover(settings: Settings) -> Flow[tuple[Found, ...]]:
    """Ask all candidates at once what they are and what they hold."""
    candidates = settings.candidates()
    results = yield from together([_probe(candidate, settings) for candidate in candidates])
    found = [
        _useless(candidate, settings, result.message)
        if isinstance(result, LocalMixError)
        else result
        for candidate, result in zip(candidates, results, strict=True)
    ]
    return _without_twins(found)


def identify(outcomes: Sequence[Outcome]) -> Verdict:
    """Judge what a candidate showed for the three questions of `_EVIDENCE`."""
    greeting, version, models = (_object_in(outcome) for outcome in outcomes)
    if greeting.get("lmstudio") is True:
        return Verdict("lmstudio")
    if isinstance(version.get("version"), str) and "error" not in version:
        return Verdict("ollama", version["version"])
    if "data" in models and isinstance(models["data"], list | None):
        return Verdict("openai")
    return Verdict(problem=_problem(outcomes))


def _probe(candidate: ServerConfig, settings: Settings) -> Flow[Found]:
    place = _endpoint(candidate, settings, None)
    outcomes = yield [place.get(path) for path in _EVIDENCE]
    verdict = identify(outcomes)
    if verdict.kind is None:
        return _useless(candidate, settings, verdict.problem)
    models = yield from DIALECTS[verdict.kind].list_models(
        _endpoint(candidate, settings, verdict.kind)
    )
    return Found(
        Server(candidate.url, verdict.kind, verdict.version),
        _patient(_endpoint(candidate, settings, verdict.kind), settings),
        tuple(models),
    )


def _endpoint(candidate: ServerConfig, settings: Settings, kind: Kind | None) -> Endpoint:
    bound = settings.probe_timeout
    return Endpoint(
        candidate.url,
        Timeouts(connect=bound, first_byte=bound, between=bound),
        candidate.authorization(kind),
    )


def _patient(endpoint: Endpoint, settings: Settings) -> Endpoint:
    """Give the endpoint the patience that a model needs."""
    return Endpoint(endpoint.url, timeouts_of(settings), endpoint.headers)


def timeouts_of(settings: Settings) -> Timeouts:
    """Read the bounds for requests that make a model work."""
    most = settings.timeout or float("inf")
    return Timeouts(
        connect=min(most, settings.connect_timeout),
        first_byte=min(most, settings.first_byte_timeout),
        between=min(most, settings.between_timeout),
    )


def _useless(candidate: ServerConfig, settings: Settings, problem: str) -> Found:
    problem = problem.removeprefix(f"{candidate.url} ")
    return Found(Server(candidate.url, problem=problem), _endpoint(candidate, settings, None))


def _object_in(outcome: Outcome) -> dict[str, Any]:
    if not isinstance(outcome, Response) or outcome.status != 200:  # noqa: PLR2004
        return {}
    try:
        return jsontext.load_object(outcome.body)
    except ProtocolError:
        return {}


def _problem(outcomes: Sequence[Outcome]) -> str:
    for outcome in outcomes:
        if isinstance(outcome, LocalMixError):
            return outcome.message
    replies = [outcome for outcome in outcomes if isinstance(outcome, Response)]
    if any(reply.status in (401, 403) for reply in replies):
        return "It answers, but wants a token, or another one."
    last = replies[-1]
    return (
        "It answers, but not as a model server does: GET /v1/models gave HTTP"
        f" {last.status} {last.content_type or 'without a content type'}."
    )


def _without_twins(found: list[Found]) -> tuple[Found, ...]:
    """Drop `[::1]` where the same port answered on 127.0.0.1: one server, two addresses."""
    urls = {each.server.url for each in found if not each.server.problem}
    return tuple(
        each
        for each in found
        if each.server.url.replace("[::1]", "127.0.0.1") == each.server.url
        or each.server.url.replace("[::1]", "127.0.0.1") not in urls
    )
