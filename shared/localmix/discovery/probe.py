"""What answers at an address, and whether it is what it says it is.

A server is what it proves to be, not what its port says: LM Studio answers 200 to every path, and
many programs imitate one listing or another. So each candidate is asked for several things at once,
and only a body of the right shape counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from localmix.dialects import KINDS, Endpoint, Proof, ServerKind
from localmix.dialects.reading import Facts
from localmix.errors import AuthenticationError, LocalMixError, ProtocolError
from localmix.settings import Rank, ServerConfig, Settings
from localmix.settings.addresses import is_loopback
from localmix.types import ModelInfo, Server
from localmix.wire import jsontext, kin
from localmix.wire.flows import Flow, Outcome, Response, Timeouts

# What every candidate is asked, proof or not: it says what the others answer.
_MODELS = "/v1/models"


@dataclass(frozen=True, slots=True)
class Found:
    """The verdict on one candidate and, if it is of use, its models.

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


def identify(shown: Mapping[str, Outcome]) -> tuple[ServerKind | None, Proof]:
    """Judge what a candidate showed for each path that proves a kind."""
    for kind in KINDS.values():
        if kind.evidence and (proof := kind.proof(_object_in(shown[kind.evidence]))):
            return kind, proof
    return None, Proof()


def probe(candidate: ServerConfig, position: int, settings: Settings) -> Flow[Found]:
    """Ask a candidate what it is and what it holds.

    Raises:
        LocalMixError: It does not answer, or does not tell its models.
    """
    place = _place(candidate, settings)
    quick = place.within(*settings.probe_bound(candidate.url))
    paths = [kind.evidence for kind in KINDS.values() if kind.evidence]
    shown = dict(zip(paths, (yield [quick.get(path) for path in paths]), strict=True))
    kind, proof = identify(shown)
    by = _proxy_in(shown.values())
    problem = _kin_problem(by, candidate.url, settings)
    if problem or not kind:
        problem = problem or _problem(shown, candidate.url)
        return Found(Server(candidate.url, problem=problem, name=candidate.label), place)
    headers = candidate.authorization(kind.name)
    note = kin.PROXY if by else proof.note
    if kind.second_look and not note:
        note = yield from kind.second_look(quick)
    listing = yield from kind.dialect.list_models(replace(quick, headers=headers))
    note = " ".join(filter(None, (note, _unread(listing.unread))))
    return Found(
        server=Server(candidate.url, kind.name, proof.version, "", candidate.label, note),
        endpoint=replace(place, headers=headers),
        models=tuple(listing.models),
        rank=settings.order_of(position, kind.name),
        weight=candidate.weight,
        limit=candidate.limit,
    )


def _place(candidate: ServerConfig, settings: Settings) -> Endpoint:
    return Endpoint(
        candidate.url,
        timeouts_of(settings),
        candidate.authorization(None),
        settings.max_reply_bytes,
        settings.max_listing_bytes,
    )


def _proxy_in(outcomes: Iterable[Outcome]) -> str:
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


def _is_refused(outcome: Outcome) -> bool:
    return isinstance(outcome, Response) and outcome.status in (401, 403)


def _object_in(outcome: Outcome) -> Facts:
    if not isinstance(outcome, Response) or outcome.status != 200:  # noqa: PLR2004
        return Facts({})
    try:
        return Facts(jsontext.load(outcome.body))
    except ProtocolError:
        return Facts({})


def _problem(shown: Mapping[str, Outcome], url: str) -> str:
    """Say why what a candidate showed proves nothing.

    Raises:
        LocalMixError: It does not answer, or wants a token.
    """
    for outcome in shown.values():
        if isinstance(outcome, LocalMixError):
            raise outcome
    if any(map(_is_refused, shown.values())):
        raise AuthenticationError(f"{url} needs a token, or a different one.", server=url)
    models = shown[_MODELS]
    assert isinstance(models, Response)  # noqa: S101  (a request has no other outcome)
    return (
        "It answers, but not as a model server does: GET /v1/models gave HTTP"
        f" {models.status} {models.content_type or 'without a content type'}."
    )
