"""Text from models: the methods of both clients, and conversations with tools run to their end."""

from localmix.generating.forms import form_of
from localmix.generating.methods import AsyncGenerating, Generating

__all__ = ["AsyncGenerating", "Generating", "form_of"]
