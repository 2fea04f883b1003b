"""A statement's lines, from its file into the database: read in processes beside this one, loaded in order.

Lines and the place up to which they are loaded are one commit, so that a killed run goes on where it was.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from gateway.domain.money import MAX_MINOR
from gateway.domain.reconcile import Tally
from gateway.ports import LineFault, Span, StagedPart, Statement, StatementLines, StatementRow, UnitOfWork
from gateway.service.statement_files import StatementFolder

Encode = Callable[[Sequence[StatementRow]], Any]
Progress = Callable[[str, int, int], None]  # what is done, how far, of how much

_SMALL_BYTES = 8_000_000  # up to here other processes would take longer to start than to read
_IN_FLIGHT = 4  # spans for each process: being read, and read but not yet loaded
_COMMIT_BYTES = 24_000_000  # of the file, in one commit
_REFERENCE, _NUMBER = 100, 50  # letters that the database has room for


@dataclass(frozen=True, slots=True)
class ReadSpan:
    """A span, read: what the database loads of it, and what it comes to."""

    payload: Any
    faults: list[LineFault]
    total: Tally
    end: int


def read_span(lines: StatementLines, path: Path, encode: Encode, span: Span) -> ReadSpan:
    """In whatever process. Nothing that the database could not hold leaves it but as a fault."""
    found = lines.rows(path, span)
    faults = [line for line in found if isinstance(line, LineFault)]
    rows = cast(list[StatementRow], list(found) if not faults else [x for x in found if not isinstance(x, LineFault)])
    if rows and not _all_fit(rows):
        faults += [LineFault(row.line, row.offset, row.length, why) for row in rows if (why := _unfit(row))]
        rows = [row for row in rows if not _unfit(row)]
    minor: dict[str, int] = {}
    for row in rows:
        minor[row.currency] = minor.get(row.currency, 0) + row.amount_minor
    total = Tally(len(rows) + len(faults), minor)
    return ReadSpan(encode(rows) if rows else None, faults, total, span.offset + span.length)


def _all_fit(rows: Sequence[StatementRow]) -> bool:
    """What nearly every span is, told without a look at each line of it."""
    _, references, numbers, amounts, currencies, _, _ = zip(*rows, strict=True)
    texts = "".join(references) + "".join(numbers)
    return (
        all(references)
        and all(numbers)
        and max(map(len, references)) <= _REFERENCE
        and max(map(len, numbers)) <= _NUMBER
        and "\x00" not in texts
        and all(len(currency) == 3 for currency in set(currencies))
        and min(amounts) > 0
        and max(amounts) <= MAX_MINOR
    )


def _unfit(row: StatementRow) -> str:
    if not 0 < len(row.reference) <= _REFERENCE:
        return f"the reference is empty or longer than {_REFERENCE} letters"
    if not 0 < len(row.control_number) <= _NUMBER:
        return f"the control number is empty or longer than {_NUMBER} letters"
    if "\x00" in row.reference or "\x00" in row.control_number:
        return "a letter that no database holds"
    if len(row.currency) != 3 or not 0 < row.amount_minor <= MAX_MINOR:
        return "the amount is not more than nothing, or beyond what can be held"
    return ""


class StageStatement:
    """``readers``: processes that read a large file. ``progress`` is told of bytes."""

    def __init__(
        self,
        uow: UnitOfWork,
        folder: StatementFolder,
        lines_of: Callable[[Statement], StatementLines],
        readers: int = 2,
        progress: Progress = lambda *_: None,
    ) -> None:
        self._uow = uow
        self._folder = folder
        self._lines_of = lines_of
        self._readers = readers
        self._progress = progress

    async def __call__(self, known: Statement) -> None:
        """Load what is not loaded yet. Raises ValueError for a file that cannot be told into lines."""
        path = self._folder.path_of(known.file)
        lines = self._lines_of(known)
        async with self._uow.reading() as tx:
            encode = partial(tx.reconciliations.encode, known.id)
        spans = (span for span in lines.spans(path) if span.offset >= known.position)
        with self._reading(known.size - known.position) as pool:
            await self._load_all(known, self._read(pool, partial(read_span, lines, path, encode), spans))
        async with self._uow.writing() as tx:
            await tx.reconciliations.finish_staging(known.id)

    async def _load_all(self, known: Statement, parts: AsyncIterator[ReadSpan]) -> None:
        """While one part of the file is being loaded, the next is read."""
        total, position = known.total, known.position
        batch: list[ReadSpan] = []
        loading: asyncio.Task[None] | None = None

        async def load_after(before: asyncio.Task[None] | None, read: Sequence[ReadSpan]) -> asyncio.Task[None]:
            nonlocal total, position
            if before is not None:
                await before
                self._progress("reading", position, known.size)
            total, since, position = sum((part.total for part in read), total), position, read[-1].end
            return asyncio.create_task(self._load(known, read, total, since))

        try:
            async for part in parts:
                batch.append(part)
                if part.end - position >= _COMMIT_BYTES:
                    loading, batch = await load_after(loading, batch), []
            if batch:
                loading = await load_after(loading, batch)
        finally:
            if loading is not None:
                await loading

    async def _load(self, known: Statement, batch: Sequence[ReadSpan], total: Tally, since: int) -> None:
        payload = [part.payload for part in batch if part.payload is not None]
        if payload and isinstance(payload[0], list):
            payload = [row for rows in payload for row in rows]
        faults = [fault for part in batch for fault in part.faults]
        async with self._uow.writing() as tx:
            await tx.reconciliations.stage(known, StagedPart(payload, faults, total, since, batch[-1].end))

    @contextmanager
    def _reading(self, size: int) -> Iterator[Executor | None]:
        """Processes of their own for a large file, started fresh: a fork would copy an event loop and its threads."""
        if size <= _SMALL_BYTES:
            yield None
            return
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self._readers, context, initializer=_live_and_die_with_the_parent)
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    async def _read(
        self, pool: Executor | None, read: Callable[[Span], ReadSpan], spans: Iterator[Span]
    ) -> AsyncIterator[ReadSpan]:
        """Spans in their order, a bounded number of them under way. Without a pool in a thread, one at a time."""
        loop = asyncio.get_running_loop()
        under_way: deque[asyncio.Future[ReadSpan]] = deque()
        most = _IN_FLIGHT * self._readers if pool is not None else 1
        try:
            while True:
                while len(under_way) < most and (span := await asyncio.to_thread(next, spans, None)) is not None:
                    under_way.append(loop.run_in_executor(pool, read, span))
                if not under_way:
                    return
                yield await under_way.popleft()
        finally:
            for future in under_way:
                future.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)


def _live_and_die_with_the_parent() -> None:
    """Ctrl-C reaches every process of a terminal, and the parent ends the pool; a parent that was killed cannot."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
