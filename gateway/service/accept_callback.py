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
from gateway.service.metrics import CALLBACKS, ERRORS

log = structlog.get_logger()

_KEPT_HEADERS = ("content-type", "content-length", "user-agent", "x-forwarded-for", "date")  # the rest may be secret
_VERDICT_CODES = {
    Verdict.BAD_SIGNATURE: "PAY-SIGNATURE",
    Verdict.UNREADABLE: "PAY-UNREADABLE",
    Verdict.TOO_LARGE: "PAY-TOO-LARGE",
}


class ForgeryQuota:
    """How many messages that are not the provider's are kept in an hour: a flood must not fill the disk."""

    def __init__(self, per_hour: int = 2_000) -> None:
        self._per_hour = per_hour
        self._since: datetime | None = None
        self._kept = 0

    def allows(self, now: datetime) -> bool:
        """Whether one more may be kept."""
        if self._since is None or now - self._since >= timedelta(hours=1):
            self._since, self._kept = now, 0
        self._kept += 1
        return self._kept <= self._per_hour


class AcceptCallback:
    """Answers "received" only once the bytes and the verdict are committed."""

    def __init__(self, uow: UnitOfWork, clock: Clock, quota: ForgeryQuota) -> None:
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
        inbox_id = uuid4().hex
        reply = provider.acknowledge(reading, inbox_id)
        CALLBACKS.labels(provider.name, route, reading.verdict).inc()
        if reading.verdict in _VERDICT_CODES:
            ERRORS.labels(_VERDICT_CODES[reading.verdict]).inc()
            log.warning(
                "callback_refused", provider=provider.name, route=route, verdict=reading.verdict, inbox=inbox_id
            )
            if not self._quota.allows(now):
                return reply
        evidence = _evidence(inbox_id, provider.name, now, body, size, headers, reading, reply.status)
        try:
            await self._keep(evidence, reading.notices)
        except Exception:
            ERRORS.labels("PAY-NOT-KEPT").inc()
            log.exception("callback_not_kept", provider=provider.name, route=route)
            return provider.not_kept(route)
        return reply


def _evidence(
    inbox_id: str,
    provider: str,
    now: datetime,
    body: bytes,
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
        body=body,
        size=size,
        headers={name: headers[name][:200] for name in _KEPT_HEADERS if name in headers},
        digest=hashlib.sha256(body).hexdigest(),
        verdict=reading.verdict,
        why=reading.why[:500],
        message_id=reading.message_id[:100] if reading.message_id else None,
        reply_status=status,
    )
