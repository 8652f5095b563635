"""What a caller says: validated when it is made, and immutable."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self, Unpack

from pydantic import BeforeValidator, Field, field_validator, model_validator

from localmix.errors import ConfigError
from localmix.types.checked import Exact
from localmix.types.spellings import Form, Seconds, Stops, Think, TokenLimit
from localmix.types.tools import Tool, ToolCall, to_tool, to_tool_choice
from localmix.types.words import Capability, Purpose, Role

if TYPE_CHECKING:
    from localmix.types.options import ChatOptions, CompletionOptions, EmbedOptions


class Image(Exact):
    """An image as bytes; localmix neither opens files nor fetches URLs by itself."""

    data: bytes = Field(repr=False, min_length=1)
    media_type: str = Field(default="image/png", pattern=r"^image/[\w.+-]+$")

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read a `data:` URI.

        Raises:
            ConfigError: The URL is of another kind. A path or a remote address could make a server
                read what the caller never meant to show it, so it must be read by the caller.
        """
        head, comma, body = url.partition(",")
        if not (head.startswith("data:") and head.endswith(";base64") and comma):
            raise ConfigError(
                f"An image must be bytes or a base64 data: URI, not {url[:40]!r}.",
                hint="Read the file or fetch the URL yourself and pass Image(data=...).",
            )
        return cls.from_base64(body, head[len("data:") : -len(";base64")] or "image/png")

    @classmethod
    def from_base64(cls, text: str, media_type: str = "image/png") -> Self:
        """Read base64, with or without line ends.

        Raises:
            ConfigError: It is none.
        """
        try:
            data = base64.b64decode("".join(text.split()), validate=True)
        except ValueError as error:  # also what is no ASCII
            raise ConfigError(f"The image's base64 cannot be read: {error}.") from error
        return cls(data=data, media_type=media_type)

    @property
    def base64(self) -> str:
        """Encode the bytes as standard base64 with padding."""
        return base64.b64encode(self.data).decode("ascii")


def _tools(written: Any) -> Any:
    return tuple(map(to_tool, written)) if isinstance(written, Iterable) else written or ()


_Parts = Annotated[tuple[str | Image, ...], Field(strict=False)]
_Tools = Annotated[tuple[Tool, ...], BeforeValidator(_tools)]


class Message(Exact):
    """One turn of a conversation.

    `content` is text, or text and images in their order. `reasoning` is what the model thought
    before it answered; give it back on later turns. A tool's result names its call. `name` says who
    speaks where several do; servers with OpenAI's API are told of it, Ollama has no place for it.
    """

    role: Role
    content: str | _Parts = ""
    reasoning: str = ""
    tool_calls: Annotated[tuple[ToolCall, ...], Field(strict=False)] = ()
    tool_call_id: str = ""
    tool_name: str = ""
    name: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            role: Role,
            content: str | Sequence[str | Image] = "",
            reasoning: str = "",
            tool_calls: Sequence[ToolCall] = (),
            tool_call_id: str = "",
            tool_name: str = "",
            name: str = "",
        ) -> None: ...

    @model_validator(mode="after")
    def _a_result_names_its_call(self) -> Self:
        if self.role == "tool" and not self.tool_call_id:
            raise ValueError("a tool message needs the tool_call_id of the call it answers")
        return self

    @property
    def text(self) -> str:
        """The text parts, with line breaks between them; images are left out."""
        if isinstance(self.content, str):
            return self.content
        return lines(part for part in self.content if isinstance(part, str))

    @property
    def images(self) -> tuple[Image, ...]:
        """The images, in order."""
        if isinstance(self.content, str):
            return ()  # its letters are many
        return tuple(part for part in self.content if isinstance(part, Image))


def lines(texts: Iterable[str]) -> str:
    """Put texts together, with a line break where nothing else keeps them apart."""
    joined = ""
    for text in texts:
        is_glued = joined[-1:].strip() and text[:1].strip()
        joined += f"\n{text}" if is_glued else text
    return joined


class GenerationRequest(Exact):
    """What a chat and a text completion have in common.

    Every option is optional: what is not set is not sent, and the server's own default holds.

    Attributes:
        model: Name of the model; `None` takes the best suitable one.
        max_tokens: The most tokens to write; `None`, or -1 as Ollama and LM Studio have it, leaves
            it to the server, which stops when its window is full.
        stop: Texts to stop before; one of them may stand alone.
        num_ctx: Context window in tokens that the request needs.
        keep_alive: Seconds the server should keep the model loaded afterwards, where it unloads
            models, or a duration such as `"5m"`; negative means for ever, 0 at once.
        extra: Wire keys to send as they are, for what has no name here.
    """

    model: str | None = None
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_k: int | None = Field(default=None, ge=0)
    min_p: float | None = Field(default=None, ge=0, le=1)
    typical_p: float | None = Field(default=None, ge=0, le=1)
    seed: int | None = None
    stop: Annotated[Stops, Field(strict=False)] = ()
    max_tokens: TokenLimit = None
    repeat_penalty: float | None = None
    repeat_last_n: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    num_ctx: int | None = Field(default=None, ge=1)
    num_keep: int | None = None
    logprobs: bool = False
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    keep_alive: Seconds | None = None
    extra: dict[str, Any] = Field(default_factory=dict)


class _Kept(Exact):
    """Whether an answer may come from the cache, and be kept there.

    Attributes:
        cache: `None` lets the request decide: vectors may, and what is asked with temperature 0 or
            a seed. It says nothing where no cache is set.
    """

    cache: bool | None = None


