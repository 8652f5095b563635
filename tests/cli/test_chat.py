"""`localmix chat`: one question, a conversation, and what Ctrl-C stops."""

from __future__ import annotations

import sys
import threading

import pytest

from tests import stand_ins
from tests.cli.conftest import Run, Start
from tests.lmstudio import LMStudio
from tests.lmstudio.server import CHAT
from tests.loopback import Exchange, hang_up, ndjson
from tests.management.test_pull import one_after_the_other
from tests.stand_ins import OLLAMA_DONE, either_way, ollama_says

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is Unix's", allow_module_level=True)

from tests.cli.terminal import terminal

FRANCE = "What is the capital of France?"
PARIS = "The capital of France is Paris."


@pytest.fixture
def url(start: Start) -> str:
    return start(LMStudio()).url


def test_one_question(run: Run, url: str) -> None:
    """In a pipe there is the answer alone."""
    assert run("chat", "--model", CHAT, FRANCE, "-t", "0", "-s", url).out == f"{PARIS}\n"
    assert run("chat", *FRANCE.split(), "--no-think", "-t", "0", "-s", url).out == f"{PARIS}\n"
    assert run("chat", "-t", "0", "-s", url, stdin=f"{FRANCE}\n").out == f"{PARIS}\n"


def test_one_question_as_json(run: Run, url: str) -> None:
    answer = run("chat", FRANCE, "-t", "0", "--json", "-s", url).json
    assert answer["content"] == PARIS
    assert answer["route"]["server"]["url"] == url
    assert answer["usage"]["output_tokens"] > 0


def test_reasoning_is_for_eyes_alone(at_terminal: Run, run: Run, url: str) -> None:
    shown = at_terminal("chat", "-t", "0", FRANCE, "-s", url).out
    assert shown.startswith("The user says: What is the capital of France?")
    assert shown.endswith(f"\n{PARIS}\n")


def test_a_system_message_comes_first(run: Run, start: Start) -> None:
    server = start(stand_ins.ollama())
    run("chat", "Hello", "--system", "Be kind.", "-s", server.url)
    sent = server.last("POST /api/chat").json["messages"]
    assert [message["role"] for message in sent] == ["system", "user"]


def test_no_question(run: Run, url: str) -> None:
    assert run("chat", "-s", url, stdin=" \n").code == 2


def test_a_cut_answer_says_so(run: Run, start: Start) -> None:
    cut = ndjson(ollama_says(content="Once"), OLLAMA_DONE | {"done_reason": "length"})
    server = start(stand_ins.ollama(POST__api_chat=cut))
    ended = run("chat", "Hello", "-s", server.url)
    assert (ended.code, ended.out) == (0, "Once\n")
    assert "reached its limit" in ended.err


def test_an_answer_that_breaks_off(run: Run, start: Start) -> None:
    server = start(stand_ins.ollama(POST__api_chat=ndjson(ollama_says(content="On"), end=hang_up)))
    ended = run("chat", "Hello", "-s", server.url)
    assert (ended.code, ended.out) == (6, "On")


def test_a_conversation(start: Start) -> None:
    server = start(stand_ins.ollama("tiny:latest", "other:latest"))
    with terminal("chat", "-s", server.url, "--model", "tiny") as typed:
        typed.wait_for("> ")
        typed.type("")
        typed.wait_for("> ")
        typed.type("/route")
        typed.wait_for("There was no answer yet.")
        typed.type("Hello")
        typed.wait_for("Hi.\n> ")
        typed.type("And now?")
        typed.wait_for("Hi.\n> ")
        sent = server.last("POST /api/chat").json["messages"]
        assert [message["content"] for message in sent] == ["Hello", "Hi.", "And now?"]
        typed.type("/route")
        typed.wait_for(f"tiny:latest at {server.url}: the server has it under this name")
        typed.type("/model other")
        typed.wait_for(f"other:latest at {server.url}")
        typed.type("/model none")
        typed.wait_for("No server holds the model 'none'")
        typed.type("/clear")
        typed.type("Once more")
        typed.wait_for("Hi.\n> ")
        last = server.last("POST /api/chat").json
        assert (last["model"], len(last["messages"])) == ("other:latest", 1)
        typed.type("/help")
        typed.wait_for("Ctrl-C while it answers stops the answer.")
        typed.type("/quit")
        assert typed.end() == 0


def test_ctrl_c_stops_the_answer_and_the_server(start: Start) -> None:
    gone = threading.Event()

    def until_gone(exchange: Exchange) -> None:
        if exchange.is_hung_up(timeout=30):
            gone.set()

    endless = ndjson(ollama_says(content="Once upon"), end=until_gone)
    whole_answer = ndjson(ollama_says(content="Hi."), OLLAMA_DONE)
    server = start(stand_ins.ollama(POST__api_chat=one_after_the_other(endless, whole_answer)))
    with terminal("chat", "-s", server.url) as typed:
        typed.wait_for("> ")
        typed.type("Tell me a story")
        typed.wait_for("Once upon")
        typed.press_ctrl_c()
        typed.wait_for("(stopped)")
        assert gone.wait(30)
        typed.type("Hello")
        typed.wait_for("Hi.\n> ")
        sent = server.last("POST /api/chat").json["messages"]
        # What came before is not forgotten.
        assert [message["content"] for message in sent] == ["Tell me a story", "Once upon", "Hello"]
        typed.press_ctrl_d()
        assert typed.end() == 0


def test_an_error_does_not_end_the_conversation(start: Start) -> None:
    replies = [ndjson({"error": "an error was encountered while running the model"})] * 3
    good = either_way(ndjson(ollama_says(content="Hi."), OLLAMA_DONE), hang_up)

    def answer(exchange: Exchange) -> None:
        (replies.pop() if replies else good)(exchange)

    server = start(stand_ins.ollama(POST__api_chat=answer))
    with terminal("chat", "-s", server.url) as typed:
        typed.wait_for("> ")
        while replies:
            typed.type("Hello")
            typed.wait_for("> ")
        typed.type("Again")
        typed.wait_for("Hi.\n> ")
        assert "Error: " in typed.written
        assert "Traceback" not in typed.written
        assert typed.press_ctrl_c_until_it_ends() == 0


def test_json_is_for_one_question(url: str) -> None:
    with terminal("chat", "--json", "-s", url) as typed:
        typed.wait_for("--json is for one question.")
        assert typed.end() == 2


def test_after_a_fail_over_the_route_tells_both(start: Start) -> None:
    busy = stand_ins.ollama(POST__api_chat=hang_up)
    bad, good = start(busy), start(stand_ins.ollama())
    with terminal("chat", "-s", bad.url, "-s", good.url) as typed:
        typed.wait_for("> ")
        typed.type("Hello")
        typed.wait_for("Hi.\n> ")
        typed.type("/route")
        typed.wait_for(f"tried first: {bad.url}: ")
        typed.wait_for("\n> ")
        typed.press_ctrl_d()
        assert typed.end() == 0
