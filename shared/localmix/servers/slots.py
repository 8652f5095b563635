"""How many requests a server has at once, and who waits for the next place.

A slot is taken and given back in one step under a lock. A slot that comes free goes straight to the
request that has waited longest, so nobody overtakes and the limit is never passed.
"""

from __future__ import annotations

import threading
from collections import deque

from localmix.wire.gate import Gate


class Ticket:
    """A place in the queues of several servers; the first slot that comes is taken."""

    def __init__(self) -> None:
        self.gate = Gate()
        self._lock = threading.Lock()
        self._slots: Slots | None = None
        self._is_withdrawn = False

    def offer(self, slots: Slots) -> bool:
        """Take a slot; refuse it when there is one already, or nobody waits any more."""
        with self._lock:
            if self._slots or self._is_withdrawn:
                return False
            self._slots = slots
        self.gate.open()
        return True

    def withdraw(self) -> Slots | None:
        """Stop waiting; give the slot that was taken, if any."""
        with self._lock:
            self._is_withdrawn = True
            return self._slots


class Slots:
    """The requests at one server, counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[Ticket] = deque()
        self.in_flight = 0

    def is_free(self, limit: int | None) -> bool:
        """Tell whether a request could begin now."""
        return limit is None or (self.in_flight < limit and not self._queue)

    def reserve(self, limit: int | None) -> bool:
        """Take a slot if there is one."""
        with self._lock:
            is_free = self.is_free(limit)
            self.in_flight += is_free
            return is_free

    def queue(self, ticket: Ticket, limit: int | None, max_waiting: int) -> bool:
        """Let a ticket wait, or have a slot that has come free; tell whether it could."""
        with self._lock:
            if self.is_free(limit):
                self.in_flight += ticket.offer(self)
                return True
            if len(self._queue) >= max_waiting:
                return False
            self._queue.append(ticket)
            return True

    def leave(self, ticket: Ticket) -> None:
        """Take a ticket out of the queue."""
        with self._lock:
            if ticket in self._queue:
                self._queue.remove(ticket)

    def release(self) -> None:
        """Give a slot back, or on to who has waited longest."""
        with self._lock:
            while self._queue:
                if self._queue.popleft().offer(self):
                    return
            self.in_flight -= 1
