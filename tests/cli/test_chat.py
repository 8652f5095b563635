"""`localmix chat`: one question, a conversation, and what Ctrl-C stops."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from tests import stand_ins
from tests.cli.conftest import Run, Start
from tests.lmstudio import LMStudio
from tests.lmstudio.server import CHAT
from tests.loopback import Exchange, LoopbackServer, Reply, hang_up, ndjson, whole
from tests.management.test_pull import one_after_the_other
from tests.stand_ins import OLLAMA_DONE, either_way, ollama_says

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is Unix's", allow_module_level=True)

from tests.cli.terminal import terminal

FRANCE = "What is the capital of France?"
PARIS = "The capital of France is Paris."


def able_to(*capabilities: str) -> Reply:
    """List one model that can do these things."""
    entry = {"name": "tiny:latest", "model": "tiny:latest", "capabilities": ["completion"]}
    entry["capabilities"] += [*capabilities]  # type: ignore[operator]
    return whole({"models": [entry]})


def calling(start: Start, *replies: Reply) -> LoopbackServer:
    server = stand_ins.ollama(POST__api_chat=one_after_the_other(*replies))
    server.routes["GET /api/tags"] = able_to("tools")
    return start(server)


CALL = ndjson(
    ollama_says(tool_calls=[{"function": {"name": "add", "arguments": {"a": 2}}}]), OLLAMA_DONE
)


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


@pytest.mark.slow
def test_a_conversation(start: Start) -> None:
    server = start(stand_ins.ollama("tiny:latest", "other:latest"))
    with terminal("chat", "-s", server.url, "--model", "tiny") as typed:
        typed.wait_for("> ")
        typed.type("")
        typed.wait_for("> ")
        typed.type("/route")
        typed.wait_for("There is no answer yet.")
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
        typed.wait_for("Ctrl-C clears the line, and stops an answer.")
        typed.type("/quit")
        assert typed.end() == 0


@pytest.mark.slow
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


@pytest.mark.slow
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
            typed.wait_for("\n> ")
        typed.type("Again")
        typed.wait_for("Hi.\n> ")
        assert "Error: " in typed.written
        assert "Traceback" not in typed.written
        typed.press_ctrl_c()
        typed.wait_for("(Ctrl-D leaves)")
        typed.wait_for("> ")
        typed.press_ctrl_d()
        assert typed.end() == 0


def test_what_is_piped_joins_the_question(run: Run, start: Start) -> None:
    server = start(stand_ins.ollama())

    def asked(*words: str) -> str:
        assert run(*words, "-s", server.url, stdin="piped\n").code == 0
        return server.last("POST /api/chat").json["messages"][-1]["content"]  # type: ignore[no-any-return]

    assert asked("chat", "Explain this:") == "piped\n\nExplain this:"
    assert asked("chat", "Is", "-", "right?") == "Is piped right?"
    assert asked("chat") == "piped"


def test_a_model_in_the_place_of_the_question(run: Run, start: Start) -> None:
    server = start(stand_ins.ollama("tiny:latest", "other:latest"))

    def sent(*words: str) -> tuple[str, str]:
        assert run(*words, "-s", server.url).code == 0
        body = server.last("POST /api/chat").json
        return body["model"], body["messages"][-1]["content"]

    assert sent("chat", "other", "Hello") == ("other:latest", "Hello")
    assert sent("run", "other", "Hello", "you") == ("other:latest", "Hello you")
    assert sent("chat", "another", "Hello") == ("tiny:latest", "another Hello")
    assert sent("chat", "-m", "tiny", "other", "Hello") == ("tiny:latest", "other Hello")
    assert run("chat", "qwen3:8b", "Hello", "-s", server.url).code == 4
    assert run("run", "-s", server.url).code == 2


def test_the_options_reach_the_server(run: Run, start: Start, tmp_path: Path) -> None:
    server = start(stand_ins.ollama())
    (tmp_path / "a.txt").write_text("written")
    (tmp_path / "b.png").write_bytes(b"\x89PNG123")
    files = ("--file", str(tmp_path / "a.txt"), "--image", str(tmp_path / "b.png"))
    numbers = ("--max-tokens", "7", "--num-ctx", "512", "--seed", "3")
    schema = '{"type": "object", "properties": {"a": {"type": "string"}}}'
    ended = run(
        *("chat", "Hello", *files, *numbers, "--schema", schema, "--verbose", "-s", server.url)
    )
    body = server.last("POST /api/chat").json
    assert (body["options"]["num_predict"], body["options"]["seed"]) == (7, 3)
    assert body["options"]["num_ctx"] == 512
    assert body["format"]["properties"] == {"a": {"type": "string"}}
    (message,) = body["messages"]
    assert message["content"] == '<file name="a.txt">\nwritten\n</file>\n\nHello'
    assert message["images"] == ["iVBORzEyMw=="]
    assert f"tiny:latest at {server.url}, 19 tokens in, 26 out" in ended.err


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--schema", "{"), "is not JSON"),
        (("--schema", "/none"), "cannot be read"),
        (("--format", "xml"), "not a format"),
        (("--image", __file__), "not an image"),
        (("--file", "/none"), "cannot be read"),
        (("--tool", "/none.py"), "no file /none.py"),
    ],
)
def test_what_cannot_be_read(run: Run, url: str, option: tuple[str, str], said: str) -> None:
    ended = run("chat", "Hello", *option, "-s", url)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_a_tool_is_called_and_its_result_told(run: Run, start: Start, tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text(
        'def add(a: int, b: int = 1) -> int:\n    """Add two numbers."""\n    return a + b\n'
    )
    server = calling(start, CALL, ndjson(ollama_says(content="3"), OLLAMA_DONE))
    ended = run("chat", "2 + 1?", "--tool", str(tmp_path / "tools.py"), "-s", server.url)
    assert (ended.code, ended.out.strip()) == (0, "3")
    body = server.last("POST /api/chat").json
    assert body["messages"][-1]["content"] == "3"
    function = body["tools"][0]["function"]
    assert function["description"] == "Add two numbers."
    assert function["parameters"]["required"] == ["a"]


def test_a_tool_may_be_asynchronous(run: Run, start: Start, tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text("async def add(a: int) -> int:\n    return a + 1\n")
    server = calling(start, CALL, ndjson(ollama_says(content="3"), OLLAMA_DONE))
    ended = run("chat", "2 + 1?", "--tool", str(tmp_path / "tools.py"), "-s", server.url)
    assert (ended.code, ended.out.strip()) == (0, "3")
    assert 'add({"a": 2})' in ended.err.replace('"a":2', '"a": 2')
    assert server.last("POST /api/chat").json["messages"][-1]["content"] == "3"


def test_a_model_that_never_stops_calling_tools(run: Run, start: Start, tmp_path: Path) -> None:
    """It is told, and the next question does not follow calls that nobody answered."""
    (tmp_path / "tools.py").write_text("def add(a: int) -> int:\n    return a\n")
    server = calling(start, ndjson(ollama_says(content="Hi."), OLLAMA_DONE), CALL)
    assert run("chat", "Hello", "-s", server.url).code == 0
    options = ("--continue", "-s", server.url)
    ended = run("chat", "2 + 1?", "--tool", str(tmp_path / "tools.py"), *options)
    assert ended.code != 0
    assert "still calls tools after 10 turns" in ended.err
    assert server.count("POST /api/chat") == 11
    run("chat", "And now?", *options)
    sent = server.last("POST /api/chat").json["messages"]
    assert [each["content"] for each in sent] == ["Hello", "Hi.", "And now?"]


def test_a_model_that_writes_nothing(run: Run, start: Start) -> None:
    server = start(stand_ins.ollama(POST__api_chat=ndjson(OLLAMA_DONE)))
    ended = run("chat", "Hello", "-s", server.url)
    assert "the model wrote nothing" in ended.err
    assert ended.out.strip() == ""


def test_the_last_conversation_goes_on(run: Run, start: Start) -> None:
    server = start(stand_ins.ollama())
    assert run("chat", "Hello", "-s", server.url).code == 0
    assert run("chat", "And now?", "--continue", "-s", server.url).code == 0
    sent = server.last("POST /api/chat").json["messages"]
    assert [message["content"] for message in sent] == ["Hello", "Hi.", "And now?"]


@pytest.mark.slow
def test_several_lines_and_commands(start: Start) -> None:
    server = start(stand_ins.ollama())
    with terminal("run", "tiny", "-s", server.url) as typed:
        typed.wait_for(f"tiny:latest at {server.url} (ollama)")
        typed.wait_for("> ")
        typed.paste("one\ntwo")
        typed.type("")
        typed.wait_for("Hi.\n> ")
        typed.type('"""three')
        typed.type('four"""')
        typed.wait_for("Hi.")
        sent = server.last("POST /api/chat").json["messages"]
        assert [message["content"] for message in sent][::2] == ["one\ntwo", "three\nfour"]
        for line, said in {
            "/forget": "There is no command /forget.",
            "/modle": "Did you mean /model?",
            "/set temprature 1": "Did you mean temperature?",
            "/set temperature cold": "Error: Wrong temperature",
            "/set num_ctx 1024": "num_ctx: 1024",
            "/system Be kind.": "Be kind.",
            "/save trip": "Saved as trip",
            "/clear": "The conversation was cleared.",
            "/load none": "There is no saved conversation 'none'. There are: last, trip.",
            "/load trip": "4 messages; the last question: three four",
            "/route": "tiny:latest at",
            "/retry": "Hi.",
        }.items():
            typed.wait_for("\n> ")
            typed.type(line)
            typed.wait_for(said)
        body = server.last("POST /api/chat").json
        assert body["options"]["num_ctx"] == 1024
        told = [message["content"] for message in body["messages"]]
        assert told == ["Be kind.", "one\ntwo", "Hi.", "three\nfour"]
        typed.wait_for("\n> ")
        typed.type("/bye")
        assert typed.end() == 0


