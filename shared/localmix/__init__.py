"""Name a model, never a server: one client for Ollama, LM Studio and llama.cpp."""

from typing import TYPE_CHECKING, Any

from localmix import errors
from localmix.client import AsyncClient, Client
from localmix.errors import LocalMixError
from localmix.following import AsyncSteps, AsyncStream, Steps, Stream
from localmix.types import (
    ChatRequest,
    ChatResult,
    CompletionRequest,
    Delta,
    Embedded,
    EmbedRequest,
    EmbedResult,
    Image,
    LoadRequest,
    Message,
    Model,
    ModelInfo,
    PullProgress,
    PullRequest,
    Route,
    RouteRequest,
    RunResult,
    Server,
    Skip,
    SkippedText,
    Timings,
    TokenLogprob,
    Tool,
    ToolCall,
    Usage,
)

if TYPE_CHECKING:
    from localmix.settings import ServerConfig, Settings

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
    "LoadRequest",
    "LocalMixError",
    "Message",
    "Model",
    "ModelInfo",
    "PullProgress",
    "PullRequest",
    "Route",
    "RouteRequest",
    "RunResult",
    "Server",
    "ServerConfig",
    "Settings",
    "Skip",
    "SkippedText",
    "Steps",
    "Stream",
    "Timings",
    "TokenLogprob",
    "Tool",
    "ToolCall",
    "Usage",
    "errors",
]

_OF_SETTINGS = ("ServerConfig", "Settings")


def __getattr__(name: str) -> Any:
    """Import the settings for whoever names them: an import of localmix does without."""
    if name not in _OF_SETTINGS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from localmix import settings

    return getattr(settings, name)


def __dir__() -> list[str]:
    """List what there is to name, for completion."""
    return [*__all__, "__version__"]
