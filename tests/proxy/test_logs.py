"""What is written of each call: a line without words, and the words for those who ask for them."""

from __future__ import annotations

import json
import logging
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localmix.errors import ConfigError
from localmix.proxy.requestlog import RequestLog
from localmix.settings.files import SettingsFile
from localmix.settings.trust import needing_trust
from tests import stand_ins
from tests.loopback import LoopbackServer, hang_up
from tests.proxy.served import proxy

Start = Callable[[LoopbackServer], LoopbackServer]
CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "My secret"}]}


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "localmix.proxy"]


def test_one_line_for_each_call(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    behind = start(stand_ins.ollama())
    with proxy([behind.url]) as front:
        front.ask("POST", "/api/chat", CHAT)
        front.ask("POST", "/api/chat", {**CHAT, "stream": False})
        front.ask("POST", "/api/chat", {**CHAT, "model": "nobody's"})
        front.ask("GET", "/api/version")
    streamed, sent, missing, version = lines(caplog)
    place = re.escape(f"'tiny:latest' at {behind.url}, 19 tokens read, 26 written")
    time = r"\d+\.\d{3} s"
    head = "POST '/api/chat' 'tiny' 200 answered, "
    assert re.fullmatch(f"{head}{place}, first piece after {time}, {time}", streamed)
    assert re.fullmatch(f"{head}{place}, {time}", sent)
    assert re.fullmatch(f"""POST '/api/chat' "nobody's" 404 refused, {time}""", missing)
    assert re.fullmatch(f"GET '/api/version' '' 200 answered, {time}", version)
    assert "My secret" not in caplog.text


def test_prompts_and_answers_are_written_where_that_is_wanted(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    behind = start(stand_ins.ollama())
    with proxy([behind.url], proxy_log_requests=file, proxy_token="correct-horse") as front:
        shown = {"Authorization": "Bearer correct-horse"}
        front.ask("POST", "/api/chat", CHAT, **shown)
        front.ask("POST", "/api/chat", {**CHAT, "stream": False}, **shown)
        openai = {**CHAT, "stream": True}
        front.ask("POST", "/v1/chat/completions", openai, **shown)
        front.ask("POST", "/api/chat", {**CHAT, "model": "nobody's"}, **shown)
        front.ask("POST", "/api/chat", b'{"model": "\\ud800', **shown)
        front.ask("GET", "/api/tags", **shown)
    streamed, sent, events, missing = read(file)
    assert streamed["request"] == CHAT
    assert "".join(each["message"]["content"] for each in streamed["answer"]) == "Hi."
    assert streamed["answer"][-1]["done"]
    assert (streamed["server"], streamed["model"]) == (behind.url, "tiny:latest")
    assert (streamed["input_tokens"], streamed["output_tokens"]) == (19, 26)
    assert (streamed["status"], streamed["outcome"]) == (200, "answered")
    assert sent["answer"]["message"]["content"] == "Hi."
    assert events["endpoint"] == "/v1/chat/completions"
    assert events["answer"][-1] == "[DONE]"
    pieces = [each["choices"][0]["delta"] for each in events["answer"][:-1] if each["choices"]]
    assert "".join(each.get("content") or "" for each in pieces) == "Hi."
    assert (missing["status"], missing["outcome"]) == (404, "refused")
    assert "nobody's" in missing["answer"]["error"]
    assert "correct-horse" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_lines_are_added_to_what_is_there(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    behind = start(stand_ins.ollama(POST__api_chat=hang_up))
    for _ in range(2):
        with proxy([behind.url], proxy_log_requests=file, max_retries=0) as front:
            front.ask("POST", "/api/chat", CHAT)
    assert [each["outcome"] for each in read(file)] == ["failed", "failed"]


def test_a_file_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        RequestLog(tmp_path / "nowhere" / "requests.jsonl")


def test_a_file_of_the_working_folder_cannot_have_requests_written(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path / "localmix.toml", {"proxy_log_requests": "x"})
    assert needing_trust(file) == ["proxy_log_requests"]


def read(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text().splitlines()]
