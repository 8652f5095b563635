"""Schemas whose definitions are put in place."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from localmix.dialects.parts.schema import inline_refs


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
