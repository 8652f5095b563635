"""A token goes to the server that it was given for, and nowhere else."""

from __future__ import annotations

import base64
import copy
import json
import logging
import pickle
import traceback
from typing import Any

import pytest
from pydantic import SecretStr

from localmix.errors import AuthenticationError, ConfigError, LocalMixError
from localmix.settings import ServerConfig, Settings
from tests import stand_ins
from tests.either import MakeEither
from tests.faults.faults import AFTER, BEFORE, BOUNDS, Fault, small
from tests.faults.wires import WIRES, Purpose
from tests.loopback import Exchange, LoopbackServer, Reply, hang_up, ndjson, whole

TOKEN, OTHER = "sk-first-0123456789abcdef", "sk-second-fedcba9876543210"
PASSWORD = "pass-word-13579"
BASIC = base64.b64encode(f"user:{PASSWORD}".encode()).decode()


def given(server: LoopbackServer) -> set[str]:
    """List what a server was given to identify its caller, in any header."""
    known = (TOKEN, OTHER, PASSWORD, BASIC)
    values = " ".join(f"{v}" for each in server.requests for v in each.headers.values())
    return {secret for secret in known if secret in values}


def with_token(server: LoopbackServer, token: str = TOKEN) -> ServerConfig:
    return ServerConfig(url=server.url, token=SecretStr(token))


def tattle(status: int) -> Reply:
    """Fail, and quote the token that came with the request."""

    def reply(exchange: Exchange) -> None:
        token = exchange.headers.get("authorization", "")
        whole({"error": f"no access with {token}, Sir"}, status)(exchange)

    return reply


@pytest.mark.parametrize("fault", [hang_up, whole({"error": "boom"}, 500), whole(b"", 307)])
def test_a_fail_over_takes_no_token_along(either: MakeEither, start: Any, fault: Reply) -> None:
    first = start(stand_ins.ollama(POST__api_chat=fault))
    second = start(stand_ins.lmstudio())
    third = start(stand_ins.openai())
    client = either([with_token(first), with_token(second, OTHER), third.url])
    client.servers()
    client.chat("hello", model="tiny")
    assert first.count("POST /api/chat") == 1
    assert second.count("POST /v1/chat/completions") == 1
    assert (given(first), given(second), given(third)) == ({TOKEN}, {OTHER}, set())


def port(server: LoopbackServer) -> int:
    return int(server.url.rpartition(":")[2])


