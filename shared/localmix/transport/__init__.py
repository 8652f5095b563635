"""The only room that knows an HTTP library: two drivers, alike but for their colour.

`driving` and `driving_async` run flows, over a `seam` that any HTTP library could stand behind;
`over_httpx` does. They share the clock of each request (`patience`) and what is made of a reply
(`reading`). They hold no retry policy and no word of a dialect.
"""

from localmix.transport.driving import Transport
from localmix.transport.driving_async import AsyncTransport

__all__ = ["AsyncTransport", "Transport"]
