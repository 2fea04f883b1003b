"""A day's statement, CSV and JSON: verified whole, cut into spans, each line the same payment as its notice."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from bank_samples import CHFID, NOTICE, NUMBER, Bank, notice

from gateway.domain.payments import PaymentReport
from gateway.ports import LineFault, StatementReading, StatementReceiver, StatementRow, Verdict

COLUMNS = [
    *("reference", "control_number", "chfid", "amount", "currency"),
    *("paid_at", "payer_msisdn", "payer_name", "channel"),
]
TWO = [NOTICE, {**NOTICE, "reference": "FT2", "control_number": None, "chfid": CHFID, "amount": "30,000"}]


def as_csv(lines: list[dict[str, Any]], end: str = "\n", columns: list[str] = COLUMNS) -> bytes:
    rows = [",".join(f'"{line.get(name) or ""}"' for name in columns) for line in lines]
    return (end.join(["#statement,2026-11-25", ",".join(columns), *rows]) + end).encode()


def as_json(lines: list[dict[str, Any]], **layout: Any) -> bytes:
    return json.dumps({"day": "2026-11-25", "lines": lines}, **layout).encode()


def opened(bank: Bank, tmp_path: Path, body: bytes) -> tuple[StatementReading, Path]:
    path = tmp_path / "statement"
    path.write_bytes(body)
    return bank.statements.open_statement("statement", path, bank.headers(body)), path


def lines_of(bank: Bank, tmp_path: Path, body: bytes) -> list[tuple[StatementRow | LineFault, PaymentReport | None]]:
    reading, path = opened(bank, tmp_path, body)
    assert reading.verdict is Verdict.GENUINE, reading.why
    assert reading.day is not None
    assert (reading.day.isoformat(), reading.start, reading.end) == ("2026-11-25", 0, len(body))
    lines = pickle.loads(pickle.dumps(bank.statements.lines_of(reading)))  # spans are read in other processes
    found = []
    for span in lines.spans(path):
        for row in lines.rows(path, span):
            found.append((row, lines.report(path, row) if isinstance(row, StatementRow) else None))
    return found


FORMS = [
    ("CSV", as_csv(TWO)),
    ("CSV, CRLF", as_csv(TWO, "\r\n")),
    ("CSV, no last line end", as_csv(TWO).rstrip()),
    ("CSV, a byte-order mark", b"\xef\xbb\xbf" + as_csv(TWO)),
    ("CSV, empty lines", as_csv(TWO).replace(b"\n", b"\n\n").replace(b"\n\n", b"\n", 2)),
    ("CSV, columns in another order", as_csv(TWO, columns=COLUMNS[::-1])),
    ("CSV, columns that nobody knows", as_csv(TWO, columns=["branch", *COLUMNS])),
    ("JSON", as_json(TWO)),
    ("JSON, indented", as_json(TWO, indent=2)),
    ("JSON, the lines first", json.dumps({"lines": TWO, "x": [1, {"y": "]"}], "day": "2026-11-25"}).encode()),
    ("JSON, a byte-order mark", b"\xef\xbb\xbf" + as_json(TWO)),
]


@pytest.mark.parametrize("body", [form[1] for form in FORMS], ids=[form[0] for form in FORMS])
def test_a_line_is_the_payment_that_its_notice_was(tmp_path: Path, body: bytes) -> None:
    bank = Bank()
    (first, report), (second, other) = lines_of(bank, tmp_path, body)
    told = notice()
    (noticed,) = bank.provider.read("notice", told, bank.headers(told)).notices
    assert isinstance(noticed, PaymentReport)
    assert report == noticed
    assert isinstance(first, StatementRow)
    assert isinstance(second, StatementRow)
    assert other is not None
    assert (first.reference, first.control_number) == noticed.key
    assert (first.amount_minor, first.currency) == (3_000_000, "TZS")
    assert (second.reference, second.control_number, second.amount_minor) == ("CRDB-FT2", CHFID, 3_000_000)
    assert (other.key, other.chfid) == (("CRDB-FT2", CHFID), CHFID)
    assert [first.line < second.line, first.line] == [True, 1] or "empty" in body.decode()


def test_names_beyond_ascii_keep_their_places(tmp_path: Path) -> None:
    lines = [{**NOTICE, "reference": f"FT{n}", "payer_name": "Ñgũgĩ — « é »"} for n in range(3)]
    for body in (as_csv(lines), as_json(lines, ensure_ascii=False), as_json(lines)):
        found = lines_of(Bank(), tmp_path, body)
        assert [report.payer_name for _, report in found if report] == ["Ñgũgĩ — « é »"] * 3
        assert [report.reference for _, report in found if report] == [f"CRDB-FT{n}" for n in range(3)]


@pytest.mark.parametrize("make", [as_csv, as_json])
def test_many_lines_come_in_spans_and_each_once(tmp_path: Path, make: Any) -> None:
    bank = Bank()
    body = make([{**NOTICE, "reference": f"FT{n}"} for n in range(5_000)])
    reading, path = opened(bank, tmp_path, body)
    spans = list(bank.statements.lines_of(reading).spans(path))
    assert len(spans) > 1
    found = lines_of(bank, tmp_path, body)
    assert [row.line for row, _ in found] == list(range(1, 5_001))
    assert [row.reference for row, _ in found if isinstance(row, StatementRow)] == [f"CRDB-FT{n}" for n in range(5_000)]


BAD_LINES = [
    ({"amount": "30,00"}, "amount"),
    ({"amount": "1e999999"}, "amount"),
    ({"reference": ""}, "reference"),
    ({"chfid": CHFID}, "control_number or chfid"),
    ({"paid_at": "yesterday"}, "paid_at"),
    ({"currency": "shillings"}, "currency"),
]


@pytest.mark.parametrize(("changes", "field"), BAD_LINES)
@pytest.mark.parametrize("make", [as_csv, as_json])
def test_a_bad_line_is_a_fault_and_its_neighbours_are_read(
    tmp_path: Path, make: Any, changes: dict[str, Any], field: str
) -> None:
    found = lines_of(Bank(), tmp_path, make([NOTICE, {**NOTICE, **changes}, {**NOTICE, "reference": "FT3"}]))
    kinds = [type(row) for row, _ in found]
    assert kinds == [StatementRow, LineFault, StatementRow]
    fault = found[1][0]
    assert isinstance(fault, LineFault)
    assert fault.line == 2
    assert fault.why.startswith(field)


def test_csv_with_too_few_fields_or_no_utf8_is_a_fault(tmp_path: Path) -> None:
    body = as_csv([NOTICE]) + b"FT2,1\n" + b"\xff" * 10 + b"\n" + b'"open\n'
    assert [type(row) for row, _ in lines_of(Bank(), tmp_path, body)] == [StatementRow, *[LineFault] * 3]


REFUSED = [
    ("nothing", b""),
    ("no first line", as_csv(TWO).split(b"\n", 1)[1]),
    ("no day", as_csv(TWO).replace(b"2026-11-25", b"", 1)),
    ("a day that is none", as_csv(TWO).replace(b"2026-11-25", b"2026-02-30", 1)),
    ("no columns", b"#statement,2026-11-25\n"),
    ("a column missing", as_csv(TWO, columns=[name for name in COLUMNS if name != "amount"])),
    ("a column twice", as_csv(TWO, columns=[*COLUMNS, "amount"])),
    ("neither number", as_csv(TWO, columns=[n for n in COLUMNS if n not in ("control_number", "chfid")])),
    ("columns without end", b"#statement,2026-11-25\n" + b"a," * 5_000),
    ("JSON cut", as_json(TWO)[:-1]),
    ("JSON cut in a line", as_json(TWO)[:150]),
    ("JSON and more", as_json(TWO) + b"{}"),
    ("JSON without lines", b'{"day": "2026-11-25"}'),
    ("JSON with lines that are none", b'{"day": "2026-11-25", "lines": {}}'),
    ("JSON without a day", json.dumps({"lines": TWO}).encode()),
    ("JSON with the lines twice", b'{"day": "2026-11-25", "lines": [], "lines": []}'),
    ("JSON nested without end", b'{"day": "2026-11-25", "lines": [' + b"[" * 100_000),
    ("XML", b"<gepgSpReconcResp/>"),
]


@pytest.mark.parametrize("body", [form[1] for form in REFUSED], ids=[form[0] for form in REFUSED])
def test_what_is_no_statement_is_refused_and_answered(tmp_path: Path, body: bytes) -> None:
    bank = Bank()
    reading, _ = opened(bank, tmp_path, body)
    assert (reading.verdict, reading.is_signed) == (Verdict.UNREADABLE, True)
    reply = bank.statements.acknowledge_statement(reading, "I1")
    assert (reply.status, json.loads(reply.body)["code"]) == (400, "PAY-UNREADABLE")
    assert bank.believes(reply, bank.headers(body))


@pytest.mark.parametrize("body", [as_csv(TWO), as_json(TWO)])
def test_a_statement_is_believed_only_as_it_was_signed(tmp_path: Path, body: bytes) -> None:
    bank = Bank()
    headers = bank.headers(body)
    path = tmp_path / "statement"
    for changed in (body.replace(b"30000", b"30001"), body + b"\n", body[:-1]):
        path.write_bytes(changed)
        reading = bank.statements.open_statement("statement", path, headers)
        assert (reading.verdict, reading.end, reading.is_signed) == (Verdict.BAD_SIGNATURE, 0, False)
        reply = bank.statements.acknowledge_statement(reading, "I1")
        assert (reply.status, dict(reply.headers)) == (401, {})


def test_it_is_acknowledged_with_its_day(tmp_path: Path) -> None:
    bank = Bank()
    checked: StatementReceiver = bank.statements
    body = as_csv(TWO)
    reading, _ = opened(bank, tmp_path, body)
    reply = checked.acknowledge_statement(reading, "I1")
    assert (reply.status, json.loads(reply.body)) == (200, {"status": "received", "day": "2026-11-25"})
    assert bank.believes(reply, bank.headers(body))
    assert checked.statement_not_kept("statement").status == 503
    assert NUMBER.encode() in body
