"""Answers that can be had again, kept in a file: the same request to the same model costs once."""

from localmix.caching.cached import Cached

__all__ = ["Cached"]
