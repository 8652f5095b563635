"""OpenAI's API of responses, as Codex speaks it; only from the server's end."""
