"""What localmix knows of one kind of server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from localmix.dialects.dialect import Dialect, Endpoint, Target
from localmix.dialects.keeper import Keeper
from localmix.dialects.reading import Facts
from localmix.types import ChatRequest, Kind
from localmix.wire.flows import Flow


class Proof(NamedTuple):
    """A reply that only servers of a kind give, and what it tells.

    Attributes:
        version: The server's version, where it says one.
        note: What else is to be known of it, such as that it only imitates its kind.
    """

    version: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ServerKind:
    """A kind of server: how it is recognised, spoken to and managed, and how it behaves.

    Attributes:
        name: What a name such as `ollama/qwen3:8b` is pinned by.
        title: What people call it.
        dialect: How it is spoken to.
        keeper: How its models are managed.
        provider: What telemetry calls it, if not by its name; see `observing/conventions.py`.
        evidence: The path whose reply proves the kind; empty if none of this kind is looked for.
        proof: Judge that reply; `None` if it proves nothing.
        second_look: Ask a server that gave the proof for what else is to be known of it.
        tells_more_by_show: Whether `show` says what a listing may leave open.
        reloads_for_window: Whether a request for another context window has the model loaded anew.
        widens_by_load: Whether a model's window is told to it when it is loaded, and by no request.
        copies_on_load: Whether every request that finds the model not loaded loads one more copy.
        stops_only_streams: Whether an answer that is not streamed is written to its end, though
            nobody waits for it any more.
        may_write_on: Whether some builds do not notice that they are hung up on.
        can_pull: Whether it can fetch models.
        names_publishers: Whether its catalogue names a model with its publisher: `qwen/qwen3-4b`.
        is_started_here: Whether its models run in processes that localmix starts.
        count_tokens: Count the tokens of a prompt, where some servers of this kind can.
        least_window: The context window that a model gets at least, in tokens, where that is known.
    """

    name: Kind
    title: str
    dialect: Dialect
    keeper: Keeper | None = None
    provider: str = ""
    evidence: str = ""
    proof: Callable[[Facts], Proof | None] = lambda _: None
    second_look: Callable[[Endpoint], Flow[str]] | None = None
    tells_more_by_show: bool = False
    reloads_for_window: bool = False
    widens_by_load: bool = False
    copies_on_load: bool = False
    stops_only_streams: bool = False
    may_write_on: bool = False
    can_pull: bool = False
    names_publishers: bool = False
    is_started_here: bool = False
    count_tokens: Callable[[Target, ChatRequest], Flow[int]] | None = None
    least_window: int | None = None
