"""What servers say when something is wrong, and what it means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localmix.dialects.failures import checked, error_of
from localmix.errors import (
    AuthenticationError,
    ContextLengthError,
    LocalMixError,
    ModelCrashedError,
    ModelNotFoundError,
    OverloadedError,
    ProtocolError,
    RequestRejectedError,
    UnsupportedFeatureError,
)
from localmix.wire.flows import Response

OVERFLOW = {
    "code": 400,
    "message": "request (17398 tokens) exceeds the available context size (8192 tokens)",
    "type": "exceed_context_size_error",
    "n_prompt_tokens": 17398,
    "n_ctx": 8192,
}
LM_KEEP = "The number of tokens to keep from the initial prompt is greater than the context length"
LM_TRYING = "Trying to keep the first 14538 tokens when context the overflows."
LM_LOAD = 'Failed to load model "openai/gpt-oss-20b". Error: '
LM_INVALID = 'Invalid model identifier "x". Please specify a valid downloaded model (e.g., a, b).'
LM_CRASHED = "The model has crashed without additional information. (Exit code: null)"
NO_EMBEDDINGS = "This server does not support embeddings. Start it with `--embeddings`"


# (who says it, status, body, what it means)
SAID: list[tuple[str, int, Any, type[LocalMixError]]] = [
    ("ollama 0.32.15", 400, {"error": json.dumps({"error": OVERFLOW})}, ContextLengthError),
    ("ollama 0.32.15", 400, {"error": "the input length exceeds the context length"}, ContextLengthError),
    ("ollama 0.12.11", 400, {"error": "input exceeds maximum context length"}, ContextLengthError),
    ("ollama", 404, {"error": "model 'x' not found"}, ModelNotFoundError),
    ("ollama", 404, {"error": 'model "x" not found, try pulling it first'}, ModelNotFoundError),
    ("ollama", 400, {"error": '"x" does not support thinking'}, UnsupportedFeatureError),
    ("ollama 0.12.11", 400, {"error": 'think value "high" is not supported for this model'}, UnsupportedFeatureError),
    ("ollama", 501, {"error": NO_EMBEDDINGS}, UnsupportedFeatureError),
    ("ollama", 500, {"error": 'option "top_k" must be of type integer'}, RequestRejectedError),
    ("ollama 0.12.11", 500, {"error": "invalid JSON schema in format"}, RequestRejectedError),
    ("ollama", 503, {"error": "server busy, please try again.  maximum pending requests exceeded"}, OverloadedError),
    ("ollama", 500, {"error": "llama-server process has terminated: exit status 1"}, ModelCrashedError),
    ("ollama 0.12.11", 500, {"error": "model requires more system memory (9 GiB) than is available (4 GiB)"}, ModelCrashedError),
    ("ollama", 200, {"error": "an error was encountered while running the model: EOF"}, ModelCrashedError),
    ("ollama", 404, b"404 page not found", UnsupportedFeatureError),
    ("ollama", 405, b"405 method not allowed", UnsupportedFeatureError),
    ("ollama", 403, b"", AuthenticationError),
    ("ollama", 401, {"error": "unauthorized", "signin_url": "https://x"}, AuthenticationError),
    ("lmstudio", 200, {"error": "Unexpected endpoint or method. (POST /x)"}, UnsupportedFeatureError),
    ("lmstudio", 400, {"error": LM_KEEP}, ContextLengthError),
    ("lmstudio", 400, {"error": LM_TRYING}, ContextLengthError),
    ("lmstudio", 400, {"error": "Context size has been exceeded."}, ContextLengthError),
    ("lmstudio", 400, {"error": OVERFLOW}, ContextLengthError),
    ("lmstudio", 400, {"error": {"message": LM_INVALID, "code": "model_not_found"}}, ModelNotFoundError),
    ("lmstudio", 400, {"error": {"message": "No models loaded. Please load a model"}}, ModelNotFoundError),
    ("lmstudio", 404, {"error": {"message": LM_LOAD + "Model is not embedding."}}, UnsupportedFeatureError),
    ("lmstudio", 400, {"error": {"message": LM_LOAD + "insufficient system resources"}}, ModelCrashedError),
    ("lmstudio", 400, {"error": LM_CRASHED}, ModelCrashedError),
    ("lmstudio", 400, {"error": "Model unloaded."}, ModelCrashedError),
    ("lmstudio", 400, {"error": "Invalid tool_choice type: 'object'. Supported string values: none"}, UnsupportedFeatureError),
    ("lmstudio", 400, {"error": "'url' field must be a base64 encoded image."}, UnsupportedFeatureError),
    ("lmstudio", 400, {"error": "'messages' field is required"}, RequestRejectedError),
    ("lmstudio", 500, {"error": {"title": "Failed to embed string", "cause": "boom"}}, ModelCrashedError),
    ("llama.cpp", 500, {"error": {"message": "image input is not supported - hint"}}, UnsupportedFeatureError),
    ("llama.cpp", 500, {"error": {"message": "input (2702 tokens) is too large to process."}}, ContextLengthError),
    ("llama.cpp", 500, {"error": {"message": "the current context does not support logits computation"}}, UnsupportedFeatureError),
    ("llama.cpp", 401, {"error": {"message": "Invalid API Key"}}, AuthenticationError),
    ("some", 429, b"slow down", OverloadedError),
    ("some", 502, b"<html>bad gateway</html>", ModelCrashedError),
    ("some", 302, b"", ProtocolError),
    ("some", 400, {"detail": "no"}, RequestRejectedError),
    ("some", 400, {"error": 5}, RequestRejectedError),
    ("some", 500, {"error": "{not json"}, ModelCrashedError),
]  # fmt: skip


def reply(status: int, body: Any, **headers: str) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, data, headers)


@pytest.mark.parametrize(("status", "body", "meaning"), [said[1:] for said in SAID])
def test_what_it_means(status: int, body: Any, meaning: type[LocalMixError]) -> None:
    error = error_of(reply(status, body), "http://s")
    assert type(error) is meaning
    assert error.server == "http://s"


def test_an_error_inside_a_success_is_found() -> None:
    with pytest.raises(UnsupportedFeatureError, match="Unexpected endpoint"):
        checked(reply(200, {"error": "Unexpected endpoint or method."}), "http://s")


def test_success_passes() -> None:
    assert checked(reply(200, {"error": None, "a": 1}), "http://s").value("a") == 1


def test_the_waiting_time_is_kept() -> None:
    error = error_of(reply(503, b"", **{"retry-after": "7"}), "http://s")
    assert isinstance(error, OverloadedError)
    assert error.retry_after == 7.0


def test_the_sizes_are_kept() -> None:
    error = error_of(reply(400, {"error": OVERFLOW}), "http://s")
    assert isinstance(error, ContextLengthError)
    assert (error.prompt_tokens, error.context_length) == (17398, 8192)


def test_a_token_that_the_server_quotes_is_hidden() -> None:
    """Quirk (lmstudio 0.4.18): the 401 quotes the first ten characters of the token."""
    said = (
        "Malformed LM Studio API token provided: 22aac52a71... Ensure you are using a valid token."
    )
    error = error_of(reply(401, {"error": {"message": said}}), "http://s")
    assert "22aac" not in str(error)
    assert "***" in str(error)
