"""Which server for this request, and what to do when it fails.

Everything here is a flow: no socket, no loop, no thread.
"""

from localmix.routing.compound import CompoundRouter
from localmix.routing.router import Router, Started

__all__ = ["CompoundRouter", "Router", "Started"]
