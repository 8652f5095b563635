"""What runs on a server of ours does not move to a cloud when that fails."""

from __future__ import annotations

from typing import Any

import pytest

from localmix.errors import LocalMixError, ModelNotFoundError
from tests import stand_ins
from tests.either import MakeEither
from tests.loopback import LoopbackServer, hang_up, whole


def cloud(name: str = "tiny:latest", **routes: Any) -> LoopbackServer:
    """Be an Ollama that would send the model's requests to a cloud."""
    server = stand_ins.ollama(name, **routes)
    entry: dict[str, Any] = {
        "name": name,
        "digest": "81fbd01b23a85376",
        "remote_host": "https://ollama.com:443",
    }
    entry |= {"remote_model": name, "details": {}, "capabilities": ["completion"]}
    server.routes["GET /api/tags"] = whole({"models": [entry]})
    return server


@pytest.mark.parametrize("fault", [hang_up, whole({"error": "boom"}, 500)])
@pytest.mark.parametrize("model", ["tiny", "ollama/tiny", "mine", None])
def test_no_fail_over_goes_to_a_cloud(
    either: MakeEither, start: Any, fault: Any, model: str | None
) -> None:
    ours, clouds = start(stand_ins.ollama("tiny:latest", POST__api_chat=fault)), start(cloud())
    client = either([clouds.url, ours.url], max_retries=0, aliases={"mine": ["tiny"]})
    with pytest.raises(LocalMixError):
        client.chat("hello", model=model)
    assert (ours.count("POST /api/chat"), clouds.count("POST /api/chat")) == (1, 0)


def test_a_model_that_went_away_is_not_looked_for_in_a_cloud(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localmix.routing.selection._RECENT_SECONDS", 0.0)  # ask again at once
    gone = whole({"error": "model 'tiny' not found"}, 404)
    ours, clouds = start(stand_ins.ollama("tiny:latest", POST__api_chat=gone)), start(cloud())
    client = either([ours.url, clouds.url], max_retries=0)
    client.models_by_server()
    ours.routes["GET /api/tags"] = whole({"models": []})
    with pytest.raises(LocalMixError):
        client.chat("hello", model="tiny")
    assert clouds.count("POST /api/chat") == 0


def test_no_later_request_goes_to_a_cloud_by_itself(
    either: MakeEither, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localmix.routing.selection._RECENT_SECONDS", 0.0)  # ask again at once
    ours, clouds = start(stand_ins.ollama("tiny:latest")), start(cloud())
    client = either([{"url": ours.url}, {"url": clouds.url, "name": "box"}], refresh_after=0.01)
    assert client.chat("hello", model="tiny").content == "Hi."
    ours.routes["GET /api/tags"] = whole({"models": []})
    client.servers()
    with pytest.raises(ModelNotFoundError, match="would send it to a cloud.* Ask for box/tiny"):
        client.chat("hello", model="tiny")
    assert clouds.count("POST /api/chat") == 0
    assert client.chat("hello", model="box/tiny").content == "Hi."
    assert clouds.count("POST /api/chat") == 1


def test_a_cloud_that_is_asked_for_answers(either: MakeEither, start: Any) -> None:
    clouds = start(cloud("tiny:120b-cloud"))
    client = either([start(stand_ins.ollama()).url, clouds.url])
    assert client.chat("hello", model="tiny:120b-cloud").content == "Hi."
    assert clouds.count("POST /api/chat") == 1
