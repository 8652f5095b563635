"""Our embedding class in LlamaIndex's pipeline for Ray."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("llama_index.ingestion.ray", reason="make test-ray")

from llama_index.core.schema import TextNode
from llama_index.ingestion.ray import RayIngestionPipeline, RayTransformComponent

from llamaindex_localmix import LocalMixEmbedding
from tests import stand_ins
from tests.loopback import LoopbackServer
from tests.ray.jobs import Embedder, vector_of

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.timeout(600),
]


@pytest.mark.usefixtures("cluster")
def test_the_ingestion_pipeline(start: Callable[[LoopbackServer], LoopbackServer]) -> None:
    url = start(stand_ins.ollama(POST__api_embed=Embedder())).url
    embedding: Any = RayTransformComponent(
        transform_class=LocalMixEmbedding,
        transform_kwargs={"model_name": "embed", "servers": url},
        map_batches_kwargs={"batch_size": 32, "num_cpus": 1},
    )
    nodes = [TextNode(text=f"text {number}") for number in range(100)]
    made = RayIngestionPipeline(transformations=[embedding]).run(nodes=nodes)
    assert {node.get_content(): node.embedding for node in made} == {
        node.text: vector_of(node.text) for node in nodes
    }
