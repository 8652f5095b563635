"""What the chat models of all adapters have in common."""

from __future__ import annotations

from localmix.adapting.blocks import Late, Policy, Unsupported
from localmix.adapting.connected import Generating


class Chatting(Generating):
    """What becomes of messages that servers do not take as they are.

    Attributes:
        late_system: The role that system messages after the first turn are sent with; strict
            templates refuse them.
        unsupported_blocks: Whether audio, video and documents other than text are an `"error"`, or
            `"drop"` leaves them out with a warning in the log.
    """

    late_system: Late = "user"
    unsupported_blocks: Unsupported = "error"

    @property
    def policy(self) -> Policy:
        """What becomes of messages that servers do not take as they are."""
        return Policy(self.unsupported_blocks, self.late_system)
