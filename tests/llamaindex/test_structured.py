"""Objects: by schema, by tool and in text, in all four ways, on both kinds of server."""

from __future__ import annotations

import asyncio
import json
from enum import StrEnum
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, Field, RootModel

from llamaindex_localmix import LocalMix
from localmix.errors import ConfigError, UnusableAnswerError
from tests.llamaindex.conftest import Heard
from tests.llamaindex.scripted import Turn, sent

DEFAULT, FUNCTION, TEXT = (
    PydanticProgramMode.DEFAULT,
    PydanticProgramMode.FUNCTION,
    PydanticProgramMode.LLM,
)
MODES = [DEFAULT, FUNCTION, TEXT]
PROMPT = PromptTemplate("Tell me of {what}.")
SYSTEM = "You know every animal."


class Diet(StrEnum):
    MEAT = "meat"
    PLANTS = "plants"


class Home(BaseModel):
    continent: str
    country: str | None = None


class Animal(BaseModel):
    """An animal."""

    name: str = Field(description="Its name.")
    diet: Diet
    home: Home
    legs: int = 4


LION = Animal(name="lion", diet=Diet.MEAT, home=Home(continent="Africa"))
SAID = LION.model_dump(mode="json", exclude_defaults=True)
WRITTEN = json.dumps(SAID)


def saying(kind: str, mode: PydanticProgramMode, text: str = WRITTEN) -> Turn:
    """Say an answer as a model does in this mode."""
    if mode is not FUNCTION:
        return Turn(text)
    if kind == "ollama":  # a choice is made by a grammar there
        return Turn(json.dumps({"name": "Animal", "parameters": json.loads(text)}))
    return Turn(calls=(("id1", "Animal", json.loads(text)),))


def ask_in_all_ways(llm: LocalMix) -> list[Any]:
    async def main() -> list[Any]:
        whole = await llm.astructured_predict(Animal, PROMPT, what="lions")
        steps = await llm.astream_structured_predict(Animal, PROMPT, what="lions")
        return [whole, [step async for step in steps][-1]]

    return [
        llm.structured_predict(Animal, PROMPT, what="lions"),
        list(llm.stream_structured_predict(Animal, PROMPT, what="lions"))[-1],
        *asyncio.run(main()),
    ]


@pytest.fixture(params=MODES, ids=["schema", "tool", "text"])
def mode(request: pytest.FixtureRequest) -> PydanticProgramMode:
    """Ask in each of the three modes."""
    value: PydanticProgramMode = request.param
    return value


