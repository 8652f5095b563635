"""What actors do with rows: vectors of their texts, or answers to what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, Self

from localmix.caching.keys import answer_key, vector_options
from localmix.errors import ConfigError, ContextLengthError, UnusableAnswerError
from localmix.ray.identity import Identity, of_answers, of_vectors
from localmix.types import EmbedRequest
from localmix.types.build import Conversation, chat_request

if TYPE_CHECKING:
    import pyarrow as pa

    from localmix import Client

Row = dict[str, Any]
Prompt = str | Callable[[Row], Conversation]


class Made(NamedTuple):
    """What came of a row: a value, or the reason why there is none."""

    value: object
    reason: str = ""


class Work(Protocol):
    """What is to be done with each row.

    Attributes:
        gives_vectors: Whether a vector comes of a row; else it is a text.
        into: The column for that.
        options: Those of the requests.
        skip_bad: Whether rows are set aside of which nothing can come.
    """

    gives_vectors: ClassVar[bool]
    into: str
    options: dict[str, Any]
    skip_bad: bool

    def facts(self) -> dict[str, Any]:
        """Tell what the results hang on beside the model and the rows.

        Raises:
            ConfigError: An option is wrong.
        """

    def look(self, client: Client) -> Identity:
        """See which model would be asked."""

    def of_model(self, name: str) -> Self:
        """Give the same work for the model of a name."""

    def do(self, client: Client, rows: pa.Table) -> Sequence[Made]:
        """Do it."""


@dataclass
class _Work:
    into: str
    options: dict[str, Any]
    skip_bad: bool

    def of_model(self, name: str) -> Self:
        """Give the same work for the model of a name."""
        return replace(self, options={**self.options, "model": name})


@dataclass
class Vectors(_Work):
    """The vectors of the texts in a column."""

    gives_vectors: ClassVar[bool] = True
    column: str

    def facts(self) -> dict[str, Any]:
        """Tell what a vector hangs on."""
        request = EmbedRequest(texts=(), **self.options)
        return {"into": self.into, "column": self.column, **vector_options(request)}

    def look(self, client: Client) -> Identity:
        """See which model would be asked, and what it makes of a fixed text."""
        return of_vectors(client, self.options)

    def do(self, client: Client, rows: pa.Table) -> Sequence[Made]:
        """Embed the texts by all servers that the client knows."""
        texts = rows.column(self.column).to_pylist()
        vectors = client.embed_many(texts, **self.options)
        return [Made(each.vector or None, each.reason) for each in vectors]


@dataclass
class Answers(_Work):
    """A model's answers to a prompt made of each row."""

    gives_vectors: ClassVar[bool] = False
    prompt: Prompt
    concurrency: int

    def facts(self) -> dict[str, Any]:
        """Tell what an answer hangs on."""
        prompt = self.prompt if isinstance(self.prompt, str) else self.prompt.__qualname__
        options = answer_key("", chat_request(prompt, self.options))
        return {"into": self.into, "prompt": prompt, "options": options.hex()}

    def look(self, client: Client) -> Identity:
        """See which model would be asked."""
        return of_answers(client, self.options)

    def do(self, client: Client, rows: pa.Table) -> Sequence[Made]:
        """Ask for some answers at a time."""
        with ThreadPoolExecutor(self.concurrency) as threads:
            return list(threads.map(partial(self._ask, client), rows.to_pylist()))

    def _ask(self, client: Client, row: Row) -> Made:
        try:
            return Made(client.chat(prompt_of(row, self.prompt), **self.options).content)
        except (ContextLengthError, UnusableAnswerError) as error:
            if not self.skip_bad:
                raise
            return Made(None, error.message)


def prompt_of(row: Row, prompt: Prompt) -> Conversation:
    """Make the prompt of a row.

    Raises:
        ConfigError: It names a column that is not there.
    """
    if not isinstance(prompt, str):
        return prompt(row)
    try:
        return prompt.format_map(row)
    except (LookupError, ValueError) as error:
        raise ConfigError(
            f"The prompt {prompt!r} cannot be filled in: {error}.",
            hint=f"The columns are {', '.join(row)}; a brace that is meant is written twice.",
        ) from error
