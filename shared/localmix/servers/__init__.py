"""What is remembered of each server: its state, its load, its speed."""

from localmix.servers.lease import Lease
from localmix.servers.record import Vitals, vitals_of
from localmix.servers.slots import Ticket

__all__ = ["Lease", "Ticket", "Vitals", "vitals_of"]
