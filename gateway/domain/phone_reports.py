"""What a phone says about the family that the registry gives it, or does not: for a person to put right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.msisdn import normalise
from gateway.domain.policy import Family

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


def phones_of(family: Family) -> tuple[str, ...]:
    """The numbers that the registry gives the family now, normalised, the head's first."""
    found = (normalise(member.phone) for member in (family.head, *family.members))
    return tuple(dict.fromkeys(phone for phone in found if phone is not None))


def may_be_told(phones: Iterable[str], disowned: Iterable[str]) -> tuple[str, ...]:
    """Of a family's phones those that may be told of it: a phone that calls it not its own may not, until a person has
    seen to that."""
    silent = frozenset(disowned)
    return tuple(phone for phone in phones if phone not in silent)


def report_of(subject: str) -> str:
    """The id of the report that a case is about."""
    return subject.removeprefix(_SUBJECT)
