"""Content blocks as LangChain (all versions), OpenAI, Anthropic and others write them; no I/O.

A block may come from anywhere, so what is read of it is what it should be, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from localmix.adapting.blocks import Block, Media
from localmix.wire import jsontext

_TEXTS = ("text", "text-plain", "input_text", "output_text", "custom_tool_call_output")
_JSON = ("json", "input_json")
_TOLD = {"text": "data", "content": "content"}  # where Anthropic's documents have their text
_URLS = ("url", "file_url", "image_url", "file_data")

Written = str | Mapping[str, Any]


def to_blocks(blocks: Iterable[Written]) -> list[Block]:
    """Read blocks in any form that is known; what is not text or JSON becomes `Media`."""
    return list(chain.from_iterable(map(_to_blocks, blocks)))


def listed(content: Any) -> list[Written]:
    """Read content that may be a text, a list of blocks, or nothing."""
    if isinstance(content, str | Mapping):
        return [content]
    items = content if isinstance(content, Sequence) else ()
    return [item for item in items if isinstance(item, str | Mapping)]


def kind_of(block: Written) -> str:
    """Name the type of a block; one without a type is known by what it holds."""
    if isinstance(block, str):
        return "text"
    return str(block.get("type") or next((key for key in ("text", "json") if key in block), None))


def text_of(block: Written) -> str | None:
    """Give the text that stands in a block; `None` if it is no text."""
    if isinstance(block, str):
        return block
    if kind_of(block) not in _TEXTS:
        return None
    return next((block[key] for key in ("text", "output") if isinstance(block.get(key), str)), None)


def word(block: Mapping[str, Any], *keys: str) -> str:
    """Give the first text that a block holds under one of some keys; empty if there is none."""
    values = (block.get(key) for key in keys)
    return next((value for value in values if value and isinstance(value, str)), "")


def _to_blocks(block: Written) -> list[Block]:
    text = text_of(block)
    if text is not None or isinstance(block, str):
        return [text or ""]
    kind, source = kind_of(block), block.get("source")
    if kind in _JSON:
        return [jsontext.text(block.get("json", block))]
    if kind == "non_standard":
        return to_blocks(listed(block.get("value")))
    if kind == "search_result":  # Anthropic's: its source is an address
        return to_blocks([word(block, "title"), *listed(block.get("content"))])
    if isinstance(source, Mapping) and source.get("type") in ("text", "content"):
        return to_blocks(listed(source.get(_TOLD[source["type"]])))
    return [_media(kind, block)]


def _media(kind: str, block: Mapping[str, Any]) -> Media:
    """Read where the content of a block stands; each API has a place of its own for it."""
    within = [block.get(key) for key in ("source", kind, "image_url")]
    places = [*(place for place in within if isinstance(place, Mapping)), block]
    data = next((place["data"] for place in places if isinstance(place.get("data"), bytes)), None)
    return Media(
        kind,
        data=data or _first(places, "base64", "data") or None,
        url=_first(places, *_URLS),
        media_type=_first(places, "mime_type", "media_type"),
        name=_first(places, "filename", "name", "title"),
    )


def _first(places: Iterable[Mapping[str, Any]], *keys: str) -> str:
    return next(filter(None, (word(place, *keys) for place in places)), "")
