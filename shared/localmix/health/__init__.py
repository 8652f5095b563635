"""What is remembered of each server: its state, its load, its speed."""

from localmix.health.lease import Lease
from localmix.health.slots import Ticket
from localmix.health.vitals import Vitals, vitals_of

__all__ = ["Lease", "Ticket", "Vitals", "vitals_of"]
