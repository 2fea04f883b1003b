"""The signature of both sides: hex HMAC-SHA256 over ``timestamp.body``, and for an answer ``timestamp.request's.body``.

An answer names the signature of its request, so it answers no other; and since no JSON and no CSV of the contract
begins like one, nothing that we sign could be sent back to us as a request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from .settings import BankSettings

KEY_ID, TIMESTAMP, SIGNATURE = "X-Bank-Key-Id", "X-Bank-Timestamp", "X-Bank-Signature"
TOLERANCE_S = 300
_SECONDS = re.compile(r"[0-9]{1,12}")
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Signed:
    """A request that its bank has signed."""

    key_id: str
    signature: str

    @property
    def answer_to(self) -> str:
        """What ``sign_answer`` wants to know of it."""
        return f"{self.key_id}.{self.signature}"


@dataclass(frozen=True, slots=True)
class Unsigned:
    """One that it has not. ``why`` is for our logs and tells no secret."""

    why: str


def verify(
    settings: BankSettings, headers: Mapping[str, str], body: Iterable[bytes], now: datetime
) -> Signed | Unsigned:
    """Whether one of the bank's keys signed exactly these bytes within the tolerance. Header names are lower-case."""
    key_id, stamp, signature = (headers.get(name.lower(), "").strip() for name in (KEY_ID, TIMESTAMP, SIGNATURE))
    if not (key_id and stamp and signature):
        return Unsigned("a signature header is missing")
    key = settings.keys.get(key_id)
    if key is None:
        return Unsigned("no such key id")
    if not _SECONDS.fullmatch(stamp) or not _HEX.fullmatch(signature.lower()):
        return Unsigned("a signature header is malformed")
    if abs(int(now.timestamp()) - int(stamp)) > TOLERANCE_S:
        return Unsigned("the timestamp is too far from our clock")
    if not hmac.compare_digest(_sign(key, stamp.encode() + b".", body), signature.lower()):
        return Unsigned("the key did not sign these bytes")
    return Signed(key_id, signature.lower())


def sign_answer(settings: BankSettings, answer_to: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of an answer to the request that was ``Signed`` so."""
    key_id, _, request_signature = answer_to.partition(".")
    stamp = str(int(now.timestamp()))
    signature = _sign(settings.keys[key_id], f"{stamp}.{request_signature}.".encode(), [body])
    return {KEY_ID: key_id, TIMESTAMP: stamp, SIGNATURE: signature}


def _sign(key: bytes, prefix: bytes, body: Iterable[bytes]) -> str:
    mac = hmac.new(key, prefix, hashlib.sha256)
    for part in body:
        mac.update(part)
    return mac.hexdigest()
