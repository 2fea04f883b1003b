"""How many files a serving process may have open, connections included, and how many the settings ask for."""

from __future__ import annotations

import resource

from config.settings import Settings

_OTHERS = 200  # our own calls to counterparties (128), the embedded database's files, the session store, logs


def wanted(settings: Settings) -> int:
    """By a serving process with every connection taken that it may take."""
    return settings.public.connections + settings.operator.connections + settings.database.pool_size + _OTHERS


def allow(files: int) -> None:
    """Raise this process's own limit to so many, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def misgivings(settings: Settings) -> list[str]:
    """A sentence where the system would not let it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = wanted(settings)
    if hard == resource.RLIM_INFINITY or hard >= files:
        return []
    return [
        f"A process may have {hard} files open here, and the settings ask for {files}: raise the limit "
        "(LimitNOFILE, ulimit -Hn), or lower public.connections."
    ]