@pytest.fixture
def lm_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a token for LM Studio, which is looked for in its usual place."""
    monkeypatch.setenv("LM_API_TOKEN", TOKEN)
    monkeypatch.setenv("USE_OLLAMA", "false")
    monkeypatch.setattr("localmix.settings.lmstudio_port", lambda: None)


@pytest.mark.parametrize(
    "impostor", [stand_ins.ollama, stand_ins.openai, LoopbackServer], ids=["ollama", "openai", "?"]
)
def test_a_token_for_lm_studio_is_not_shown_to_what_sits_in_its_place(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch, lm_token: None, impostor: Any
) -> None:
    server = start(impostor())
    monkeypatch.setattr("localmix.settings.LMSTUDIO_PORT", port(server))
    either().servers()
    assert server.requests
    assert given(server) == set()


def test_a_token_for_lm_studio_goes_to_what_has_proved_to_be_one(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch, lm_token: None
) -> None:
    server = start(stand_ins.lmstudio())
    monkeypatch.setattr("localmix.settings.LMSTUDIO_PORT", port(server))
    either().chat("hello", model="tiny")
    asked = server.last("POST /v1/chat/completions").headers
    assert asked["authorization"] == f"Bearer {TOKEN}"
    assert "authorization" not in server.last("GET /lmstudio-greeting").headers


def test_a_key_of_ollamas_cloud_is_not_shown_to_what_listens_here(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(stand_ins.ollama())
    monkeypatch.setenv("OLLAMA_API_KEY", TOKEN)
    monkeypatch.setenv("USE_LM_STUDIO", "false")
    monkeypatch.setattr("localmix.settings.OLLAMA_PORT", port(server))
    either().chat("hello", model="tiny")
    assert given(server) == set()
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    either().chat("hello", model="tiny")
    assert given(server) == {TOKEN}


def test_cookies_are_not_kept(either: MakeEither, start: Any) -> None:
    """To a cookie all ports of a machine are one: it would go to every server there."""

    def feed(exchange: Exchange) -> None:
        body = b'{"version": "0.32.15"}'
        headers = {"Set_Cookie": f"session={TOKEN}; Path=/", "Content_Length": str(len(body))}
        exchange.head(200, "application/json", **headers)
        exchange.send(body)

    first, second = start(stand_ins.ollama(GET__api_version=feed)), start(stand_ins.ollama())
    client = either([first.url, second.url])
    for _ in range(2):
        client.servers()
    assert given(first) == given(second) == set()


def everything_shown(client: Any, caught: LocalMixError | None) -> str:
    """Write down what a program may print, log or store."""
    shown = [repr(client), repr(client.settings), str(client.settings)]
    shown += [repr(pickle.dumps(client)), repr(pickle.dumps(client.settings))]
    if caught:
        shown += [str(caught), repr(caught), repr(caught.attempts), repr(vars(caught))]
        shown += [repr(pickle.dumps(caught))]
        shown += traceback.format_exception(caught)
    return "\n".join(shown)


def locals_shown(error: BaseException | None) -> list[str]:
    """Write down the variables of our own code, as tools that report errors do."""
    shown: list[str] = []
    while error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        ours = [frame for frame in told.stack if "/shared/localmix/" in frame.filename]
        shown += [repr(frame.locals) for frame in ours]
        error = error.__cause__ or error.__context__
    return shown


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Log everything, also what the HTTP library says."""
    caplog.set_level(logging.DEBUG)
    for name in ("localmix", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def assert_no_secret(text: str) -> None:
    for secret in (TOKEN, OTHER, PASSWORD, BASIC):
        assert secret not in text


MISHAPS = [("chat", name, fault) for name, fault in BEFORE.items()]
MISHAPS += [("stream", f"after: {name}", fault) for name, fault in AFTER.items()]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("purpose", "fault"),
    [(purpose, fault) for purpose, _, fault in MISHAPS],
    ids=[name for _, name, _ in MISHAPS],
)
def test_a_token_stands_nowhere_whatever_goes_wrong(
    either: MakeEither, start: Any, log: pytest.LogCaptureFixture, fault: Fault, purpose: Purpose
) -> None:
    wire = WIRES["ollama"]
    server = start(wire.server())
    url = server.url.replace("//", f"//user:{PASSWORD}@")
    second = ServerConfig.of({"url": url.replace("127.0.0.1", "localhost"), "token": OTHER})
    client = either([with_token(server), second], timeout=1.0, **BOUNDS)
    client.models_by_server()
    fault.strike(server, wire, purpose)
    with small(), pytest.raises(LocalMixError) as caught:
        getattr(client, purpose)("hello", model="tiny")
    shown = [everything_shown(client.client, caught.value), *locals_shown(caught.value)]
    assert_no_secret("\n".join(shown))
    assert log.records
    assert_no_secret(log.text)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_a_server_that_quotes_the_token_is_not_quoted(
    either: MakeEither, start: Any, log: pytest.LogCaptureFixture, status: int
) -> None:
    server = start(stand_ins.ollama(POST__api_chat=tattle(status), POST__api_embed=tattle(status)))
    client = either([with_token(server)], max_retries=0)
    for ask in (client.chat, client.stream, client.embed):
        model = "embed" if ask == client.embed else "tiny"
        with pytest.raises(LocalMixError, match="no access with") as caught:
            ask("hello", model=model)
        assert_no_secret(everything_shown(client.client, caught.value) + log.text)
    assert given(server) == {TOKEN}


def quoting(ending: str) -> Reply:
    """Begin well, with status 200, and quote the token in what is no answer."""

    def reply(exchange: Exchange) -> None:
        token = exchange.headers.get("authorization", "")
        lines = {
            "error": [{"error": f"no access with {token}, Sir"}],
            "late error": [
                stand_ins.ollama_says(content="Hi"),
                {"error": f"no access with {token}, Sir"},
            ],
            "no JSON": [],
        }[ending]
        body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        whole(body or f"no access with {token}, Sir".encode(), 200, "application/x-ndjson")(
            exchange
        )

    return reply


@pytest.mark.parametrize("ending", ["error", "late error", "no JSON"])
@pytest.mark.parametrize("purpose", ["chat", "stream", "embed", "pull", "load"])
def test_a_token_that_is_quoted_with_status_200_is_not_quoted(
    either: MakeEither, start: Any, log: pytest.LogCaptureFixture, ending: str, purpose: str
) -> None:
    reply = quoting(ending)
    paths = "chat", "embed", "pull", "generate"
    server = start(stand_ins.ollama())
    server.routes.update({f"POST /api/{path}": reply for path in paths})
    client = either([with_token(server)], max_retries=0)
    model = "embed" if purpose == "embed" else "tiny"
    with pytest.raises(LocalMixError) as caught:
        if purpose == "load":
            client.manage("load", "tiny")
        elif purpose == "pull":
            client.pull("other")
        else:
            getattr(client, purpose)("hello", model=model)
    assert_no_secret(everything_shown(client.client, caught.value) + log.text)
    assert given(server) == {TOKEN}


