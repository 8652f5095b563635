"""What the names of other integrations mean here.

The adapters take what stands in for classes with these names; requests and clients name the word to
use, and so have one word for each thing.

Names of LangChain's ChatOllama and ChatOpenAI, of LlamaIndex's Ollama, OpenAILike and LMStudio, and
of the embedding models beside them; tests walk their signatures.
"""

from __future__ import annotations

from collections.abc import Mapping

from localmix.types.arguments import Alias, Elsewhere, Names

_CLIENT = "Pass client=localmix.Client(...), which takes settings, not connections."
_HEADERS = 'Use servers=[ServerConfig(url="...", headers={...})].'
_PROXY = "Name the server itself: localmix sends to no proxy."
_OWN_WORD = 'Only Ollama has it: use extra={{"options": {{"{0}": ...}}}}.'
_IN_EXTRA = "Your server's own keys go into extra={...}."
_CLOUD = "Leave it out: it belongs to OpenAI's cloud."
_BY_NAME = (
    "Pass options by their names (num_ctx=..., seed=...); your server's own keys go into"
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
    hint = Elsewhere("Use dimensions, truncate and keep_alive: vectors have no other options.")
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
    "stream_usage": Elsewhere("Leave it out: usage is always reported.", needless=True),
    "n": Elsewhere("Ask several times: a request has one answer.", needless=1),
    "tiktoken_model_name": Elsewhere("Use custom_get_token_ids."),
    "prompt_key": Elsewhere("Leave it out: it names no option.", needless="prompt"),
    "reuse_client": Elsewhere("Leave it out: connections are kept.", needless=True),
    "strict": Elsewhere("Leave it out: schemas are sent as they are."),
    "is_chat_model": Elsewhere(
        "Leave it out: chats are chats, and complete(formatted=True) continues a text.",
        needless=True,
    ),
    "should_use_structured_outputs": Elsewhere(
        "Use pydantic_program_mode=PydanticProgramMode.FUNCTION.", needless=True
    ),
    "num_output": Elsewhere("Use max_tokens."),
}


def _instead(names: Mapping[str, str]) -> Names:
    return {name: Elsewhere(f"Use {own}.") for name, own in names.items()}


_TO_A_CLIENT = dict.fromkeys(
    ("base_url", "host", "api_base", "api_key", "headers", "timeout", "request_timeout"),
    Elsewhere("Pass it to the client: Client(servers=..., timeout=...)."),
)
_WITH_A_KEY = 'Use servers=[ServerConfig(url="...", token="...")].'

NAMES_FOR_CLIENTS: Names = {
    **_instead(
        {
            **dict.fromkeys(("base_url", "host", "url", "api_base", "server"), "servers"),
            "request_timeout": "timeout",
            "default_model": "model",
            "model_name": "model",
            "retries": "max_retries",
        }
    ),
    **dict.fromkeys(("api_key", "token"), Elsewhere(_WITH_A_KEY)),
    **dict.fromkeys(("headers", "default_headers"), Elsewhere(_HEADERS)),
    **dict.fromkeys(
        ("http_client", "client_kwargs", "transport"),
        Elsewhere("Leave it out: connections are localmix's own."),
    ),
    "keep_alive": Elsewhere("Pass it to chat(), embed() or load()."),
}
NAMES_FOR_GENERATIONS: Names = {
    **_instead(
        {
            "model_name": "model",
            "num_predict": "max_tokens",
            "max_completion_tokens": "max_tokens",
            "max_new_tokens": "max_tokens",
            "stop_sequences": "stop",
            "n_ctx": "num_ctx",
            "context_length": "num_ctx",
            "repetition_penalty": "repeat_penalty",
            "extra_body": "extra",
            "model_kwargs": "extra",
        }
    ),
    **_TO_A_CLIENT,
    **{name: Elsewhere(_OWN_WORD.format(name)) for name in _OLLAMA},
    **dict.fromkeys(("options", "additional_kwargs"), Elsewhere(_BY_NAME)),
    "stream": Elsewhere("Call stream(), or stream_complete() for a text."),
    "n": _ELSEWHERE["n"],
}
NAMES_FOR_CHATS: Names = {
    **NAMES_FOR_GENERATIONS,
    **_instead(
        {
            "format": "response_format",
            "json_mode": 'response_format="json"',
            "functions": "tools",
            "function_call": "tool_choice",
            **dict.fromkeys(("reasoning", "reasoning_effort", "thinking"), "think"),
        }
    ),
}
NAMES_FOR_EMBEDDINGS: Names = {
    **_instead(
        {"model_name": "model", "batch_size": "chunk_size", "embed_batch_size": "chunk_size"}
    ),
    **_TO_A_CLIENT,
    "options": Elsewhere("Use dimensions, truncate and keep_alive: vectors have no other options."),
}
