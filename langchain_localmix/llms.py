"""LangChain's text completion model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseLLM
from langchain_core.outputs import Generation, GenerationChunk, LLMResult

from langchain_localmix._arguments import CompletionArguments
from langchain_localmix._component import STRICT, Asking
from langchain_localmix._convert import from_usage, metadata_of
from langchain_localmix._errors import model_errors
from localmix import AsyncStream, ChatResult, Delta, Stream
from localmix.types import TokenLogprob
from localmix.types.arguments import Names
from localmix.types.peers import names_of_completion_peers


class LocalMixLLM(Asking, BaseLLM):
    """Text completion without a chat template, on whichever local server has the model.

    For conversations, tools and structured output there is `ChatLocalMix`.

    Setup:
        Install `localmix[langchain]`, and run Ollama or LM Studio. Nothing else need be set.

    Key init args, completion:
        `model` (without it: the best suitable model, loaded ones first), `temperature`,
        `max_tokens`, `stop`, `seed`, `num_ctx`, `suffix`, and the rest of
        `localmix.GenerationRequest`. All of them may be given per call too.

    Key init args, client:
        `servers` or `base_url`, `prefer`, `api_key`, `timeout`, `max_retries`, or `client=`.

    Instantiate:
        ```python
        from langchain_localmix import LocalMixLLM

        llm = LocalMixLLM(model="qwen3:8b", max_tokens=20)
        ```

    Invoke:
        ```python
        llm.invoke("The capital of France is")
        ```

    Stream:
        ```python
        for text in llm.stream("Once upon a time"):
            print(text, end="")
        ```

    Async:
        ```python
        await llm.ainvoke("The capital of France is")
        ```

    Attributes:
        suffix: Text that follows the gap, for models that can fill one in.
    """

    also_called: ClassVar[Names] = names_of_completion_peers()
    model_config = STRICT
    ls_model_type = "llm"

    suffix: str = ""

    if TYPE_CHECKING:

        def __init__(self, **given: Unpack[CompletionArguments]) -> None: ...

    @property
    def _llm_type(self) -> str:
        return "localmix-llm"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        # Core writes the stop of the call over ours in the key of its cache.
        return super()._identifying_params | {"suffix": self.suffix, "usual_stop": self.stop}

    # What LangChain calls

    def _generate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        with model_errors():
            options = self._completion_options(stop, kwargs)
            return _result([self.client.complete(prompt, **options) for prompt in prompts])

    async def _agenerate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        with model_errors():
            options = self._completion_options(stop, kwargs)
            answers = [self.async_client.complete(prompt, **options) for prompt in prompts]
            return _result(await asyncio.gather(*answers))

    def _stream(
        self,
        prompt: str,
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[GenerationChunk]:
        with model_errors():
            options = self._completion_options(stop, kwargs)
            with closing(self.client.stream_complete(prompt, **options)) as deltas:
                for delta in deltas:
                    chunk = _chunk(delta, deltas)
                    if run_manager:
                        run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk

    async def _astream(
        self,
        prompt: str,
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[GenerationChunk]:
        with model_errors():
            options = self._completion_options(stop, kwargs)
            async with self.async_client.stream_complete(prompt, **options) as deltas:
                async for delta in deltas:
                    chunk = _chunk(delta, deltas)
                    if run_manager:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk

    def _completion_options(self, stop: list[str] | None, kwargs: dict[str, Any]) -> Any:
        return {"suffix": self.suffix} | self._options_of(stop, kwargs)


def _result(results: Sequence[ChatResult]) -> LLMResult:
    return LLMResult(
        generations=[
            [Generation(text=result.content, generation_info=_info(result, result.logprobs))]
            for result in results
        ]
    )


def _chunk(delta: Delta, stream: Stream | AsyncStream) -> GenerationChunk:
    """Write one step of an answer; only the last carries metadata, so that merging adds nothing."""
    if delta.finish_reason is None:
        return GenerationChunk(text=delta.content)
    return GenerationChunk(text=delta.content, generation_info=_info(delta, stream.result.logprobs))


def _info(answer: ChatResult | Delta, logprobs: tuple[TokenLogprob, ...]) -> dict[str, Any]:
    return {**metadata_of(answer, logprobs), "usage_metadata": from_usage(answer.usage)}
