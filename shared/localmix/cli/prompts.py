"""What a question is made of: words, piped text, files and images."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from localmix import Client, Image, Message
from localmix.cli import state
from localmix.errors import ConfigError, ModelNotFoundError

# How a model's name looks that can hardly be a word: qwen3:8b, llama3.2:latest.
_NAME_AND_SIZE = re.compile(r"[\w./-]+:(?:[\w.-]*\d+(?:\.\d+)?[bm][\w.-]*|latest)", re.IGNORECASE)
_INPUT = "-"
NOTHING = Message(role="user")
_SIGNATURES = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
    (b"BM", "image/bmp"),
)


def split_model(client: Client, words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Tell a model's name in the place of the first word from a question."""
    first, rest = (words[0], list(words[1:])) if words else ("", [])
    if not first or re.search(r"\s", first) or first == _INPUT:
        return None, list(words)
    if _NAME_AND_SIZE.fullmatch(first) or _is_a_model(client, first):
        return first, rest
    return None, list(words)


def question(words: Sequence[str]) -> str:
    """Join the words and what is piped in: in the place of `-`, else before the words."""
    if _INPUT in words:
        piped = sys.stdin.read().strip()
        return " ".join(piped if word == _INPUT else word for word in words).strip()
    piped = "" if sys.stdin.isatty() else sys.stdin.read().strip()
    return "\n\n".join(filter(None, (piped, " ".join(words))))


def attached(files: Sequence[Path], images: Sequence[Path]) -> Message:
    """Make a message of the files and images that a question is about.

    Raises:
        ConfigError: A file cannot be read, or is not what it should be.
    """
    texts = [f'<file name="{path.name}">\n{state.read(path)}\n</file>' for path in files]
    return Message(role="user", content=("\n\n".join(texts), *map(_image, images)))


def about(attachments: Message, text: str) -> Message:
    """Put a question after what it is about."""
    whole = "\n\n".join(filter(None, (attachments.text, text)))
    if not attachments.images:
        return Message(role="user", content=whole)
    return Message(role="user", content=(*filter(None, (whole,)), *attachments.images))


def _image(path: Path) -> Image:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    for signature, media_type in _SIGNATURES:
        if data.startswith(signature):
            return Image(data=data, media_type=media_type)
    raise ConfigError(
        f"{path} is not an image models can read.", hint="Use PNG, JPEG, GIF or WebP."
    )


def _is_a_model(client: Client, name: str) -> bool:
    try:
        return bool(client.named(name))
    except ModelNotFoundError:
        return False
