"""Serve both tiny models with llama.cpp, to record from; prints the two addresses."""

from __future__ import annotations

import sys
from pathlib import Path

from localmix.embedded import serve


def main() -> None:
    folder = Path(__file__).parents[2] / "examples" / "tiny-model"
    orders = (("localmix-tiny", 2048, False), ("localmix-tiny-embed", 512, True))
    servers = [
        serve._serve(
            {
                "path": str(folder / f"{name}.gguf"),
                "name": name,
                "key": "",
                "embedding": embeds,
                "window": window,
                "slots": 1,
                "threads": 1,
            }
        )
        for name, window, embeds in orders
    ]
    print(*(server.listening_address for server in servers), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
