"""Reads of the embedded database on the event loop itself.

A driver thread costs an embedded read some ten hand-overs of the interpreter lock; beside a busy event loop each takes
milliseconds, where the read takes a tenth of one. Readers never wait for writers (WAL), so nothing here blocks.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Dialect


class InlineConnection:
    """As much of SQLAlchemy's AsyncConnection as a repository uses, over a plain connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        return self._connection.execute(statement, parameters)

    async def scalar(self, statement: Any, parameters: Any = None) -> Any:
        return self._connection.scalar(statement, parameters)
