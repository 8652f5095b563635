"""The clients that people use, pointed at the proxy, in front of all that can stand there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import ollama
import openai
import pytest
from langchain_core.messages import HumanMessage
from langchain_ollama import ChatOllama, OllamaEmbeddings, OllamaLLM
from llama_index.core.base.llms.types import ChatMessage
from llama_index.embeddings.ollama import OllamaEmbedding
from llama_index.llms.ollama import Ollama

from tests.proxy.behind import BEHIND, QUESTION, Front

USER = [{"role": "user", "content": QUESTION}]
# Most of these clients cannot be closed, and leave their sockets to the garbage collector.
pytestmark = [
    pytest.mark.usefixtures("unclosed_clients"),
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
    ),
]
OPTIONS = {"temperature": 0, "repeat_penalty": 1.0, "num_predict": 60}


# What the others show as well, or what other tests show without a foreign client.
MORE = {"embedded", "ollama-0.12.11", "dying"}


@pytest.fixture(
    params=[
        pytest.param(each, marks=[pytest.mark.exhaustive] if each in MORE else [])
        for each in BEHIND
    ]
)
def front(request: pytest.FixtureRequest) -> Iterator[Front]:
    if request.param == "embedded":
        request.getfixturevalue("engine_alone")
    with BEHIND[request.param]() as running:
        yield running


class TestOllamaPython:
    """The client of Ollama itself."""

    def test_listings(self, front: Front) -> None:
        client = ollama.Client(front.url)
        names = [model.model for model in client.list().models]
        assert f"{front.chat}:latest" in names
        for model in client.list().models:
            assert model.modified_at
            assert model.details
            shown = client.show(str(model.model))
            assert shown.modelinfo
            assert shown.capabilities
        assert isinstance(client.ps().models, list)

    def test_a_chat_whole_and_streamed(self, front: Front) -> None:
        client = ollama.Client(front.url)
        whole = client.chat(front.chat, USER, options=OPTIONS)
        assert "Paris" in str(whole.message.content)
        assert whole.done_reason == "stop"
        assert whole.eval_count
        steps = list(client.chat(front.chat, USER, options=OPTIONS, stream=True))
        assert "Paris" in "".join(str(step.message.content) for step in steps)
        assert [step.done for step in steps] == [False] * (len(steps) - 1) + [True]

    def test_a_chat_without_waiting(self, front: Front) -> None:
        async def ask() -> str:
            client = ollama.AsyncClient(front.url)
            said = ""
            async for step in await client.chat(front.chat, USER, options=OPTIONS, stream=True):
                said += str(step.message.content)
            return said

        assert "Paris" in asyncio.run(ask())

    def test_vectors(self, front: Front) -> None:
        found = ollama.Client(front.url).embed(front.embed, "a river")
        assert len(found.embeddings[0]) == 96

    def test_a_model_that_nobody_has(self, front: Front) -> None:
        with pytest.raises(ollama.ResponseError, match="not found") as caught:
            ollama.Client(front.url).chat("nobody/has-it", USER)
        assert caught.value.status_code == 404


class TestOpenAI:
    def test_a_chat_whole_and_streamed(self, front: Front) -> None:
        with openai.OpenAI(base_url=f"{front.url}/v1", api_key="x", max_retries=0) as client:
            assert f"{front.chat}:latest" in [model.id for model in client.models.list()]
            asked: Any = {"model": front.chat, "messages": USER, "temperature": 0}
            whole = client.chat.completions.create(**asked, max_tokens=60)
            assert "Paris" in str(whole.choices[0].message.content)
            assert whole.usage
            steps = client.chat.completions.create(
                **asked, max_tokens=60, stream=True, stream_options={"include_usage": True}
            )
            *said, last = list(steps)
            assert "Paris" in "".join(
                step.choices[0].delta.content or "" for step in said if step.choices
            )
            assert last.usage
            assert last.usage.completion_tokens

    def test_vectors_in_its_usual_base64(self, front: Front) -> None:
        with openai.OpenAI(base_url=f"{front.url}/v1", api_key="x", max_retries=0) as client:
            found = client.embeddings.create(model=front.embed, input="a river")
        assert len(found.data[0].embedding) == 96

    def test_a_model_that_nobody_has(self, front: Front) -> None:
        asked: Any = {"model": "nobody", "messages": USER}
        client = openai.OpenAI(base_url=f"{front.url}/v1", api_key="x", max_retries=0)
        with client, pytest.raises(openai.NotFoundError):
            client.chat.completions.create(**asked)


class TestLangChain:
    def test_a_chat_whole_and_streamed(self, front: Front) -> None:
        model = ChatOllama(
            model=front.chat, base_url=front.url, temperature=0, validate_model_on_init=True
        )
        whole = model.invoke([HumanMessage(QUESTION)])
        assert "Paris" in whole.text
        assert whole.usage_metadata
        assert "Paris" in "".join(step.text for step in model.stream(QUESTION))

    def test_vectors(self, front: Front) -> None:
        model = OllamaEmbeddings(model=front.embed, base_url=front.url)
        assert len(model.embed_documents(["a river"])[0]) == 96


class TestLlamaIndex:
    def test_a_chat_whole_and_streamed(self, front: Front) -> None:
        llm = Ollama(model=front.chat, base_url=front.url, temperature=0, request_timeout=60)
        said = [ChatMessage(role="user", content=QUESTION)]
        assert "Paris" in str(llm.chat(said).message.content)
        *_, last = llm.stream_chat(said)
        assert "Paris" in str(last.message.content)

    def test_its_window_is_the_models(self, front: Front) -> None:
        llm = Ollama(model=front.chat, base_url=front.url, context_window=-1)
        assert llm.metadata.context_window == 2048

    def test_vectors(self, front: Front) -> None:
        model = OllamaEmbedding(model_name=front.embed, base_url=front.url)
        assert len(model.get_text_embedding("a river")) == 96


@pytest.mark.filterwarnings("ignore")
class TestLiteLLM:
    @pytest.fixture(autouse=True)
    def _offline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")

    @pytest.mark.slow
    @pytest.mark.parametrize("prefix", ["ollama_chat", "ollama", "openai"])
    def test_a_chat_whole_and_streamed(self, front: Front, prefix: str) -> None:
        import litellm

        asked: Any = {
            "model": f"{prefix}/{front.chat}",
            "messages": USER,
            "api_base": f"{front.url}/v1" if prefix == "openai" else front.url,
            "api_key": "x",
            "temperature": 0,
            "max_tokens": 60,
        }
        whole: Any = litellm.completion(**asked)
        assert "Paris" in whole.choices[0].message.content
        assert whole.usage.completion_tokens
        steps: Any = litellm.completion(**asked, stream=True)
        assert "Paris" in "".join(step.choices[0].delta.content or "" for step in steps)


def test_completions_by_ollamas_and_langchains_clients(engine_alone: None) -> None:
    with BEHIND["embedded"]() as front:
        client = ollama.Client(front.url)
        first = client.generate(front.chat, QUESTION, options=OPTIONS)
        assert "Paris" in str(first.response)
        again = client.generate(front.chat, QUESTION, context=first.context, options=OPTIONS)
        assert again.response
        raw = client.generate(front.chat, "The capital of France is", raw=True, options=OPTIONS)
        assert raw.response
        llm = OllamaLLM(model=front.chat, base_url=front.url, temperature=0, num_predict=60)
        assert "Paris" in llm.invoke(QUESTION)