@pytest.mark.slow
def test_when_the_window_is_full_it_says_what_to_do(start: Start) -> None:
    cut = ndjson(ollama_says(content="Once"), OLLAMA_DONE | {"done_reason": "length"})
    server = start(stand_ins.ollama(POST__api_chat=cut))
    with terminal("chat", "-s", server.url) as typed:
        typed.wait_for("> ")
        typed.type("Hello")
        typed.wait_for("The context window is full. /clear")
        typed.wait_for("\n> ")
        typed.press_ctrl_d()
        assert typed.end() == 0


@pytest.mark.slow
def test_a_missing_model_is_offered_for_pull(start: Start) -> None:
    server = stand_ins.ollama("tiny:latest", POST__api_pull=ndjson({"status": "success"}))
    start(server)
    with terminal("run", "new", "-s", server.url) as typed:
        typed.wait_for("Pull it? [y/N]:")
        typed.type("y")
        typed.wait_for("new is at")
        typed.end()
    assert server.last("POST /api/pull").json["model"] == "new"


@pytest.mark.slow
def test_ctrl_c_clears_the_line_and_what_was_typed_is_kept(start: Start) -> None:
    server = start(stand_ins.ollama())
    with terminal("chat", "-s", server.url) as typed:
        typed.wait_for("\n> ")
        typed.paste("never sent")
        typed.wait_for("never sent")
        typed.press_ctrl_c()
        typed.wait_for("(Ctrl-D leaves)")
        typed.wait_for("\n> ")
        typed.type("Hello")
        typed.wait_for("Hi.\n> ")
        typed.press_ctrl_d()
        assert typed.end() == 0
    assert server.count("POST /api/chat") == 1
    history = Path.home() / ".local/state/localmix/history"
    assert "+Hello" in history.read_text().splitlines()
    assert history.stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_json_is_for_one_question(url: str) -> None:
    with terminal("chat", "--json", "-s", url) as typed:
        typed.wait_for("--json needs a prompt.")
        assert typed.end() == 2


@pytest.mark.slow
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
