"""Slots are taken and given back in one step, and nobody overtakes."""

from __future__ import annotations

import threading

from localmix.servers.slots import Slots, Ticket
from localmix.wire.gate import Gate


def test_a_limit_is_a_limit() -> None:
    slots = Slots()
    assert [slots.reserve(2) for _ in range(3)] == [True, True, False]
    slots.release()
    assert slots.reserve(2)
    assert slots.in_flight == 2


def test_without_a_limit_there_is_always_a_slot() -> None:
    slots = Slots()
    assert all(slots.reserve(None) for _ in range(100))
    assert slots.in_flight == 100


def test_a_slot_goes_to_who_has_waited_longest() -> None:
    slots = Slots()
    slots.reserve(1)
    first, second = Ticket(), Ticket()
    assert slots.queue(first, 1, 10)
    assert slots.queue(second, 1, 10)
    slots.release()
    assert first.gate.is_open
    assert not second.gate.is_open
    assert not slots.reserve(1)  # who comes now does not overtake
    assert slots.in_flight == 1
    slots.release()
    assert second.gate.is_open


def test_a_slot_that_has_come_free_is_taken_at_once() -> None:
    slots, ticket = Slots(), Ticket()
    assert slots.queue(ticket, 1, 0)
    assert ticket.gate.is_open
    assert slots.in_flight == 1


def test_the_queue_is_bounded() -> None:
    slots = Slots()
    slots.reserve(1)
    assert slots.queue(Ticket(), 1, 1)
    assert not slots.queue(Ticket(), 1, 1)


def test_a_ticket_takes_one_slot_of_many_servers() -> None:
    one, other = Slots(), Slots()
    ticket = Ticket()
    for slots in (one, other):
        slots.reserve(1)
        slots.queue(ticket, 1, 10)
    one.release()
    other.release()
    assert (one.in_flight, other.in_flight) == (1, 0)
    assert ticket.withdraw() is one


def test_who_stops_waiting_is_passed_over() -> None:
    slots = Slots()
    slots.reserve(1)
    gone, waiting = Ticket(), Ticket()
    slots.queue(gone, 1, 10)
    slots.queue(waiting, 1, 10)
    assert gone.withdraw() is None
    slots.release()
    assert waiting.gate.is_open
    assert not gone.gate.is_open

    slots.queue(late := Ticket(), 1, 10)
    slots.leave(late)
    slots.leave(late)  # nothing happens
    slots.release()
    assert slots.in_flight == 0


def test_many_threads_never_pass_the_limit() -> None:
    slots, most, limit = Slots(), [0], 3
    lock = threading.Lock()

    def work() -> None:
        for _ in range(50):
            if not slots.reserve(limit):
                slots.queue(ticket := Ticket(), limit, 1000)
                told = threading.Event()
                ticket.gate.when_open(told.set)
                assert told.wait(10)
            with lock:
                most[0] = max(most[0], slots.in_flight)
            slots.release()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert slots.in_flight == 0
    assert most[0] <= limit


def test_a_gate_tells_everybody_once_and_forgets_who_left() -> None:
    gate, told = Gate(), []
    gate.when_open(lambda: told.append("a"))
    forget = gate.when_open(lambda: told.append("b"))
    forget()
    gate.open()
    gate.open()
    assert told == ["a"]
    gate.when_open(lambda: told.append("late"))()
    assert told == ["a", "late"]
