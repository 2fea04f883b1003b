"""Bytes of a bank's or a wallet's CSV statement to lines, exactly or as a fault."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from adapters.payments.csv_statement import COLUMNS, CsvStatement
from gateway.domain.clock import EAT
from gateway.domain.money import Money
from gateway.ports import LineFault, Span, StatementRow

DAY = date(2026, 11, 25)
HEAD = "reference,control_number,amount,currency,paid_at,receipt,payer_msisdn,channel"
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=EAT)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "statement.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def opened(path: Path, **names: str) -> CsvStatement:
    return CsvStatement.opened(path, names, DAY)


def read(path: Path, statement: CsvStatement) -> list[StatementRow | LineFault]:
    return [line for span in statement.spans(path) for line in statement.rows(path, span)]


CASES = [
    # a line, and (reference, control number, minor units, currency) or the words of its fault
    ("R1,994120000011,30000,TZS,2026-11-25T12:00:00,S1,0712000001,USSD", ("R1", "994120000011", 3_000_000, "TZS")),
    ("R1,994120000011,30000.0,,,,,", ("R1", "994120000011", 3_000_000, "TZS")),
    ("R1,994120000011,0.01,USD,,,,", ("R1", "994120000011", 1, "USD")),
    (" R1 , 994120000011 , 30000.50 ,TZS,,,,", ("R1", "994120000011", 3_000_050, "TZS")),
    ('"R,1",994120000011,30000,TZS,,,,', ("R,1", "994120000011", 3_000_000, "TZS")),
    ('"R""1",994120000011,30000,TZS,,,,', ('R"1', "994120000011", 3_000_000, "TZS")),
    ("=R1,994120000011,30000,TZS,,,,", ("=R1", "994120000011", 3_000_000, "TZS")),
    ('R1,994120000011,"30,000",TZS,,,,', "amount is no plain decimal with at most two places"),
    ("R1,994120000011,3e4,TZS,,,,", "amount is no plain decimal with at most two places"),
    ("R1,994120000011,30000.005,TZS,,,,", "amount is no plain decimal with at most two places"),
    ("R1,994120000011,TZS 30000,TZS,,,,", "amount is no plain decimal with at most two places"),
    ("R1,994120000011,,TZS,,,,", "amount is no plain decimal with at most two places"),
    ("R1,994120000011,99999999999999999,TZS,,,,", "amount is no plain decimal with at most two places"),
    ("R1,994120000011,0,TZS,,,,", "amount is not more than nothing"),
    ("R1,994120000011,-5,TZS,,,,", "amount is not more than nothing"),
    (",994120000011,30000,TZS,,,,", "reference is empty"),
    ("R1,  ,30000,TZS,,,,", "control_number is empty"),
    ("R1,994120000011,30000,tzs,,,,", "currency is no code of three capital letters"),
    ("R1,994120000011,30000,TZS,yesterday,,,", "paid_at is no date and time"),
    ("R1,994120000011,30000,TZS,2026-02-30,,,", "paid_at is no date and time"),
    ("R1,994120000011,30000,TZS,2026-11-25 25:00,,,", "paid_at is no date and time"),
    ("R1,994120000011,30000,TZS", "4 cells where the first line has 8"),
    ("R1,994120000011,30000,TZS,,,,,", "9 cells where the first line has 8"),
    ('"R1,994120000011,30000,TZS,,,,', "a quote that does not end"),
    ("R\x001,994120000011,30000,TZS,,,,", "reference has letters that cannot be shown"),
    ("R\u202e1,994120000011,30000,TZS,,,,", "reference has letters that cannot be shown"),
]


@pytest.mark.parametrize(("line", "means"), CASES)
def test_a_line(tmp_path: Path, line: str, means: tuple[object, ...] | str) -> None:
    path = written(tmp_path, f"{HEAD}\n{line}\n")
    [found] = read(path, opened(path))
    if isinstance(means, str):
        assert isinstance(found, LineFault)
        assert found.why == means
        assert "994120000011" not in found.why
    else:
        assert isinstance(found, StatementRow)
        assert (found.reference, found.control_number, found.amount_minor, found.currency) == means
    assert path.read_bytes()[found.offset : found.offset + found.length].decode() == line + "\n"


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("2026-11-25", datetime(2026, 11, 25, tzinfo=EAT)),
        ("2026-11-25 12:00", NOON),
        ("2026-11-25T12:00:00", NOON),
        ("25/11/2026 12:00:00", NOON),
        ("2026-11-25T12:00:00.5", NOON + timedelta(seconds=0.5)),
        ("2026-11-25T09:00:00Z", NOON),
        ("2026-11-25T09:00:00.123456789Z", NOON + timedelta(microseconds=123_456)),
        ("2026-11-25T10:00:00+01:00", NOON),
        ("2026-11-25T07:00:00-0200", NOON),
        ("", datetime(2026, 11, 25, tzinfo=EAT)),
    ],
)
def test_when_it_was_paid(tmp_path: Path, said: str, means: datetime) -> None:
    path = written(tmp_path, f"{HEAD}\nR1,994120000011,30000,TZS,{said},,,\n")
    statement = opened(path)
    [row] = read(path, statement)
    assert isinstance(row, StatementRow)
    report = statement.report(path, row)
    assert report.paid_at == means
    assert report.paid_at.astimezone(UTC) == means.astimezone(UTC)


def test_a_line_in_full(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEAD}\nR1,994120000011,30000,TZS,2026-11-25T12:00:00,S1,0712 000 001,USSD\n")
    statement = opened(path)
    [row] = read(path, statement)
    assert isinstance(row, StatementRow)
    report = statement.report(path, row)
    assert (report.key, report.amount, report.receipt) == (("R1", "994120000011"), Money(3_000_000), "S1")
    assert (report.payer_msisdn, report.channel, report.bill_id) == ("+255712000001", "USSD", None)


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_spellings_of_a_file(tmp_path: Path, bom: bytes, delimiter: str, end: str) -> None:
    """Other names, another order, columns that are not ours, blank lines, no line end at the last."""
    cells = [["Amount", "Teller", " Ref ", "Account"], ["30000", "Juma", "R1", "N1"], [], ["1.50", "", "R2", "N2"]]
    path = written(tmp_path, bom + end.join(delimiter.join(row) for row in cells).encode())
    statement = opened(path, reference="ref", control_number="Account", amount="amount")
    found = read(path, statement)
    assert [(row.line, row.reference, row.amount_minor) for row in found if isinstance(row, StatementRow)] == [
        (1, "R1", 3_000_000),
        (3, "R2", 150),
    ]


@pytest.mark.parametrize(
    ("text", "names", "said"),
    [
        ("reference,amount\n", {}, "control_number"),
        ("", {}, "reference, control_number, amount"),
        (HEAD, {"receipt": "Slip"}, "slip"),
        (HEAD, {"colour": "Red"}, "no column 'colour'"),
        (b"\xff\xfe\x00\n", {}, "not UTF-8"),
    ],
)
def test_a_file_without_the_columns(tmp_path: Path, text: str | bytes, names: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CsvStatement.opened(written(tmp_path, text), names, DAY)


def test_lines_that_are_not_utf_8_are_faults_and_the_rest_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEAD}\n".encode() + b"R\xff,N,1,TZS,,,,\nR2,N2,1,TZS,,,,\n")
    first, second = read(path, opened(path))
    assert isinstance(first, LineFault)
    assert isinstance(second, StatementRow)


def test_spans_are_whole_lines_in_order_and_may_be_read_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.payments.csv_statement._SPAN_BYTES", 100)
    path = written(tmp_path, f"{HEAD}\n" + "".join(f"R{n},N{n},{n}.50,TZS,,,,\n" for n in range(1, 100)))
    statement = opened(path)
    spans = list(statement.spans(path))
    assert len(spans) > 10
    assert [span.offset + span.length for span in spans[:-1]] == [span.offset for span in spans[1:]]
    assert spans[-1].offset + spans[-1].length == path.stat().st_size
    elsewhere = pickle.loads(pickle.dumps(statement))
    found = [line for span in spans for line in elsewhere.rows(path, span)]
    assert [(line.line, line.reference) for line in found] == [(n, f"R{n}") for n in range(1, 100)]


def test_a_line_without_an_end(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEAD}\n" + "x" * 1_000_000)
    with pytest.raises(ValueError, match="longer than"):
        list(opened(path).spans(path))


def test_an_empty_statement(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD)
    assert list(opened(path).spans(path)) == []
    assert opened(path).rows(path, Span(len(HEAD), 0, 1)) == []


def test_how_it_is_read_can_be_kept(tmp_path: Path) -> None:
    statement = opened(written(tmp_path, HEAD))
    assert CsvStatement.from_json(statement.as_json()) == statement
    assert {column for column, _ in statement.places} == set(COLUMNS)
