"""Serve the stand-in to record from: `python -m tests.lmstudio 0.4`; prints its address."""

from __future__ import annotations

import sys

from tests.lmstudio.server import CHAT, LMStudio
from tests.loopback import serving

if __name__ == "__main__":
    stand_in = LMStudio(generation="0.3" if "0.3" in sys.argv else "0.4", loaded={CHAT: CHAT})
    with serving(stand_in) as server:
        print(server.url, flush=True)
        sys.stdin.read()
