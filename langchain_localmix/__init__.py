"""LangChain on whichever local model server is there."""

from langchain_localmix.chat_models import ChatLocalMix
from langchain_localmix.embeddings import LocalMixEmbeddings

__all__ = ["ChatLocalMix", "LocalMixEmbeddings"]
