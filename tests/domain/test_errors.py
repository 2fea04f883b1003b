"""The one table of error codes, and what hangs on it: cases, texts, runbooks, and the code that names them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import menus
from gateway.domain.errors import CASE_CODES, ERRORS, ErrorCode
from gateway.domain.payments import CaseKind
from gateway.domain.ussd.book import load_book

ROOT = Path(__file__).parents[2]
BOOK = load_book(*menus.read())
each_code = pytest.mark.parametrize("error", ERRORS.values(), ids=lambda error: error.code)


@each_code
def test_a_code_is_whole(error: ErrorCode) -> None:
    assert re.fullmatch(r"(USSD|PAY|SMS|REC|REG)-[A-Z]+(-[A-Z]+)*", error.code)
    assert 200 <= error.http_status < 600
    assert re.fullmatch(r"[A-Z].*\.|[A-Z].*[a-z]", error.operator), "a sentence"
    assert error.runbook == error.code.lower()


@each_code
def test_what_a_caller_is_told_stands_in_every_language(error: ErrorCode) -> None:
    if error.caller is None:
        # a screen that could not be pushed is one that nobody can be shown
        assert not error.code.startswith("USSD-") or error.code == "USSD-PUSH", "a caller waits for an answer"
        return
    for language in BOOK.languages.values():
        assert language.texts[error.caller].render({}).strip()


def test_what_is_no_error_of_ours_is_no_error_to_the_peer() -> None:
    """Money has moved: whatever is wrong with it, the provider is told 'received'; only what was not kept recurs."""
    for kind in (k for k in CaseKind if k != CaseKind.SETTLE_FAILED):
        assert ERRORS[CASE_CODES[kind]].http_status == 200, kind
    assert [code for code, error in ERRORS.items() if error.http_status == 503] == ["PAY-NOT-KEPT", "PAY-NO-ANSWER"]


def test_every_kind_of_case_has_its_code() -> None:
    assert set(CASE_CODES) == set(CaseKind)
    assert set(CASE_CODES.values()) <= set(ERRORS)
    assert len(set(CASE_CODES.values())) == len(CASE_CODES), "a code says one thing"


def test_every_code_in_the_program_is_in_the_table() -> None:
    named = {
        code
        for path in (ROOT / "gateway").rglob("*.py")
        for code in re.findall(r'"((?:USSD|PAY|SMS|REC|REG)-[A-Z-]+)', path.read_text(encoding="utf-8"))
    }
    assert named <= set(ERRORS), named - set(ERRORS)
    assert len(named) > 20, "the scan sees nothing"


def anchors(markdown: str) -> set[str]:
    """Where a link into the page can lead, by the rule of the sites that show Markdown."""
    headings = re.findall(r"(?m)^#{1,6}\s+(.+?)\s*$", markdown)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a (?:id|name)="([^"]+)"', markdown))


RUNBOOKS = ROOT / "docs" / "runbooks.md"


@each_code
def test_a_code_has_its_runbook(error: ErrorCode) -> None:
    assert error.runbook in anchors(RUNBOOKS.read_text(encoding="utf-8"))


def test_no_runbook_is_about_a_code_that_is_gone() -> None:
    found = {a for a in anchors(RUNBOOKS.read_text(encoding="utf-8")) if re.match(r"(ussd|pay|sms|rec|reg)-", a)}
    assert found <= {error.runbook for error in ERRORS.values()}


def test_the_anchors_of_a_page() -> None:
    page = '# Runbooks\n\n## USSD-BUSY\n\ntext ## no heading\n### `PAY-OVER`: too much\n<a id="sms-held"></a>\n'
    assert anchors(page) == {"runbooks", "ussd-busy", "pay-over-too-much", "sms-held"}
