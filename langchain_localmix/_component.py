"""What the three classes have in common inside LangChain."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from math import ceil
from typing import Any, ClassVar, Literal, Self

from langchain_core.language_models import BaseLanguageModel
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, model_validator

import localmix
from langchain_localmix._convert import PROVIDER
from langchain_localmix._errors import model_errors
from localmix import ModelInfo, Route
from localmix.adapting.connected import Connected, Generating
from localmix.types import Capability
from localmix.types.arguments import Names, by_our_names
from localmix.types.peers import names_of_peers

Tools = Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool]
# The framework's own classes would ignore misspelt options without a word.
STRICT = ConfigDict(extra="forbid")
_LETTERS_PER_TOKEN = 4  # as core's own estimate has it


class Component(Connected):
    """Arguments under their other names as well, and where requests would go."""

    also_called: ClassVar[Names] = names_of_peers("reasoning")

    def __init__(self, **given: Any) -> None:
        with model_errors():
            super().__init__(**given)

    # The errors of what is asked beside the requests are LangChain's too.

    def route(self, needs: Collection[Capability] = (), num_ctx: int | None = None) -> Route:
        """Tell where a request would go, why, and where it would go next, without sending it.

        Args:
            needs: What it would need, such as `tools`, `vision` or `thinking`.
            num_ctx: The context window that it would need, in tokens.

        Raises:
            NoServerError: No server answered.
            ModelNotFoundError: No server holds the model.
        """
        with model_errors():
            return super().route(needs, num_ctx)

    async def aroute(self, needs: Collection[Capability] = (), num_ctx: int | None = None) -> Route:
        """Tell where a request would go, without sending it; see `route`."""
        with model_errors():
            return await super().aroute(needs, num_ctx)

    def list_models(self) -> list[ModelInfo]:
        """List the models of all servers.

        Raises:
            NoServerError: No server answered.
        """
        with model_errors():
            return super().list_models()

    async def alist_models(self) -> list[ModelInfo]:
        """List the models of all servers; see `list_models`."""
        with model_errors():
            return await super().alist_models()

    def preload(self) -> Route | None:
        """Have the model loaded, so that the first answer need not wait for it.

        Returns:
            Where it was loaded.
        """
        with model_errors():
            return super().preload()

    async def apreload(self) -> Route | None:
        """Have the model loaded; see `preload`."""
        with model_errors():
            return await super().apreload()


class Asking(Component, Generating, BaseLanguageModel[Any]):
    """What a chat and a text completion have in common.

    Attributes:
        streaming: Whether `invoke` streams as well, so that callbacks see each token.
    """

    ls_model_type: ClassVar[Literal["chat", "llm"]]

    streaming: bool = False

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Let LangChain's `dumps` write it."""
        return True

    @property
    def lc_secrets(self) -> dict[str, str]:
        """The environment variable that stands for the token in what `dumps` writes."""
        return {"api_key": "LM_API_TOKEN"}

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """The servers as addresses alone, also those of a shared client."""
        return {"servers": self._addresses, "base_url": None} if self._addresses else {}

    @model_validator(mode="after")
    def _add_localmix_version(self) -> Self:
        self._add_version("localmix", localmix.__version__)
        return self

    @property
    def _identifying_params(self) -> dict[str, Any]:
        """What decides an answer; no secret is among it."""
        return self.options(servers=self._addresses)

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        with model_errors():
            said = by_our_names(kwargs, self.also_called, self._own_names())
        asked = self._identifying_params | said
        params = LangSmithParams(
            ls_provider=PROVIDER,
            ls_model_type=self.ls_model_type,
            ls_model_name=asked["model"] or "auto",
        )
        if asked["temperature"] is not None:
            params["ls_temperature"] = asked["temperature"]
        if asked["max_tokens"] is not None:
            params["ls_max_tokens"] = asked["max_tokens"]
        if stops := stop or asked["stop"]:
            params["ls_stop"] = [stops] if isinstance(stops, str) else list(stops)
        return params

    def get_num_tokens(self, text: str) -> int:
        """Estimate tokens by letters; core would fetch a tokenizer, and of another model."""
        if self.custom_get_token_ids:
            return super().get_num_tokens(text)
        return ceil(len(text) / _LETTERS_PER_TOKEN)

    def get_num_tokens_from_messages(
        self,
        messages: list[BaseMessage],
        tools: Tools | None = None,
    ) -> int:
        """Estimate the tokens of a conversation."""
        if self.custom_get_token_ids:
            return super().get_num_tokens_from_messages(messages, tools)
        offered: list[Any] = [convert_to_openai_tool(tool) for tool in tools or ()]
        return count_tokens_approximately(messages, tools=offered)

    def _options_of(self, stop: list[str] | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Merge the options of a call over those of the model."""
        options = self.options(**kwargs)
        options.pop("stream", None)  # decided by the method that was called
        return options | ({"stop": stop} if stop else {})
