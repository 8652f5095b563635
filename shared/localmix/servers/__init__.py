"""What is remembered of each server: its state, its load, its speed."""

from localmix.servers.lease import Lease
from localmix.servers.memory import MEMORY, Memory
from localmix.servers.record import Vitals
from localmix.servers.slots import Ticket

__all__ = ["MEMORY", "Lease", "Memory", "Ticket", "Vitals"]
