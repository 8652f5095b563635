"""`localmix search`: where a model could come from."""

from __future__ import annotations

from shlex import quote
from typing import Annotated
from urllib.parse import quote_plus

import typer

from localmix.cli.arguments import Json, Servers, open_client
from localmix.cli.output import say, write_json
from localmix.errors import NoServerError

Words = Annotated[list[str], typer.Argument(metavar="WORDS", help="Text to find in names.")]


def search(words: Words, servers: Servers = None, as_json: Json = False) -> None:
    """Look for a model at the servers, and say how to search their catalogues.

    Neither Ollama nor LM Studio has a search in its API, so localmix cannot do it for you.
    """
    wanted = " ".join(words)
    with open_client(servers) as client:
        try:
            names = sorted({model.name for model in client.models_by_server()})
        except NoServerError:
            names = []
    found = [name for name in names if all(word.casefold() in name.casefold() for word in words)]
    catalogues = {
        "Ollama": f"https://ollama.com/search?q={quote_plus(wanted)}",
        "LM Studio": f"lms get {quote(wanted)}",
        "Hugging Face": f"https://huggingface.co/models?library=gguf&search={quote_plus(wanted)}",
    }
    if as_json:
        write_json({"here": found, "catalogues": catalogues})
        return
    for name in found:
        say(f"{name} is already here.")
    say("No server lets other programs search its catalogue. Look here:")
    for catalogue, place in catalogues.items():
        say(f"{catalogue}: {place}", is_command=True)
    say("Then: localmix pull NAME, for Hugging Face hf.co/PUBLISHER/NAME.")
