"""The page in a real browser: what it shows, what it can do, and what it never does."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from tests import stand_ins
from tests.lmstudio.server import CHAT, EMBED, LMStudio
from tests.loopback import Exchange, LoopbackServer, hang_up
from tests.proxy.served import Proxy, proxy

pytest.importorskip("playwright", reason="make test-page")

from playwright.sync_api import expect

from tests.page.browsing import Visit, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

Start = Callable[[LoopbackServer], LoopbackServer]
SECRET = "A secret of mine"
SOON = 3.0
TRIES = 10  # a machine that is busy with something else may be late now and then


def ask(front: Proxy, model: str = "tiny") -> None:
    body = {"model": model, "messages": [{"role": "user", "content": SECRET}]}
    front.ask("POST", "/api/chat", body)


def behaves(seen: Visit, front: Proxy) -> None:
    """Hold what is true of every visit: nothing from elsewhere, no complaint, no prompt."""
    assert [url for url in seen.asked if not url.startswith(front.url)] == []
    assert seen.complaints == []
    assert SECRET not in seen.page.content()


def test_a_server_that_goes_away_is_seen_within_three_seconds(
    chromium: Browser, start: Start
) -> None:
    stays, goes = start(stand_ins.ollama()), start(stand_ins.lmstudio())
    with proxy([stays.url, goes.url]) as front, visit(chromium, front) as seen:
        servers = seen.section("Servers").get_by_role("listitem")
        gone = servers.filter(has_text=goes.url)
        expect(gone).to_contain_text("available")
        expect(servers.filter(has_text=stays.url)).to_contain_text("0.32.15")
        took: list[float] = []
        while len(took) < TRIES and min(took, default=SOON) >= SOON:
            began = monotonic()
            goes.stop()
            expect(gone).to_contain_text("missing")
            took.append(monotonic() - began)
            expect(servers.filter(has_text=stays.url)).to_contain_text("available")
            goes.start()
            expect(gone).to_contain_text("available")
        assert min(took) < SOON
        behaves(seen, front)


def test_a_model_is_loaded_and_unloaded_by_the_keyboard(chromium: Browser, start: Start) -> None:
    behind = start(LMStudio())
    with proxy([behind.url]) as front, visit(chromium, front) as seen:
        buttons = seen.section("Models").get_by_role("listitem").filter(has_text=CHAT)
        load = buttons.get_by_role("button", name=re.compile(f"^Load .*{CHAT}$"))
        load.first.focus()
        seen.page.keyboard.press("Enter")
        expect(seen.section("Servers")).to_contain_text(f"loaded: {CHAT}")
        expect(seen.page.locator("#said")).to_contain_text("is loaded")
        unload = buttons.get_by_role("button", name=re.compile(f"^Unload .*{CHAT}$"))
        expect(unload.first).to_be_focused()  # what comes in takes nobody's button away
        seen.page.keyboard.press("Enter")
        expect(seen.section("Servers")).not_to_contain_text("loaded:")
        behaves(seen, front)


def test_what_goes_away_takes_nobodys_place(chromium: Browser, start: Start) -> None:
    behind = start(stand_ins.ollama("a:latest", "b:latest"))
    with proxy([behind.url]) as front, visit(chromium, front) as seen:
        button = seen.page.get_by_role("button", name=re.compile("^Load .*b:latest$"))
        button.focus()
        fewer = stand_ins.ollama("b:latest")
        behind.routes["GET /api/tags"] = fewer.routes["GET /api/tags"]
        expect(seen.section("Models")).not_to_contain_text("a:latest")
        expect(button).to_be_focused()
        behaves(seen, front)


def test_a_model_that_embeds_is_loaded_too(chromium: Browser, start: Start) -> None:
    behind = start(LMStudio())
    with proxy([behind.url]) as front, visit(chromium, front) as seen:
        load = seen.page.get_by_role("button", name=re.compile(f"^Load .*{EMBED}$"))
        load.first.click()
        expect(seen.section("Servers")).to_contain_text(f"loaded: {EMBED}")
        behaves(seen, front)


def test_a_model_that_another_program_loads_is_seen(chromium: Browser, start: Start) -> None:
    behind = start(stand_ins.ollama())
    with proxy([behind.url]) as front, visit(chromium, front) as seen:
        expect(seen.section("Models")).to_contain_text("not loaded")
        loaded = stand_ins.ollama(loaded=("tiny:latest",))
        behind.routes["GET /api/ps"] = loaded.routes["GET /api/ps"]
        expect(seen.section("Servers")).to_contain_text("loaded: tiny:latest")
        behaves(seen, front)


def test_a_route_with_a_failover_tells_what_failed(chromium: Browser, start: Start) -> None:
    first = start(stand_ins.ollama(POST__api_chat=hang_up))
    second = start(stand_ins.ollama())
    with proxy([first.url, second.url]) as front, visit(chromium, front) as seen:
        ask(front)
        route = seen.section("Last routes").get_by_role("listitem")
        expect(route).to_contain_text(f"tiny:latest at {second.url}")
        expect(route).to_contain_text(f"after {first.url} failed (ConnectError)")
        expect(route).to_contain_text("answered")
        expect(route).to_contain_text("13.0 tokens/s")
        for name in ("Tokens per second", "Time to the first token"):
            plot = seen.page.get_by_role("img", name=re.compile(f"^{name}: 1 answers"))
            assert plot.locator("circle").count() == 1
        behaves(seen, front)


def test_requests_under_way_are_seen(chromium: Browser, start: Start) -> None:
    def wait(exchange: Exchange) -> None:
        exchange.is_hung_up(30)

    behind = start(stand_ins.ollama(POST__api_chat=wait))
    servers = [{"url": behind.url, "limit": 1}]
    with proxy(servers) as front, visit(chromium, front) as seen:  # type: ignore[arg-type]
        body = b'{"model":"tiny","messages":[{"role":"user","content":"%s"}]}' % SECRET.encode()
        head = f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        with front.connect() as one, front.connect() as other:
            for connection in (one, other):
                connection.sendall(head.encode() + body)
            doing = seen.section("Requests under way")
            expect(doing).to_contain_text("queued · waits for a server")
            expect(doing).to_contain_text(f"tiny:latest at {behind.url}")
            expect(seen.section("Servers")).to_contain_text("1 in flight")
        expect(doing).to_contain_text("None.")
        behaves(seen, front)


def test_names_are_text_and_nothing_else(chromium: Browser, start: Start) -> None:
    name = "<img src=x onerror=\"document.title='taken'\"><script>alert(1)</script>"
    behind = start(stand_ins.openai(name))
    with proxy([behind.url]) as front, visit(chromium, front) as seen:
        expect(seen.section("Models")).to_contain_text(name)
        ask(front, name)
        expect(seen.section("Last routes")).to_contain_text(name)
        assert seen.page.title() == "localmix"
        assert seen.page.locator("main img:not([role])").count() == 0
        behaves(seen, front)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_fits_and_can_be_read(chromium: Browser, start: Start, width: int, colours: str) -> None:
    behind = start(LMStudio(loaded={CHAT: CHAT}))
    with (
        proxy([behind.url, "http://127.0.0.1:9"]) as front,
        visit(chromium, front, width=width, color_scheme=colours) as seen,
    ):
        ask(front, CHAT)
        expect(seen.section("Last routes")).to_contain_text("answered")
        root = "document.documentElement"
        assert seen.page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
        paper = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        light = sum(map(int, re.findall(r"\d+", paper))) > 3 * 128
        assert light == (colours == "light")
        for button in seen.page.get_by_role("button").all():
            box = button.bounding_box()
            assert box
            assert box["height"] >= 40  # for a finger
        assert seen.page.evaluate(_FAINT) == []
        behaves(seen, front)


# Texts whose contrast is below 4.5 to 1, by the rules of WCAG 2.
_FAINT = """() => {
  const read = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map((each) => each / 255)
    .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
    .reduce((sum, each, index) => sum + each * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = read(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
  };
  const says = (node) => [...node.childNodes]
    .some((each) => each.nodeType === 3 && each.textContent.trim());
  return [...document.querySelectorAll("body *")]
    .filter((node) => node.offsetParent && says(node))
    .filter((node) => {
      const [one, other] = [light(read(getComputedStyle(node).color)), light(behind(node))];
      return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05) < 4.5;
    })
    .map((node) => node.textContent);
}"""


def test_a_token_is_asked_for_as_a_password(chromium: Browser, start: Start) -> None:
    behind = start(LMStudio())
    password = {"username": "me", "password": "correct-horse"}
    with (
        proxy([behind.url], proxy_token="correct-horse") as front,
        visit(chromium, front, http_credentials=password) as seen,
    ):
        models = seen.section("Models").get_by_role("listitem").filter(has_text=CHAT)
        models.get_by_role("button", name=re.compile(f"^Load .*{CHAT}$")).first.click()
        expect(seen.section("Servers")).to_contain_text(f"loaded: {CHAT}")
        assert "correct-horse" not in seen.page.content()


def test_who_may_only_read_can_unload_nothing(chromium: Browser, start: Start) -> None:
    behind = start(LMStudio(loaded={CHAT: CHAT}))
    with proxy([behind.url], proxy_read_only=True) as front, visit(chromium, front) as seen:
        expect(seen.section("Models")).to_contain_text("in memory")
        assert seen.page.get_by_role("button", name=re.compile("^Unload")).count() == 0
        behaves(seen, front)


def test_what_could_not_be_done_is_said(chromium: Browser, start: Start) -> None:
    behind = start(stand_ins.ollama(POST__api_generate=hang_up))
    with proxy([behind.url]) as front, visit(chromium, front) as seen:
        seen.page.get_by_role("button", name=re.compile("^Load .*tiny:latest$")).click()
        expect(seen.page.locator("#said")).to_contain_text("could not be loaded")


def test_a_proxy_that_ends_lets_the_page_go_and_the_page_says_so(
    chromium: Browser, start: Start
) -> None:
    behind = start(stand_ins.ollama())
    with ExitStack() as stack:
        with proxy([behind.url]) as front:
            seen = stack.enter_context(visit(chromium, front))
            expect(seen.page.locator("#link")).to_have_text("Live")
        expect(seen.page.locator("#link")).to_contain_text("does not answer")


def test_a_browser_finds_it_from_the_root(chromium: Browser, start: Start) -> None:
    behind = start(stand_ins.ollama())
    with proxy([behind.url]) as front, visit(chromium, front, "/") as seen:
        expect(seen.page.locator("body")).to_contain_text("Ollama is running")
        seen.page.get_by_role("link", name="See what it does").click()
        expect(seen.section("Servers")).to_contain_text(behind.url)
        behaves(seen, front)
