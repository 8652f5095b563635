"""Serve a tiny model as a registry does, so that a real Ollama can pull it without the internet.

`python -m tests.replay.registry` runs until its input ends; then record the scenario `pull`.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

PORT = 15599
NAME = f"http://127.0.0.1:{PORT}/localmix/pulled"
# So slow that the server has something to tell on the way.
_PIECE, _PAUSE = 200_000, 0.1
_MODEL = Path(__file__).parents[2] / "examples" / "tiny-model" / "localmix-tiny-embed.gguf"


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _layer(kind: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": f"application/vnd.{kind}", "digest": _digest(data), "size": len(data)}


# Padded, so that it is not the blob that the server may have already.
_WEIGHTS = _MODEL.read_bytes() + bytes(32)
_CONFIG = json.dumps(
    {
        "model_format": "gguf",
        "model_family": "bert",
        "model_families": ["bert"],
        "model_type": "586K",
        "file_type": "F16",
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [_digest(_WEIGHTS)]},
    }
).encode()
_MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": _layer("docker.container.image.v1+json", _CONFIG),
        "layers": [_layer("ollama.image.model", _WEIGHTS)],
    }
).encode()
_BLOBS = {_digest(blob): blob for blob in (_WEIGHTS, _CONFIG)}


class _Registry(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/v2/localmix/pulled/manifests/latest":
            self._reply(_MANIFEST)
        elif self.path.startswith("/v2/localmix/pulled/blobs/"):
            self._redirect(self.path.rpartition("/")[2])
        elif blob := _BLOBS.get(self.path.removeprefix("/")):
            self._reply(blob)
        else:
            self.send_error(404)

    do_HEAD = do_GET  # noqa: N815  (the library's name)

    def _redirect(self, digest: str) -> None:
        """Send on to another host name, as the real registry does; Ollama insists on it."""
        self.send_response(307)
        self.send_header("Location", f"http://localhost:{PORT}/{digest}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _reply(self, data: bytes) -> None:
        said = self.headers.get("Range", "").removeprefix("bytes=")
        first, _, last = said.partition("-")
        part = data[int(first or 0) : int(last or len(data) - 1) + 1]
        self.send_response(206 if said else 200)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if self.command == "GET":
            for start in range(0, len(part), _PIECE):
                self.wfile.write(part[start : start + _PIECE])
                time.sleep(_PAUSE)

    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", PORT), _Registry)
    Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
