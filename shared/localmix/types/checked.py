"""Data of callers that says in our own words what is wrong with it."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.fields import FieldInfo

from localmix.errors import ConfigError, UnusableAnswerError
from localmix.types.arguments import Names, by_our_names
from localmix.types.showing import Cut


class Checked(BaseModel):
    """Raise `ConfigError`, which is a `ValueError` too, where a value or a name is wrong.

    Attributes:
        also_called: What names mean that are not those of fields, and taken all the same.
    """

    also_called: ClassVar[Names] = {}

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise self.complaint(error) from error

    @classmethod
    def complaint(cls, error: ValidationError) -> ConfigError:
        """Say what is wrong with the first bad value, without showing it: it may be a secret."""
        first = first_problem(error)
        if isinstance(told := first.get("ctx", {}).get("error"), ConfigError):
            return told  # it says more than pydantic knows of it
        where = written_place(first["loc"]) or cls.__name__
        if first["type"] == "extra_forbidden":
            return ConfigError(f"{where} is not an argument here.", hint=cls._word_to_use(where))
        return ConfigError(f"Wrong {where}: {first['msg'].removeprefix('Value error, ')}.")

    @classmethod
    def _word_to_use(cls, word: str) -> str:
        from localmix.types import meant  # it knows all options, and these what is checked

        return meant.word_to_use(word, {*cls._own_names(), *cls.also_called}, meant.CALLS)

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

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Leave out what is at its default, and cut what is long."""
        own = type(self).model_fields
        for name, value in super().__repr_args__():
            if name not in own or value != _default(own[name]):
                yield name, Cut(value)


class Exact(Checked):
    """What a caller said: immutable, exact types, no unknown names."""

    # Validators are built on first use: importing localmix should cost next to nothing.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **given: Any) -> None:
        """Say what the class takes, which pydantic does when it builds the validator."""
        super().__pydantic_init_subclass__(**given)
        cls.__signature__ = inspect.Signature(
            [
                inspect.Parameter(
                    field.alias or name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=inspect.Parameter.empty if field.is_required() else _default(field),
                    annotation=field.annotation,
                )
                for name, field in cls.model_fields.items()
            ]
        )


def _default(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True, validated_data={})


def first_problem(error: ValidationError) -> Mapping[str, Any]:
    """Give the first problem, wrong names before all: what is missing may stand under one."""
    problems = error.errors(include_url=False, include_input=False)
    return next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])


def written_place(places: Iterable[int | str]) -> str:
    """Write where a value stands as Python would: `messages[0].content`."""
    written = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in places)
    return written.removeprefix(".")


def sentence(problem: ValueError | None) -> str:
    """Say what is wrong, each wrong field by its name, as the model will read it."""
    if not isinstance(problem, ValidationError):
        return str(problem)
    return "; ".join(
        f"{written_place(each['loc']) or 'the whole'}: {each['msg']}"
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
