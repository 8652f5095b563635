"""What the names of other libraries mean here.

The adapters take what stands in for classes with these names. Requests and clients have one word
for each thing: they name it in the error, see `meant`.

Names of LangChain's ChatOllama and ChatOpenAI, of LlamaIndex's Ollama, OpenAILike and LMStudio, and
of the embedding models beside them (tests walk their signatures), of the clients of Ollama, OpenAI
and llama.cpp, and of transformers.
"""

from __future__ import annotations

from localmix.types.arguments import Alias, Elsewhere, Names

_CLIENT = "Pass client=localmix.Client(...), which takes settings, not connections."
_HEADERS = 'Use servers=[ServerConfig(url="...", headers={...})].'
_PROXY = "Name the server itself: localmix sends to no proxy."
_OWN_WORD = 'Only Ollama has it: use extra={{"options": {{"{0}": ...}}}}.'
_IN_EXTRA = "Your server's own keys go into extra={...}."
_NO_OPTIONS = "Use dimensions, truncate and keep_alive: vectors have no other options."
_CLOUD = "Leave it out: it belongs to OpenAI's cloud."
_BY_NAME = (
    "Pass options by their names (num_ctx=..., seed=...); your server's own keys go into"
    " extra={...}."
)


def names_of_peers(thinking: str) -> Names:
    """Give what the names of other integrations mean; `thinking` is our name for that option."""
    return {
        **{name: Alias(own) for name, own in (_PLACES | _OPTIONS_OF_CHATS).items()},
        **dict.fromkeys(_THINKING, Alias(thinking)),
        "json_mode": Alias("response_format", lambda wanted: "json" if wanted else None),
        **_ELSEWHERE,
    }


def names_of_completion_peers() -> Names:
    """Give what the names of other integrations' text completions mean."""
    hint = Elsewhere(
        "Ask a chat model: a text is continued as it stands, without thoughts or form."
    )
    formed = ("format", "json_mode", "response_format")
    return {**names_of_peers("think"), **dict.fromkeys((*_THINKING, *formed), hint)}


def names_of_embedding_peers() -> Names:
    """Give what the names of other integrations' embedding models mean."""
    return {
        **{name: Alias(own) for name, own in _PLACES.items()},
        **_ELSEWHERE,
        **dict.fromkeys(_OPTIONS_OF_EMBEDDINGS, Elsewhere(_NO_OPTIONS)),
        **dict.fromkeys(_CARE_OF_EMBEDDINGS, Elsewhere("Leave it out: texts are sent as texts.")),
        **dict.fromkeys(_OF_AZURE, Elsewhere(_CLOUD)),
        **dict.fromkeys(("retry_min_seconds", "retry_max_seconds"), Elsewhere("Use max_retries.")),
        "show_progress_bar": Elsewhere("Call client.embed_many(texts, progress=True)."),
        "skip_empty": Elsewhere("Call client.embed_many(texts, skip_bad=True)."),
    }


_THINKING = ("reasoning", "reasoning_effort", "think", "thinking")
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
_OPTIONS_OF_EMBEDDINGS = (
    *("additional_kwargs", "ollama_additional_kwargs", "model_kwargs", *_OLLAMA),
    *("num_ctx", "repeat_last_n", "repeat_penalty", "stop", "temperature", "top_k", "top_p"),
)
_CARE_OF_EMBEDDINGS = (
    *("allowed_special", "disallowed_special", "check_embedding_ctx_length"),
    *("embedding_ctx_length", "tiktoken_enabled", "tiktoken_model_name"),
)
_OF_AZURE = ("deployment", "openai_api_type", "openai_api_version")
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

# What means the same as an argument of ours, wherever there is that argument.
MEANINGS: dict[str, tuple[str, ...]] = {
    **{name: (own,) for name, own in (_PLACES | _OPTIONS_OF_CHATS).items()},
    **dict.fromkeys(_THINKING, ("think",)),
    "json_mode": ("response_format",),
    **dict.fromkeys(
        ("base_url", "api_base", "openai_api_base", "host", "server", "endpoint"),
        ("base_url", "servers", "url"),
    ),
    "url": ("servers",),
    **dict.fromkeys(("api_key", "openai_api_key", "api_token"), ("api_key", "token")),
    **dict.fromkeys(("default_model", "model_id"), ("model",)),
    "retries": ("max_retries",),
    **dict.fromkeys(("max_new_tokens", "n_predict", "num_output"), ("max_tokens",)),
    **dict.fromkeys(("n_ctx", "context_length", "context_window", "contextLength"), ("num_ctx",)),
    **dict.fromkeys(("repetition_penalty", "repeatPenalty"), ("repeat_penalty",)),
    "functions": ("tools",),
    "function_call": ("tool_choice",),
    "ttl": ("keep_alive",),
    **dict.fromkeys(("batch_size", "embed_batch_size"), ("chunk_size",)),
    **dict.fromkeys(("num_workers", "max_concurrency"), ("concurrency",)),
    **dict.fromkeys(("show_progress", "show_progress_bar"), ("progress",)),
    **dict.fromkeys(("max_iterations", "max_steps", "max_rounds"), ("max_turns",)),
    **dict.fromkeys(("default_headers", "extra_headers"), ("headers",)),
}

_OURS = "Leave it out: connections are localmix's own."
# What has no argument of ours, by an argument that there is where the sentence makes sense.
SENTENCES: dict[str, dict[str, str]] = {
    "max_tokens": {
        **{name: _OWN_WORD.format(name) for name in _OLLAMA},
        **dict.fromkeys(("options", "additional_kwargs"), _BY_NAME),
        "n": "Ask several times: a request has one answer.",
        "stream": "Call stream(), or stream_complete() for a text.",
        "images": 'Put them into a message: Message(role="user", content=["...", Image(...)]).',
        **dict.fromkeys(
            ("system", "system_prompt"),
            'Send it as a message: [{"role": "system", "content": "..."}, ...].',
        ),
    },
    "dimensions": dict.fromkeys(("options", "additional_kwargs"), _NO_OPTIONS),
    "connect_timeout": dict.fromkeys(("http_client", "client_kwargs", "transport"), _OURS),
}
