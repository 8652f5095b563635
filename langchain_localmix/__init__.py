"""LangChain on whichever local model server is there."""

from langchain_localmix.chat_models import ChatLocalMix
from langchain_localmix.embeddings import LocalMixEmbeddings
from langchain_localmix.llms import LocalMixLLM
from localmix import __version__

__all__ = ["ChatLocalMix", "LocalMixEmbeddings", "LocalMixLLM", "__version__"]
