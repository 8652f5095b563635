"""The transcript in docs/cli.md, made from the commands: `python -m tests.cli.transcript`.

Each block of the page is run again, in order, at a terminal of 80 columns: on the embedded engine
and LM Studio's stand-in, both with real models behind them. `| cat` means a pipe, `; echo $?` shows
the exit code, and lines that begin with `> ` are typed into a conversation.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from typer.testing import CliRunner

from localmix.cli.app import app
from tests.cli.conftest import without_colours
from tests.cli.terminal import terminal
from tests.lmstudio import LMStudio
from tests.loopback import serving

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "cli.md"
_BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)
SetVariable = Callable[[str, str], object]


@contextmanager
def stage(set_variable: SetVariable) -> Iterator[int]:
    """Serve what the commands find; give LM Studio's port."""
    lmstudio = LMStudio(catalogue={"qwen/qwen3-4b": 2_279_145_000})
    with TemporaryDirectory() as home, serving(lmstudio):
        set_variable("HOME", home)
        set_variable("LM_STUDIO_BASE_URL", lmstudio.url)
        set_variable("LOCAL_MODELS_PATH", "examples/tiny-model")
        set_variable("USE_OLLAMA", "false")
        set_variable("COLUMNS", "80")
        set_variable("no_proxy", "127.0.0.1")
        set_variable("PATH", "/nowhere")  # neither ollama nor lms is installed
        yield int(lmstudio.url.rpartition(":")[2])


def blocks(page: str) -> list[str]:
    """List what the page says that the commands write."""
    return _BLOCK.findall(page)


def written_again(page: str, port: int) -> str:
    """Run every block of a page, and put in what came."""
    return _BLOCK.sub(lambda block: _run_block(block[0], port), page)


def compared(text: str) -> str:
    """Leave out of a transcript what is another thing each time: numbers, and so the spaces."""
    return re.sub(r" +", " ", re.sub(r"\d[\d.,]*", "0", text))


def _run_block(block: str, port: int) -> str:
    typed = [line.removeprefix("> ") for line in block.splitlines() if line.startswith("> ")]
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"{line}\n{_usual_port(_output(line, typed), port)}" for line in commands)


def _output(line: str, typed: list[str]) -> str:
    command, echo, _ = line.removeprefix("$ localmix").partition("; echo $?")
    command, pipe, _ = command.partition("| cat")
    if typed:
        return _conversation(shlex.split(command), typed)
    colours = {} if pipe else {"FORCE_COLOR": "1"}
    result = CliRunner().invoke(app, shlex.split(command), env=colours, catch_exceptions=False)
    lines = [written.rstrip() for written in without_colours(result.output).splitlines()]
    lines += [str(result.exit_code)] if echo else []
    return "".join(f"{written}\n" for written in lines)


def _conversation(words: list[str], typed: list[str]) -> str:
    with terminal(*words, kind="dumb") as typist:
        for line in typed:
            typist.wait_for("\n> " if typist.written else "> ")
            typist.type(line)
        typist.end()
    # What is typed before the editor is ready is shown twice.
    once = re.sub(r"^> (.+)\n\1\r?\n", r"> \1\n", typist.written, flags=re.MULTILINE)
    lines = [line.rstrip() for line in once.strip().splitlines()]
    return "".join(f"{line}\n" for line in lines)


def _usual_port(text: str, port: int) -> str:
    """Write LM Studio's usual port, which is shorter, and keep columns aligned."""
    return text.replace(f":{port}  ", ":1234   ").replace(f":{port}", ":1234")


def main() -> None:
    """Write the page again."""
    os.chdir(ROOT)
    with stage(os.environ.__setitem__) as port:
        PAGE.write_text(written_again(PAGE.read_text(), port))


if __name__ == "__main__":
    main()
