"""`localmix chat` and `run`: talk with a model, or put one question to it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from localmix import Client, Message
from localmix.cli import saved, state
from localmix.cli.arguments import Context, Json, MaybeModel, Servers, open_client
from localmix.cli.conversation import Conversation, read_silently
from localmix.cli.fetching import routed
from localmix.cli.output import write_json
from localmix.cli.prompts import about, attached, question, split_model
from localmix.cli.tools import read_tools
from localmix.errors import ConfigError
from localmix.types.options import ChatOptions

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MODEL] [PROMPT]",
        help="The prompt; `-` stands for the input. Without one, a conversation starts.",
    ),
]
System = Annotated[str | None, typer.Option("--system", help="The system prompt.")]
Temperature = Annotated[
    float | None,
    typer.Option("--temperature", "-t", min=0, help="0 makes answers repeatable."),
]
MaxTokens = Annotated[
    int | None, typer.Option("--max-tokens", min=1, help="Maximum tokens to write.")
]
Seed = Annotated[int | None, typer.Option("--seed", help="The same seed gives the same answer.")]
Think = Annotated[
    bool | None, typer.Option("--think/--no-think", help="Whether the model thinks first.")
]
Form = Annotated[str | None, typer.Option("--format", metavar="json", help="Answer in JSON.")]
Schema = Annotated[
    str | None,
    typer.Option("--schema", metavar="FILE|JSON", help="The JSON schema to follow."),
]
Images = Annotated[
    list[Path] | None, typer.Option("--image", "-i", help="An image to attach; may be repeated.")
]
Files = Annotated[
    list[Path] | None, typer.Option("--file", "-f", help="A text file to attach; may be repeated.")
]
Tools = Annotated[
    list[str] | None,
    typer.Option("--tool", metavar="FILE.py[::NAME]", help="Functions that the model may call."),
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show what each answer took.")]
Continue = Annotated[bool, typer.Option("--continue", help="Continue the last conversation.")]


def chat(
    context: typer.Context,
    words: Words = None,
    model: MaybeModel = None,
    system: System = None,
    temperature: Temperature = None,
    max_tokens: MaxTokens = None,
    num_ctx: Context = None,
    seed: Seed = None,
    think: Think = None,
    form: Form = None,
    schema: Schema = None,
    images: Images = None,
    files: Files = None,
    tools: Tools = None,
    verbose: Verbose = False,
    goes_on: Continue = False,
    servers: Servers = None,
    as_json: Json = False,
) -> None:
    """Talk with a model, or put one question to it."""
    options: ChatOptions = {"temperature": temperature, "max_tokens": max_tokens}
    options |= {"num_ctx": num_ctx, "seed": seed, "think": think}
    options["response_format"] = _response_format(form, schema)
    first = attached(files or (), images or ())
    with open_client(servers) as client:
        options["model"], words = _model_and_words(client, words or [], model, context.info_name)
        functions = read_tools(tools or ())
        conversation = Conversation(client, options, system or "", functions, is_verbose=verbose)
        if goes_on:
            _go_on(conversation)
        _answer_or_talk(conversation, question(words), first, as_json=as_json)


def _model_and_words(
    client: Client, words: list[str], model: str | None, command: str | None
) -> tuple[str | None, list[str]]:
    """Find the model among the words: `run` has it first, `chat` may."""
    if model:
        return model, words
    if command == "run":
        if not words:
            raise ConfigError("Which model?", hint="localmix models lists them.")
        return words[0], words[1:]
    return split_model(client, words)


def _answer_or_talk(
    conversation: Conversation, text: str, first: Message, *, as_json: bool
) -> None:
    if not text and not sys.stdin.isatty():
        raise ConfigError("There is no prompt.", hint='Try: localmix chat "Hello"')
    if not text and as_json:
        raise ConfigError("--json needs a prompt.", hint="Give the prompt as an argument.")
    if not text:
        from localmix.cli.talk import talk

        talk(conversation, routed(conversation.client, conversation.model), first)
        return
    if sys.stdin.isatty():  # a person is there to be asked about a missing model
        routed(conversation.client, conversation.model)
    asked = about(first, text)
    if as_json:
        write_json(conversation.ask(asked, read_silently))
    else:
        conversation.ask(asked)


def _go_on(conversation: Conversation) -> None:
    conversation.said, model = saved.load(saved.LAST)
    conversation.options["model"] = conversation.model or model


def _response_format(form: str | None, schema: str | None) -> Any:
    if schema is None:
        if form not in (None, "json"):
            raise ConfigError(f"{form!r} is not a format.", hint="--format json, or --schema FILE.")
        return form
    text = schema if schema.lstrip().startswith("{") else state.read(Path(schema))
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f"The schema is not JSON: {error}.") from error
