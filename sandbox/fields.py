"""Reading bill messages field by field, as strictly as is known: what both generations share.

Order, presence, length and values are all checked, and every fault found is reported, codes joined by ';'.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sandbox import clock, money
from sandbox.envelope import text_of

MAX_ITEMS = 100


@dataclass(frozen=True, slots=True)
class Submission:
    """One bill as the service provider asked for it. Amounts in minor units; times in East Africa Time."""

    req_id: str
    """v4 numbers no messages: ''."""
    sp_code: str
    bill_id: str
    description: str
    payer: str
    msisdn: str
    email: str
    amount_minor: int
    least_minor: int
    currency: str
    pay_opt: int
    expires_at: datetime
    reuse: str
    """The control number to give again, or ''."""
    version: str
    """The generation that it was asked for in; GePG speaks of the bill in the same."""


@dataclass(frozen=True, slots=True)
class Change:
    """A later (or earlier) end for a bill that GePG has."""

    req_id: str
    sp_code: str
    bill_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the acknowledgement says: 7101, or faults joined by ';', and a sentence for whoever reads it."""

    codes: str
    detail: str


@dataclass(frozen=True, slots=True)
class Field:
    """One element: its tag, the code that names its fault, and the test of its text. Optional ones may be absent."""

    tag: str
    code: str
    good: Callable[[str], bool]
    optional: bool = False


def text(longest: int, shortest: int = 1) -> Callable[[str], bool]:
    return lambda value: shortest <= len(value) <= longest and value == value.strip()


def match(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: compiled.fullmatch(value) is not None


def amount(value: str) -> bool:
    return money.to_minor(value) is not None


def date(value: str) -> bool:
    return clock.from_wire(value) is not None


SP_CODE = match(r"SP(\d{3}|\d{5})")
NUMBER = match(r"\d{12}")
_EMAIL = match(r"([^@\s]+@[^@\s]+\.[^@\s]+)?")


def email(value: str) -> bool:
    return len(value) <= 150 and _EMAIL(value)


class FieldFaults:
    """Codes and details in the order found, each code once."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def add(self, code: str, detail: str) -> None:
        self.found.setdefault(code, []).append(detail)

    def check(self, wrong: bool, code: str, detail: str) -> None:
        if wrong:
            self.add(code, detail)

    def verdict(self) -> Verdict:
        details = [detail for group in self.found.values() for detail in group]
        return Verdict(";".join(self.found), ", ".join(details)[:300])


def check_fields(parent: ET.Element, fields: tuple[Field, ...], faults: FieldFaults, last: str | None = None) -> None:
    """The children of `parent` against the table; `last` comes after them and is checked by the caller."""
    present = [child.tag for child in parent]
    known = [field.tag for field in fields if not field.optional or field.tag in present] + ([last] if last else [])
    for tag in dict.fromkeys(present):
        faults.check(tag not in known, "7242", f"{tag} is unknown")
    if sorted(present) == sorted(known):
        faults.check(present != known, "7242", f"{parent.tag}: order of elements")
    else:
        faults.check(len(set(present)) != len(present), "7242", f"{parent.tag}: an element is repeated")
    for field in fields:
        child = parent.find(field.tag)
        if child is None:
            faults.check(not field.optional, "7242", f"{field.tag} is missing")
        elif len(child) or not field.good(child.text or ""):
            faults.add(field.code, f"{field.tag} is wrong")


def minor(parent: ET.Element, tag: str) -> int:
    """An amount that was found good before."""
    value = money.to_minor(text_of(parent, tag))
    assert value is not None, "checked before"
    return value


def moment(parent: ET.Element, tag: str) -> datetime:
    """A time that was found good before."""
    value = clock.from_wire(text_of(parent, tag))
    assert value is not None, "checked before"
    return value
