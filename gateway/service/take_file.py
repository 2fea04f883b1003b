"""A statement that a person brings as a file: verified as if it had been sent, or taken at the person's word."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

from gateway.domain.clock import Clock
from gateway.domain.outcomes import Done
from gateway.ports import Evidence, Statement, StatementProvider, StatementReading, UnitOfWork, Verdict
from gateway.service.accept_statement import changed_if_closed, facts_of, read_file, statement_of
from gateway.service.reconcile_day import DayRefusedError
from gateway.service.statement_files import Incoming, NoRoomError, StatementFolder


class TakeFile:
    """``by``: whoever brings it; the audit names them."""

    def __init__(self, uow: UnitOfWork, clock: Clock, folder: StatementFolder, by: str) -> None:
        self._uow = uow
        self._clock = clock
        self._folder = folder
        self._by = by

    async def signed(self, provider: StatementProvider, path: Path, day: date) -> Statement:
        """A file with the provider's signature. Raises DayRefusedError for any other."""
        incoming = await self._copied(path)
        try:
            # three looks at one file, none of which waits for another
            reading, *_ = await asyncio.gather(
                read_file(provider, provider.statement_routes[0], incoming, {}),
                asyncio.to_thread(incoming.hash),
                asyncio.to_thread(incoming.end),
            )
            if reading.verdict != Verdict.GENUINE:
                raise DayRefusedError(f"the file is not the provider's: {reading.verdict}: {reading.why}")
            if not isinstance(reading.outcome, Done):
                raise DayRefusedError("the provider says in this file that there is no account of the day")
            return await self._keep(provider.name, reading, incoming, day, None)
        finally:
            await asyncio.to_thread(incoming.discard)

    async def unsigned(self, provider: str, path: Path, day: date, how: Mapping[str, Any]) -> Statement:
        """A file that nobody signed: the person's word for it. ``how``: the way in which it is read."""
        incoming = await self._copied(path)
        try:
            if incoming.too_large:
                raise DayRefusedError("the file is larger than a statement may be")
            await asyncio.gather(asyncio.to_thread(incoming.hash), asyncio.to_thread(incoming.end))
            reading = StatementReading("file", Verdict.GENUINE, Done(), why=f"brought by {self._by}")
            return await self._keep(provider, reading, incoming, day, how)
        finally:
            await asyncio.to_thread(incoming.discard)

    async def _copied(self, path: Path) -> Incoming:
        try:
            return await asyncio.to_thread(self._folder.copy_in, path)
        except NoRoomError as full:
            raise DayRefusedError(str(full)) from full
        except OSError as failure:
            raise DayRefusedError(f"{path}: {failure.strerror}") from failure

    async def _keep(
        self, provider: str, reading: StatementReading, incoming: Incoming, day: date, how: Mapping[str, Any] | None
    ) -> Statement:
        now, inbox_id = self._clock.now(), uuid4().hex
        async with self._uow.writing() as tx:
            known = await tx.reconciliations.statement_of(provider, incoming.digest, day)
            if known is not None:
                if not self._folder.path_of(known.file).exists():  # it was lost: these are its bytes
                    await asyncio.to_thread(self._folder.keep, incoming, provider)
                return known
            file = await asyncio.to_thread(self._folder.keep, incoming, provider)
            new = statement_of(provider, reading, day, incoming, file, inbox_id, how)
            await tx.reconciliations.add_statement(new, now)
            await tx.inbox.keep(
                Evidence(
                    id=inbox_id,
                    provider=provider,
                    route="file",
                    received_at=now,
                    body=incoming.head,
                    size=incoming.size,
                    headers={},
                    digest=incoming.digest,
                    verdict=Verdict.GENUINE,
                    why=f"brought by {self._by}"[:500],
                    message_id=reading.message_id,
                    reply_status=0,
                ),
                (),
            )
            await tx.audit.add(self._by, "statement.taken", f"statement:{new.digest}", now, **facts_of(new))
            await changed_if_closed(tx, provider, day, "a new statement was brought", now)
            kept = await tx.reconciliations.statement_of(provider, incoming.digest, day)
            assert kept is not None
            return kept
