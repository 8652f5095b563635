"""A server's health, on a clock that the test moves."""

from __future__ import annotations

import pytest

from localmix.errors import (
    ConnectError,
    LocalMixError,
    ModelCrashedError,
    ModelNotFoundError,
    OverloadedError,
    RequestRejectedError,
    StreamInterruptedError,
)
from localmix.servers import MEMORY, Lease
from localmix.servers.breaker import BUSY, COOLDOWN, FIRST_REST, LONGEST_REST, TRIAL, Health
from localmix.types import Timings, Usage


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Patient:
    """Have one server's health judged at the time of a clock; three failures make it ill."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.health = Health()

    def fails(self, times: int = 1, *, is_unreachable: bool = False) -> None:
        for _ in range(times):
            self.health.begin(self.clock.now)
            self.health.failed(self.clock.now, max_failures=3, is_unreachable=is_unreachable)

    def after(self, seconds: float) -> tuple[str, int]:
        """Give state and rank some seconds later."""
        self.clock.now += seconds
        return self.health.state(self.clock.now), self.health.rank(self.clock.now)


@pytest.fixture
def patient() -> Patient:
    return Patient()


def test_a_failure_degrades_and_is_soon_forgiven(patient: Patient) -> None:
    assert patient.after(0) == ("available", 0)
    patient.fails()
    assert patient.after(0) == ("degraded", 1)
    assert patient.after(COOLDOWN) == ("degraded", 0)
    patient.health.succeeded()
    assert patient.after(0) == ("available", 0)


def test_failures_in_a_row_make_it_rest_and_then_one_request_may_try(patient: Patient) -> None:
    patient.fails(3)
    assert patient.after(0) == ("unavailable", 2)
    assert patient.after(FIRST_REST - 0.1) == ("unavailable", 2)
    assert patient.after(0.1) == ("trial", 0)
    patient.health.begin(patient.clock.now)
    assert patient.after(0) == ("trial", 2)  # the others stay away
    patient.health.succeeded()
    assert patient.after(0) == ("available", 0)


def test_a_success_between_failures_starts_the_count_anew(patient: Patient) -> None:
    patient.fails(2)
    patient.health.succeeded()
    patient.fails(2)
    assert patient.after(0) == ("degraded", 1)


def test_rests_double_up_to_a_bound_and_are_forgotten_one_by_one(patient: Patient) -> None:
    patient.fails(2)
    rests = []
    for _ in range(8):
        patient.fails()
        rest = 0
        while patient.after(1)[0] == "unavailable":
            rest += 1
        rests.append(rest + 1)
    assert rests == [5, 10, 20, 40, 80, 120, 120, 120]
    assert max(rests) == LONGEST_REST
    patient.health.succeeded()
    patient.fails(3)
    assert patient.after(LONGEST_REST - 1)[0] == "unavailable"  # one success is not yet a cure
    for _ in range(8):
        patient.health.succeeded()
    patient.fails(3)
    assert patient.after(FIRST_REST)[0] == "trial"


def test_a_trial_without_an_outcome_is_given_up(patient: Patient) -> None:
    patient.fails(3)
    patient.after(FIRST_REST)
    patient.health.begin(patient.clock.now)
    assert patient.after(TRIAL - 1) == ("trial", 2)
    assert patient.after(1) == ("trial", 0)


def test_a_trial_that_ends_with_a_bad_request_lets_the_next_one_try(patient: Patient) -> None:
    patient.fails(3)
    patient.after(FIRST_REST)
    patient.health.begin(patient.clock.now)
    patient.health.ended()
    assert patient.after(0) == ("trial", 0)


@pytest.mark.parametrize(("asked", "seconds"), [(None, BUSY), (7.0, 7.0)])
def test_a_busy_server_is_not_ill(patient: Patient, asked: float | None, seconds: float) -> None:
    patient.health.was_busy(patient.clock.now, asked)
    assert patient.after(0) == ("available", 1)
    assert patient.after(seconds - 0.1) == ("available", 1)
    assert patient.after(0.1) == ("available", 0)


def test_an_answer_to_a_probe_heals_what_was_down_and_nothing_else(patient: Patient) -> None:
    patient.fails(3, is_unreachable=True)
    patient.health.was_reached()
    assert patient.after(0) == ("available", 0)
    patient.fails(3)
    patient.health.was_reached()  # it answers, but its model crashes
    assert patient.after(0) == ("unavailable", 2)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ConnectError("x"), "degraded"),
        (StreamInterruptedError("x"), "degraded"),
        (ModelCrashedError("x"), "degraded"),
        (ModelNotFoundError("x"), "available"),
        (RequestRejectedError("x"), "available"),
        (OverloadedError("x"), "available"),
    ],
)
def test_whose_fault_an_error_is(error: LocalMixError, state: str) -> None:
    clock = Clock()
    vitals = MEMORY.vitals("http://s")
    with Lease(vitals, "m", clock, max_failures=3) as lease:
        lease.failed(error)
    assert vitals.health.state(clock.now) == state


def test_a_lease_gives_its_slot_back_once() -> None:
    vitals = MEMORY.vitals("http://s")
    vitals.slots.reserve(1)
    vitals.slots.reserve(2)
    lease = Lease(vitals, "m", Clock(), max_failures=3)
    lease.release()
    lease.release()
    assert vitals.slots.in_flight == 1


def test_a_caller_who_leaves_a_speaking_server_has_found_it_well() -> None:
    clock = Clock()
    vitals = MEMORY.vitals("http://s")
    vitals.health.failed(clock.now, max_failures=3, is_unreachable=False)
    silent = Lease(vitals, "m", clock, max_failures=3)
    silent.release()
    assert vitals.health.state(clock.now) == "degraded"
    speaking = Lease(vitals, "m", clock, max_failures=3)
    speaking.spoke(None)
    speaking.release()
    assert vitals.health.state(clock.now) == "available"


def test_an_answer_teaches_the_rates() -> None:
    vitals = MEMORY.vitals("http://s")
    with Lease(vitals, "m", Clock(), max_failures=3) as lease:
        usage = Usage(input_tokens=300, output_tokens=50, cached_tokens=100)
        lease.succeeded(usage, Timings(load=4.0, prompt=2.0, output=5.0))
    rates = vitals.rates["m"]
    assert (rates.load, rates.prompt, rates.output) == (4.0, 100.0, 10.0)
    assert rates.prompt_seconds(50) == 0.5
    assert rates.seconds(100, 20, is_loaded=True) == 1.0 + 2.0
    assert rates.seconds(100, 20, is_loaded=False) == 4.0 + 1.0 + 2.0
    assert rates.seconds(100, None, is_loaded=True) > 1.0

    untimed = vitals.rates["another"]
    untimed.add(Usage(100, 50), Timings(total=5.0))
    assert untimed.output == 10.0

    rates.add(Usage(100, 1), Timings(load=0.1, prompt=0.1, output=0.1))
    assert rates.load == 4.0  # a tenth of a second is no load
    assert rates.output == 10.0  # one token tells nothing
    assert 100.0 < (rates.prompt or 0) < 1000.0  # the newest counts, but not alone
