"""The only room that knows the HTTP library: two thin drivers, alike but for their colour.

They send requests, read streams and run flows. They hold no retry policy and no word of a dialect.
What holds for both: no redirects, no proxy variables, no `.netrc`; failures of the HTTP library
become ours in one place; a response is closed on every way out, which makes the server stop.
"""

from localmix.transport.asynchronous import AsyncTransport
from localmix.transport.synchronous import Transport

__all__ = ["AsyncTransport", "Transport"]
