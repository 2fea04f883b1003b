"""Sessions in Valkey (or any server of the Redis protocol), with few round trips.

All reads and writes that callers issue during one turn of the event loop travel as one pipeline on one connection,
and while it is under way the next one gathers: at 64 callers this gives several times the steps per second of a
round trip per command.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import ReadOnlyError, RedisError, ResponseError

from gateway.ports import SessionRow

PREFIX: Final = b"gw:session:"
MAX_BATCH: Final = 512  # commands in one pipeline
MAX_WAITING: Final = 10_000  # commands that wait for the next one

_PING: Final = b"*1\r\n$4\r\nPING\r\n"

_STOPPED: Final = "the session store was closed meanwhile"

_Waiting = tuple[bytes, "asyncio.Future[object]", float]  # packed command, its reply, waiting since (loop time)


class ValkeySessions:
    """A SessionStore at ``url`` (``redis://``, ``rediss://``, ``unix://``, with user, password and database).

    Every call ends within ``timeout_s`` seconds: half for waiting its turn, half for the exchange. Whatever goes
    wrong is raised as ``ConnectionError``. The next call connects again; a connection that turns out to be dead is
    replaced once within the same call, which is safe since every command can be repeated.
    """

    def __init__(self, url: str, *, timeout_s: float = 1.0, max_batch: int = MAX_BATCH) -> None:
        assert timeout_s > 0
        assert max_batch > 0
        # RESP2: one reply per command and never a push. The time-outs are ours, one per batch instead of per read.
        pool = ConnectionPool.from_url(url, protocol=2, socket_timeout=None, socket_connect_timeout=timeout_s)
        self._connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]  # redis has no annotation here
        self._half_s = timeout_s / 2
        self._max_batch = max_batch
        self._waiting: list[_Waiting] = []
        self._flusher: asyncio.Task[None] | None = None
        self._closed = False

    async def load(self, key: str) -> bytes | None:
        """The stored session, None when unknown or past its life."""
        reply = await self._ask(_command(b"GET", PREFIX + key.encode()))
        if reply is None or isinstance(reply, bytes):
            return reply
        raise ConnectionError("the session store answered GET with something else")

    async def save(self, key: str, value: bytes, ttl_s: int) -> None:
        """Store or replace, for ``ttl_s`` seconds from now."""
        await self._ask(_save(key, value, ttl_s))

    async def load_all(self, keys: Sequence[str]) -> list[bytes | None]:
        """As ``load`` for each: one command."""
        reply = await self._ask(_command(b"MGET", *(PREFIX + key.encode() for key in keys)))
        if (
            isinstance(reply, list)
            and len(reply) == len(keys)
            and all(r is None or isinstance(r, bytes) for r in reply)
        ):
            return reply
        raise ConnectionError("the session store answered MGET with something else")

    async def save_all(self, rows: Sequence[SessionRow]) -> None:
        """As ``save`` for each, in one pipeline."""
        packed = [
            _command(b"DEL", PREFIX + key.encode()) if value is None else _save(key, value, ttl_s)
            for key, value, ttl_s in rows
        ]
        await asyncio.gather(*(self._ask(command) for command in packed))

    async def ping(self) -> bool:
        """Whether the store answers on the connection that the sessions use."""
        try:
            return await self._ask(_PING) == b"PONG"
        except ConnectionError:
            return False

    async def close(self) -> None:
        """Fail what waits, end the exchange under way, give back the connection. Calls that come later fail."""
        self._closed = True
        flusher = self._flusher
        if flusher is not None:
            flusher.cancel()
            await asyncio.wait((flusher,))
        self._fail_waiting()  # of a flush that had not begun yet
        await self._drop()

    def _ask(self, packed: bytes) -> asyncio.Future[object]:
        """The reply to a command. The first of this turn of the event loop starts the flush that takes all."""
        if self._closed:
            raise ConnectionError("the session store is closed")
        if len(self._waiting) >= MAX_WAITING:
            raise ConnectionError("too many session commands are waiting")
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[object] = loop.create_future()
        self._waiting.append((packed, reply, loop.time()))
        if self._flusher is None:
            self._flusher = loop.create_task(self._flush(), name="valkey-sessions-flush")
        return reply

    async def _flush(self) -> None:
        """Send batch after batch until nothing waits. A cancelled caller's command is skipped or answered to nobody."""
        batch: list[_Waiting] = []
        try:
            while self._waiting:
                batch = self._next_batch()
                if batch:
                    await self._answer(batch)
        finally:
            self._flusher = None
            _fail(batch, _STOPPED)
            self._fail_waiting()

    def _fail_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        _fail(waiting, _STOPPED)

    def _next_batch(self) -> list[_Waiting]:
        taken, self._waiting = self._waiting[: self._max_batch], self._waiting[self._max_batch :]
        waited_since = asyncio.get_running_loop().time() - self._half_s
        _fail([entry for entry in taken if entry[2] < waited_since], "the session store is too slow")
        return [entry for entry in taken if not entry[1].done()]

    async def _answer(self, batch: list[_Waiting]) -> None:
        try:
            async with asyncio.timeout(self._half_s):
                replies = await self._exchange(b"".join([packed for packed, _, _ in batch]), len(batch))
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            await self._drop()
            _fail(batch, f"the session store does not answer ({type(error).__name__})")
            return
        failed_over = False
        for (_, future, _), reply in zip(batch, replies, strict=True):
            if isinstance(reply, ResponseError):
                failed_over = failed_over or isinstance(reply, ReadOnlyError)
                reply = ConnectionError(f"the session store refused: {reply}")
            if future.done():
                continue
            if isinstance(reply, ConnectionError):
                future.set_exception(reply)
            else:
                future.set_result(reply)
        if failed_over:
            await self._drop()  # it has become a replica: ask the address again

    async def _exchange(self, packed: bytes, count: int) -> list[object]:
        reused = self._connection.is_connected
        try:
            return await self._send_and_read(packed, count)
        except (RedisError, OSError):
            if not reused:
                raise
            await self._drop()
            return await self._send_and_read(packed, count)

    async def _send_and_read(self, packed: bytes, count: int) -> list[object]:
        connection = self._connection
        await connection.connect()  # type: ignore[no-untyped-call]  # nor here
        await connection.send_packed_command(packed, check_health=False)
        replies: list[object] = []
        for _ in range(count):
            try:
                replies.append(await connection.read_response(disable_decoding=True))
            except ResponseError as error:  # of this command only; the connection is still in step
                replies.append(error)
        return replies

    async def _drop(self) -> None:
        await self._connection.disconnect(nowait=True)


def _command(*words: bytes) -> bytes:
    """A command of the protocol, packed."""
    return b"*%d\r\n%b" % (len(words), b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words]))


def _save(key: str, value: bytes, ttl_s: int) -> bytes:
    assert ttl_s > 0
    return _command(b"SET", PREFIX + key.encode(), value, b"EX", b"%d" % ttl_s)


def _fail(entries: list[_Waiting], why: str) -> None:
    for _, future, _ in entries:
        if not future.done():
            future.set_exception(ConnectionError(why))
