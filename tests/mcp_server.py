"""A real MCP server on stdio: `python -m tests.mcp_server`."""

from __future__ import annotations

from mcp.server.fastmcp import FastMCP

server = FastMCP("weather")


@server.tool()
def get_weather(location: str) -> str:
    """Get the weather at a location."""
    return "It's sunny."


@server.tool()
def get_time() -> str:
    """Get the current time."""
    return "12:30"


if __name__ == "__main__":
    server.run()
