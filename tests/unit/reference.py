"""The list of public names in docs/reference.md, made from docstrings.

`python -m tests.unit.reference` writes it; `test_reference.py` compares it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import localmix
from localmix import adapting

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"
HEAD = """# Public names

What is listed here keeps its meaning; whatever is not may change at any time. The docstrings say
the rest: arguments, units, errors. This page is made from them (`python -m tests.unit.reference`).
"""
MODULES = {
    "localmix": "What a program uses.",
    "localmix.errors": "Every error; the tree is drawn in the module's docstring.",
    "localmix.settings": "What can be set; [configuration](configuration.md) explains it.",
    "localmix.types": "What requests and answers are made of.",
    "localmix.observing": "[Observing](observing.md).",
    "localmix.proxy": "[One address for every tool](proxy.md), from Python; extra `proxy`.",
    "localmix.ray": "[Many machines](scale.md#beyond-one-machine); extra `ray`.",
    "langchain_localmix": "[LangChain](langchain.md); extra `langchain`.",
    "llamaindex_localmix": "[LlamaIndex](llamaindex.md); extra `llama-index`.",
}


def page() -> str:
    """Write the page."""
    sections = [HEAD]
    for name, about in MODULES.items():
        sections.append(f"## `{name}`\n\n{about}\n\n{_table(importlib.import_module(name))}")
    sections.append(
        "## `localmix.adapting`\n\nFor authors of [adapters](adapters.md).\n\n"
        + "\n".join(_rows_of_adapting())
    )
    clients = (localmix.Client, localmix.AsyncClient)
    sections += [f"## Methods of `{each.__name__}`\n\n{_methods(each)}" for each in clients]
    return "\n".join(f"{section.rstrip()}\n" for section in sections)


def _table(module: ModuleType) -> str:
    names = getattr(module, "__all__", None) or [name for name, _ in _own(module)]
    values = ((name, getattr(module, name)) for name in sorted(names))
    rows = [_row(name, value) for name, value in values if not inspect.ismodule(value)]
    return "\n".join(["| name | what it is |", "|---|---|", *rows])


def _rows_of_adapting() -> Iterator[str]:
    yield from ("| name | what it is |", "|---|---|")
    for info in pkgutil.iter_modules(adapting.__path__):
        module = importlib.import_module(f"localmix.adapting.{info.name}")
        for name, value in _own(module):
            yield _row(f"{info.name}.{name}", value)


def _methods(client: type) -> str:
    rows = [
        _row(name, value)
        for name, value in inspect.getmembers(client)
        if not name.startswith("_") and (callable(value) or isinstance(value, property))
    ]
    return "\n".join(["| name | what it does |", "|---|---|", *rows])


def _own(module: ModuleType) -> Iterator[tuple[str, object]]:
    """List the classes and functions that a module defines for others."""
    for name, value in inspect.getmembers(module):
        is_own = getattr(value, "__module__", "") == module.__name__
        if is_own and not name.startswith("_") and callable(value):
            yield name, value


def _row(name: str, value: object) -> str:
    """Say what a name is, by the first sentence of its docstring, or by its values."""
    is_ours = inspect.isclass(value) and value.__module__ != "builtins"
    has_own = is_ours or inspect.isroutine(value) or isinstance(value, property)
    said = (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ") if has_own else ""
    plain = value.__name__ if inspect.isclass(value) else repr(value)
    shown = said or f"`{plain}`".replace("typing.", "").replace("|", "\\|")
    return f"| `{name}` | {shown} |"


if __name__ == "__main__":
    PAGE.write_text(page())
