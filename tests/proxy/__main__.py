"""Run clients that are no Python packages: `make clients`; each says what it needs.

The JavaScript clients, Codex and Claude Code come from npm. Ollama's own integration tests are
built where `OLLAMA_SRC` names a folder with its sources; they are run in front of a server that
says what they want to hear, since what they judge beside that is the API.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.loopback import serving
from tests.proxy.behind import lmstudio
from tests.proxy.clients import agents
from tests.proxy.clients.scripted import scripted
from tests.proxy.served import proxy

HERE = Path(__file__).parent / "clients"
# What a scripted server can answer; the others judge a model, or a graphics card.
GROUPS = "TestAPI|TestBasic|TestTools|TestContext|TestConcurrency"


def has_node(what: str) -> bool:
    if shutil.which("npm") and shutil.which("node"):
        return True
    print(f"{what}: skipped, it needs node and npm")
    return False


def javascript() -> None:
    if not has_node("JavaScript"):
        return
    with tempfile.TemporaryDirectory() as folder, lmstudio() as front:
        shutil.copy(HERE / "javascript.mjs", folder)
        subprocess.run(["npm", "install", "--silent", "ollama", "openai"], cwd=folder, check=True)
        subprocess.run(["node", "javascript.mjs", front.url, front.chat], cwd=folder, check=True)


def codex_and_claude_code() -> None:
    if has_node("Codex and Claude Code"):
        agents.run()


def ollamas_own() -> None:
    source = os.environ.get("OLLAMA_SRC")
    if not (source and shutil.which("go")):
        print("Ollama's own tests: skipped, they need go, and OLLAMA_SRC with Ollama's sources")
        return
    with serving(scripted()) as server, proxy([server.url]) as front:
        host = front.url.removeprefix("http://")
        about = {"OLLAMA_TEST_EXISTING": "1", "OLLAMA_TEST_MODEL": "tiny", "OLLAMA_HOST": host}
        words = ("-tags", "integration,fast", "-v", "-count", "1", "-run", GROUPS)
        ended = subprocess.run(
            ["go", "test", *words, "./integration/"],
            cwd=source,
            env={**os.environ, **about},
            capture_output=True,
            text=True,
            check=False,
        )
    print("\n".join(line for line in ended.stdout.splitlines() if "--- " in line) or ended.stderr)


if __name__ == "__main__":
    javascript()
    codex_and_claude_code()
    ollamas_own()
