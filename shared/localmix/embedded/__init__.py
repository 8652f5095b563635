"""An engine that is always there: llama.cpp's server out of the `xllamacpp` wheel."""

from localmix.embedded.engine import Engine
from localmix.embedded.starting import started

__all__ = ["Engine", "started"]
