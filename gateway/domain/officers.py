"""Enrolment officers: who still works, and for which families one may act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.domain.policy import Family


@dataclass(frozen=True, slots=True)
class Officer:
    """A live tblOfficer row. ``works_to``: the last working day, where one is set."""

    id: int
    code: str
    name: str
    phone: str | None  # as spelt in the registry
    location_id: int | None  # a district, in practice
    works_to: date | None

    def works_on(self, day: date) -> bool:
        """Whether this is a working day of the officer's; the last one still is."""
        return self.works_to is None or day <= self.works_to


class Mandate(StrEnum):
    """Whether an officer may ask for a family's control number."""

    GIVEN = "given"
    ELSEWHERE = "elsewhere"  # the family lives where another officer works
    LEFT = "left"  # no officer any more


def mandate(officer: Officer | None, family: Family | None, has_village: bool, day: date) -> Mandate:
    """An officer acts for families of the officer's own place, as openIMIS uspAPIRenewPolicy demands of a renewal (its
    district is the family's), and for those of a village that is assigned to the officer (``has_village``)."""
    if officer is None or not officer.works_on(day):
        return Mandate.LEFT
    if family is None:
        return Mandate.ELSEWHERE
    at_home = officer.location_id is not None and officer.location_id in family.location_ids
    return Mandate.GIVEN if at_home or has_village else Mandate.ELSEWHERE