def test_a_listing_that_quotes_the_token_is_not_quoted(either: MakeEither, start: Any) -> None:
    server = start(stand_ins.ollama(GET__api_tags=tattle(401)))
    client = either([with_token(server)])
    (shown,) = client.servers()
    assert_no_secret(repr(shown))
    with pytest.raises(LocalMixError) as caught:
        client.chat("hello", model="tiny")
    assert_no_secret(everything_shown(client.client, caught.value))


def test_success_is_as_discreet(
    either: MakeEither, start: Any, log: pytest.LogCaptureFixture
) -> None:
    server = start(stand_ins.ollama())
    url = server.url.replace("//", f"//user:{PASSWORD}@")
    client = either([url])
    result = client.chat("hello", model="tiny")
    streamed = client.stream("hello", model="tiny")
    assert given(server) == {BASIC}
    shown = [repr(result), repr(pickle.dumps(result)), repr(streamed), repr(client.servers())]
    assert_no_secret("\n".join(shown) + everything_shown(client.client, None) + log.text)


@pytest.mark.parametrize(
    "url", [f"http://user:{PASSWORD}@[", f"ftp://user:{PASSWORD}@host", f"user:{PASSWORD}@h:99999"]
)
def test_an_address_that_cannot_be_right_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.load(servers=url)
    assert_no_secret(str(caught.value) + repr(caught.value))
    assert_no_secret("\n".join(traceback.format_exception(caught.value)))


@pytest.mark.parametrize("token", [f"{TOKEN}\nX-Other: 1", f"{TOKEN}\u2028x", f"{TOKEN}é"])
def test_a_token_that_cannot_be_sent_is_told_without_it(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    with pytest.raises(ValueError, match="a header cannot have") as caught:
        ServerConfig(url="localhost", token=SecretStr(token))
    assert_no_secret("".join(traceback.format_exception(caught.value)))
    monkeypatch.setenv("LM_API_TOKEN", token)
    with pytest.raises(ConfigError, match="a header cannot have") as told:
        Settings.load()
    assert_no_secret("".join(traceback.format_exception(told.value)))


def test_a_token_from_a_file_may_end_with_its_line() -> None:
    config = ServerConfig(url="localhost", token=SecretStr(f"{TOKEN}\n"))
    assert config.authorization(None) == {"Authorization": f"Bearer {TOKEN}"}


def test_a_wrong_token_is_an_error_of_its_own(either: MakeEither, start: Any) -> None:
    first = start(stand_ins.ollama(POST__api_chat=whole({"error": "unauthorized"}, 401)))
    hello = ndjson(stand_ins.ollama_says(content="Hi."), stand_ins.OLLAMA_DONE)
    second = start(stand_ins.ollama(POST__api_chat=hello))
    with pytest.raises(AuthenticationError):
        either([first.url]).chat("hello", model="tiny")
    assert either([first.url, second.url]).chat("hello", model="tiny").content == "Hi."


def test_a_copy_of_a_client_keeps_the_token_and_a_pickle_does_not(
    either: MakeEither, start: Any
) -> None:
    server = start(stand_ins.ollama())
    client = either([with_token(server)], tokens={"gpu": OTHER})
    given_client = client.client
    assert_no_secret(repr(pickle.dumps(given_client)))
    for copied in (copy.copy(given_client), copy.deepcopy(given_client)):
        assert copied is not given_client
        server.requests.clear()
        client.client = copied
        client.servers()
        assert given(server) == {TOKEN}
        client.close()
    client.client = given_client


@pytest.mark.parametrize("setting", ["OLLAMA_HOST", "OLLAMA_BASE_URL", "LM_STUDIO_BASE_URL"])
def test_a_password_in_a_variable_goes_to_its_server_and_is_shown_nowhere(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    server = start(stand_ins.ollama())
    monkeypatch.setenv(setting, server.url.replace("//", f"//user:{PASSWORD}@"))
    other = "USE_OLLAMA" if setting.startswith("LM") else "USE_LM_STUDIO"
    monkeypatch.setenv(other, "false")
    client = either()
    assert client.chat("hello", model="tiny").content == "Hi."
    assert given(server) == {BASIC}
    assert_no_secret(everything_shown(client.client, None))
