"""The words that types are made of."""

from __future__ import annotations

from typing import Literal

Kind = Literal["ollama", "lmstudio", "openai", "embedded"]
Role = Literal["system", "user", "assistant", "tool"]
# `stop`, `length`, `tool_calls`, `content_filter`, or a word of the server's own.
FinishReason = str
Capability = Literal["tools", "vision", "thinking", "insert"]
Purpose = Literal["chat", "embedding"]
ThinkLevel = Literal["low", "medium", "high", "max"]
PullStatus = Literal["preparing", "downloading", "paused", "finishing", "done"]
State = Literal["available", "degraded", "unavailable", "trial"]

# Vectors of a large batch are the largest replies there are: 1,000 x 4,096 numbers are 80 MB.
MAX_REPLY_BYTES = 256 * 1024 * 1024
# Some 80,000 vectors of 768 numbers.
MAX_CACHE_BYTES = 512 * 1024 * 1024
MAX_CACHE_SECONDS = 30 * 24 * 3600.0
# A listing of some 10,000 models.
MAX_LISTING_BYTES = 8 * 1024 * 1024
