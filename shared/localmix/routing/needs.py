"""What a request needs of a model, and whether a model has it."""

from __future__ import annotations

from dataclasses import dataclass

from localmix.types import (
    Capability,
    ChatRequest,
    CompletionRequest,
    EmbedRequest,
    GenerationRequest,
    ModelInfo,
    Purpose,
)

_WORDS: dict[Capability, str] = {
    "tools": "call tools",
    "vision": "see images",
    "thinking": "think before it answers",
    "insert": "fill in a gap (suffix)",
}
# English text; used only to foretell how long a prompt takes.
_LETTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Needs:
    """What decides where a request may go.

    Attributes:
        window: The context window asked for, in tokens.
        prompt_tokens: About how long the prompt is.
        output_tokens: The most tokens of the answer; `None` if unbounded.
        conversation: What is the same in all turns of a conversation; `None` if it has none.
        is_continued: Whether the conversation has had an answer before.
        is_spread: Whether no server is better than another but by what it has to do.
    """

    model: str | None = None
    purpose: Purpose = "chat"
    capabilities: frozenset[Capability] = frozenset()
    window: int | None = None
    prompt_tokens: int = 0
    output_tokens: int | None = None
    conversation: int | None = None
    is_continued: bool = False
    is_spread: bool = False

    def lacking(self, model: ModelInfo) -> str:
        """Say what a model cannot do of this; empty if it can all, or may."""
        cannot = [_WORDS[each] for each in sorted(self.capabilities) if model.can(each) is False]
        if self.window and model.context_length and self.window > model.context_length:
            cannot.append(f"have a window of {self.window} tokens (at most {model.context_length})")
        return " nor ".join(cannot)


def needs_of(request: GenerationRequest | EmbedRequest) -> Needs:
    """Read what a request needs."""
    if isinstance(request, EmbedRequest):
        return Needs(
            request.model,
            "embedding",
            prompt_tokens=_tokens(*request.texts),
            output_tokens=0,
            is_spread=request.spread,
        )
    if isinstance(request, ChatRequest):
        return _chat_needs(request)
    assert isinstance(request, CompletionRequest)  # noqa: S101  (there are no others)
    return Needs(
        request.model,
        capabilities=frozenset({"insert"} if request.suffix else ()),
        window=request.num_ctx,
        prompt_tokens=_tokens(request.prompt),
        output_tokens=request.max_tokens,
    )


def _chat_needs(request: ChatRequest) -> Needs:
    capabilities: set[Capability] = set()
    if request.tools and request.tool_choice != "none":
        capabilities.add("tools")
    if any(message.images for message in request.messages):
        capabilities.add("vision")
    if request.think:
        capabilities.add("thinking")
    return Needs(
        request.model,
        capabilities=frozenset(capabilities),
        window=request.num_ctx,
        prompt_tokens=_tokens(*(message.text for message in request.messages)),
        output_tokens=request.max_tokens,
        conversation=_conversation(request),
        is_continued=any(message.role == "assistant" for message in request.messages),
    )


def _conversation(request: ChatRequest) -> int:
    """Name what a server has in its cache after the first turn: all up to the first question."""
    head = []
    for message in request.messages:
        head.append((message.role, message.content))
        if message.role == "user":
            break
    return hash((request.model, tuple(tool.name for tool in request.tools), tuple(head)))


def _tokens(*texts: str) -> int:
    return sum(map(len, texts)) // _LETTERS_PER_TOKEN
