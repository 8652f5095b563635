"""The rules of the house, held by a test instead of a reviewer."""

from __future__ import annotations

import ast
import gc
import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import httpx
import pytest
from pydantic import BaseModel

import localmix
from localmix import AsyncClient, Client, errors
from localmix.bulk import AsyncInBulk, InBulk
from localmix.following import AsyncSteps, AsyncStream, Steps, Stream
from localmix.management import AsyncManaging, Managing
from localmix.settings import ServerConfig, Settings
from localmix.transport.over_httpx import our_error
from localmix.transport.patience import Patience
from localmix.types import (
    ChatRequest,
    CompletionRequest,
    EmbedRequest,
    GenerationRequest,
    Kind,
    LoadRequest,
    PullRequest,
    RouteRequest,
    options,
)
from localmix.wire.flows import Request, Timeouts
from localmix.wire.gate import Gate

ROOT = Path(__file__).parents[2]
CORE = ROOT / "shared" / "localmix"
ADAPTERS = (ROOT / "langchain_localmix", ROOT / "llamaindex_localmix")
FILES = [path for folder in (CORE, *ADAPTERS) for path in sorted(folder.rglob("*.py"))]
PACKAGES = ["localmix", "langchain_localmix", "llamaindex_localmix"]

# A room imports only from floors below its own; rooms of one floor do not know each other.
FLOORS = {
    "errors": 1,
    "types": 2,
    "settings": 3,
    "wire": 3,
    "dialects": 4,
    "embedded": 5,
    "observing": 5,
    "servers": 4,
    "discovery": 6,
    "routing": 7,
    "caching": 8,
    "following": 8,
    "transport": 8,
    "bulk": 9,
    "generating": 9,
    "management": 9,
    "client": 10,
    "adapting": 11,
    "proxy": 11,
    "ray": 11,
    "pytest": 12,
    "cli": 12,
    "__main__": 13,
    "langchain_localmix": 12,
    "llamaindex_localmix": 12,
}
MAX_LINES = 420
MAX_FUNCTION = 35


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if parts[0] == "localmix" and len(parts) > 1 else parts[0]


@pytest.fixture(scope="module", autouse=True)
def _trees_are_forgotten() -> Iterator[None]:
    yield
    tree_of.cache_clear()  # they are many objects, and whoever collects looks at each


@cache
def tree_of(path: Path) -> ast.Module:
    gc.disable()  # quirk (CPython 3.11): what is collected meanwhile may upset its recursion count
    try:
        return ast.parse(path.read_text())
    finally:
        gc.enable()


