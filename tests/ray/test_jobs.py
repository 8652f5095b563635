"""Jobs on a cluster: nothing lost and nothing twice, whatever is killed meanwhile."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="make test-ray")

import ray

import localmix.ray
from localmix import Client
from localmix.errors import ConfigError, ModelChangedError, ModelNotFoundError
from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, whole
from tests.ray.conftest import HEAD
from tests.ray.jobs import OPTIONS, ROWS, Embedder, is_right, write_rows

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.timeout(600),
]
Start = Callable[[LoopbackServer], LoopbackServer]


@pytest.fixture
def rows(tmp_path: Path) -> str:
    return write_rows(tmp_path / "rows.parquet")


@pytest.fixture
def results(tmp_path: Path) -> str:
    return str(tmp_path / "deep" / "results")


def test_a_driver_that_is_killed_is_gone_on_from(
    cluster: Any, start: Start, rows: str, results: str
) -> None:
    slow, quick = Embedder(0.2), Embedder()
    url = start(stand_ins.ollama(POST__api_embed=slow)).url
    program = [sys.executable, "-m", "tests.ray.driver", cluster.address, HEAD, url, rows, results]
    with subprocess.Popen(program) as driver:  # whose words pytest shows if this fails
        try:
            slow.wait(texts=ROWS // 2)
        finally:
            driver.kill()
    kept = sorted(Path(results).glob("*.parquet"))
    kept[0].write_bytes(kept[0].read_bytes()[:-9])  # as if it had been killed meanwhile
    url = start(stand_ins.ollama(POST__api_embed=quick)).url
    made = localmix.ray.embed(
        ray.data.read_parquet(rows), client=Client(url), path=results, **OPTIONS
    )
    assert is_right(made.take_all())
    assert max(count for text, count in quick.asked.items() if text.startswith("text ")) == 1
    assert 20 <= quick.numbered < ROWS


def test_a_node_that_is_killed_loses_nothing(
    cluster: Any, second_node: Any, start: Start, rows: str, results: str
) -> None:
    embedder = Embedder(0.1)
    url = start(stand_ins.ollama(POST__api_embed=embedder)).url

    def kill() -> None:
        embedder.wait(texts=ROWS // 4, at_once=2)
        cluster.remove_node(second_node, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    made = localmix.ray.embed(
        ray.data.read_parquet(rows),
        client=Client(url),
        path=results,
        actors=2,
        actor_options={"num_cpus": 2},  # of three that a node has: one on each
        **OPTIONS,
    )
    killer.join()
    assert second_node not in cluster.list_all_nodes()
    assert is_right(made.take_all())


@pytest.mark.usefixtures("cluster")
def test_what_is_in_the_folder_is_of_one_job(start: Start, rows: str, results: str) -> None:
    def other(exchange: Exchange) -> None:
        vectors = [[0.5, -1.0] for _ in exchange.json["input"]]
        whole({"model": "embed", "embeddings": vectors})(exchange)

    client = Client(start(stand_ins.ollama(POST__api_embed=Embedder())).url)
    dataset = ray.data.read_parquet(rows).limit(40)
    job: Any = {**OPTIONS, "client": client, "path": results}
    assert is_right(localmix.ray.embed(dataset, **job).take_all(), 40)
    with pytest.raises(ConfigError, match="are of another job"):
        localmix.ray.embed(dataset, **job, dimensions=1)
    job["client"] = Client(start(stand_ins.ollama(POST__api_embed=other)).url)
    with pytest.raises(ModelChangedError, match="is not the model with which this job began"):
        localmix.ray.embed(dataset, **job)


@pytest.mark.usefixtures("cluster")
def test_mistakes_are_told_as_ours(start: Start, rows: str, results: str) -> None:
    client = Client(start(stand_ins.ollama(POST__api_embed=Embedder())).url)
    dataset = ray.data.read_parquet(rows)
    with pytest.raises(ConfigError, match="path needs an id_column"):
        localmix.ray.embed(dataset, column="text", client=client, path=results)
    with pytest.raises(ConfigError, match="no_option"):
        localmix.ray.generate(dataset, prompt="{text}", no_option=1)  # type: ignore[call-arg]
    with pytest.raises(ModelNotFoundError):
        localmix.ray.embed(dataset, column="text", model="nobody", client=client)
    made = localmix.ray.generate(dataset, prompt="{title}", model="tiny", client=client)
    with pytest.raises(ConfigError, match="The columns are id, text"):
        made.take(1)


@pytest.mark.usefixtures("cluster")
def test_answers_with_rows_set_aside(start: Start) -> None:
    def chat(exchange: Exchange) -> None:
        said = exchange.json["messages"][0]["content"]
        if said == "Say no":
            whole({"error": "the input length exceeds the context length"}, status=400)(exchange)
        else:
            answer = {**stand_ins.OLLAMA_DONE, "message": {"role": "assistant", "content": said}}
            whole(answer)(exchange)

    client = Client(start(stand_ins.ollama(POST__api_chat=chat)).url)
    dataset = ray.data.from_items([{"word": "yes"}, {"word": "no"}])
    made = localmix.ray.generate(
        dataset, prompt="Say {word}", model="tiny", client=client, skip_bad=True
    )
    one, other = sorted(made.take_all(), key=lambda row: str(row["word"]), reverse=True)
    assert (one["answer"], one["reason"]) == ("Say yes", "")
    assert other["answer"] is None
    assert "context" in other["reason"]
