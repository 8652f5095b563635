"""Data of callers that says in our own words what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ValidationError

from localmix.errors import config_error


class Checked(BaseModel):
    """Raise `ConfigError`, which is a `ValueError` too, where a value or a name is wrong.

    Attributes:
        also_called: Names that are not those of fields, and known all the same.
    """

    also_called: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise config_error(type(self), error, self.also_called) from error
