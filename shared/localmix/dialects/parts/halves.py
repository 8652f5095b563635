"""Characters that a server cut in half."""

from __future__ import annotations

from localmix.wire import jsontext


class Halves:
    """A streamed text in which characters are whole again.

    Servers that write JSON in ASCII may put the two halves of an emoji (surrogates) into two
    frames (KohakuTerrarium 48). The first half is held back until the second comes.
    """

    def __init__(self) -> None:
        self._held = ""

    @property
    def holds(self) -> bool:
        """Whether half a character waits for the other."""
        return bool(self._held)

    def feed(self, text: str) -> str:
        """Take a piece of text, and return what is certain now."""
        if text.isascii() and not self._held:
            return text
        text = self._held + text
        self._held = text[-1] if text and jsontext.is_first_half(text[-1]) else ""
        return jsontext.whole(text.removesuffix(self._held) if self._held else text)

    def close(self) -> str:
        """Return what was held back: a half that has no other half."""
        held, self._held = self._held, ""
        return jsontext.whole(held)
