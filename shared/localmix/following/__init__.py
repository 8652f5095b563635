"""What callers follow: an answer as it is written, a pull and a job in bulk as they go on."""

from localmix.following.streams import AsyncSteps, AsyncStream, Steps, Stream

__all__ = ["AsyncSteps", "AsyncStream", "Steps", "Stream"]
