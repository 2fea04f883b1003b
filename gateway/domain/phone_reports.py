"""What a phone says about the family that the registry gives it, or does not: for a person to put right."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MOST_CLAIMS = 3  # of one phone, open at once: who claims more than that is no family
_SUBJECT = "phone_report:"


class Says(StrEnum):
    """What is reported."""

    NOT_OURS = "not_ours"  # a known phone: "this is not my family"
    OURS = "ours"  # a phone that nobody knows: "this phone is that family's"


@dataclass(frozen=True, slots=True)
class PhoneReport:
    """Open until its case is closed. ``id`` is random: a case's subject stands in the audit, and tells no phone."""

    id: str
    msisdn: str
    family_id: int
    says: Says

    @property
    def subject(self) -> str:
        """What its case is about."""
        return f"{_SUBJECT}{self.id}"


def report_of(subject: str) -> str:
    """The id of the report that a case is about."""
    return subject.removeprefix(_SUBJECT)
