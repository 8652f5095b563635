"""LlamaIndex on whichever local model server is there."""

from llamaindex_localmix.embeddings import LocalMixEmbedding
from llamaindex_localmix.llms import LocalMix

__all__ = ["LocalMix", "LocalMixEmbedding"]