def test_an_object_in_every_mode_and_way(script: Any, kind: str, mode: Any) -> None:
    """Peer defects 16, 17 and 26: defaults instead of the object, a system prompt that was lost."""
    server = script(*[saying(kind, mode)] * 4)
    llm = LocalMix(base_url=server.url, pydantic_program_mode=mode, system_prompt=SYSTEM)
    assert ask_in_all_ways(llm) == [LION] * 4
    for body in sent(server):
        assert body["messages"][0] == {"role": "system", "content": SYSTEM}
        question = body["messages"][1]["content"]
        assert question.startswith("Tell me of lions.")
        schema_is_told = {DEFAULT: "format" in body or "response_format" in body}
        schema_is_told |= {FUNCTION: bool(body.get("tools")), TEXT: '"diet"' in question}
        assert schema_is_told[mode]
        assert ("tools" in body) == (mode is FUNCTION)


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{WRITTEN}\n```",
        f"Here it is:\n\n{WRITTEN}\n\nAnything else?",
        f"<think>A {{lion}}?</think>\n{WRITTEN}",
    ],
    ids=["fence", "words", "thoughts"],
)
def test_what_stands_around_an_object_is_no_part_of_it(script: Any, text: str) -> None:
    """Peer defect 17: an answer in a fence was an error."""
    server = script(*[Turn(text)] * 4)
    assert ask_in_all_ways(LocalMix(base_url=server.url, pydantic_program_mode=TEXT)) == [LION] * 4


def test_an_object_that_was_taken_for_thoughts(script: Any) -> None:
    server = script(*[Turn(thought=WRITTEN)] * 4)
    assert ask_in_all_ways(LocalMix(base_url=server.url)) == [LION] * 4


def test_a_useless_answer_is_asked_for_once_more(script: Any, kind: str, mode: Any) -> None:
    wrong = json.dumps({"name": "lion", "diet": "stones", "home": {"continent": "Africa"}})
    server = script(*[saying(kind, mode, wrong), saying(kind, mode)] * 4)
    assert ask_in_all_ways(LocalMix(base_url=server.url, pydantic_program_mode=mode)) == [LION] * 4
    first, again, *_ = sent(server)
    *before, said, correction = again["messages"]
    assert before == first["messages"]
    assert (said["role"], correction["role"]) == ("assistant", "user")
    assert "stones" in said["content"]
    assert "diet" in correction["content"]


def test_an_answer_that_is_useless_twice(script: Any) -> None:
    server = script(*[Turn("I do not know.")] * 2)
    with pytest.raises(UnusableAnswerError, match="no valid Animal: there is no JSON") as caught:
        LocalMix(base_url=server.url).structured_predict(Animal, PROMPT, what="lions")
    assert isinstance(caught.value, ValueError)
    assert caught.value.answer == "I do not know."


def test_an_answer_that_was_cut_is_not_asked_for_again(script: Any) -> None:
    server = script(Turn(WRITTEN[:20], finish="length"))
    with pytest.raises(UnusableAnswerError, match="max_tokens"):
        LocalMix(base_url=server.url).structured_predict(Animal, PROMPT, what="lions")
    assert len(sent(server)) == 1


def test_an_object_grows_while_it_is_written(script: Any, kind: str, mode: Any) -> None:
    spaced = json.dumps(SAID, separators=(" , ", " : "))
    server = script(saying(kind, mode, spaced))
    llm = LocalMix(base_url=server.url, pydantic_program_mode=mode)
    *parts, last = llm.stream_structured_predict(Animal, PROMPT, what="lions")
    assert last == LION
    if mode is not FUNCTION:  # calls are written in one piece here
        names = [part.name for part in parts]  # type: ignore[union-attr]
        assert list(dict.fromkeys(names)) == [None, "lion"]
        assert len(parts) > 2


def test_options_of_the_call_count_and_are_not_changed(script: Any, kind: str, mode: Any) -> None:
    server = script(saying(kind, mode), saying(kind, mode))
    llm = LocalMix(base_url=server.url, pydantic_program_mode=mode)
    options = {"temperature": 0.25, "tools": ["never"], "tool_choice": "never"}
    kept = dict(options)
    llm.structured_predict(Animal, PROMPT, llm_kwargs=options, what="lions")
    assert options == kept
    assert "0.25" in json.dumps(sent(server)[0])
    assert "never" not in json.dumps(sent(server)[0])


def test_one_start_and_one_end_are_told(script: Any, kind: str, heard: Heard, mode: Any) -> None:
    """Peer defect 17: there were no events."""
    server = script(*[saying(kind, mode)] * 4)
    ask_in_all_ways(LocalMix(base_url=server.url, pydantic_program_mode=mode))
    names = heard.names()
    assert names.count("LLMStructuredPredictStartEvent") == 4
    assert names.count("LLMStructuredPredictEndEvent") == 4
    assert names.count("LLMChatStartEvent") == names.count("LLMChatEndEvent") == 4


@pytest.mark.filterwarnings("ignore:The `json` method is deprecated")  # core calls it
def test_a_structured_llm(script: Any) -> None:
    server = script(*[Turn(WRITTEN)] * 4)
    llm = LocalMix(base_url=server.url).as_structured_llm(Animal)
    messages = [ChatMessage(content="Tell me of lions.")]

    async def main() -> list[Any]:
        steps = await llm.astream_chat(messages)
        return [(await llm.achat(messages)).raw, [step async for step in steps][-1].raw]

    raws = [
        llm.chat(messages).raw,
        list(llm.stream_chat(messages))[-1].raw,
        *asyncio.run(main()),
    ]
    assert raws == [LION] * 4


class Names(RootModel[list[str]]):
    pass


def test_what_is_no_object_cannot_be_a_call(script: Any) -> None:
    server = script(Turn('["a", "b"]'))
    llm = LocalMix(base_url=server.url)
    assert llm.structured_predict(Names, PROMPT, what="names").root == ["a", "b"]
    llm.pydantic_program_mode = FUNCTION
    with pytest.raises(ConfigError, match="Names is not an object"):
        llm.structured_predict(Names, PROMPT, what="names")


def test_other_modes_are_left_to_llamaindex() -> None:
    """It says itself that it cannot do them, or not without a package of its own."""
    llm = LocalMix(pydantic_program_mode=PydanticProgramMode.GUIDANCE)

    async def stream() -> None:
        async for _ in await llm.astream_structured_predict(Animal, PROMPT, what="lions"):
            pass

    for ask in (
        lambda: llm.structured_predict(Animal, PROMPT, what="lions"),
        lambda: list(llm.stream_structured_predict(Animal, PROMPT, what="lions")),
        lambda: asyncio.run(llm.astructured_predict(Animal, PROMPT, what="lions")),
        lambda: asyncio.run(stream()),
    ):
        with pytest.raises((ImportError, ValueError), match="(?i)guidance"):
            ask()
