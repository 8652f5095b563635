"""Cassettes: VCR.py's recordings in a form that people can read and review.

One file a test: a head that says where it comes from, then the exchanges. Requests are JSON as
YAML; replies are the text that came. Of the headers only the content type is written, so that no
token is, and folders of the recording machine are cut off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import vcr
import yaml

from localmix.settings.sources import runs_in_ci

HEADERS = ("content-type",)
# Where a client finds the servers in a replay; a recording is written as if it had been here.
CANONICAL = ("http://127.0.0.1:8080", "http://127.0.0.1:8081")
_INDENTATION = re.compile(rb"\\n +")
_FOLDER = re.compile(r"(?:/[\w.~-]+)+/(?=models/blobs/|blobs/sha256)")
# libyaml is many times as fast, where PyYAML was built with it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_tape(path: Path) -> dict[str, Any]:
    """Read what a cassette holds: its head, and the exchanges as they are written."""
    return _loaded(path.read_text())


def _loaded(text: str) -> dict[str, Any]:
    tape: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506  (a safe loader)
    return tape


@dataclass
class Cassette:
    """Record or replay what one test says to servers, and what they answer.

    Attributes:
        path: The file.
        head: What stands on top of it: where the recording comes from.
        urls: The servers' addresses to record from; empty to replay.
    """

    path: Path
    head: Mapping[str, str] = field(default_factory=dict)
    urls: tuple[str, ...] = ()
    tape: Any = field(default=None)

    @property
    def servers(self) -> list[str]:
        """Where a client finds the servers; the first is the one that counts as a rule."""
        return list(self.urls or CANONICAL)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve every request from the recording, or write one.

        Raises:
            AssertionError: A recorded exchange was not played.
            RuntimeError: Something is to be recorded in CI.
        """
        if self.urls and runs_in_ci():
            raise RuntimeError("CI must not record")
        path = self.path.with_suffix(".new") if self.urls else self.path
        if self.urls:
            path.unlink(missing_ok=True)
        tapes = vcr.VCR(
            record_mode="all" if self.urls else "none",
            match_on=("method", "uri", "parsed_body"),
            before_record_request=self._canonical,
            before_record_response=_clean_response,
        )
        tapes.register_matcher("parsed_body", _same_body)
        tapes.register_serializer("readable", _Readable(self.head))
        with tapes.use_cassette(str(path), serializer="readable") as self.tape:
            yield
        if path.exists() and self.urls:
            path.replace(self.path)  # only what was judged good
        elif not self.urls:
            assert self.tape.all_played, f"not played: {self._unplayed()}"  # noqa: S101

    def _canonical(self, request: Any) -> Any:
        for own, canonical in zip(self.urls, CANONICAL, strict=False):
            request.uri = request.uri.replace(own, canonical)
        request.headers = {
            name: value for name, value in request.headers.items() if name.lower() in HEADERS
        }
        return request

    def _unplayed(self) -> list[str]:
        counts = self.tape.play_counts
        return [
            f"{request.method} {request.path}"
            for index, (request, _) in enumerate(self.tape.data)
            if not counts[index]
        ]


def _same_body(one: Any, other: Any) -> None:
    assert _parsed(_undented(one.body)) == _parsed(_undented(other.body))  # noqa: S101


def _undented(body: bytes | str | None) -> bytes | None:
    """Take out indentation: Python 3.13 takes it out of docstrings, which describe tools."""
    given = body.encode() if isinstance(body, str) else body
    return given and _INDENTATION.sub(rb"\\n", given)


def _parsed(body: bytes | str | None) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body if isinstance(body, bytes) else body.encode()


def _clean_response(response: dict[str, Any]) -> dict[str, Any]:
    response["headers"] = {
        name.lower(): values
        for name, values in response["headers"].items()
        if name.lower() in HEADERS
    }
    return response


class _Readable:
    """A cassette as YAML for people, with its source on top."""

    def __init__(self, head: Mapping[str, str]) -> None:
        self._head = head

    def serialize(self, tape: dict[str, Any]) -> str:
        """Write the exchanges."""
        exchanges = [_written(each) for each in tape["interactions"]]
        return str(
            yaml.dump(
                {**self._head, "exchanges": exchanges},
                Dumper=_Dumper,
                sort_keys=False,
                allow_unicode=True,
                width=1_000_000,
            )
        )

    def deserialize(self, text: str) -> dict[str, Any]:
        """Read the exchanges."""
        exchanges = _loaded(text)["exchanges"]
        return {"version": 1, "interactions": [_read(each) for each in exchanges]}


def _written(interaction: dict[str, Any]) -> dict[str, Any]:
    request, response = interaction["request"], interaction["response"]
    parts = urlsplit(request["uri"])
    said: dict[str, Any] = {"request": f"{request['method']} {parts.path}", "port": parts.port}
    body = _parsed(request["body"])
    if body is not None:
        said["body"] = _shortened(body) if isinstance(body, dict | list) else body.decode()
    content = response["body"]["string"]
    text = content.decode() if isinstance(content, bytes) else content
    return {
        **said,
        "status": response["status"]["code"],
        "content-type": ", ".join(response["headers"].get("content-type", [])),
        "reply": _FOLDER.sub("/", text),
    }


def _read(exchange: dict[str, Any]) -> dict[str, Any]:
    method, path = exchange["request"].split(" ", 1)
    body = exchange.get("body")
    if isinstance(body, dict | list):
        body = json.dumps(_lengthened(body))
    content_type = exchange["content-type"]
    return {
        "request": {
            "method": method,
            "uri": f"http://127.0.0.1:{exchange['port']}{path}",
            "body": body,
            "headers": {},
        },
        "response": {
            "status": {"code": exchange["status"], "message": ""},
            "headers": {"content-type": [content_type]} if content_type else {},
            "body": {"string": exchange["reply"].encode()},
        },
    }


_REPEATED = re.compile(r"^(.{1,40}?)\1{20,}$", re.DOTALL)


def _shortened(value: Any) -> Any:
    """Write a text that only repeats itself as `{repeat: [text, times]}`."""
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    if isinstance(value, str) and (match := _REPEATED.match(value)):
        unit = match.group(1)
        return {"repeat": [unit, len(value) // len(unit)]}
    return value


def _lengthened(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"repeat"}:
            return value["repeat"][0] * value["repeat"][1]
        return {key: _lengthened(item) for key, item in value.items()}
    return [_lengthened(item) for item in value] if isinstance(value, list) else value


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
    """What writes texts of several lines as blocks."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)
