"""Name a model, never a server: one client for Ollama, LM Studio and llama.cpp."""

from localmix import errors
from localmix.client import AsyncClient, Client
from localmix.errors import LocalMixError
from localmix.streams import AsyncSteps, AsyncStream, Steps, Stream
from localmix.types import (
    ChatRequest,
    ChatResult,
    CompletionRequest,
    Delta,
    Embedded,
    EmbedRequest,
    EmbedResult,
    Image,
    Message,
    Model,
    ModelInfo,
    PullStep,
    Route,
    Server,
    Skip,
    Timings,
    Tool,
    ToolCall,
    Usage,
)

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "AsyncSteps",
    "AsyncStream",
    "ChatRequest",
    "ChatResult",
    "Client",
    "CompletionRequest",
    "Delta",
    "EmbedRequest",
    "EmbedResult",
    "Embedded",
    "Image",
    "LocalMixError",
    "Message",
    "Model",
    "ModelInfo",
    "PullStep",
    "Route",
    "Server",
    "Skip",
    "Steps",
    "Stream",
    "Timings",
    "Tool",
    "ToolCall",
    "Usage",
    "errors",
]
