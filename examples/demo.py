"""Show the main job on the model servers of this machine, or on the embedded engine."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import langchain_agent
import langchain_retrieval
import llamaindex_query

from localmix import Client, LocalMixError, ModelInfo

HERE = Path(__file__).parent
DOCUMENTS = HERE / "documents"


def main() -> None:
    # The tiny models come with the project; the embedded engine finds them here.
    os.environ.setdefault("LOCAL_MODELS_PATH", str(HERE / "tiny-model"))
    with Client() as client:
        chat, embedding = show_servers(client)

    title("LangChain: a retrieval chain, streamed")
    question = "Who designed the red bridge?"
    print(f"> {question}")
    whole: Any = None
    for chunk in langchain_retrieval.answer(question, DOCUMENTS, chat, embedding):
        whole = chunk if whole is None else whole + chunk
        print(chunk.text, end="", flush=True)
    print()
    metrics(whole.usage_metadata["output_tokens"], whole.response_metadata)

    title("LangChain: an agent that calls a tool")
    question = "What is the weather in Paris?"
    print(f"> {question}")
    for message in langchain_agent.answer(question, chat):
        for call in message.tool_calls:
            print(f"calls {call['name']}({call['args']})")
        if message.text:
            print(message.text)
        usage = message.usage_metadata
        metrics(usage["output_tokens"] if usage else 0, message.response_metadata)

    title("LlamaIndex: a query engine, streamed")
    question = "How tall is the lighthouse at Cape Sable?"
    print(f"> {question}")
    stream(llamaindex_query.answer(question, DOCUMENTS, chat, embedding))
    raw = llamaindex_query.LAST_ANSWER.raw
    metrics(raw["usage"]["completion_tokens"], raw)


def show_servers(client: Client) -> tuple[str, str]:
    """Print what was found, and choose a model for chat and one for embeddings."""
    title("Servers")
    servers = client.servers()
    for server in servers:
        print(f"{server.url:24} {server.kind or '-':10} {server.version or server.problem}")
    if {server.kind for server in servers} <= {None, "embedded"}:
        print("No server can be used: the embedded engine takes over.")
    title("Models")
    models = client.models_by_server()
    for model in models:
        state = "loaded" if model.loaded else ""
        print(f"{model.name:28} {model.kind:10} {model.purpose:10} {state}")
    chat, embedding = choose_chat(client, models), choose_embedding(models)
    print(f"The demo chats with {chat}, and embeds with {embedding}.")
    return chat, embedding


def choose_chat(client: Client, models: list[ModelInfo]) -> str:
    """Take the first model that can call tools, loaded ones first."""
    fit = [model for model in models if model.purpose == "chat" and not model.remote]
    for model in sorted(fit, key=lambda model: not model.loaded):
        known = client.look_up(model.name)
        if known and (known.capabilities is None or "tools" in known.capabilities):
            return model.name
    return "embedded/localmix-tiny"


def choose_embedding(models: list[ModelInfo]) -> str:
    """Take the first embedding model, loaded ones first."""
    fit = [model for model in models if model.purpose == "embedding" and not model.remote]
    best = min(fit, key=lambda model: not model.loaded, default=None)
    return best.name if best else "embedded/localmix-tiny-embed"


def title(text: str) -> None:
    print(f"\n== {text} ==")


def stream(pieces: Iterable[str]) -> None:
    for piece in pieces:
        print(piece, end="", flush=True)
    print()


def metrics(tokens: int, about: dict[str, Any]) -> None:
    """Print the route, and what the answer took."""
    route, first = about["route"], about["timings"]["first_token"]
    rate = about["tokens_per_second"]
    print(
        f"   [{route['model']} on {route['kind']} ({route['server']}): {route['reason']};"
        f" {tokens} tokens"
        + (f", {rate:.0f} tokens/s" if rate else "")
        + (f", first token after {first * 1000:.0f} ms]" if first is not None else "]")
    )


if __name__ == "__main__":
    try:
        main()
    except LocalMixError as error:
        sys.exit(f"{type(error).__name__}: {error}")
