"""A kind of server that nobody has heard of is a dialect and one value."""

from __future__ import annotations

from typing import Any, cast

import pytest

from localmix.dialects import KINDS, Endpoint, Proof, ServerKind, Target
from localmix.dialects.dialect import Listing
from localmix.dialects.failures import checked
from localmix.dialects.openai.client import OpenAIDialect
from localmix.dialects.openai.keeper import OpenAIModels
from localmix.types import ChatResult, GenerationRequest, Kind, ModelInfo
from localmix.wire.flows import Flow, Request, Response, send
from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import LoopbackServer, hang_up, whole

PARROT = cast("Kind", "parrot")


class ParrotDialect(OpenAIDialect):
    """Speak to a bird: it has one model, and says again what it hears."""

    def list_models(self, endpoint: Endpoint) -> Flow[Listing]:
        reply = checked((yield from send(endpoint.get("/birds"))), endpoint.url)
        models = [ModelInfo(name, endpoint.url, PARROT) for name in reply.values("birds")]
        return Listing(models)

    def generation_request(
        self, target: Target, request: GenerationRequest, *, stream: bool
    ) -> Request:
        return target.endpoint.post("/say", {"bird": target.model.name})

    def parse_generation(
        self, target: Target, request: GenerationRequest, response: Response
    ) -> ChatResult:
        said = checked(response, target.url).text("said")
        return ChatResult(content=said, model=target.model.name, finish_reason="stop")


@pytest.fixture(autouse=True)
def parrots(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = ServerKind(
        PARROT,
        "A parrot",
        ParrotDialect(),
        OpenAIModels(),
        evidence="/cage",
        proof=lambda cage: Proof(cage.text("cage")) if "cage" in cage else None,
    )
    monkeypatch.setitem(KINDS, PARROT, kind)


def parrot(**routes: Any) -> LoopbackServer:
    usual = {"GET /cage": whole({"cage": "1.0"}), "GET /birds": whole({"birds": ["polly"]})}
    return LoopbackServer({**usual, "POST /say": whole({"said": "Hello!"}), **routes})


def test_it_is_found_listed_and_asked(either: MakeEither, start: Any) -> None:
    client = either(start(parrot()).url)
    (server,) = client.servers()
    assert (server.kind, server.version, server.problem) == (PARROT, "1.0", "")
    assert [model.name for model in client.models_by_server()] == ["polly"]
    answer = client.chat("Hello?", model="parrot/polly")
    assert answer.content == "Hello!"
    assert answer.route
    assert answer.route.server.kind == PARROT


def test_others_take_over_from_it(either: MakeEither, start: Any) -> None:
    bad = start(parrot(**{"POST /say": hang_up, "GET /birds": whole({"birds": ["tiny"]})}))
    client = either([bad.url, start(stand_ins.ollama()).url])
    route = client.chat("Hello?", model="tiny").route
    assert route
    assert (route.server.kind, route.attempts[0].server) == ("ollama", bad.url)
