"""Which server for this request, and what to do when it fails.

Everything here is a flow: no socket, no loop, no thread. A request is tried at each candidate in
turn until one gives a whole answer or, when it streams, its first delta; from then on an error is
final.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from localmix.dialects import DIALECTS, Dialect, Endpoint, Target
from localmix.discovery import Directory, Found, timeouts_of
from localmix.embedded.engine import INSTALL, URL, Engine
from localmix.errors import (
    Attempt,
    AuthenticationError,
    ConfigError,
    LocalMixError,
    ModelNotFoundError,
    NoServerError,
    OverloadedError,
    RequestRejectedError,
    StreamInterruptedError,
    TransportError,
    UnsupportedFeatureError,
)
from localmix.fold import unfold
from localmix.health import Health
from localmix.names import is_named, nearest, split_pin
from localmix.settings import Settings
from localmix.types import (
    ChatRequest,
    ChatResult,
    Delta,
    EmbedRequest,
    EmbedResult,
    GenerationRequest,
    Kind,
    ModelInfo,
    Purpose,
    Route,
    Server,
)
from localmix.wire.exchange import Flow, Open, Opened, Outcome, Request, Response, call

T = TypeVar("T")
_log = logging.getLogger("localmix")
_RECENT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """Hold one place where a request could go, and why."""

    found: Found
    model: ModelInfo
    reason: str


@dataclass(frozen=True, slots=True)
class Started:
    """Hold a stream that has spoken: opened, or given whole by a server that does not stream."""

    route: Route
    opened: Opened | None = None
    whole: tuple[Delta, ...] = ()


class Router:
    """Find a place for each request, and carry on elsewhere when one fails."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self.clock = clock
        self._directory = Directory(settings, clock)
        self._health = Health(clock)
        self._engine = Engine(settings.models_path, settings.embedded_context_length)
        self._engine_found: tuple[Found, ...] = ()

    # What there is

    def servers(self) -> Flow[list[Server]]:
        """Ask all candidates now and give the verdict on each."""
        found = yield from self._directory.refresh()
        return [each.server for each in (yield from self._with_engine(found))]

    def models(self) -> Flow[list[ModelInfo]]:
        """List the models of all servers, read now."""
        found = yield from self._directory.refresh()
        found = yield from self._with_engine(found)
        if not any(each.server.kind for each in found):
            raise _no_server(found, self._settings)
        return [model for each in found for model in each.models]

    def show(self, name: str) -> Flow[ModelInfo]:
        """Describe one model as fully as its server can."""
        candidate = (yield from self._candidates(name, None))[0]
        if candidate.model.kind == "embedded":
            return candidate.model
        target = Target(candidate.found.endpoint, candidate.model)
        return (yield from _dialect_of(candidate).show(target))

    def known(self, name: str | None, purpose: Purpose) -> ModelInfo | None:
        """Give the model that a request would go to, by what is known now; nobody is asked."""
        candidates = self._choose((*self._directory.known, *self._engine_found), name, purpose)
        return candidates[0].model if candidates else None

    # Requests

    def generate(self, request: GenerationRequest) -> Flow[ChatResult]:
        """Get a whole answer."""

        def step(dialect: Dialect, target: Target) -> Request:
            return dialect.generation_request(target, request, stream=False)

        def read(dialect: Dialect, target: Target, outcome: Outcome) -> ChatResult:
            return dialect.parse_generation(target, request, cast("Response", outcome))

        started = self.clock()
        result, route = yield from self._serve(request, "chat", step, read)
        total = result.timings.total or self.clock() - started
        return replace(result, route=route, timings=replace(result.timings, total=total))

    def start(self, request: GenerationRequest) -> Flow[Started]:
        """Open a stream and wait for its first delta."""

        def step(dialect: Dialect, target: Target) -> Open:
            return Open(
                dialect.generation_request(target, request, stream=True),
                dialect.generation_decoder(target, request),
            )

        def read(dialect: Dialect, target: Target, outcome: Outcome) -> Opened | ChatResult:
            if isinstance(outcome, Opened):
                return outcome
            return dialect.parse_generation(target, request, cast("Response", outcome))

        begun, route = yield from self._serve(request, "chat", step, read)
        if isinstance(begun, Opened):
            return Started(route, opened=begun)
        return Started(route, whole=(unfold(begun),))

    def embed(self, request: EmbedRequest) -> Flow[EmbedResult]:
        """Get the vectors of some texts, all from one model."""
        if not request.texts:
            return EmbedResult(vectors=[], model=request.model or "")

        def step(dialect: Dialect, target: Target) -> Request:
            return dialect.embed_request(target, request)

        def read(dialect: Dialect, target: Target, outcome: Outcome) -> EmbedResult:
            return dialect.parse_embed(target, request, cast("Response", outcome))

        started = self.clock()
        result, route = yield from self._serve(request, "embedding", step, read)
        total = result.timings.total or self.clock() - started
        return replace(result, route=route, timings=replace(result.timings, total=total))

    # Fail-over

    def _serve(
        self,
        request: GenerationRequest | EmbedRequest,
        purpose: Purpose,
        step: Callable[[Dialect, Target], Request | Open],
        read: Callable[[Dialect, Target, Outcome], T],
    ) -> Flow[tuple[T, Route]]:
        """Try all candidates, and again as often as the settings say if it may pass."""
        for _ in range(self._settings.max_retries):
            try:
                return (yield from self._serve_once(request, purpose, step, read))
            except (TransportError, OverloadedError) as error:
                _log.info("%s; trying again", error.message)
        return (yield from self._serve_once(request, purpose, step, read))

    def _serve_once(
        self,
        request: GenerationRequest | EmbedRequest,
        purpose: Purpose,
        step: Callable[[Dialect, Target], Request | Open],
        read: Callable[[Dialect, Target, Outcome], T],
    ) -> Flow[tuple[T, Route]]:
        """Try each candidate in turn; the first that answers wins."""
        attempts: list[Attempt] = []
        candidates = yield from self._candidates(request.model, purpose)
        for candidate in candidates:
            url = candidate.found.server.url
            try:
                target = yield from self._target(candidate)
                yield from _check_images(_dialect_of(candidate), target, request)
                (outcome,) = yield [step(_dialect_of(candidate), target)]
                if isinstance(outcome, LocalMixError):
                    raise outcome
                answer = read(_dialect_of(candidate), target, outcome)
            except LocalMixError as error:
                error.server = error.server or url
                attempts.append(Attempt(url, error))
                self._note_failure(error, url)
                if is_final(error) or len(attempts) == len(candidates):
                    raise error.tried(tuple(attempts)) from error.__cause__
                _log.info("%s failed (%s); trying the next server", url, type(error).__name__)
                continue
            self._health.succeeded(url)
            model = candidate.model.name
            return answer, Route(candidate.found.server, model, candidate.reason, tuple(attempts))
        raise AssertionError("there is always a candidate")  # pragma: no cover

    def _note_failure(self, error: LocalMixError, url: str) -> None:
        if isinstance(error, TransportError) and not isinstance(error, StreamInterruptedError):
            self._health.failed(url)

    def _target(self, candidate: Candidate) -> Flow[Target]:
        """Say where the bytes go; the embedded engine is started for it."""
        if candidate.model.kind != "embedded":
            return Target(candidate.found.endpoint, candidate.model)
        url, headers = yield from call(lambda: self._engine.start(candidate.model.name))
        endpoint = Endpoint(url, timeouts_of(self._settings), headers)
        return Target(endpoint, candidate.model)

    # Choice

    def _candidates(self, name: str | None, purpose: Purpose | None) -> Flow[list[Candidate]]:
        """List the places for a model, the best first; ask the servers again before giving up."""
        found = yield from self._directory.read()
        found = yield from self._with_engine(found, name)
        candidates = self._choose(found, name, purpose)
        if not candidates and self._directory.age > _RECENT_SECONDS:
            found = yield from self._directory.refresh()
            found = yield from self._with_engine(found, name)
            candidates = self._choose(found, name, purpose)
        if candidates:
            return candidates
        if not any(each.server.kind for each in found):
            raise _no_server(found, self._settings)
        raise _no_model(name, purpose, found)

    def _with_engine(
        self, found: tuple[Found, ...], name: str | None = None
    ) -> Flow[tuple[Found, ...]]:
        """Add the embedded engine when it is asked for, or when there is no other server."""
        asked = name is not None and split_pin(name)[0] == "embedded"
        alone = not self._settings.servers and not any(each.server.kind for each in found)
        if not (asked or alone) or not self._settings.models_path:
            return found
        if not self._engine.is_installed():
            problem = f"LOCAL_MODELS_PATH is set, but the engine is not installed: {INSTALL}"
            return (*found, Found(Server(URL, problem=problem), self._engine_endpoint()))
        models = yield from call(self._engine.models)
        engine = Found(Server(URL, "embedded"), self._engine_endpoint(), tuple(models))
        self._engine_found = (engine,)
        return (*found, engine)

    def _engine_endpoint(self) -> Endpoint:
        return Endpoint(URL, timeouts_of(self._settings))

    def _choose(
        self, found: Sequence[Found], name: str | None, purpose: Purpose | None
    ) -> list[Candidate]:
        """Rank: servers that are well, preferred kinds, the user's order; then loaded models."""
        usable = [each for each in found if each.server.kind]
        usable.sort(key=self._rank)
        if name is None:
            return _suitable(usable, purpose)
        candidates = _holders(usable, name, None)
        if not candidates:
            kind, rest = split_pin(name)
            candidates = _holders(usable, rest, kind) if kind else []
        return candidates

    def _rank(self, found: Found) -> tuple[bool, int]:
        kind, prefer = found.server.kind, self._settings.prefer
        place = prefer.index(kind) if kind in prefer else len(prefer)
        return not self._health.is_well(found.server.url), place


