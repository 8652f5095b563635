"""The file that answers are kept in: its bounds, and many who use it at once."""

from __future__ import annotations

import multiprocessing
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localmix.caching.records import dump_deltas, dump_vector, load_deltas, load_vector
from localmix.caching.store import Store
from localmix.dialects.parts.passing import PassedDelta
from localmix.types import Delta, Timings, TokenLogprob, ToolCallDelta, Usage

MEGABYTE = 1_000_000
YEAR = 365 * 24 * 3600.0


def store(folder: Path, max_bytes: int = MEGABYTE, max_age: float = YEAR) -> Store:
    return Store(folder / "answers.sqlite", max_bytes, max_age)


def value_of(number: int, size: int = 3000) -> bytes:
    return number.to_bytes(4, "big") * (size // 4)


def key_of(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_what_is_kept_is_there_also_later(tmp_path: Path) -> None:
    store(tmp_path).put({key_of(1): b"one", key_of(2): b"two"})
    keys = [key_of(number) for number in range(2000)]
    assert store(tmp_path).get(keys) == {key_of(1): b"one", key_of(2): b"two"}
    store(tmp_path).put({key_of(1): b"another"})
    assert store(tmp_path).get([key_of(1)]) == {key_of(1): b"another"}


def test_the_oldest_make_room(tmp_path: Path) -> None:
    kept = store(tmp_path)
    for number in range(1000):
        kept.put({key_of(number): value_of(number)})
    found = kept.get([key_of(number) for number in range(1000)])
    assert key_of(999) in found
    assert key_of(0) not in found
    assert len(found) > 200
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < MEGABYTE + 6_000_000
    assert (tmp_path / "answers.sqlite").stat().st_size <= MEGABYTE + 100_000


def test_what_would_fill_the_file_is_not_kept(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.put({key_of(1): b"one", key_of(2): bytes(MEGABYTE // 2)})
    assert kept.get([key_of(1), key_of(2)]) == {key_of(1): b"one"}


def test_what_is_too_old_does_not_count(tmp_path: Path) -> None:
    now = [1000.0]
    kept = Store(tmp_path / "answers.sqlite", MEGABYTE, 60.0, lambda: now[0])
    kept.put({key_of(1): b"one"})
    now[0] += 59
    assert kept.get([key_of(1)])
    now[0] += 2
    assert not kept.get([key_of(1)])


def test_a_file_that_failed_is_tried_again_later(tmp_path: Path) -> None:
    now = [1000.0]
    place = tmp_path / "folder"
    place.write_text("in the way")
    kept = Store(place / "answers.sqlite", MEGABYTE, 600.0, lambda: now[0])
    kept.put({key_of(1): b"one"})
    place.unlink()
    kept.put({key_of(1): b"one"})
    assert not kept.get([key_of(1)])
    now[0] += 61
    kept.put({key_of(1): b"one"})
    assert kept.get([key_of(1)])


def use(folder: Path, begin: int) -> int:
    """Get or put, as requests do; count the values that are wrong."""
    kept = store(folder)
    wrong = 0
    for number in range(begin, begin + 300):
        found = kept.get([key_of(number)])
        if not found:
            kept.put({key_of(number): value_of(number)})
        wrong += found not in ({}, {key_of(number): value_of(number)})
    return wrong + 1000 * kept._has_warned


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "fork"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_eight_processes_at_once(tmp_path: Path, method: str) -> None:
    begins = [100 * number for number in range(8)]
    with multiprocessing.get_context(method).Pool(8) as pool:
        assert pool.starmap(use, [(tmp_path, begin) for begin in begins], chunksize=1) == [0] * 8
    found = store(tmp_path).get([key_of(number) for number in range(1000)])
    assert found
    assert all(value == value_of(int.from_bytes(key, "big")) for key, value in found.items())


def test_eight_threads_at_once(tmp_path: Path) -> None:
    kept, wrong = store(tmp_path, 100 * MEGABYTE), []

    def work(begin: int) -> None:
        for number in range(begin, begin + 100):
            kept.put({key_of(number): value_of(number)})
            if kept.get([key_of(number)]) != {key_of(number): value_of(number)}:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(100 * each,)) for each in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(kept.get([key_of(number) for number in range(800)])) == 800


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_uses_it_too(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.put({key_of(1): b"one"})
    with kept._lock:  # as if another thread were at it
        child = os.fork()
        if not child:
            try:
                kept.put({key_of(2): b"two"})
            finally:
                os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    kept.put({key_of(3): b"three"})
    assert len(kept.get([key_of(number) for number in (1, 2, 3)])) == 3


texts = st.text(st.characters(exclude_categories=["Cs"]))
logprobs = st.builds(TokenLogprob, texts, st.floats(allow_nan=False), st.just(()))
steps = st.builds(
    Delta,
    content=texts,
    reasoning=texts,
    tool_calls=st.tuples(st.builds(ToolCallDelta, st.integers(0, 9), texts, texts, texts)),
    logprobs=st.tuples(logprobs),
    was_reasoning=st.booleans(),
)
END = Delta(finish_reason="stop", model="tiny", usage=Usage(1, 2, None, 3), timings=Timings())


@pytest.mark.slow
@given(st.lists(st.one_of(steps, st.builds(PassedDelta.of, steps, st.binary(min_size=1)))))
def test_an_answer_is_read_as_it_was_written(deltas: list[Delta]) -> None:
    *read, last = load_deltas(dump_deltas([*deltas, END]))
    assert read == deltas
    assert last.cached
    assert (last.usage, last.model) == (END.usage, END.model)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"[{}]", b"\xff", b'[{"usage": 3}]', b"[[]]"])
def test_what_is_no_answer_is_none(data: bytes) -> None:
    assert load_deltas(data) == []


def test_half_a_character_is_not_kept() -> None:
    assert dump_deltas([Delta("\ud83d"), END]) == b""


@given(st.lists(st.floats(allow_nan=False)))
def test_a_vector_is_read_as_it_was_written(vector: list[float]) -> None:
    assert load_vector(dump_vector(vector)) == vector
    assert load_vector(dump_vector(vector) + b"x") == []
