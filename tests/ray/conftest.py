"""A cluster of this machine, on loopback alone, one for all tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HEAD = "127.0.0.2"
_MEGABYTES_OF_OBJECTS = 100 * 2**20
_NODE: Any = {"num_cpus": 3, "object_store_memory": _MEGABYTES_OF_OBJECTS}


@pytest.fixture(scope="session")
def cluster(empty_home: Path) -> Iterator[Any]:
    """Start a cluster of one node, which is joined."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    # Paths of sockets must be short, and Ray's own folder is everybody's.
    folder = tempfile.mkdtemp(prefix="lm-", dir="/tmp")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(empty_home))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "disabled")
        head = {**_NODE, "node_ip_address": HEAD, "temp_dir": folder, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            ray.init(address=cluster.address, _node_ip_address=HEAD, log_to_driver=False)
            yield cluster
        finally:
            ray.shutdown()
            cluster.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def second_node(cluster: Any) -> Iterator[Any]:
    """Start another node, for one test."""
    node = cluster.add_node(**_NODE, node_ip_address="127.0.0.3")
    yield node
    if node in cluster.list_all_nodes():
        cluster.remove_node(node)
