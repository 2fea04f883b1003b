"""Answers as JSON, signed where the request was: what answers nobody known carries nothing to believe."""

from __future__ import annotations

import json
from typing import Any

from gateway.domain.clock import Clock
from gateway.ports import HttpReply, Verdict

from .codes import sentence
from .settings import BankSettings
from .signing import sign_answer

_CODES = {
    Verdict.BAD_SIGNATURE: (401, "PAY-SIGNATURE"),
    Verdict.UNREADABLE: (400, "PAY-UNREADABLE"),
    Verdict.TOO_LARGE: (413, "PAY-TOO-LARGE"),
}


class Replies:
    """How one bank is answered."""

    def __init__(self, settings: BankSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def said(self, http: int, answer_to: str, **fields: Any) -> HttpReply:
        """A JSON object; what is None is left out. ``answer_to``: empty where nothing was verified."""
        body = json.dumps({name: value for name, value in fields.items() if value is not None}).encode()
        headers = sign_answer(self._settings, answer_to, body, self._clock.now()) if answer_to else {}
        return HttpReply(http, "application/json", body, headers)

    def refused(self, verdict: Verdict, why: str, answer_to: str) -> HttpReply:
        """401, 400 or 413 with its code. Why a signature does not hold is not told: it would help to forge one."""
        http, code = _CODES[verdict]
        message = sentence(code) if verdict is Verdict.BAD_SIGNATURE else why
        return self.said(http, answer_to, status="refused", code=code, message=message)

    def not_kept(self) -> HttpReply:
        """HTTP 503: the same must be sent again."""
        return self.said(503, "", status="refused", code="PAY-NOT-KEPT", message=sentence("PAY-NOT-KEPT"))
