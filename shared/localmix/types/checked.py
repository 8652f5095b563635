"""Data of callers that says in our own words what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from localmix.errors import UnusableAnswerError, config_error
from localmix.types.arguments import Names, by_our_names


class Checked(BaseModel):
    """Raise `ConfigError`, which is a `ValueError` too, where a value or a name is wrong.

    Attributes:
        also_called: What names mean that are not those of fields, and known all the same.
    """

    also_called: ClassVar[Names] = {}

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise config_error(type(self), error, self.also_called) from error

    @model_validator(mode="before")
    @classmethod
    def _by_our_names(cls, given: Any) -> Any:
        if not (cls.also_called and isinstance(given, Mapping)):
            return given
        return by_our_names(given, cls.also_called, cls._own_names())

    @classmethod
    @cache
    def _own_names(cls) -> Collection[str]:
        aliases = (field.alias for field in cls.model_fields.values())
        return {*cls.model_fields, *filter(None, aliases)}


class Exact(Checked):
    """What a caller said: immutable, exact types, no unknown names."""

    # Validators are built on first use: importing localmix should cost next to nothing.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


def sentence(problem: ValueError | None) -> str:
    """Say what is wrong, each wrong field by its name, as the model will read it."""
    if not isinstance(problem, ValidationError):
        return str(problem)
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'the whole'}: {each['msg']}"
        for each in problem.errors(include_url=False, include_input=False)
    )


def unusable(
    name: str,
    problem: ValueError | None,
    said: str,
    *,
    is_cut: bool,
    kind: type[UnusableAnswerError] = UnusableAnswerError,
) -> UnusableAnswerError:
    """Say that the model wrote no such value; `said` is what it wrote."""
    return kind(
        f"The model wrote no valid {name}: {sentence(problem)}.",
        hint="Raise max_tokens: the answer was cut off." if is_cut else None,
        answer=said,
    )