def is_final(error: LocalMixError) -> bool:
    """Tell whether the next server would only say the same."""
    return isinstance(error, ConfigError | RequestRejectedError) and not isinstance(
        error, UnsupportedFeatureError | AuthenticationError
    )


def _holders(usable: Sequence[Found], name: str, kind: Kind | None) -> list[Candidate]:
    reason = f"asked for by name{f', on {kind}' if kind else ''}"
    return [
        Candidate(each, model, reason)
        for each in usable
        for model in each.models
        if kind in (None, each.server.kind) and is_named(model, name)
    ]


def _suitable(usable: Sequence[Found], purpose: Purpose | None) -> list[Candidate]:
    """Take the best model when none is named: loaded before installed, never a cloud's.

    Only that model's other places are alternatives, so that a fail-over does not change it.
    """
    models = [
        (each, model)
        for each in usable
        for model in each.models
        if model.purpose == purpose and not model.remote
    ]
    if not models:
        return []
    _, best = min(models, key=lambda pair: not pair[1].loaded)
    state = "loaded" if best.loaded else "installed"
    reason = f"no model was named: the first that is {state}"
    return [Candidate(each, model, reason) for each, model in models if is_named(model, best.name)]


def _dialect_of(candidate: Candidate) -> Dialect:
    return DIALECTS[candidate.model.kind]


