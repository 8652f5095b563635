"""Take the pictures of the page in docs/: `python -m tests.page`."""

from __future__ import annotations

from pathlib import Path

from tests import stand_ins
from tests.lmstudio.server import CHAT, LMStudio
from tests.loopback import hang_up, serving
from tests.page.browsing import browser, visit
from tests.proxy.served import Proxy, proxy

FOLDER = Path(__file__).parents[2] / "docs" / "images"
# Where a window ends, and how it is coloured.
PICTURES = {1280: "light", 390: "dark"}


def main() -> None:
    models = ("qwen3:8b", "gemma3:270m", "nomic-embed-text:latest")
    broken = stand_ins.ollama(models[0], POST__api_chat=hang_up)
    with (
        serving(broken) as first,
        serving(stand_ins.ollama(*models, loaded=models[:1])) as second,
        serving(LMStudio(loaded={CHAT: CHAT})) as third,
        proxy([first.url, second.url, third.url, "http://127.0.0.1:9"]) as front,
        browser() as chromium,
    ):
        for width, colours in PICTURES.items():
            with visit(chromium, front, width=width, color_scheme=colours) as seen:
                if width == max(PICTURES):
                    _talk(front, models[0], CHAT)
                seen.page.get_by_text("answered").last.wait_for()
                picture = FOLDER / f"page-{width}.png"
                seen.page.screenshot(path=picture, full_page=width == max(PICTURES))
                print(picture)


def _talk(front: Proxy, *models: str) -> None:
    for model in models * 3:
        body = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
        assert front.ask("POST", "/api/chat", body).status == 200


if __name__ == "__main__":
    main()
