"""Notices as JSON, for the entry rows of the inbox."""

from __future__ import annotations

from dataclasses import fields
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
_FIELDS = {cls: tuple(each.name for each in fields(cls)) for cls in _NAMES}
_LATER = {ControlNumberGiven: ("repeated", "amount", "provider_code"), PaymentReport: ("chfid", "provider_code")}


def dump(notice: Notice) -> tuple[str, dict[str, Any]]:
    """The notice's kind and its fields as JSON values.

    Fields that came later are left out where they say nothing: a process of the release before knows the others only.
    """
    kind = type(notice)
    values = {name: getattr(notice, name) for name in _FIELDS[kind]}
    for name in _LATER.get(kind, ()):
        if not values[name]:
            del values[name]
    amount = values.get("amount")
    if isinstance(amount, Money):
        values["amount"] = {"amount_minor": amount.amount_minor, "currency": amount.currency}
    if isinstance(notice, PaymentReport):
        values["paid_at"] = notice.paid_at.isoformat()
    return _NAMES[kind], values


def load(kind: str, values: dict[str, Any]) -> Notice:
    """The notice that ``dump`` wrote, of this release or another: a field that is not known here is passed over."""
    known = KINDS[kind]
    values = {name: value for name, value in values.items() if name in _FIELDS[known]}
    if kind == "payment":
        values = {**values, "amount": Money(**values["amount"]), "paid_at": datetime.fromisoformat(values["paid_at"])}
    if kind == "control_number" and "amount" in values:
        values = {**values, "amount": Money(**values["amount"])}
    notice: Notice = known(**values)
    return notice
