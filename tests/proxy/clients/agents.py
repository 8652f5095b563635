"""Codex and Claude Code, each in a conversation with a tool, against a scripted server."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests import stand_ins
from tests.loopback import Exchange, LoopbackServer, events, serving
from tests.proxy.served import proxy

PACKAGES = ("@openai/codex", "@anthropic-ai/claude-code")
QUESTION = "What does note.txt say?"
NOTE = "The heron stands in the river."
# What each calls the tool that runs commands, and what that wants to be told.
SHELLS = {"Bash": "command", "exec_command": "cmd", "shell_command": "command"}


def run() -> None:
    with tempfile.TemporaryDirectory() as folder, serving(scripted()) as server:
        install, home, work = (Path(folder) / name for name in ("npm", "home", "work"))
        for made in (install, home, work):
            made.mkdir()
        (work / "note.txt").write_text(NOTE)
        subprocess.run(["npm", "install", "--silent", *PACKAGES], cwd=install, check=True)
        with proxy([server.url]) as front:
            for name, command, about in _programs(front.url):
                said = subprocess.run(
                    [str(install / "node_modules" / ".bin" / command[0]), *command[1:]],
                    cwd=work,
                    env={**os.environ, "HOME": str(home), **about},
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=180,
                    check=False,
                )
                assert NOTE in said.stdout, f"{name}: {said.stdout}\n{said.stderr}"
                print(f"{name}: passed")


def _programs(url: str) -> list[tuple[str, list[str], dict[str, str]]]:
    codex = ["codex", "exec", "--skip-git-repo-check", "-m", "tiny:latest"]
    # The server's script is the only one who gives commands here.
    codex.append("--dangerously-bypass-approvals-and-sandbox")
    claude = ["claude", "-p", QUESTION, "--allowedTools", "Bash(cat note.txt)"]
    by_oss = [*codex, "--oss", "--local-provider", "ollama", QUESTION]
    provider = f'{{name="localmix",base_url="{url}/v1",wire_api="responses"}}'
    by_url = [*codex, "-c", f"model_providers.mix={provider}", "-c", "model_provider=mix", QUESTION]
    by_setting = [*codex, "-c", f'openai_base_url="{url}/v1"', QUESTION]
    tells_nobody = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    models = {"ANTHROPIC_MODEL": "tiny", "ANTHROPIC_DEFAULT_HAIKU_MODEL": "tiny"}
    key = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_AUTH_TOKEN": "x"}
    return [
        ("Codex with --oss", by_oss, {"CODEX_OSS_BASE_URL": f"{url}/v1"}),
        ("Codex by a provider of its own", by_url, {}),
        ("Codex by openai_base_url", by_setting, {"CODEX_API_KEY": "x"}),
        ("Claude Code", claude, {**key, **models, **tells_nobody}),
    ]


def scripted() -> LoopbackServer:
    """Have the note read by whichever tool runs commands, and say what came of it."""
    server = stand_ins.openai("tiny")
    server.routes["POST /v1/chat/completions"] = _answer
    return server


def _answer(exchange: Exchange) -> None:
    asked = exchange.json
    results = [each["content"] for each in asked["messages"] if each["role"] == "tool"]
    offered = [tool["function"]["name"] for tool in asked.get("tools", ())]
    shell = next((name for name in offered if name in SHELLS), "")
    if results or not shell:
        said: dict[str, Any] = {"content": f"It says: {results[-1] if results else 'nothing'}"}
        reason = "stop"
    else:
        arguments = json.dumps({SHELLS[shell]: "cat note.txt"})
        call = {"index": 0, "id": "c1", "function": {"name": shell, "arguments": arguments}}
        said, reason = {"tool_calls": [call]}, "tool_calls"
    frames = (stand_ins.openai_says(**said), stand_ins.openai_says(reason))
    events(*frames, stand_ins.OPENAI_USAGE, b"[DONE]")(exchange)
