"""JSON schemas made plain."""

from __future__ import annotations

from typing import Any

from localmix.errors import ConfigError

# Real schemas have hundreds of parts; a few references within each other can make millions.
_MOST_PARTS = 20_000
_DEEPEST = 64
_DEFINITIONS = ("$defs", "definitions")
# Whose keys are names that the author chose, and whose values are data.
_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", *_DEFINITIONS})
_DATA = frozenset({"enum", "const", "default", "examples", "example"})


def inline_refs(schema: dict[str, Any]) -> dict[str, Any]:
    """Put every local definition where it is referred to.

    Ollama reads tool schemas into fixed fields and drops a `$ref` that stands on a property, so
    that a nested object would reach the model as nothing. A definition that contains itself stays
    a reference where it comes round again.

    Raises:
        ConfigError: The schema would become too large, or is too deep.
    """
    definitions = {
        f"#/{key}/{name}": definition
        for key in _DEFINITIONS
        for name, definition in _members(schema, key).items()
    }
    inliner = _Inliner(definitions)
    if not definitions:
        inliner.plain(schema, ())  # its size and depth
        return schema
    body = {key: value for key, value in schema.items() if key not in _DEFINITIONS}
    inlined: dict[str, Any] = inliner.plain(body, ())
    if inliner.is_recursive:
        inlined |= {key: schema[key] for key in _DEFINITIONS if key in schema}
    return inlined


def _members(schema: dict[str, Any], key: str) -> dict[str, Any]:
    members = schema.get(key)
    return members if isinstance(members, dict) else {}


class _Inliner:
    """One walk through a schema."""

    def __init__(self, definitions: dict[str, Any]) -> None:
        self._definitions = definitions
        self._parts = 0
        self.is_recursive = False

    def plain(self, node: Any, above: tuple[str, ...], depth: int = 0) -> Any:
        """Copy a node with its references written out; `above` are those that it stands in."""
        self._count(depth)
        if isinstance(node, list):
            return [self.plain(item, above, depth + 1) for item in node]
        if not isinstance(node, dict):
            return node
        ref = node.get("$ref")
        if isinstance(ref, str) and ref in above:
            self.is_recursive = True
            return node
        definition = self._definitions.get(ref) if isinstance(ref, str) else None
        if isinstance(ref, str) and isinstance(definition, dict):
            siblings = {key: value for key, value in node.items() if key != "$ref"}
            return self.plain({**definition, **siblings}, (*above, ref), depth + 1)
        return {key: self._member(key, value, above, depth + 1) for key, value in node.items()}

    def _member(self, key: str, value: Any, above: tuple[str, ...], depth: int) -> Any:
        if key in _DATA:
            return value
        if key in _NAMED and isinstance(value, dict):
            return {name: self.plain(each, above, depth + 1) for name, each in value.items()}
        return self.plain(value, above, depth)

    def _count(self, depth: int) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS or depth > _DEEPEST:
            raise ConfigError(
                "The JSON schema is too large once its references are written out"
                f" (at most {_MOST_PARTS:,} parts, {_DEEPEST} deep).",
                hint="Describe the tool with fewer or flatter objects.",
            )