def module_of(path: Path) -> str:
    relative = path.relative_to(CORE.parent if path.is_relative_to(CORE) else ROOT)
    return ".".join(relative.with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """List what a file imports when it runs; what only type checkers read does not count."""
    tree = tree_of(path)
    only_types = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in only_types:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_a_room_imports_only_from_below() -> None:
    for path in FILES:
        own = room(module_of(path))
        for name in imports(path):
            assert _may_import(own, name), f"{module_of(path)} imports {name}"


def _may_import(own: str, name: str) -> bool:
    if own == "localmix":  # the front page shows everything
        return True
    if not name.startswith(("localmix", "langchain_localmix", "llamaindex_localmix")):
        return True
    other = room(name)
    if other in ("localmix", own) or name.startswith(f"localmix.{own}"):
        return True
    # What is not on a floor is from the front page: `Client` and the types.
    return FLOORS.get(other, FLOORS["client"]) < FLOORS[own]


def test_one_room_knows_the_http_library() -> None:
    for path in FILES:
        roots = {name.split(".")[0] for name in imports(path)}
        if roots & {"httpx", "httpcore", "anyio"}:
            assert path.parent == CORE / "transport"
        if "aiohttp" in roots:
            assert path.parent in (CORE / "proxy", CORE / "transport")


def test_one_file_reads_what_a_server_sent() -> None:
    """A key that is read elsewhere would enter unchecked; what is the caller's own is named."""
    callers = {None, "payload", "extra", "parameters", "schema", "node", "endpoint"}
    for path in FILES:
        if not path.is_relative_to(CORE / "dialects") or path.name in ("reading.py", "asking.py"):
            continue  # the two read what a server sent, and what a caller sent
        for node in ast.walk(tree_of(path)):
            owner = _read_by_key(node)
            assert owner in callers, f"{module_of(path)} reads a key of {owner}"


def _read_by_key(node: ast.AST) -> str | None:
    """Name what is read with `x["key"]` or `x.get("key")`; `None` if nothing is."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        key, owner = node.slice, node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        key, owner = node.args[0], node.func.value
        if node.func.attr != "get":
            return None
    else:
        return None
    is_key = isinstance(key, ast.Constant) and isinstance(key.value, str)
    return ast.unparse(owner) if is_key else None


def test_no_room_knows_a_kind_of_server_by_its_name() -> None:
    """What is true of a kind is a trait of its `ServerKind`; commands name programs to people."""
    namers = (CORE / "settings" / "vendors.py", CORE / "types" / "words.py")
    for path in FILES:
        if room(module_of(path)) in ("dialects", "embedded", "cli") or path in namers:
            continue
        nodes = ast.walk(tree_of(path))
        words = {node.value for node in nodes if isinstance(node, ast.Constant)}
        assert not words & set(get_args(Kind)), module_of(path)


def test_no_room_reads_the_environment_by_itself() -> None:
    for path in FILES:
        names = {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
        if path != CORE / "settings" / "sources.py":
            assert not names & {"environ", "getenv"}, module_of(path)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda path: path.name)
def test_an_adapter_knows_neither_dialects_nor_the_other(adapter: Path) -> None:
    other = next(each.name for each in ADAPTERS if each != adapter)
    for path in adapter.rglob("*.py"):
        for name in imports(path):
            assert not name.startswith(("localmix.dialects", "localmix.transport", other))


def test_no_file_is_too_long() -> None:
    for path in FILES:
        assert len(path.read_text().splitlines()) <= MAX_LINES, module_of(path)


def test_no_function_is_too_long() -> None:
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno
                assert lines < MAX_FUNCTION, f"{module_of(path)}: {node.name}"


@pytest.mark.parametrize("package", PACKAGES)
def test_all_is_sorted_and_complete(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name)


@pytest.mark.parametrize(
    ("sync", "asynchronous"),
    [
        (Client, AsyncClient),
        (InBulk, AsyncInBulk),
        (Managing, AsyncManaging),
        (Steps, AsyncSteps),
        (Stream, AsyncStream),
    ],
)
def test_the_two_colours_have_the_same_methods(sync: type, asynchronous: type) -> None:
    def public(kind: type) -> dict[str, str]:
        return {
            name: str(inspect.signature(member)).split(" -> ")[0]
            for name, member in vars(kind).items()
            if callable(member) and not name.startswith("_")
        }

    expected = public(sync)
    expected.pop("as_async", None)
    assert public(asynchronous) == expected


@pytest.mark.parametrize(
    ("typed", "model", "positional"),
    [
        (options.GenerationOptions, GenerationRequest, set()),
        (options.ChatOptions, ChatRequest, {"messages"}),
        (options.CompletionOptions, CompletionRequest, {"prompt"}),
        (options.EmbedOptions, EmbedRequest, {"texts"}),
        (options.RouteOptions, RouteRequest, {"model"}),
        (options.LoadOptions, LoadRequest, {"model"}),
        (options.PullOptions, PullRequest, {"model"}),
        (options.ServerOptions, ServerConfig, set()),
    ],
)
def test_keyword_arguments_are_the_fields(
    typed: type, model: type[BaseModel], positional: set[str]
) -> None:
    assert set(get_type_hints(typed)) == set(model.model_fields) - positional


def test_keyword_arguments_of_a_client_are_settings() -> None:
    environment_only = {"ollama", "lm", "use", "proxy"}
    own = {name for name in Settings.model_fields if name.split("_")[0] not in environment_only}
    assert set(get_type_hints(options.SettingsOptions)) == own - {"servers"}


def test_every_error_of_the_http_library_has_its_place() -> None:
    kinds = [getattr(httpx, name) for name in httpx.__all__]
    patience = Patience(Request("GET", "http://s/path", Timeouts.within(1)), Gate())
    for kind in kinds:
        if inspect.isclass(kind) and issubclass(kind, httpx.TransportError | httpx.InvalidURL):
            for has_begun in (False, True):
                error = our_error(patience, kind("x"), has_begun=has_begun)
                assert isinstance(error, errors.LocalMixError)
                assert "http://s" in error.message


@pytest.mark.slow
@pytest.mark.parametrize("package", ["localmix", "localmix.client"])
def test_importing_the_core_pulls_in_no_framework_and_no_http_library(package: str) -> None:
    heavy = "{'httpx', 'pydantic_settings', 'langchain_core', 'llama_index', 'xllamacpp'}"
    code = f"import sys, {package}; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run(  # the loaded modules of this process say nothing
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_the_version_stands_once() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == localmix.__version__
    assert f"## {localmix.__version__}" in (ROOT / "CHANGELOG.md").read_text()
