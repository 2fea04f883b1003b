"""Every spelling of an amount: read exactly, or refused; never rounded."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import pytest
from bank_samples import Bank, notice
from hypothesis import given
from hypothesis import strategies as st

from adapters.payments.bank import read_amount
from adapters.payments.bank.limits import UnreadableError
from gateway.ports import Verdict

# as it stands in the JSON, quotes included
CASES = [
    ("30000", 3_000_000),
    ('"30000"', 3_000_000),
    ("30000.0", 3_000_000),
    ("30000.00", 3_000_000),
    ('"30000.00"', 3_000_000),
    ('" 30000 "', 3_000_000),
    ("30000.000000", 3_000_000),
    ("3e4", 3_000_000),
    ("3E4", 3_000_000),
    ("3E+4", 3_000_000),
    ('"3e4"', 3_000_000),
    ("3.00005e4", 3_000_050),
    ("3.000001e4", 3_000_001),
    ("3000000e-2", 3_000_000),
    ("1e-2", 1),
    ("0.1", 10),
    ("0.01", 1),
    ('"30,000"', 3_000_000),
    ('"30,000.00"', 3_000_000),
    ('"30,000.5"', 3_000_050),
    ('"1,234,567.89"', 123_456_789),
    ('"030000"', 3_000_000),
    ("9007199254740993", 900_719_925_474_099_300),  # beyond what a float can tell apart
    ("12345678901234.56", 1_234_567_890_123_456),
]
REFUSED = [
    '"30,00"', '"3,0000"', '"30,0000"', '",300"', '"0,300"', '"300,"', '"1,23,456"', '"30,000,00"', '"30.000,00"',
    '"30.000"', "30.000", '"30 000"', '"30\'000"', '"TZS 30000"', '"30000/="', '"30000 TZS"', '""', '" "', "null",
    "true", "false", "[]", "{}", '[30000]', "-30000", '"-30000"', '"+30000"', "0", "0.00", '"0"', "-0",
    "0.001", "30000.005", "30000.001", "1e-3", "3.0000001e4", "1e999999", "1e99", "1e20", "-1e999999", '"1e999999"',
    "1e-999999", "NaN", "Infinity", "-Infinity", '"NaN"', '"Infinity"', '"nan"', '"sNaN"', '"0x7530"', '"3_0000"',
    '"３００００"', '"٣٠٠٠٠"', "99999999999999999999", '"30,000e0"', '"1e"', '"."', '"30000."', '".5"',
]  # fmt: skip


@pytest.mark.parametrize(("spelt", "minor"), CASES)
def test_it_is_read_exactly(spelt: str, minor: int) -> None:
    bank = Bank()
    body = notice(amount="@").replace(b'"@"', spelt.encode())
    reading = bank.provider.read("notice", body, bank.headers(body))
    assert reading.verdict is Verdict.GENUINE, reading.why
    (report,) = reading.notices
    assert (report.amount.amount_minor, report.amount.currency) == (minor, "TZS")


@pytest.mark.parametrize("spelt", REFUSED)
def test_it_is_refused(spelt: str) -> None:
    bank = Bank()
    body = notice(amount="@").replace(b'"@"', spelt.encode())
    reading = bank.provider.read("notice", body, bank.headers(body))
    assert (reading.verdict, reading.notices) == (Verdict.UNREADABLE, ())
    assert "30000" not in reading.why, "why names the field, never its value"


def test_a_huge_exponent_costs_nothing() -> None:
    bank = Bank()
    body = notice(amount="@").replace(b'"@"', b"1e" + b"9" * 60_000)
    started = time.process_time()
    assert bank.provider.read("notice", body, bank.headers(body)).verdict is Verdict.UNREADABLE
    assert time.process_time() - started < 1, "it was computed"


@given(st.integers(1, 10**14), st.sampled_from(["plain", "number", "grouped", "exponent"]))
def test_whatever_the_amount_it_comes_back(minor: int, spelling: str) -> None:
    units = Decimal(minor).scaleb(-2)
    text = {
        "plain": f"{units:.2f}",
        "number": json.dumps(int(units)) if minor % 100 == 0 else f"{units:f}",
        "grouped": f"{units:,.2f}",
        "exponent": f"{minor}e-2",
    }[spelling]
    assert read_amount(text, "TZS").amount_minor == minor


@given(st.text(max_size=30))
def test_no_text_makes_it_fall(text: str) -> None:
    try:
        amount = read_amount(text, "TZS")
    except UnreadableError:
        return
    assert amount.to_decimal() == Decimal(text.replace(",", ""))
