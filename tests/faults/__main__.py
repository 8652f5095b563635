"""Print the fault matrix as Markdown: `python -m tests.faults`.

Each cell is what really happened, at servers of both kinds: `next` where another server answered,
else the error that the caller saw. Several words in a cell stand for kinds that differ.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from localmix.errors import LocalMixError
from tests.either import Either
from tests.faults.faults import AFTER, BEFORE, BOUNDS, SHORT, Fault, small
from tests.faults.wires import PURPOSES, RIGHT, WIRES, Purpose, Wire, ask
from tests.loopback import serving

COLOURS = ("sync", "async")


def main() -> None:
    """Run every fault, and print what came of it."""
    logging.getLogger("localmix.requests").setLevel(logging.ERROR)
    with small():
        print("Before the first delta: what the caller saw with another server / without one.\n")
        columns = [(purpose, colour) for purpose in PURPOSES for colour in COLOURS]
        _print_head(f"{purpose} {colour}" for purpose, colour in columns)
        for name, fault in BEFORE.items():
            _print_row(name, (_before(fault, purpose, colour) for purpose, colour in columns))
        print("\nAfter the first delta of a stream, with another server at hand:\n")
        _print_head(COLOURS)
        for name, fault in AFTER.items():
            _print_row(name, (_after(fault, colour) for colour in COLOURS))


def _before(fault: Fault, purpose: Purpose, colour: str) -> str:
    helped = {_saw(fault, wire, purpose, colour, has_next=True) for wire in WIRES.values()}
    alone = {_saw(fault, wire, purpose, colour, has_next=False) for wire in WIRES.values()}
    return f"{_joined(helped)} / {_joined(alone)}"


def _after(fault: Fault, colour: str) -> str:
    return _joined({_saw(fault, w, "stream", colour, has_next=True) for w in WIRES.values()})


def _saw(fault: Fault, wire: Wire, purpose: Purpose, colour: str, *, has_next: bool) -> str:
    with ExitStack() as stack:
        bad, good = (stack.enter_context(serving(wire.server())) for _ in range(2))
        urls = [bad.url, good.url] if has_next else [bad.url]
        bounds = BOUNDS if has_next else SHORT
        client = stack.enter_context(_client(colour, urls, timeout=1.0, **bounds))
        client.models_by_server()
        fault.strike(bad, wire, purpose)
        try:
            answer = ask(client, purpose)
        except LocalMixError as error:
            partial = f", holding {error.partial.content!r}" if error.partial else ""
            return f"{_public(error)}{partial}"
        is_right = answer.said == RIGHT[purpose] and good.count(wire.route(purpose)) == 1
        return "next" if is_right else f"wrong: {answer.said!r}"


@contextmanager
def _client(colour: str, *args: object, **settings: object) -> Iterator[Either]:
    client = Either(colour, *args, **settings)
    try:
        yield client
    finally:
        client.end()


def _public(error: LocalMixError) -> str:
    """Name the class that stands in the tree of errors."""
    kinds = (kind for kind in type(error).__mro__ if kind.__module__ == "localmix.errors")
    return next(kinds).__name__


def _joined(words: set[str]) -> str:
    return " or ".join(sorted(words))


def _print_head(columns: Iterator[str] | tuple[str, ...]) -> None:
    names = ["fault", *columns]
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}")


def _print_row(name: str, cells: Iterator[str]) -> None:
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
