"""Which server for this request, and what to do when it fails.

Everything here is a flow: no socket, no loop, no thread.
"""

from localmix.routing.compound import Compound
from localmix.routing.fleet import Fleet
from localmix.routing.inventory import Inventory
from localmix.routing.requests import Requests

__all__ = ["Compound", "Fleet", "Inventory", "Requests"]
