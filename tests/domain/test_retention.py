"""The retention table: what is due on a day, that every period is a setting, and that the page says the same."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.settings import DatabaseSettings, RetentionSettings
from gateway import purge_cli
from gateway.domain.retention import EXPIRING, RULES, Does, Period, cutoff

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
DAYS = RetentionSettings().model_dump()


@pytest.mark.parametrize(
    ("rule", "over_until"),
    [
        ("texts", datetime(2026, 8, 28, 9, 30, tzinfo=UTC)),
        ("askers", datetime(2026, 8, 28, 9, 30, tzinfo=UTC)),
        ("reports", datetime(2026, 8, 28, 9, 30, tzinfo=UTC)),
        ("guesses", datetime(2026, 11, 25, 9, 30, tzinfo=UTC)),
        ("languages", datetime(2024, 11, 26, 9, 30, tzinfo=UTC)),
        ("refused messages", datetime(2024, 11, 26, 9, 30, tzinfo=UTC)),
        ("evidence", datetime(2016, 11, 25, 9, 30, tzinfo=UTC)),
        ("bills", datetime(2016, 11, 25, 9, 30, tzinfo=UTC)),
        ("cases", datetime(2016, 11, 25, 9, 30, tzinfo=UTC)),
        ("statements", datetime(2016, 11, 25, 9, 30, tzinfo=UTC)),
    ],
)
def test_what_is_due_on_a_day(rule: str, over_until: datetime) -> None:
    (known,) = [each for each in EXPIRING if each.name == rule]
    assert cutoff(known, DAYS, NOW) == over_until


def test_every_rule_is_told_apart_and_every_period_is_a_setting() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert {rule.period for rule in EXPIRING} == set(Period)
    assert set(RetentionSettings.model_fields) == {str(period) for period in Period}
    assert all(rule.why and rule.holds for rule in RULES)


def test_what_is_blanked_or_deleted_holds_something_personal() -> None:
    assert [rule.name for rule in RULES if rule.does in (Does.DELETED, Does.BLANKED) and not rule.personal] == []


@pytest.mark.parametrize(
    ("period", "too_few"),
    [
        ("texts_days", 29),
        ("askers_days", 29),
        ("reports_days", 29),
        ("guesses_days", 0),
        ("languages_days", 29),
        ("refused_days", 89),
        ("evidence_days", 1_829),
    ],
)
def test_no_period_is_shorter_than_a_promise_needs(period: str, too_few: int) -> None:
    assert RetentionSettings(**{period: too_few + 1})
    with pytest.raises(ValidationError, match=period):
        RetentionSettings(**{period: too_few})


def test_the_application_is_not_the_one_who_purges() -> None:
    with pytest.raises(ValidationError, match="purge_role must not be app_role"):
        DatabaseSettings(app_role="gateway_app", purge_role="gateway_app")


def test_the_page_is_the_table() -> None:
    """After a change: ``imis-gateway purge --schedule``, between the two marks."""
    page = (ROOT / "docs" / "data-protection.md").read_text(encoding="utf-8")
    shown = page.split("<!-- schedule -->\n")[1]
    assert shown.splitlines() == purge_cli.schedule(DAYS)
