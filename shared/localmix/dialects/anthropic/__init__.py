"""Anthropic's API, as Claude Code speaks it; only from the server's end."""
