"""What routing says when a request cannot be served, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from localmix.discovery import Found
from localmix.embedded.engine import INSTALL
from localmix.errors import (
    Attempt,
    AuthenticationError,
    LocalMixError,
    ModelNotFoundError,
    NoServerError,
    TimedOutError,
    UnsupportedFeatureError,
)
from localmix.routing.catalog import Catalog, Place
from localmix.settings import Settings
from localmix.types import ModelInfo, Purpose


def no_server(found: Sequence[Found], settings: Settings) -> LocalMixError:
    """Say that no server can be used: it wants a token, or nobody is there, and what to do."""
    attempts = away(found)
    refused = next((each for each in found if isinstance(each.error, AuthenticationError)), None)
    if refused and refused.error:
        url = refused.server.url
        hint = settings.how_to_give_a_token(url)
        return AuthenticationError(refused.error.message, hint=hint, server=url, attempts=attempts)
    commands = ["`ollama serve`", "`lms server start`"]
    if settings.servers:
        hint = f"Check the addresses, or start one: {' or '.join(commands)}. Tried:"
    else:
        commands.append(f"`{INSTALL}` and LOCAL_MODELS_PATH=<folder with .gguf files>")
        hint = f"Start one: {', or '.join(commands)}. Tried:"
    return NoServerError("No model server answered.", hint=hint, attempts=attempts)


def away(found: Sequence[Found]) -> tuple[Attempt, ...]:
    """List the servers that cannot be used, with what is wrong."""
    return tuple(
        Attempt(each.server.url, NoServerError(each.server.problem))
        for each in found
        if each.server.problem
    )


def no_model(name: str | None, purpose: Purpose, catalog: Catalog) -> ModelNotFoundError:
    """Say that nobody has the model, and which names come near."""
    if name is None:
        known = tuple(place.model.name for place in catalog.everything)
        return ModelNotFoundError(
            f"No server holds a model for {purpose}.",
            hint=f"Get one, or name one of: {', '.join(known) or 'none are installed'}.",
            available=known,
        )
    meant = catalog.alias(name)
    alias = f", nor what it is your alias for ({', '.join(meant)})" if meant else ""
    available = catalog.nearest(name)
    return ModelNotFoundError(
        f"No server holds the model {name!r}{alias}.",
        hint=f"Nearest names: {', '.join(available[:3]) or 'none are installed'}.",
        available=available,
    )


def only_in_a_cloud(place: Place) -> ModelNotFoundError:
    """Say that what ran here is gone, and only a cloud has it."""
    name, server = place.model.name, place.found.server
    return ModelNotFoundError(
        f"{name} is no longer there; {server.url} would send it to a cloud.",
        server=server.url,
        hint=f"Ask for {server.name or server.kind}/{name} if that is what you want.",
    )


def not_the_same(first: ModelInfo, place: Place) -> ModelNotFoundError:
    """Say that a model is not used in place of another one of the same name."""
    name, server = place.model.name, place.found.server
    return ModelNotFoundError(
        f"{name} at {server.url} is not known to be the model that {first.name} is at"
        f" {first.server}, and does not stand in for it.",
        server=server.url,
        hint=f"Ask for {server.name or server.kind}/{name} if you want it anyway.",
    )


def unable(place: Place, lacking: str) -> Attempt:
    """Say what a model cannot do."""
    url = place.found.server.url
    error = UnsupportedFeatureError(
        f"{place.model.name} at {url} cannot {lacking}.",
        server=url,
        hint="Use a model that can.",
    )
    return Attempt(url, error)


def call_mute(error: LocalMixError, place: Place) -> None:
    """Say of a server that took a request for a loaded model, and kept silent, what may help.

    Quirk (ollama 0.32.15; llama.cpp 27604): after streams that were abandoned, a server may go on
    listing its models, and never answer again.
    """
    if isinstance(error, TimedOutError):
        error.message += f" It accepted the request, but {place.model.name} does not answer."
        error.hint = f"Restart that server if this continues. {error.hint}"


def out_of_time(settings: Settings) -> TimedOutError:
    """Say that the whole request has taken too long."""
    return TimedOutError(
        f"No server answered within the timeout of {settings.timeout:g} s.",
        hint="Raise `timeout`, or see what the servers said:",
    )
