"""Bytes and exchanges: what is sent, what comes back, and how a stream of bytes becomes frames."""
