"""A program that embeds on a cluster, to be killed: ADDRESS NODE SERVER ROWS RESULTS."""

from __future__ import annotations

import sys

import ray

import localmix.ray
from localmix import Client
from tests.ray.jobs import OPTIONS


def main(address: str, node: str, server: str, rows: str, results: str) -> None:
    ray.init(address=address, _node_ip_address=node)
    dataset = ray.data.read_parquet(rows)
    localmix.ray.embed(dataset, client=Client(server), path=results, **OPTIONS)


if __name__ == "__main__":
    main(*sys.argv[1:])
