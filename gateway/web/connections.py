"""How many connections a listener holds. One beyond the bound is told to come again, and closed before it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from gateway.service.metrics import CONNECTIONS_OPEN, CONNECTIONS_REFUSED

# "nothing was committed": a provider delivers again, a proxy asks another process of ours
FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Connections:
    """The protocols of a listener's connections, for ``create_server``: at most ``most`` are ``served`` at once.

    A place is free again when its connection is lost, whoever closed it.
    """

    def __init__(self, listener: str, most: int, served: Callable[[], asyncio.Protocol]) -> None:
        """``listener``: the metrics' label."""
        self._free = most
        self._served = served
        self._open = CONNECTIONS_OPEN.labels(listener)
        self._refused = CONNECTIONS_REFUSED.labels(listener)
        self._open.set(0)

    def __call__(self) -> asyncio.Protocol:
        return _Connection(self, self._served())

    def take(self) -> bool:
        """Whether there was a place. Judged when a connection is made: many may have been accepted since the last."""
        if self._free <= 0:
            self._refused.inc()
            return False
        self._free -= 1
        self._open.inc()
        return True

    def give_back(self) -> None:
        """Of a connection that had taken a place."""
        self._free += 1
        self._open.dec()


class _Connection(asyncio.Protocol):
    """Passes everything on to what serves it, if it got a place."""

    def __init__(self, connections: Connections, served: asyncio.Protocol) -> None:
        self._connections = connections
        self._served = served
        self._has_place = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._has_place = self._connections.take()
        if self._has_place:
            self._served.connection_made(transport)
        else:
            refused = cast(asyncio.Transport, transport)
            refused.write(FULL)  # nothing waits before it, so closing sends it
            refused.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._has_place:
            self._connections.give_back()
            self._served.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._has_place:
            self._served.data_received(data)

    def eof_received(self) -> bool | None:
        return self._served.eof_received() if self._has_place else None

    def pause_writing(self) -> None:
        self._served.pause_writing()

    def resume_writing(self) -> None:
        self._served.resume_writing()
