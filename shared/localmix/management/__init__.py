"""Models managed: listed once, loaded, unloaded, fetched, deleted and copied, on any server."""

from localmix.management.methods import AsyncManaging, Managing

__all__ = ["AsyncManaging", "Managing"]
