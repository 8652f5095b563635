"""The one shape in which both adapters report what a request took."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from localmix.types import ChatResult, Delta, Route, Timings


def metrics_of(answer: ChatResult | Delta) -> dict[str, Any]:
    """Tell the reason for the end, the timings in seconds, and the route, as plain JSON."""
    return {
        "finish_reason": answer.finish_reason,
        "tokens_per_second": _tokens_per_second(answer),
        "timings": _timings(answer.timings or Timings()),
        "route": _route(answer.route) if answer.route else {},
    }


def _timings(timings: Timings) -> dict[str, float | None]:
    return {each.name: getattr(timings, each.name) for each in fields(timings)}


def _tokens_per_second(answer: ChatResult | Delta) -> float | None:
    output = answer.timings.output if answer.timings else None
    return answer.usage.output_tokens / output if answer.usage and output else None


def _route(route: Route) -> dict[str, Any]:
    return {
        "server": route.server.url,
        "kind": route.server.kind,
        "model": route.model,
        "reason": route.reason,
        "tried": [attempt.server for attempt in route.attempts],
        "earlier": [_route(each) for each in route.earlier],
    }
