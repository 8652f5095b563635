"""What answers at an address, and whether it is what it says it is.

A server is what it proves to be, not what its port says: LM Studio answers 200 to every path, and
many programs imitate one listing or another. So each candidate is asked for several things at once,
and only a body of the right shape counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from localmix.dialects import DIALECTS, Endpoint
from localmix.dialects.reading import Facts
from localmix.errors import AuthenticationError, LocalMixError, ProtocolError
from localmix.settings import Rank, ServerConfig, Settings
from localmix.settings.addresses import is_loopback
from localmix.types import Kind, ModelInfo, Server
from localmix.wire import jsontext, kin
from localmix.wire.flows import Flow, Outcome, Response, Timeouts

_EVIDENCE = ("/lmstudio-greeting", "/api/version", "/v1/models")
_IMITATION = "It speaks Ollama's API, but is another program."


@dataclass(frozen=True, slots=True)
class Verdict:
    """Say what a candidate proved to be, or what it lacks."""

    kind: Kind | None = None
    version: str = ""
    problem: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Hold the verdict on one candidate and, if it is of use, its models.

    Attributes:
        rank: The user's order; the lowest comes first.
        weight: How much of the load it should take, compared with others of its rank.
        limit: The most requests to have there at once.
        asked_at: When it answered.
        is_reserve: Whether it serves only what is pinned to it.
        is_silent: Whether it kept the probe waiting, rather than answering wrongly or not at all.
        error: Why it cannot be used, if it cannot.
    """

    server: Server
    endpoint: Endpoint
    models: tuple[ModelInfo, ...] = ()
    rank: Rank = (0, 0, 0)
    weight: float = 1.0
    limit: int | None = None
    asked_at: float = -float("inf")
    is_reserve: bool = False
    is_silent: bool = False
    error: LocalMixError | None = None


def identify(outcomes: Sequence[Outcome]) -> Verdict:
    """Judge what a candidate showed for the questions of `_EVIDENCE`."""
    greeting, version, models = (_object_in(outcome) for outcome in outcomes)
    if greeting.flag("lmstudio"):
        return Verdict("lmstudio")
    if (number := version.text("version")) and "error" not in version:
        return Verdict("ollama", number, note="" if len(version.said) == 1 else _IMITATION)
    if isinstance(models.said.get("data", 0), list | None):
        return Verdict("openai")
    return Verdict(problem=_problem(outcomes))


def probe(candidate: ServerConfig, position: int, settings: Settings) -> Flow[Found]:
    """Ask a candidate what it is and what it holds.

    Raises:
        LocalMixError: It does not answer, or does not tell its models.
    """
    place = Endpoint(
        candidate.url,
        timeouts_of(settings),
        candidate.authorization(None),
        settings.max_reply_bytes,
        settings.max_listing_bytes,
    )
    quick = place.within(*settings.probe_bound(candidate.url))
    outcomes = yield [quick.get(path) for path in _EVIDENCE]
    verdict = identify(outcomes)
    kind = verdict.kind
    by = _proxy_in(outcomes)
    if problem := _kin_problem(by, candidate.url, settings):
        return Found(
            server=Server(candidate.url, problem=problem, name=candidate.label), endpoint=place
        )
    failure = next((each for each in outcomes if isinstance(each, LocalMixError)), None)
    if failure and not kind:
        raise failure
    if not kind and any(map(_is_refused, outcomes)):
        raise AuthenticationError(
            f"{candidate.url} wants a token, or another one.", server=candidate.url
        )
    note = kin.PROXY if by else verdict.note
    models: list[ModelInfo] = []
    headers = candidate.authorization(kind)
    if kind == "ollama":
        (root,) = yield [quick.get("/")]
        note = note or ("" if _is_ollamas(root) else _IMITATION)
    if kind:
        listing = yield from DIALECTS[kind].list_models(replace(quick, headers=headers))
        models, note = listing.models, " ".join(filter(None, (note, _unread(listing.unread))))
    return Found(
        server=Server(candidate.url, kind, verdict.version, verdict.problem, candidate.label, note),
        endpoint=replace(place, headers=headers),
        models=tuple(models),
        rank=settings.order_of(position, kind),
        weight=candidate.weight,
        limit=candidate.limit,
    )


def _proxy_in(outcomes: Sequence[Outcome]) -> str:
    """Give the name of the proxy of localmix that answered; empty if none did."""
    replies = [outcome for outcome in outcomes if isinstance(outcome, Response)]
    return next((by for reply in replies if (by := reply.header(kin.ANSWERED_BY))), "")


def _kin_problem(by: str, url: str, settings: Settings) -> str:
    """Say why a proxy of localmix is none of the servers: its models would be listed twice."""
    if by == kin.own_name():
        return kin.ITSELF
    return kin.NOT_NAMED if by and is_loopback(url) and not settings.servers else ""


def timeouts_of(settings: Settings) -> Timeouts:
    """Read the bounds for requests that make a model work."""
    return Timeouts(
        connect=settings.connect_timeout,
        first_byte=settings.first_byte_timeout,
        between=settings.between_timeout,
    )


def _unread(entries: int) -> str:
    return f"{entries} entries of its list of models could not be read." if entries else ""


def _is_ollamas(root: Outcome) -> bool:
    return isinstance(root, Response) and root.body.strip() == b"Ollama is running"


def _is_refused(outcome: Outcome) -> bool:
    return isinstance(outcome, Response) and outcome.status in (401, 403)


def _object_in(outcome: Outcome) -> Facts:
    if not isinstance(outcome, Response) or outcome.status != 200:  # noqa: PLR2004
        return Facts({})
    try:
        return Facts(jsontext.load(outcome.body))
    except ProtocolError:
        return Facts({})


def _problem(outcomes: Sequence[Outcome]) -> str:
    last = outcomes[_EVIDENCE.index("/v1/models")]
    if isinstance(last, LocalMixError):
        return last.message
    assert isinstance(last, Response)  # noqa: S101  (a request has no other outcome)
    return (
        "It answers, but not as a model server does: GET /v1/models gave HTTP"
        f" {last.status} {last.content_type or 'without a content type'}."
    )
