"""The cassettes of this project: `cassettes/<kind>/<version>/<scenario>.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from localmix.pytest.cassettes import CANONICAL, Cassette, read_tape

__all__ = ["CANONICAL", "ROOT", "Recorder", "Source", "read_tape"]

ROOT = Path(__file__).parents[2] / "cassettes"


@dataclass(frozen=True)
class Source:
    """Name the server that was recorded, and say how.

    Attributes:
        provenance: `recorded` from a real server, or `documented`: played by a stand-in that does
            what public sources say of one.
        about: Server, model and source, in words.
    """

    kind: str
    version: str
    provenance: str = "recorded"
    about: str = ""

    @property
    def folder(self) -> Path:
        return ROOT / self.kind / self.version

    @property
    def head(self) -> dict[str, str]:
        head = {"provenance": self.provenance, "server": f"{self.kind} {self.version}"}
        return head | {"about": self.about} if self.about else head

    def __str__(self) -> str:
        return f"{self.kind}-{self.version}"


class Recorder(Cassette):
    """Record or replay one scenario.

    Args:
        urls: The servers' addresses to record from; empty to replay.
    """

    def __init__(self, source: Source, scenario: str, urls: tuple[str, ...] = ()) -> None:
        super().__init__(source.folder / f"{scenario}.yaml", source.head, urls)
        self.source = source
