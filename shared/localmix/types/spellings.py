"""Values as people and other libraries write them, read into what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, WrapValidator

from localmix.errors import ConfigError
from localmix.types.words import ThinkLevel

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_NO_LIMIT = (-1, -2)  # Ollama's "for ever" and "until the window is full", LM Studio's -1
# OpenAI's, LM Studio's and Anthropic's words, for switches and levels that servers know.
_THINK_KEYS = ("effort", "type", "enabled")  # where OpenAI, Anthropic and OpenRouter say it
_THINK: dict[str, bool | ThinkLevel | None] = {
    "none": False,
    "off": False,
    "false": False,
    "disabled": False,
    "on": True,
    "true": True,
    "enabled": True,
    "auto": None,
    "adaptive": None,
    "default": None,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "max",
    "max": "max",
}


def duration(written: Any) -> Any:
    """Read a duration as Ollama writes it: `5m`, `1h30m`, `-1m` for ever, or seconds as text."""
    if not isinstance(written, str):
        return written
    sign, size = (-1, written[1:]) if written.startswith("-") else (1, written)
    if re.fullmatch(r"\d+(\.\d+)?", size):
        return sign * float(size)
    if not size or _DURATION.sub("", size):
        raise ValueError("it is not a duration: write seconds, or 90s, 10m, 2h")
    return sign * sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(size))


def _token_limit(written: Any) -> Any:
    return None if type(written) is int and written in _NO_LIMIT else written


def _stops(written: Any) -> Any:
    if written is None:
        return ()
    return (written,) if isinstance(written, str) else written


def _think(written: Any) -> Any:
    """Read a switch or a level, also where it stands in OpenAI's or Anthropic's dictionary."""
    if isinstance(written, Mapping):
        said = [written[key] for key in _THINK_KEYS if key in written]
        if not said:
            raise ValueError(f"it has none of {', '.join(_THINK_KEYS)}")
        written = said[0]
    if not isinstance(written, str):
        return written
    if (word := written.casefold()) not in _THINK:
        raise ValueError(f"there is no such level; use True, False or one of {', '.join(_THINK)}")
    return _THINK[word]


class ClassSchema(dict[str, Any]):
    """The JSON schema of a pydantic class, which knows the class.

    Attributes:
        form: The class.
    """

    def __init__(self, form: type[BaseModel]) -> None:
        super().__init__(form.model_json_schema())
        self.form = form

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.form,)


def class_of(form: Any) -> type[BaseModel] | None:
    """Give the class that a form of answers was written as, if it was one."""
    return form.form if isinstance(form, ClassSchema) else None


def form_of(written: Any) -> Any:
    """Read a form of answers as OpenAI writes it, or as a pydantic class.

    Raises:
        ConfigError: It says that there is a schema, and has none.
    """
    if isinstance(written, type) and issubclass(written, BaseModel):
        return ClassSchema(written)
    kind = written.get("type") if isinstance(written, Mapping) else None
    if kind in ("json_object", "text"):
        return "json" if kind == "json_object" else None
    if kind == "json_schema":
        schema = written.get("json_schema", written).get("schema")
        if not isinstance(schema, Mapping):
            raise ConfigError("This response_format says json_schema but has no schema.")
        return dict(schema)
    return None if written == "" else written


def _form(written: Any, check: Callable[[Any], Any]) -> Any:
    form = form_of(written)
    return form if isinstance(form, ClassSchema) else check(form)  # a check would copy it


Seconds = Annotated[float, BeforeValidator(duration)]
TokenLimit = Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(_token_limit)]
Stops = Annotated[tuple[str, ...], BeforeValidator(_stops)]
Form = Annotated[Literal["json"] | dict[str, Any] | None, WrapValidator(_form)]
Think = Annotated[bool | ThinkLevel | None, BeforeValidator(_think)]