class ChatRequest(GenerationRequest, _Kept):
    """A request for the next turn of a conversation.

    Attributes:
        tools: Python functions, pydantic classes, definitions as OpenAI writes them, or `Tool`s.
        tool_choice: `auto`, `none`, `required`, or the name of the tool that must be called.
        parallel_tool_calls: Whether one answer may call several tools; with `False` the first call
            counts, also where the server cannot be told.
        response_format: `"json"`, or the JSON schema that the answer must follow, also as a
            pydantic class or in OpenAI's dictionary.
        think: Whether, or how much, the model should think first; `None` is its default. The words
            of other APIs are read too: `"none"`, `"minimal"`, `"xhigh"`, `{"effort": "low"}`.
    """

    messages: Annotated[tuple[Message, ...], Field(strict=False, min_length=1)]
    tools: _Tools = ()
    tool_choice: Annotated[str, BeforeValidator(to_tool_choice)] = "auto"
    parallel_tool_calls: bool | None = None
    response_format: Form = None
    think: Think = None

    if TYPE_CHECKING:

        def __init__(
            self, *, messages: Sequence[Message], **options: Unpack[ChatOptions]
        ) -> None: ...

    @field_validator("messages")
    @classmethod
    def _something_to_answer(cls, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        # Quirk (ollama): a conversation of nothing but system messages only loads the model.
        if all(message.role == "system" for message in messages):
            raise ValueError("there is nothing to answer: every message is a system message")
        return messages

    @model_validator(mode="after")
    def _the_chosen_tool_exists(self) -> Self:
        names = [tool.name for tool in self.tools]
        if self.tool_choice == "required" and not names:
            raise ValueError("tool_choice is 'required', but there are no tools")
        if self.tool_choice not in ("auto", "none", "required", *names):
            raise ValueError(f"tool_choice {self.tool_choice!r} is not one of the tools {names}")
        return self


def calls_once(request: GenerationRequest) -> bool:
    """Tell whether one tool call is the most that an answer may have."""
    return isinstance(request, ChatRequest) and request.parallel_tool_calls is False


class CompletionRequest(GenerationRequest, _Kept):
    """A request for the continuation of a text, without a chat template.

    Attributes:
        suffix: Text that follows the gap, for models that can fill one in.
    """

    prompt: str = Field(min_length=1)
    suffix: str = ""

    if TYPE_CHECKING:

        def __init__(self, *, prompt: str, **options: Unpack[CompletionOptions]) -> None: ...


class EmbedRequest(_Kept):
    """A request for the vectors of some texts.

    Attributes:
        dimensions: Length to cut the vectors to, for models that allow it.
        truncate: Whether a text that is too long may be cut; otherwise it is an error.
        skip_bad: Whether a text that the model gives no vector for is left out, with an empty
            vector in its place, instead of failing the request; see `EmbedResult.skipped`.
        chunk_size: The most texts to send in one request.
        concurrency: The most requests to have on their way at once.
        spread: Whether the server that has least to do is the best, whatever the order of the
            servers.
    """

    texts: Annotated[tuple[str, ...], Field(strict=False)]
    model: str | None = None
    dimensions: int | None = Field(default=None, ge=1)
    truncate: bool = False
    keep_alive: Seconds | None = None
    skip_bad: bool = False
    chunk_size: int = Field(default=128, ge=1)
    concurrency: int = Field(default=4, ge=1)
    spread: bool = False

    if TYPE_CHECKING:

        def __init__(self, *, texts: Sequence[str], **options: Unpack[EmbedOptions]) -> None: ...

    @field_validator("texts")
    @classmethod
    def _no_text_is_empty(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        # Quirk (ollama 0.12.11, 0.32.15): an empty text alone gives `embeddings: []`;
        # LM Studio 0.3.3 crashed on one. There is no vector that would be right.
        for index, text in enumerate(texts):
            if not text:
                raise ValueError(f"texts[{index}] is empty, and an empty text has no embedding")
        return texts


class RouteRequest(Exact):
    """The question of where a request would go.

    Attributes:
        purpose: Whether it would be a chat or completion, or an embedding.
        needs: What the model must be able to do.
        num_ctx: Context window in tokens that it would need.
    """

    model: str | None = None
    purpose: Purpose = "chat"
    needs: Annotated[frozenset[Capability], Field(strict=False)] = frozenset()
    num_ctx: int | None = Field(default=None, ge=1)


class LoadRequest(Exact):
    """A request to bring a model into memory; what is `None` is the server's to decide.

    Attributes:
        model: Its name; without one, the model for chats that name none.
        num_ctx: Context window in tokens.
        keep_alive: Seconds to stay without a request, or `"5m"`; negative means for ever.
    """

    model: str | None = None
    num_ctx: int | None = Field(default=None, ge=1)
    keep_alive: Seconds | None = None

    @field_validator("keep_alive")
    @classmethod
    def _it_stays(cls, seconds: float | None) -> float | None:
        if seconds == 0:
            raise ConfigError("keep_alive=0 would unload the model at once.", hint="Call unload().")
        return seconds


class PullRequest(Exact):
    """A request to fetch a model.

    Attributes:
        model: Its name; `ollama/NAME` or `lmstudio/NAME` chooses the server, else the first one
            does it that has the name in its catalogue.
        insecure: Whether Ollama may fetch from a registry without TLS.
        progress: Whether to draw a bar while the steps are iterated over; needs rich or tqdm.
    """

    model: str
    insecure: bool = False
    progress: bool = False
