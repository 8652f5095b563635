"""What `localmix.ray.embed` costs beside `embed_many`, on one machine and the same servers.

Each server takes a fixed time for a text and works on one request after the other. Ray's own start
is told apart; the seconds of a job hold the start of its actors, and the Parquet files. It needs
`make test-ray` once.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from contextlib import ExitStack
from importlib.metadata import version

from bulk import MILLISECONDS, numbered
from layers import loopback

SERVERS = 4
TEXTS = 16_384


def main() -> None:
    print(__doc__)
    print(f"Python {platform.python_version()}, {platform.machine()}, ray {version('ray')}")
    folder = tempfile.mkdtemp(prefix="lm-", dir="/tmp")  # paths of sockets must be short
    try:
        with ExitStack() as stack:
            urls = [
                stack.enter_context(loopback(milliseconds=MILLISECONDS)) for _ in range(SERVERS)
            ]
            measure(urls, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(urls: list[str], folder: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    print(f"\n{SERVERS} servers that take {MILLISECONDS:g} ms for a text, {TEXTS:,} texts")
    began = time.perf_counter()
    embed_many(urls)
    tell("embed_many", began)
    rows = f"{folder}/rows.parquet"
    pq.write_table(pa.table({"id": range(TEXTS), "text": list(numbered(TEXTS))}), rows)
    began = time.perf_counter()
    join(folder)
    print(f"{'Ray begins':38}{time.perf_counter() - began:>10.1f} s")
    for actors in (1, 2):
        began = time.perf_counter()
        embed_with_ray(urls, rows, f"{folder}/{actors}", actors)
        tell(f"localmix.ray.embed, actors={actors}", began)
    began = time.perf_counter()
    embed_with_ray(urls, rows, f"{folder}/1", 1)
    tell("the same again: all is done", began)


def tell(name: str, began: float) -> None:
    seconds = time.perf_counter() - began
    print(f"{name:38}{seconds:>10.1f} s{TEXTS / seconds:>10,.0f} texts/s")


def join(folder: str) -> None:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray

    ray.init(
        num_cpus=4,  # as it is told: fewer leave Ray Data none to read with
        include_dashboard=False,
        object_store_memory=200 * 2**20,
        log_to_driver=False,
        logging_level="ERROR",
        _node_ip_address="127.0.0.1",
        _temp_dir=folder,
    )
    ray.data.DataContext.get_current().enable_progress_bars = False


def embed_many(urls: list[str]) -> None:
    from localmix import Client

    with Client(urls) as client:
        assert sum(bool(each.vector) for each in client.embed_many(numbered(TEXTS), model="bench"))


def embed_with_ray(urls: list[str], rows: str, path: str, actors: int) -> None:
    import ray.data

    import localmix.ray
    from localmix import Client

    made = localmix.ray.embed(
        ray.data.read_parquet(rows),
        column="text",
        model="bench",
        client=Client(urls),
        path=path,
        id_column="id",
        actors=actors,
    )
    assert made.count() == TEXTS


if __name__ == "__main__":
    main()
