"""First step of a callback: verify the raw bytes, commit them, answer. Nothing is settled here, so nothing is slow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import uuid4

import structlog

from gateway.domain.clock import Clock
from gateway.ports import CallbackReceiver, Evidence, HttpReply, Reading, UnitOfWork, Verdict
from gateway.service.keep_together import KeepTogether
from gateway.service.keep_unreadable import is_for_a_person, keep_unreadable, unreadable_id
from gateway.service.metrics import CALLBACKS, ERRORS

log = structlog.get_logger()

KEPT_HEADERS = ("content-type", "content-length", "user-agent", "x-forwarded-for", "date")  # the rest may be secret
VERDICT_CODES = {
    Verdict.BAD_SIGNATURE: "PAY-SIGNATURE",
    Verdict.UNREADABLE: "PAY-UNREADABLE",
    Verdict.TOO_LARGE: "PAY-TOO-LARGE",
}


class ForgeryQuota:
    """How much is kept in an hour of what is not signed by its provider: a flood must not fill the disk.

    Each process has one of its own. ``per_hour`` messages; once their bodies have come to ``bytes_per_hour``, only the
    first ``CUT`` bytes of each further one are kept.
    """

    CUT = 1_024

    def __init__(self, per_hour: int = 2_000, bytes_per_hour: int = 64_000_000) -> None:
        self._per_hour = per_hour
        self._bytes_per_hour = bytes_per_hour
        self._since: datetime | None = None
        self._kept = self._bytes = 0

    def room(self, now: datetime, size: int) -> int | None:
        """How many of a message's bytes may be kept; None where nothing of it may."""
        if self._since is None or now - self._since >= timedelta(hours=1):
            self._since, self._kept, self._bytes = now, 0, 0
        self._kept += 1
        if self._kept > self._per_hour:
            return None
        if self._bytes + size > self._bytes_per_hour:
            size = min(size, self.CUT)
        self._bytes += size
        return size

    @property
    def is_just_spent(self) -> bool:
        """Whether the last message was the first of its hour that had no room."""
        return self._kept == self._per_hour + 1


class AcceptCallback:
    """Answers "received" only once the bytes and the verdict are committed."""

    def __init__(self, uow: UnitOfWork, clock: Clock, quota: ForgeryQuota) -> None:
        self._uow = uow
        self._keep = KeepTogether(uow)
        self._clock = clock
        self._quota = quota

    async def __call__(
        self, provider: CallbackReceiver, route: str, body: bytes, size: int, headers: Mapping[str, str]
    ) -> HttpReply:
        """``body`` is what was read of the ``size`` bytes announced or seen; less than all means too large."""
        now = self._clock.now()
        if size > len(body):
            reading = provider.unreadable(route, Verdict.TOO_LARGE, f"{size} bytes")
        else:
            reading = provider.read(route, body, headers)
        digest, kept = hashlib.sha256(body).hexdigest(), body
        for_a_person = is_for_a_person(reading)
        inbox_id = unreadable_id(digest) if for_a_person else uuid4().hex
        reply = provider.acknowledge(reading, inbox_id)
        CALLBACKS.labels(provider.name, route, reading.verdict).inc()
        if reading.verdict in VERDICT_CODES:
            ERRORS.labels(VERDICT_CODES[reading.verdict]).inc()
            if not for_a_person:  # a provider's own words are kept, however many
                room = self._room_for(body, now)
                if room is None:
                    return reply
                kept = body[:room]
            log.warning(
                "callback_refused", provider=provider.name, route=route, verdict=reading.verdict, inbox=inbox_id
            )
        evidence = _evidence(inbox_id, provider.name, now, kept, digest, size, headers, reading, reply.status)
        try:
            if for_a_person:
                await keep_unreadable(self._uow, evidence, lambda first: f"message:{first.digest}", now)
            else:
                await self._keep(evidence, reading.notices)
        except Exception:
            ERRORS.labels("PAY-NOT-KEPT").inc()
            log.exception("callback_not_kept", provider=provider.name, route=route)
            return provider.not_kept(route)
        return reply

    def _room_for(self, body: bytes, now: datetime) -> int | None:
        room = self._quota.room(now, len(body))
        if room is None and self._quota.is_just_spent:  # said once: a line for each would fill the disk, too
            log.warning("forgeries_not_kept", for_at_most_s=3600)
        return room


def _evidence(
    inbox_id: str,
    provider: str,
    now: datetime,
    kept: bytes,
    digest: str,
    size: int,
    headers: Mapping[str, str],
    reading: Reading,
    status: int,
) -> Evidence:
    return Evidence(
        id=inbox_id,
        provider=provider,
        route=reading.route,
        received_at=now,
        body=kept,
        size=size,
        headers={name: header_text(headers[name]) for name in KEPT_HEADERS if name in headers},
        digest=digest,
        verdict=reading.verdict,
        why=reading.why[:500],
        message_id=reading.message_id[:100] if reading.message_id else None,
        reply_status=status,
    )


def header_text(value: str) -> str:
    """A header as it can be kept: bytes that are no UTF-8 come as surrogates, which no database takes."""
    return value[:200].encode("utf-8", "replace").decode("utf-8")
