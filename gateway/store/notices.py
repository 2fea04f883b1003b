"""Notices as JSON, for the entry rows of the inbox."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from gateway.domain.money import Money
from gateway.domain.payments import PaymentReport
from gateway.ports import BillRefused, ControlNumberGiven, Notice

KINDS: dict[str, type[Any]] = {
    "control_number": ControlNumberGiven,
    "bill_refused": BillRefused,
    "payment": PaymentReport,
}
_NAMES = {cls: name for name, cls in KINDS.items()}


def dump(notice: Notice) -> tuple[str, dict[str, Any]]:
    """The notice's kind and its fields as JSON values."""
    fields = asdict(notice)
    if isinstance(notice, PaymentReport):
        fields["paid_at"] = notice.paid_at.isoformat()
    return _NAMES[type(notice)], fields


def load(kind: str, fields: dict[str, Any]) -> Notice:
    """The notice that ``dump`` wrote."""
    if kind == "payment":
        fields = {**fields, "amount": Money(**fields["amount"]), "paid_at": datetime.fromisoformat(fields["paid_at"])}
    notice: Notice = KINDS[kind](**fields)
    return notice
