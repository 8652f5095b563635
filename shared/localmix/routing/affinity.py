"""Which server has read a conversation before, and so may have it in its cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from localmix.routing.needs import Needs

_MOST_CONVERSATIONS = 4096
# A server keeps what it has read of a conversation for about as long: Ollama unloads after 5 min.
_SECONDS = 300.0


class Affinity:
    """The homes of the conversations of the last minutes."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._homes: OrderedDict[int, tuple[str, float]] = OrderedDict()

    def home(self, needs: Needs) -> str | None:
        """Give the URL of the server that has read the conversation that a request continues."""
        if not needs.is_continued or needs.conversation is None:
            return None
        url, since = self._homes.get(needs.conversation, (None, 0.0))
        return url if self._clock() < since + _SECONDS else None

    def remember(self, url: str, needs: Needs) -> None:
        """Keep in mind which server has read a conversation."""
        if needs.conversation is None:
            return
        self._homes[needs.conversation] = url, self._clock()
        self._homes.move_to_end(needs.conversation)
        if len(self._homes) > _MOST_CONVERSATIONS:
            self._homes.popitem(last=False)
