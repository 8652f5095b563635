"""What a forked child begins anew: it has none of its parent's threads, and all of its locks."""

from __future__ import annotations

import os
from collections.abc import Callable


def after_fork(renew: Callable[[], None]) -> Callable[[], None]:
    """Have a function called in every child, before anything else runs there."""
    if hasattr(os, "register_at_fork"):  # where processes are forked at all
        os.register_at_fork(after_in_child=renew)
    return renew
