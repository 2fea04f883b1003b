"""A bank's requests, signed with throwaway keys, and what is due on the other side."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.payments.bank import BankBiller, BankProvider, BankSettings, BankStatements
from gateway.domain.chfid import with_check_digit
from gateway.ports import HttpReply

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
CHFID = with_check_digit(10_000_001)
NUMBER = "994120000011"
NOTICE: dict[str, Any] = {
    "reference": "FT26329A7Q1",
    "control_number": NUMBER,
    "amount": "30000.00",
    "currency": "TZS",
    "paid_at": "2026-11-25T11:58:03",
    "payer_msisdn": "0712 000 001",
    "payer_name": "ASHA JUMA",
    "channel": "COUNTER",
}


@dataclass
class Clock:
    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


def mac(key: bytes, signed: bytes) -> str:
    return hmac.new(key, signed, hashlib.sha256).hexdigest()


def signed(key_id: str, key: bytes, body: bytes, at: datetime = NOW) -> dict[str, str]:
    """The headers as they reach an adapter: names in lower case."""
    stamp = str(int(at.timestamp()))
    return {
        "x-bank-key-id": key_id,
        "x-bank-timestamp": stamp,
        "x-bank-signature": mac(key, f"{stamp}.".encode() + body),
    }


@dataclass
class Bank:
    """Both ends of the wire: the adapters, and a bank's own way to sign and to judge."""

    keys: dict[str, bytes] = field(
        default_factory=lambda: {key_id: secrets.token_hex(32).encode() for key_id in ("k1", "k2")}
    )
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        settings = BankSettings("crdb", self.keys)
        self.provider = BankProvider(settings, self.clock)
        self.biller = BankBiller(settings, self.clock)
        self.statements = BankStatements(settings, self.clock)

    def headers(self, body: bytes, key_id: str = "k1", **late: float) -> dict[str, str]:
        return signed(key_id, self.keys[key_id], body, self.clock.time + timedelta(**late))

    def believes(self, reply: HttpReply, request: Mapping[str, str]) -> bool:
        """Whether one of its keys signed this answer to this request."""
        given = {name.lower(): value for name, value in reply.headers.items()}
        key = self.keys.get(given.get("x-bank-key-id", ""))
        if key is None:
            return False
        prefix = f"{given['x-bank-timestamp']}.{request['x-bank-signature']}.".encode()
        return given["x-bank-signature"] == mac(key, prefix + reply.body)


def encoded(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields).encode()


def notice(**changes: Any) -> bytes:
    """A notice; what is changed to None is left out."""
    return encoded({name: value for name, value in {**NOTICE, **changes}.items() if value is not None})
