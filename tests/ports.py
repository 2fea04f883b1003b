"""Ports for the processes that tests start: one is one test's to the end, since suites run side by side."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

_FIRST, _BEYOND = 20_000, 32_000  # below the range from which the system takes its own
_LOCKS = Path(tempfile.gettempdir()) / f"ports-of-tests-{os.getuid()}"
_HELD: list[int] = []  # descriptors; the system gives the locks back when this process ends, however it ends


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, and that no other test takes while this process lives."""
    _LOCKS.mkdir(exist_ok=True)
    candidates = iter(random.sample(range(_FIRST, _BEYOND), _BEYOND - _FIRST))
    return [next(port for port in candidates if _is_taken_by_us(port) and _is_free(port)) for _ in range(count)]


def _is_taken_by_us(port: int) -> bool:
    lock = os.open(_LOCKS / str(port), os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    _HELD.append(lock)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
