"""Schemas whose definitions are put in place."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from localmix.dialects.parts.schema import inline_refs
from localmix.errors import ConfigError


class Song(BaseModel):
    title: str


class Album(BaseModel):
    songs: list[Song]
    best: Song


class Tree(BaseModel):
    children: list[Tree]


def test_nested_models_stand_where_they_are_used() -> None:
    inlined = inline_refs(Album.model_json_schema())

    assert "$defs" not in inlined
    assert inlined["properties"]["best"]["properties"]["title"]["type"] == "string"
    assert inlined["properties"]["songs"]["items"] == inlined["properties"]["best"]


def test_what_stands_beside_a_reference_is_kept() -> None:
    schema = {
        "$defs": {"A": {"type": "string", "description": "old"}},
        "properties": {"a": {"$ref": "#/$defs/A", "description": "new"}},
    }
    assert inline_refs(schema)["properties"]["a"] == {"type": "string", "description": "new"}


def test_a_schema_that_contains_itself_keeps_its_definitions() -> None:
    inlined = inline_refs(Tree.model_json_schema())
    assert inlined["$defs"]["Tree"]


def test_a_schema_without_definitions_is_left_alone() -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert inline_refs(schema) is schema


def _doubling(levels: int) -> dict[str, Any]:
    """Write a small schema that refers twice to the next level, level for level."""
    definitions = {
        f"L{level}": {"type": "array", "items": [{"$ref": f"#/$defs/L{level + 1}"}] * 2}
        for level in range(levels)
    }
    definitions[f"L{levels}"] = {"type": "string"}
    return {"$defs": definitions, "properties": {"x": {"$ref": "#/$defs/L0"}}}


def _deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"x": schema}}
    return schema


@pytest.mark.parametrize("schema", [_doubling(30), _deep(500)], ids=["references", "depth"])
def test_what_would_become_too_large_is_refused(schema: dict[str, Any]) -> None:
    """A25: 2 KB became 31 MB."""
    with pytest.raises(ConfigError, match="too large"):
        inline_refs(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$defs": [], "properties": {"a": {"$ref": "#/$defs/A"}}},
        {"$defs": {"A": 5}, "properties": {"a": {"$ref": "#/$defs/A"}}},
        {"$defs": {"A": {}}, "properties": {"a": {"$ref": 5}, "b": {"$ref": ["A"]}}},
        {"$defs": {"A": {}}, "enum": [{"$ref": "#/$defs/A"}]},
    ],
)
def test_odd_references_are_left_as_they_are(schema: dict[str, Any]) -> None:
    inlined = inline_refs(schema)
    assert inlined.get("properties") == schema.get("properties")
    assert inlined.get("enum") == schema.get("enum")


def test_a_property_may_be_called_as_a_reference() -> None:
    schema = {
        "$defs": {"A": {"type": "integer"}},
        "properties": {"$ref": {"$ref": "#/$defs/A"}, "enum": {"$ref": "#/$defs/A"}},
    }
    integer = {"type": "integer"}
    assert inline_refs(schema) == {"properties": {"$ref": integer, "enum": integer}}
