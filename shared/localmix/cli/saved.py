"""Conversations on the disk: the last one, and those that were saved under a name."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from localmix import Image, Message
from localmix.cli import state
from localmix.errors import ConfigError, LocalMixError

LAST = "last"
_FOLDER = "conversations"
_NAME = re.compile(r"[\w-][\w.-]{0,99}")


def save(name: str, messages: Sequence[Message], model: str | None) -> None:
    """Write a conversation; one of the same name is replaced.

    Raises:
        ConfigError: The name is none for a file, or it cannot be written.
    """
    said = [_plain(message) for message in messages]
    state.write(_path(name), json.dumps({"model": model, "messages": said}, ensure_ascii=False))


def load(name: str) -> tuple[list[Message], str | None]:
    """Read a conversation, and the model that it was with.

    Raises:
        ConfigError: There is none of that name, or it cannot be read.
    """
    path = _path(name)
    if not path.exists():
        raise ConfigError(f"There is no saved conversation {name!r}.", hint=_hint(path.parent))
    try:
        said = json.loads(state.read(path))
        return [_message(each) for each in said["messages"]], said["model"]
    except (ValueError, TypeError, KeyError, LocalMixError) as error:
        raise ConfigError(f"{path} is not a saved conversation.") from error


def _path(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is not a valid name.", hint="Use letters, digits, '-' and '_'."
        )
    return state.place(_FOLDER, f"{name}.json")


def _hint(folder: Path) -> str:
    names = sorted(path.stem for path in folder.glob("*.json"))
    return f"There are: {', '.join(names)}." if names else "None has been saved yet."


def _plain(message: Message) -> dict[str, Any]:
    parts = message.content if isinstance(message.content, tuple) else (message.content,)
    content = [
        {"image": part.base64, "media_type": part.media_type} if isinstance(part, Image) else part
        for part in parts
    ]
    return message.model_dump(exclude={"content"}, exclude_defaults=True) | {"content": content}


def _message(said: dict[str, Any]) -> Message:
    parts = [
        part if isinstance(part, str) else Image.from_base64(part["image"], part["media_type"])
        for part in said["content"]
    ]
    is_text = len(parts) == 1 and isinstance(parts[0], str)
    return Message(**{**said, "content": parts[0] if is_text else parts})
