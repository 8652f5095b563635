"""What failures of the network mean, in the same words whatever library met them."""

from __future__ import annotations

import os
import socket

from localmix.errors import ConfigError, ConnectError, ProtocolError, StreamInterruptedError


def no_address(server: str, error: Exception) -> ConfigError:
    """Say that an address is none."""
    return ConfigError(f"{server} is not an address: {error}")


def no_request(server: str, error: Exception) -> ConfigError:
    """Say that no request can be made of what was asked for."""
    return ConfigError(f"No request can be made to {server}: {error}", server=server)


def broke_off(server: str, error: Exception) -> StreamInterruptedError:
    """Say that a reply broke off after its head."""
    return StreamInterruptedError(f"{server} broke off its reply: {error}", server=server)


def unreachable(server: str, error: Exception) -> ConnectError:
    """Say that no connection could be made, and why."""
    return ConnectError(f"{server} could not be reached: {_reason(error)}", server=server)


def hung_up(server: str) -> ConnectError:
    """Say that a server took the connection and gave it up."""
    return ConnectError(f"{server} closed the connection before it replied.", server=server)


def no_http(server: str, error: Exception) -> ProtocolError:
    """Say that something answered which is no HTTP."""
    return ProtocolError(
        f"{server} sent something that is not HTTP: {error}",
        server=server,
        hint="Something other than a model server uses this port.",
    )


def _reason(error: BaseException) -> str:
    """Find the operating system's words, which libraries hide below their own."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return "no machine of this name is known"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno)
        if isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        else:
            cause = cause.__cause__ or cause.__context__
    return str(error)
