"""What passes between the rooms."""

from localmix.types.answers import (
    ChatResult,
    Delta,
    Embedded,
    EmbedResult,
    RunResult,
    SkippedText,
    Timings,
    TokenLogprob,
    ToolCallDelta,
    Usage,
)
from localmix.types.management import Model, PullProgress
from localmix.types.requests import (
    ChatRequest,
    CompletionRequest,
    EmbedRequest,
    GenerationRequest,
    Image,
    LoadRequest,
    Message,
    PullRequest,
    RouteRequest,
)
from localmix.types.servers import (
    ModelInfo,
    Route,
    Server,
    Skip,
)
from localmix.types.showing import Table
from localmix.types.tools import Tool, ToolCall, ToolLike
from localmix.types.words import (
    Capability,
    FinishReason,
    Kind,
    PullStatus,
    Purpose,
    Role,
    State,
    ThinkLevel,
)

__all__ = [
    "Capability",
    "ChatRequest",
    "ChatResult",
    "CompletionRequest",
    "Delta",
    "EmbedRequest",
    "EmbedResult",
    "Embedded",
    "FinishReason",
    "GenerationRequest",
    "Image",
    "Kind",
    "LoadRequest",
    "Message",
    "Model",
    "ModelInfo",
    "PullProgress",
    "PullRequest",
    "PullStatus",
    "Purpose",
    "Role",
    "Route",
    "RouteRequest",
    "RunResult",
    "Server",
    "Skip",
    "SkippedText",
    "State",
    "Table",
    "ThinkLevel",
    "Timings",
    "TokenLogprob",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolLike",
    "Usage",
]
