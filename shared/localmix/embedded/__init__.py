"""An engine that is always there: llama.cpp's server out of the `xllamacpp` wheel."""

from localmix.embedded.engine import Engine

__all__ = ["Engine"]
