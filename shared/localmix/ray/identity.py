"""Which model a node has under a name: all of them must have the same one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localmix.errors import ModelChangedError
from localmix.routing.comparing import TEXT
from localmix.routing.sameness import are_alike

if TYPE_CHECKING:
    from localmix import Client


@dataclass(frozen=True)
class Identity:
    """What is known of a model.

    Attributes:
        model: The name to ask for.
        digest: Its digest, where a server tells one; of a chat model.
        vector: What it makes of one fixed text; of an embedding model.
    """

    model: str
    digest: str = ""
    vector: tuple[float, ...] = ()

    def check(self, other: Identity, where: str) -> None:
        """See that another one is of the same model.

        Raises:
            ModelChangedError: It is not.
        """
        if not self._is(other):
            raise ModelChangedError(
                f"{other.model} {where} is not the model with which this job began.",
                hint="Give all nodes the same model; for another one, take another folder.",
            )

    def _is(self, other: Identity) -> bool:
        if self.vector or other.vector:
            return are_alike(self.vector, other.vector)
        if self.digest and other.digest:
            return self.digest == other.digest
        return self.model == other.model


def of_vectors(client: Client, options: Mapping[str, Any]) -> Identity:
    """Look at the model that gives vectors."""
    model = options["model"] or client.route(purpose="embedding").model
    vector = client.embed(TEXT, **{**options, "model": model}).vectors[0]
    return Identity(model, vector=tuple(vector))


def of_answers(client: Client, options: Mapping[str, Any]) -> Identity:
    """Look at the model that answers."""
    model = options["model"] or client.route().model
    told = client.look_up(model) or client.show(model)  # which says why it is not there
    return Identity(model, told.digest)
