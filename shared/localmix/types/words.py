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
