"""What the names of other integrations mean here.

Those of LangChain's ChatOllama and ChatOpenAI, of LlamaIndex's Ollama, OpenAILike and LMStudio, and
of the embedding models beside them; tests walk their signatures.
"""

from __future__ import annotations

from localmix.types.arguments import Alias, Elsewhere, Names

_CLIENT = "Give client=localmix.Client(...), which takes settings, not connections."
_HEADERS = 'Say servers=[ServerConfig(url="...", headers={...})], from localmix.settings.'
_PROXY = "Name the server itself: localmix sends to no proxy."
_OWN_WORD = 'Ollama alone knows it: say extra={{"options": {{"{0}": ...}}}}.'
_IN_EXTRA = "Your server's own keys go into extra={...}."
_CLOUD = "Leave it out: it belongs to OpenAI's cloud."
_BY_NAME = (
    "Say options by their names (num_ctx=..., seed=...); your server's own keys go into"
    " extra={...}."
)


def names_of_peers(thinking: str) -> Names:
    """Give what the names of other integrations mean; `thinking` is our name for that option."""
    return {
        **{name: Alias(own) for name, own in (_PLACES | _OPTIONS_OF_CHATS).items()},
        **dict.fromkeys(("reasoning", "reasoning_effort", "think", "thinking"), Alias(thinking)),
        "json_mode": Alias("response_format", lambda wanted: "json" if wanted else None),
        **_ELSEWHERE,
    }


def names_of_embedding_peers() -> Names:
    """Give what the names of other integrations' embedding models mean."""
    hint = Elsewhere("Say dimensions, truncate and keep_alive: vectors have no other options.")
    options = dict.fromkeys(("additional_kwargs", "ollama_additional_kwargs"), hint)
    return {**{name: Alias(own) for name, own in _PLACES.items()}, **_ELSEWHERE, **options}


_PLACES = {
    "model_name": "model",
    "api_base": "base_url",
    "openai_api_base": "base_url",
    "openai_api_key": "api_key",
    "request_timeout": "timeout",
}
_OPTIONS_OF_CHATS = {
    "num_predict": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "stop_sequences": "stop",
    "stream_chunk_timeout": "between_timeout",
    "format": "response_format",
    "extra_body": "extra",
    "model_kwargs": "extra",
}
_OLLAMA = ("mirostat", "mirostat_eta", "mirostat_tau", "num_gpu", "num_thread", "tfs_z")
_ELSEWHERE: dict[str, Elsewhere] = {
    **{name: Elsewhere(_OWN_WORD.format(name)) for name in _OLLAMA},
    **dict.fromkeys(
        (
            "async_client",
            "root_client",
            "root_async_client",
            "http_client",
            "http_async_client",
            "async_http_client",
            "openai_client",
            "async_openai_client",
            "http_socket_options",
        ),
        Elsewhere(_CLIENT),
    ),
    **dict.fromkeys(
        (
            "client_kwargs",
            "async_client_kwargs",
            "sync_client_kwargs",
            "headers",
            "default_headers",
            "default_query",
        ),
        Elsewhere(_HEADERS),
    ),
    **dict.fromkeys(
        (
            "openai_organization",
            "organization",
            "include_response_headers",
            "context_management",
            "include",
            "prompt_cache_options",
            "service_tier",
            "store",
            "truncation",
            "use_previous_response_id",
            "use_responses_api",
            "api_version",
            "modalities",
            "audio_config",
        ),
        Elsewhere(_CLOUD),
    ),
    # LlamaIndex's DocumentContextExtractor says this to every model.
    "extra_headers": Elsewhere(_HEADERS, needless={"anthropic-beta": "prompt-caching-2024-07-31"}),
    "openai_proxy": Elsewhere(_PROXY),
    "verbosity": Elsewhere(_IN_EXTRA),
    "disabled_params": Elsewhere("Leave out the options that should not be sent."),
    "additional_kwargs": Elsewhere(_BY_NAME),
    "validate_model_on_init": Elsewhere("Call route() or preload() after making it."),
    "stream_usage": Elsewhere("Leave it out: usage is always told.", needless=True),
    "n": Elsewhere("Ask several times: a request has one answer.", needless=1),
    "tiktoken_model_name": Elsewhere("Say custom_get_token_ids."),
    "prompt_key": Elsewhere("Leave it out: it names no option.", needless="prompt"),
    "reuse_client": Elsewhere("Leave it out: connections are kept.", needless=True),
    "strict": Elsewhere("Leave it out: schemas are sent as they stand."),
    "is_chat_model": Elsewhere(
        "Leave it out: chats are chats, and complete(formatted=True) continues a text.",
        needless=True,
    ),
    "should_use_structured_outputs": Elsewhere(
        "Say pydantic_program_mode=PydanticProgramMode.FUNCTION.", needless=True
    ),
    "num_output": Elsewhere("Say max_tokens."),
}
