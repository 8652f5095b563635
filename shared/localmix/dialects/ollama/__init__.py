"""Ollama's own API: what is asked, what comes back, what can be done with its models."""
