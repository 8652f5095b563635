"""The folder of results: what counts as done, and what is not ours."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="make test-ray")

from localmix.errors import ConfigError
from localmix.ray.results import Results
from tests.ray.jobs import write_rows

pytestmark = pytest.mark.ray


def test_what_is_done_is_what_is_whole(tmp_path: Path) -> None:
    results = Results(str(tmp_path / "deep"), "id")
    assert results.begun({"into": "vector"}) is None
    results.begin({"into": "vector"}, {"model": "tiny"})
    assert results.begun({"into": "vector"}) == {"model": "tiny"}
    assert results.done().to_pylist() == []
    write_rows(tmp_path / "deep" / "1.parquet", 3)
    whole = Path(write_rows(tmp_path / "deep" / "2.parquet", 9))
    whole.write_bytes(whole.read_bytes()[:-5])
    assert sorted(results.done().to_pylist()) == [0, 1, 2]
    assert not whole.exists()
    with pytest.raises(ConfigError, match="have no column 'number'"):
        Results(str(tmp_path / "deep"), "number").done()


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    other = Path(write_rows(tmp_path / "other.parquet", 3))
    with pytest.raises(ConfigError, match="no results of localmix"):
        Results(str(tmp_path), "id").begin({}, {})
    (tmp_path / "_localmix.json").write_text("[]")
    with pytest.raises(ConfigError, match="no label of this version"):
        Results(str(tmp_path), "id").begun({})
    assert other.exists()
