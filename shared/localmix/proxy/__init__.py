"""One address for every tool: the APIs of Ollama, OpenAI and Anthropic for all model servers.

`localmix serve` on the command line; from Python `run`, or `app` for a server of one's own. It
needs the extra `proxy`.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from localmix.errors import ConfigError

if TYPE_CHECKING:
    from aiohttp import web

    from localmix.proxy.running import Tell
    from localmix.settings import Settings

__all__ = ["app", "run"]


def app(settings: Settings | None = None) -> web.Application:
    """Make the aiohttp application; settings that are not passed are read as usual.

    Whoever runs it has to cancel handlers whose callers have left (`handler_cancellation`), or the
    models write on for nobody; `run` does.

    Raises:
        ConfigError: The extra is not installed, or a setting cannot be right.
    """
    _need_extra()
    from localmix.proxy.application import make
    from localmix.settings import Settings

    return make(settings or Settings.load())


def run(settings: Settings | None = None, tell: Tell | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM; then running answers have some seconds to finish.

    Args:
        settings: As for `app`; the `proxy_...` ones say where it listens and who may come in.
        tell: Called with the address and the servers behind it, once it listens.

    Raises:
        ConfigError: The extra is not installed, a setting cannot be right, or the port is taken.
    """
    _need_extra()
    from localmix.proxy.running import run_until_stopped
    from localmix.settings import Settings

    run_until_stopped(settings or Settings.load(), tell)


def _need_extra() -> None:
    for name in ("aiohttp", "prometheus_client"):
        if find_spec(name) is None:
            raise ConfigError(
                f"localmix serve needs {name}.", hint="Run: pip install 'localmix[proxy]'"
            )
