"""Signatures that name each option, for notebooks and other places that look at live objects."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

F = TypeVar("F", bound=Callable[..., Any])


def naming(options: type, request: type[BaseModel] | None = None) -> Callable[[F], F]:
    """Have a function's signature name the options that it takes as `**options`.

    Args:
        options: The names and types, a `TypedDict`.
        request: What they are given to, with their defaults; without it these are `None`.
    """
    fields = request.model_fields if request else {}

    def named(function: F) -> F:
        signature = inspect.signature(function)
        own = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
        taken = {each.name for each in own}
        given = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=fields[name].get_default(call_default_factory=True) if fields else None,
                annotation=getattr(hint, "__forward_arg__", hint),
            )
            for name, hint in options.__annotations__.items()
            if name not in taken
        ]
        function.__dict__["__signature__"] = signature.replace(parameters=[*own, *given])
        return function

    return named
