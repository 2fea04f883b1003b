"""The same story told to the gateway and to openIMIS' own screens leaves the same rows, but for what has a name."""

from __future__ import annotations

from typing import Any

import pytest
from openimis_process import OpenImis
from twin import differences
from twin_differences import DOCUMENT, NAMED, due_in, name_of, written_into
from twin_run import Theatre
from twin_scenarios import SCENARIOS, Scenario

from gateway.domain.errors import CASE_CODES
from gateway.domain.payments import CaseKind

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@pytest.fixture(scope="module")
def theatre(postgres: Any, openimis: OpenImis, openimis_template: str) -> Theatre:
    return Theatre(postgres, openimis, openimis_template)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_whatever_differs_has_a_name(theatre: Theatre, scenario: Scenario) -> None:
    """And what has a name differs: one that no longer does is taken off the list."""
    async with theatre.played(scenario) as outcome:
        assert outcome.states[:-1] == ["settled"] * (len(scenario.pays) - 1)
        assert outcome.states[-1] == ("case" if scenario.kept_as else "settled")
        assert outcome.cases == [case for case in (scenario.kept_as, scenario.beside) if case]
        assert (outcome.refused is not None) == (scenario.kept_as == "receipt_used"), outcome.refused
        assert outcome.ours.before.others == outcome.ours.after.others
        found = list(differences(outcome.theirs, outcome.ours))
    if scenario.kept_as:
        kept = outcome.ours.after.rows["tblPayment"][-1]
        assert kept["ReceivedAmount"] == outcome.last_amount
        assert kept["RejectedReason"].startswith(CASE_CODES[CaseKind(scenario.kept_as)])
    named = {difference: name_of(scenario.name, difference) for difference in found}
    unnamed = [str(difference) for difference, name in named.items() if name is None]
    assert not unnamed, "\n".join(["without a name:", *unnamed])
    assert set(named.values()) == due_in(scenario.name)


def test_every_name_is_shown_by_a_scenario_that_there_is() -> None:
    names = [named.name for named in NAMED]
    assert len(set(names)) == len(names)
    assert len(BY_NAME) == len(SCENARIOS)
    for named in NAMED:
        assert named.scenarios, named.name
        assert set(named.scenarios) <= BY_NAME.keys()


def test_the_document_lists_exactly_these_differences() -> None:
    """Written anew by: python tests/contract/twin_differences.py"""
    document = DOCUMENT.read_text(encoding="utf-8")
    assert document == written_into(document)
