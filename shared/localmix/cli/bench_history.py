"""What `localmix bench` measured before: a line for each measurement, and pictures of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from localmix.cli import state
from localmix.cli.output import console, say

_FILE = "bench.jsonl"
_BLOCKS = "▁▂▃▄▅▆▇█"
_ROW, _LEFT, _BARS = 24, 360, 400


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast one model is at one server: seconds, and tokens in a second."""

    model: str
    server: str
    first_token: float | None = None
    tokens_per_second: float | None = None
    problem: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """What it is a speed of."""
        return self.model, self.server


def remember(speeds: Iterable[Speed]) -> None:
    """Add measurements to the history, with the time.

    Raises:
        ConfigError: It cannot be written.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for speed in speeds:
        if not speed.problem:
            state.append(state.place(_FILE), json.dumps({"at": now, **asdict(speed)}))


def before() -> dict[tuple[str, str], list[float]]:
    """Give the rates that were measured before, in the order of time.

    A line that cannot be read costs that line.

    Raises:
        ConfigError: The history cannot be read.
    """
    found: dict[tuple[str, str], list[float]] = {}
    path = state.place(_FILE)
    for line in state.read(path).splitlines() if path.exists() else ():
        try:
            said = json.loads(line)
            found.setdefault((said["model"], said["server"]), []).append(
                float(said["tokens_per_second"])
            )
        except (ValueError, TypeError, KeyError):
            continue
    return found


def change(speed: Speed, earlier: Sequence[float]) -> str:
    """Say how a rate compares with the last one."""
    if not earlier or not speed.tokens_per_second or not earlier[-1]:
        return ""
    return f"{100 * (speed.tokens_per_second / earlier[-1] - 1):+.0f} %"


def draw(speeds: Sequence[Speed], history: dict[tuple[str, str], list[float]]) -> None:
    """Draw bars of the rates, and the history of each, in the terminal."""
    rated = [(speed, speed.tokens_per_second) for speed in speeds if speed.tokens_per_second]
    most = max((rate for _, rate in rated), default=0)
    for speed, rate in rated:
        length = max(round((console().width - 30) * rate / most), 1)
        say(f"{speed.model} at {speed.server}", is_command=True)
        say(f"  {'█' * length} {rate:.1f} tokens/s", is_command=True)
        if earlier := history.get(speed.place):
            say(f"  {_sparkline([*earlier, rate])} {len(earlier) + 1} measurements", "dim")


def svg(speeds: Sequence[Speed]) -> str:
    """Draw bars of the rates as SVG."""
    rated = [(speed, speed.tokens_per_second) for speed in speeds if speed.tokens_per_second]
    most = max((rate for _, rate in rated), default=1)
    rows = []
    for index, (speed, rate) in enumerate(rated):
        middle, length = _ROW * index + 16, _BARS * rate / most
        name = escape(f"{speed.model} at {speed.server}")
        rows.append(f'<text x="{_LEFT - 8}" y="{middle}" text-anchor="end">{name}</text>')
        rows.append(
            f'<rect x="{_LEFT}" y="{middle - 12}" width="{length:.0f}" height="16" fill="#4a7"/>'
        )
        rows.append(f'<text x="{_LEFT + length + 6:.0f}" y="{middle}">{rate:.1f} tokens/s</text>')
    size = f'width="{_LEFT + _BARS + 120}" height="{_ROW * len(rated) + 8}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif"'
    return "\n".join([f'{head} font-size="12">', *rows, "</svg>\n"])


def write_svg(speeds: Sequence[Speed], path: Path) -> None:
    """Write the picture to a file.

    Raises:
        ConfigError: It cannot be written.
    """
    state.write(path, svg(speeds))


def _sparkline(rates: Sequence[float]) -> str:
    most = max(rates)
    return "".join(_BLOCKS[round((len(_BLOCKS) - 1) * rate / most)] for rate in rates[-40:])
