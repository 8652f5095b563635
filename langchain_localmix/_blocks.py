"""Content blocks as LangChain (all versions), OpenAI, Anthropic and others write them; no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from localmix.adapting.blocks import Block, Media
from localmix.wire import jsontext

_TEXTS = ("text", "text-plain", "input_text", "output_text", "custom_tool_call_output")
_JSON = ("json", "input_json")
_TOLD = {"text": "data", "content": "content"}  # where Anthropic's documents have their text

Written = str | Mapping[str, Any]


def to_blocks(blocks: Iterable[Written]) -> list[Block]:
    """Read blocks in any form that is known; what is not text or JSON becomes `Media`."""
    return list(chain.from_iterable(map(_to_blocks, blocks)))


def kind_of(block: Written) -> str:
    """Name the type of a block; one without a type is known by what it holds."""
    if isinstance(block, str):
        return "text"
    return str(block.get("type") or next((key for key in ("text", "json") if key in block), None))


def is_text(block: Written) -> bool:
    """Tell whether a block is text that stands in it."""
    return isinstance(block, str) or (
        kind_of(block) in _TEXTS and any(key in block for key in ("text", "output"))
    )


def text_of(block: Written) -> str:
    """Give the text of a block."""
    return block if isinstance(block, str) else str(block.get("text") or block.get("output") or "")


def _to_blocks(block: Written) -> list[Block]:
    if isinstance(block, str) or is_text(block):
        return [text_of(block)]
    kind, source = kind_of(block), block.get("source")
    if kind in _JSON:
        return [jsontext.text(block.get("json", block))]
    if kind == "non_standard":
        return to_blocks([block["value"]])
    if kind == "search_result":  # Anthropic's: its source is an address
        return to_blocks([str(block.get("title") or ""), *_listed(block.get("content"))])
    if isinstance(source, Mapping) and source.get("type") in _TOLD:
        return to_blocks(_listed(source.get(_TOLD[source["type"]])))
    return [_media(kind, block)]


def _listed(content: Any) -> list[Written]:
    return [content] if isinstance(content, str) else list(content or ())


def _media(kind: str, block: Mapping[str, Any]) -> Media:
    """Read where the content of a block stands; each API has a place of its own for it."""
    places = [block]
    for key in ("source", kind, "image_url"):
        if isinstance(block.get(key), Mapping):
            places.insert(0, block[key])
    url = _first(places, "url", "file_url", "image_url", "file_data")
    return Media(
        kind,
        data=_first(places, "base64", "data", "bytes"),
        url=url if isinstance(url, str) else "",
        media_type=str(_first(places, "mime_type", "media_type") or ""),
        name=str(_first(places, "filename", "name", "title") or ""),
    )


def _first(places: Iterable[Mapping[str, Any]], *keys: str) -> Any:
    return next((place[key] for place in places for key in keys if place.get(key)), None)
