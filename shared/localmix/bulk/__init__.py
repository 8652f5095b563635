"""More texts than fit into memory, embedded by all servers that hold the model."""

from localmix.bulk.methods import AsyncInBulk, InBulk

__all__ = ["AsyncInBulk", "InBulk"]
