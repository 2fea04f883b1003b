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
    if isinstance(notice, ControlNumberGiven):
        # what is not said is left out: a process of the release before knows the plain notice only
        fields = {name: value for name, value in fields.items() if value not in (None, False)}
    return _NAMES[type(notice)], fields


def load(kind: str, fields: dict[str, Any]) -> Notice:
    """The notice that ``dump`` wrote."""
    if kind == "payment":
        fields = {**fields, "amount": Money(**fields["amount"]), "paid_at": datetime.fromisoformat(fields["paid_at"])}
    if kind == "control_number" and "amount" in fields:
        fields = {**fields, "amount": Money(**fields["amount"])}
    notice: Notice = KINDS[kind](**fields)
    return notice
