"""Where each setting comes from, and how strong that is.

An argument beats the environment, that beats the user's own file, and that beats the files of the
working folder. This is the only file that reads the environment.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import IntEnum
from pathlib import Path

from pydantic import ValidationError

from localmix.errors import ConfigError
from localmix.settings.files import SettingsFile, folder_files, line_of, users_file
from localmix.settings.trust import trusted_part
from localmix.types.checked import Checked, first_problem, written_place

TOKEN = "LOCALMIX_TOKEN"  # noqa: S105  (the name of a variable)
_VARIABLES: dict[str, tuple[str, ...]] = {
    "prefer": ("LOCALMIX_PREFER", "LOCAL_PROVIDER_PREFERENCE"),
    "models_path": ("LOCALMIX_MODELS_PATH", "LOCAL_MODELS_PATH"),
    "tokens": (TOKEN,),
    "ollama_host": ("OLLAMA_HOST",),
    "ollama_base_url": ("OLLAMA_BASE_URL", "OLLAMA_ENDPOINT"),
    "ollama_model": ("OLLAMA_MODEL",),
    "ollama_api_key": ("OLLAMA_API_KEY",),
    "use_ollama": ("USE_OLLAMA",),
    "lm_studio_base_url": ("LM_STUDIO_BASE_URL", "LMSTUDIO_ENDPOINT"),
    "lm_studio_model": ("LM_STUDIO_MODEL",),
    "lm_api_token": ("LM_API_TOKEN", "LMSTUDIO_API_TOKEN", "LM_STUDIO_API_KEY", "LM_API_KEY"),
    "use_lm_studio": ("USE_LM_STUDIO",),
    "telemetry_content": ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",),
}
# Two names of one thing: the first wins, unless its source is weaker than that of the second.
_RIVALS = (
    ("ollama_base_url", "ollama_host"),
    ("model", "ollama_model"),
    ("model", "lm_studio_model"),
)
_log = logging.getLogger("localmix")
_told: set[str] = set()


class Strength(IntEnum):
    """How much a source counts."""

    DEFAULT = 0
    FOLDER = 1
    USER = 2
    ENVIRONMENT = 3
    ARGUMENT = 4


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from: `argument`, `environment NAME`, the path of a file, or `default`."""

    strength: Strength
    name: str

    def at(self, words: list[str]) -> str:
        """Say where that is: the variable, or the file with the line of a key."""
        if self.strength is Strength.ENVIRONMENT:
            return self.name.removeprefix("environment ")
        if self.strength not in (Strength.FOLDER, Strength.USER):
            return ""
        line = line_of(Path(self.name), words)
        return f"{self.name}, line {line}" if line else self.name


DEFAULT = Source(Strength.DEFAULT, "default")


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it was written, which may be a secret and stands in no repr, and its source."""

    value: object = field(repr=False)
    source: Source


def gather(names: Collection[str], arguments: Mapping[str, object]) -> dict[str, Given]:
    """Read every source once; give of each setting what its strongest source says."""
    found: dict[str, Given] = {}
    for file in reversed([*folder_files()]):
        found |= _said(file, trusted_part(file), Strength.FOLDER)
    if mine := users_file():
        found |= _said(mine, mine.values, Strength.USER)
    found |= _environment(names)
    return _without_rivals(found | as_given(arguments))


def runs_in_ci() -> bool:
    """Tell whether this is a machine that only tests; they all say so in the same way."""
    return bool(os.environ.get("CI"))


def as_given(arguments: Mapping[str, object]) -> dict[str, Given]:
    """Give what a caller gave; `None` stands for nothing."""
    argument = Source(Strength.ARGUMENT, "argument")
    return {name: Given(value, argument) for name, value in arguments.items() if value is not None}


def variables(name: str) -> tuple[str, ...]:
    """List the environment variables of a setting, the first one first."""
    return _VARIABLES.get(name, (f"LOCALMIX_{name.upper()}",))


def variable_part(name: str) -> str:
    """Write a server's name as it stands in the variable of its token: `gpu-box` is `GPU_BOX`."""
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")


def complaint(
    model: type[Checked], error: ValidationError, given: Mapping[str, Given]
) -> ConfigError:
    """Say what is wrong with the first bad value, and where that was written."""
    first = first_problem(error)
    name = str(first["loc"][0]) if first["loc"] else ""
    source = given[name].source if name in given else DEFAULT
    about = model.complaint(error)
    place = source.at([*map(str, first["loc"]), *_words_within(first.get("ctx", {}))])
    if not place:
        return about
    if first["type"] == "extra_forbidden":
        return ConfigError(f"{place}: {name} is not a setting.", hint=about.hint)
    what = first["msg"].removeprefix("Value error, ").rstrip(".")
    where = written_place(first["loc"]) or model.__name__
    return ConfigError(f"{place}: wrong {where}: {what}.")


def _words_within(context: Mapping[str, object]) -> list[str]:
    """Find the key that was wrong within a server's table."""
    told = context.get("error")
    cause = told.__cause__ if isinstance(told, ConfigError) else None
    if not isinstance(cause, ValidationError):
        return []
    return [str(word) for word in first_problem(cause)["loc"]]


def _said(file: SettingsFile, values: Mapping[str, object], strength: Strength) -> dict[str, Given]:
    source = Source(strength, str(file.path))
    return {name: Given(value, source) for name, value in values.items() if value != ""}


def _environment(names: Collection[str]) -> dict[str, Given]:
    """Read the variables; those that are empty are not set."""
    spelled = {name.upper(): name for name in os.environ}
    found: dict[str, Given] = {}
    for name in names:
        for variable in variables(name):
            if value := os.environ.get(spelled.get(variable, ""), "").strip():
                found[name] = Given(value, Source(Strength.ENVIRONMENT, f"environment {variable}"))
                break
    found |= _tokens(spelled)
    _warn_of_unknown(spelled, names)
    return found


def _tokens(spelled: Mapping[str, str]) -> dict[str, Given]:
    """Read the tokens of single servers; that without a name is for the only one."""
    tokens = {
        variable.removeprefix(TOKEN).removeprefix("_"): os.environ[name].strip()
        for variable, name in sorted(spelled.items())
        if variable == TOKEN or variable.startswith(f"{TOKEN}_")
    }
    tokens = {name: token for name, token in tokens.items() if token}
    first = "_".join(filter(None, (TOKEN, next(iter(tokens), ""))))
    source = Source(Strength.ENVIRONMENT, f"environment {first}")
    return {"tokens": Given(tokens, source)} if tokens else {}


def _warn_of_unknown(spelled: Collection[str], names: Collection[str]) -> None:
    known = [variable for name in names for variable in variables(name)]
    for variable in spelled:
        is_ours = variable.startswith("LOCALMIX_") and not variable.startswith(f"{TOKEN}_")
        if is_ours and variable not in known and variable not in _told:
            _told.add(variable)
            close = get_close_matches(variable, known, n=1)
            meant = f" Did you mean {close[0]}?" if close else ""
            _log.warning("The environment variable %s is not known.%s", variable, meant)


def _without_rivals(found: dict[str, Given]) -> dict[str, Given]:
    """Drop a name that would win if its source were not weaker than that of its rival."""

    def strength(name: str) -> Strength:
        return found[name].source.strength if name in found else Strength.DEFAULT

    beaten = {one for one, other in _RIVALS if strength(one) < strength(other)}
    return {name: given for name, given in found.items() if name not in beaten}
