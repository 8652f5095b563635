"""What may stand in a message, and what becomes of it: one answer for all frameworks.

Text goes as text, images as images. Documents and files of text go as their text. Whatever else
there is cannot be sent: an error that names it, or left out where the user says so.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from mimetypes import guess_type
from typing import Literal
from urllib.parse import unquote_to_bytes

from localmix.errors import ConfigError
from localmix.types import Image
from localmix.types.requests import lines

_log = logging.getLogger("localmix")
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/yaml")
_TEXT_SUFFIXES = ("+json", "+xml", "+yaml")
_UNTYPED = ("file", "document", "input_file", "text-plain")  # kinds that may be text all the same
Late = Literal["user", "system"]
Unsupported = Literal["error", "drop"]
Content = str | tuple[str | Image, ...]


@dataclass(frozen=True, slots=True)
class Media:
    """A block that is more than text.

    Attributes:
        kind: What the framework calls it, for errors: `image`, `file`, `audio`.
        data: Its content as bytes, as base64 with or without line ends, or a function that reads
            it when it is needed.
        url: Where its content is. Only a `data:` URL is read: a message may come from anywhere.
        media_type: What the content is, such as `image/png`; empty where nobody says it.
        name: The name of the file.
    """

    kind: str
    data: bytes | str | Callable[[], bytes] | None = None
    url: str = ""
    media_type: str = ""
    name: str = ""


Block = str | Media


@dataclass(frozen=True, slots=True)
class Policy:
    """What becomes of messages that servers take in one form only, or not at all.

    Attributes:
        unsupported: Whether what no local model takes is an `"error"`, or `"drop"` leaves it out
            with a warning in the log.
        late_system: The role of system messages that come after the first turn.
    """

    unsupported: Unsupported = "error"
    late_system: Late = "user"


USUAL = Policy()


def content_of(blocks: Sequence[Block], policy: Policy, *, is_one_text: bool = False) -> Content:
    """Read the blocks of a message; texts that follow each other become one.

    Args:
        blocks: The blocks, in their order.
        policy: What becomes of those that cannot be sent.
        is_one_text: Whether the texts are pieces of one; else each begins a line.

    Raises:
        ConfigError: A block cannot be sent, or cannot be read.
    """
    if len(blocks) == 1 and isinstance(blocks[0], str):
        return blocks[0]  # nearly all of them: worth the shortcut
    parts = [part for block in blocks for part in _parts(block, policy)]
    join = "".join if is_one_text else lines
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) == len(parts):
        return join(texts)
    joined: list[str | Image] = []
    for is_text, group in groupby(parts, lambda part: isinstance(part, str)):
        together = list(group)
        joined += [join(map(str, together))] if is_text else together
    return tuple(joined)


def _parts(block: Block, policy: Policy) -> Iterator[str | Image]:
    try:
        yield block if isinstance(block, str) else _read(block)
    except ConfigError as error:
        if policy.unsupported == "error":
            raise
        kind = "" if isinstance(block, str) else block.kind
        _log.warning("A block of type %r was left out: %s", kind, error.message)


def _read(block: Media) -> str | Image:
    media_type = _media_type(block)
    if "image" in block.kind or media_type.startswith("image/"):
        return _image(block, media_type)
    if (text := _text(block, media_type)) is not None:
        return text
    raise ConfigError(
        f"A content block of type {block.kind!r} cannot be sent to a local model.",
        hint='Send text, or images as bytes, or set unsupported_blocks="drop".',
    )


def _media_type(block: Media) -> str:
    """Tell what a block holds, by its own word, its address, its name, or its kind."""
    said = block.media_type.partition(";")[0].strip().lower()
    if not said and block.url.startswith("data:"):
        said = block.url[len("data:") :].partition(",")[0].partition(";")[0].lower()
    return said or guess_type(block.name or block.url)[0] or block.kind


def _image(block: Media, media_type: str) -> Image:
    known = media_type if "/" in media_type else "image/png"
    if block.data is not None and not isinstance(block.data, str):
        return Image(data=_bytes(block) or b"", media_type=known)
    if block.data:
        return Image.from_base64(block.data, known)
    if block.url:
        return Image.from_url(block.url)
    raise ConfigError(
        f"A block of type {block.kind!r} holds neither data nor a data: URI.",
        hint="Give the bytes of the image, or their base64.",
    )


def _text(block: Media, media_type: str) -> str | None:
    """Read a document of text; `None` where it is none, or is not here."""
    is_text = media_type.startswith(_TEXT_TYPES) or media_type.endswith(_TEXT_SUFFIXES)
    if not (is_text or media_type in _UNTYPED) or (data := _bytes(block)) is None:
        return None
    if is_text:
        return data.decode("utf-8", "replace")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _bytes(block: Media) -> bytes | None:
    if isinstance(block.data, bytes):
        return block.data
    if callable(block.data):
        return block.data()
    head, comma, body = block.url.partition(",")
    is_inline = head.startswith("data:") and comma
    if is_inline and not head.endswith(";base64"):
        return unquote_to_bytes(body)
    written = block.data or (body if is_inline else "")
    try:
        return base64.b64decode("".join(written.split()), validate=True) if written else None
    except ValueError:  # also what is no ASCII
        return None
