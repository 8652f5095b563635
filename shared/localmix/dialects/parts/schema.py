"""JSON schemas made plain."""

from __future__ import annotations

from typing import Any


def inline_refs(schema: dict[str, Any]) -> dict[str, Any]:
    """Put every local definition where it is referred to.

    Ollama reads tool schemas into fixed fields and drops a `$ref` that stands on a property, so
    that a nested object would reach the model as nothing. A definition that contains itself stays
    a reference where it comes round again.
    """
    definitions = {
        f"#/{key}/{name}": definition
        for key in ("$defs", "definitions")
        for name, definition in schema.get(key, {}).items()
    }
    if not definitions:
        return schema
    recursive = False

    def plain(node: Any, above: tuple[str, ...]) -> Any:
        nonlocal recursive
        if isinstance(node, list):
            return [plain(item, above) for item in node]
        if not isinstance(node, dict):
            return node
        ref = node.get("$ref")
        if ref in above:
            recursive = True
            return node
        if ref in definitions:
            siblings = {key: value for key, value in node.items() if key != "$ref"}
            return plain({**definitions[ref], **siblings}, (*above, ref))
        return {key: plain(value, above) for key, value in node.items()}

    body = {key: value for key, value in schema.items() if key not in ("$defs", "definitions")}
    inlined: dict[str, Any] = plain(body, ())
    if recursive:
        inlined |= {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    return inlined
