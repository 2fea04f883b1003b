"""Who works, and for whom an officer may act."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from gateway.domain.officers import Mandate, Officer, mandate
from gateway.domain.policy import Family, Member

TODAY = date(2026, 11, 22)
VILLAGE, WARD, DISTRICT, REGION, ELSEWHERE = 4, 3, 2, 1, 9
OFFICER = Officer(5, "EO001", "Rehema Mgaya", "0712000901", DISTRICT, None)
HEAD = Member(1, "000000011", "Mushi", "Asha", date(1980, 1, 1), is_head=True)
FAMILY = Family(7, HEAD, (HEAD,), (VILLAGE, WARD, DISTRICT, REGION))


@pytest.mark.parametrize(
    ("works_to", "works"),
    [(None, True), (TODAY + timedelta(days=1), True), (TODAY, True), (TODAY - timedelta(days=1), False)],
)
def test_the_last_working_day_is_one(works_to: date | None, works: bool) -> None:
    officer = replace(OFFICER, works_to=works_to)
    assert officer.works_on(TODAY) is works
    assert mandate(officer, FAMILY, False, TODAY) == (Mandate.GIVEN if works else Mandate.LEFT)


@pytest.mark.parametrize(
    ("place", "has_village", "expected"),
    [
        (DISTRICT, False, Mandate.GIVEN),
        (REGION, False, Mandate.GIVEN),
        (VILLAGE, False, Mandate.GIVEN),
        (ELSEWHERE, False, Mandate.ELSEWHERE),
        (ELSEWHERE, True, Mandate.GIVEN),
        (None, False, Mandate.ELSEWHERE),
        (None, True, Mandate.GIVEN),
    ],
)
def test_an_officer_acts_where_the_officer_works(place: int | None, has_village: bool, expected: Mandate) -> None:
    assert mandate(replace(OFFICER, location_id=place), FAMILY, has_village, TODAY) == expected


def test_nobody_acts_for_a_family_that_is_gone_or_that_lives_nowhere() -> None:
    assert mandate(OFFICER, None, False, TODAY) == Mandate.ELSEWHERE
    assert mandate(OFFICER, replace(FAMILY, location_ids=()), False, TODAY) == Mandate.ELSEWHERE
    assert mandate(None, FAMILY, True, TODAY) == Mandate.LEFT
