"""Name a model, never a server: one client for Ollama, LM Studio and llama.cpp."""

from localmix import errors
from localmix.client import AsyncClient, AsyncStream, Client, Stream
from localmix.errors import LocalMixError
from localmix.types import (
    ChatRequest,
    ChatResult,
    CompletionRequest,
    Delta,
    EmbedRequest,
    EmbedResult,
    Image,
    Message,
    ModelInfo,
    Route,
    Server,
    Timings,
    Tool,
    ToolCall,
    Usage,
)

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "AsyncStream",
    "ChatRequest",
    "ChatResult",
    "Client",
    "CompletionRequest",
    "Delta",
    "EmbedRequest",
    "EmbedResult",
    "Image",
    "LocalMixError",
    "Message",
    "ModelInfo",
    "Route",
    "Server",
    "Stream",
    "Timings",
    "Tool",
    "ToolCall",
    "Usage",
    "errors",
]
