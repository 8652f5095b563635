"""What other OpenAI-compatible servers can do with their models: nothing but to use them."""

from __future__ import annotations

from localmix.dialects.dialect import Endpoint, Target
from localmix.dialects.keeper import PullMeter, refusal
from localmix.errors import UnsupportedFeatureError
from localmix.types import LoadRequest
from localmix.wire.flows import Flow, Source


class OpenAIModels:
    """The models of a server that has them for as long as it runs."""

    def load(self, target: Target, request: LoadRequest) -> Flow[None]:
        """Accept what is the case anyway: the model is loaded, and stays."""
        window, stays = target.model.loaded_context_length, (request.keep_alive or -1) < 0
        if request.num_ctx not in (None, window):
            what = f"change the context length of {window or 'its model'}"
            raise _cannot(target.url, what, "Restart it with another one (llama-server: -c N).")
        if not stays:
            raise _cannot(target.url, "unload a model after a time", "Stop the server yourself.")
        yield from ()

    def unload(self, target: Target) -> Flow[None]:
        """Refuse."""
        raise _cannot(target.url, "unload its model", "Stop the server.")

    def delete(self, target: Target) -> Flow[None]:
        """Refuse."""
        raise _cannot(target.url, "delete models", "Stop the server, and delete the file.")

    def copy(self, target: Target, destination: str) -> Flow[None]:
        """Refuse."""
        hint = f"Restart it with a second name (llama-server: --alias {destination})."
        raise _cannot(target.url, "copy models", hint)

    def pull(self, endpoint: Endpoint, meter: PullMeter, *, insecure: bool) -> Source[None]:
        """Refuse."""
        hint = "Download the model's file, and start the server with it."
        raise _cannot(endpoint.url, "pull models", hint)


def _cannot(server: str, what: str, by_hand: str) -> UnsupportedFeatureError:
    return refusal(server, "openai", what, by_hand)