def _check_images(
    dialect: Dialect, target: Target, request: GenerationRequest | EmbedRequest
) -> Flow[None]:
    """Refuse an image that the model would not see.

    Quirk (ollama 0.12.11): an image for a text model is dropped, and the answer is a guess.
    """
    if not isinstance(request, ChatRequest) or not any(m.images for m in request.messages):
        return
    model = target.model
    if model.capabilities is None:
        model = yield from dialect.show(target)
    if model.capabilities is not None and "vision" not in model.capabilities:
        raise UnsupportedFeatureError(
            f"{model.name} at {target.url} cannot see images.",
            server=target.url,
            hint="Use a model that has vision.",
        )


def _no_server(found: Sequence[Found], settings: Settings) -> NoServerError:
    commands = ["`ollama serve`", "`lms server start`"]
    if not settings.servers:
        commands.append(f"`{INSTALL}` and LOCAL_MODELS_PATH=<folder with .gguf files>")
    return NoServerError(
        "No model server answered.",
        hint=f"Start one: {', or '.join(commands)}. Tried:",
        attempts=tuple(
            Attempt(each.server.url, NoServerError(each.server.problem)) for each in found
        ),
    )


def _no_model(
    name: str | None, purpose: Purpose | None, found: Sequence[Found]
) -> ModelNotFoundError:
    known = [model.name for each in found for model in each.models]
    if name is None:
        return ModelNotFoundError(
            f"No server holds a model for {purpose or 'anything'}.",
            hint=f"Get one, or name one of: {', '.join(known) or 'none are installed'}.",
            available=tuple(known),
        )
    available = nearest(name, known)
    shown = ", ".join(available[:3]) or "none are installed"
    return ModelNotFoundError(
        f"No server holds the model {name!r}.",
        hint=f"Nearest names: {shown}.",
        available=available,
    )
