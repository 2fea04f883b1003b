"""The lines of a day's account: bytes to rows and reports in every spelling, split anywhere, read in two ways alike."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import datetime

import pytest
from gepg_samples import EAT, REPORT, entry, entry_v4, payment, payment_v4, wrap
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from statement_samples import FIRST, LINE, NOTIFICATION, STATEMENT, TAGS, line, opened, read, reports, statement

from adapters.payments.gepg import statement_lines
from adapters.payments.gepg.statement import BY_DIALECT
from adapters.payments.gepg.statement_lines import GepgStatementLines, read_rows
from gateway.domain.money import Money
from gateway.ports import LineFault, Span, StatementRow

BOTH = pytest.mark.parametrize("version", ["v5", "v4"])


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=EAT)


def _indented(text: str) -> str:
    return text.replace("><", ">\n      <")


SPELLINGS = [  # both generations: the element, with None for as it is, and what is then reported
    ({}, {}),
    ({"PaidAmt": "410000"}, {"amount": Money(41_000_000)}),
    ({"PaidAmt": "410000.0"}, {"amount": Money(41_000_000)}),
    ({"PaidAmt": "7885.50"}, {"amount": Money(788_550)}),
    ({"PaidAmt": "\r\n 0.01\t"}, {"amount": Money(1)}),
    ({"PayRefId": " 925314000012345 "}, {}),
    ({"TrxDtTm": "2025-11-10T12:00:26"}, {}),
    ({"TrxDtTm": "2025-11-10 12:00:26"}, {}),
    ({"TrxDtTm": "2023-01-03 14:47:14.0"}, {"paid_at": at(2023, 1, 3, 14, 47, 14)}),
    ({"TrxDtTm": "2025-11-10T12:00:26.920"}, {"paid_at": at(2025, 11, 10, 12, 0, 26, 920_000)}),
    ({"TrxDtTm": "2025-11-10T12:00:26:920"}, {"paid_at": at(2025, 11, 10, 12, 0, 26, 920_000)}),
    ({"TrxDtTm": " 2025-11-10T12:00:26\n"}, {}),
    ({"UsdPayChnl": ""}, {"channel": None}),
    ({"PspName": "A &amp; B &#39;Bank&#039;"}, {"origin": "A & B 'Bank'"}),
    ({"PspName": "B" * 300}, {"origin": "B" * 200}),
    ({"Remarks": "Successful"}, {}),
    ({"Remarks": ""}, {}),
    ({"Remarks": "fa\u0131led"}, {}),  # no word that anybody writes, and the same to both readers
    ({"Remarks": None}, {}),
    ({"signature": "signature"}, {}),
    ({"Later": "an element that came with a later release"}, {}),
    ({"Later": "<a>1</a><b><PaidAmt>2</PaidAmt></b>"}, {}),
]
SPELLINGS_V5 = [
    ({"Ccy": "USD"}, {"amount": Money(3_000_000, "USD")}),
    ({"PyrName": "Ng&apos;wana &lt;Maua&gt; &#8211; K"}, {"payer_name": "Ng'wana <Maua> – K"}),
    ({"PyrName": "Mwanaïsha Ng’ombe 你好"}, {"payer_name": "Mwanaïsha Ng’ombe 你好"}),
    ({"PyrName": "&lt;/signature&gt; sucSpPmtRes"}, {"payer_name": "</signature> sucSpPmtRes"}),
    ({"PyrCellNum": "0712345678"}, {}),
    ({"PyrCellNum": "+255 712-345-678"}, {}),
    ({"PyrCellNum": "022 211 1111"}, {"payer_msisdn": None}),
    ({"TrdPtyTrxId": ""}, {"receipt": None}),
    ({"TrxId": None}, {"transaction": None}),
    ({"SpCode": "SP19966"}, {"provider_code": "SP19966"}),
    ({"SpCode": None}, {"provider_code": None}),  # the account's own code is a group's
    ({"SpCode": ""}, {"provider_code": None}),
    ({"NtfDtTm": "2025-11-10T12:00:30"}, {}),
    # a normal bill: the number that the customer keyed in
    ({"CustCntrNum": "", "BillCtrNum": "199600000777"}, {"control_number": "199600000777"}),
    ({"CustCntrNum": None, "GrpBillId": None}, {}),
    ({"BillCtrNum": "199600000777"}, {}),
    ({"BillCtrNum": "199600000777", "GrpBillId": None}, {}),
    ({"BillCtrNum": "199600000777", "GrpBillId": "", "BillId": None}, {"bill_id": None}),
    # part of a combined one: its own
    ({"BillCtrNum": "199600000777", "GrpBillId": "G-1"}, {"control_number": "199600000777"}),
    ({"BillCtrNum": "", "GrpBillId": "G-1"}, {}),
]  # fmt: skip
SPELLINGS_V4 = [
    ({"SpCode": "SP19966"}, {"provider_code": "SP19966"}),  # no line is known to have one: then the account's
    ({"SpCode": ""}, {}),
    ({"CCy": None, "Ccy": "TZS"}, {}),
    ({"CCy": "USD"}, {"amount": Money(3_000_000, "USD")}),
    ({"CCy": "", "Ccy": "TZS"}, {}),
    ({"DptName": "Ng&apos;wana &amp; Maua"}, {"payer_name": "Ng'wana & Maua"}),
    ({"DptName": "signature of gepgSignature"}, {"payer_name": "signature of gepgSignature"}),
    ({"DptCellNum": "0712345678"}, {}),
    ({"DptCellNum": ""}, {"payer_msisdn": None}),
    ({"pspTrxId": None, "PspTrxId": "77"}, {"receipt": "77"}),
    ({"BillCtrNum": None, "PayCtrNum": "199600000148"}, {}),
    ({"BillCtrNum": "", "PayCntrNum": "199600000148"}, {}),
    ({"SpBillId": None, "BillId": "B-8"}, {"bill_id": "B-8"}),
    ({"ReconcRsv1": None, "ReconcRvs1": "x"}, {}),
]
TABLE = [
    *(("v5", *case) for case in SPELLINGS + SPELLINGS_V5),
    *(("v4", *case) for case in SPELLINGS + SPELLINGS_V4),
]


@pytest.mark.parametrize(("version", "changes", "reported"), TABLE)
def test_one_line_in_every_spelling(provider, keys, tmp_path, version, changes, reported):
    """Alone, and as the fifth among others, where it may be read by a shape."""
    expected = replace(FIRST[version], **reported)
    own = LINE[version](**changes)
    for lines in ([own], [LINE[version]()] * 4 + [own] * 2):
        found = reports(provider, tmp_path, STATEMENT[version](*lines), keys.gepg)
        assert found[-1] == expected
        (row, *_) = reversed(read(provider, tmp_path, STATEMENT[version](*lines), keys.gepg))
        assert row[:5] == (
            len(lines),
            expected.reference,
            expected.control_number,
            expected.amount.amount_minor,
            expected.amount.currency,
        )


@BOTH
@pytest.mark.parametrize(
    "respell",
    [
        _indented,
        lambda text: _indented(text).replace("\n", "\r\n"),
        lambda text: re.sub(r"<(\w+)></\1>", r"<\1/>", text),
        lambda text: re.sub(r"<(\w+)></\1>", r"<\1 />", text),
        lambda text: re.sub(r"</(\w+)>", r"</\1 >", text),
        lambda text: re.sub(r"<(\w+)>", r"<\1 >", text),
        lambda text: re.sub(r"<(\w+)>([^<]+)</", "<\\1>\n  \\2\r\n</", text),
        lambda text: text.replace("<ReconcTrxInf>", "<ReconcTrxInf a='>'>").replace("<PmtTrxDtl>", "<PmtTrxDtl a='>'>"),
    ],
)
def test_white_space_and_empty_elements(provider, keys, tmp_path, version, respell):
    lines = [LINE[version](PayRefId=str(number)) for number in (1, 2, 3)]
    element = respell(STATEMENT[version](*lines))
    expected = [replace(FIRST[version], reference=str(number)) for number in (1, 2, 3)]
    assert reports(provider, tmp_path, element, keys.gepg) == expected
    rows = read(provider, tmp_path, element, keys.gepg)
    for row in rows:
        raw = (tmp_path / "statement.xml").read_bytes()[row.offset : row.offset + row.length].decode()
        assert raw in element
        assert re.fullmatch(r"<(\w+)[ >].*</\1 ?>", raw, re.S), "the line and nothing beside it"


@BOTH
def test_elements_are_read_by_name_in_any_order(provider, keys, tmp_path, version):
    fields = re.findall(r"<(\w+)>([^<]*)</\1>", LINE[version]())
    tag = TAGS[version][1]
    backwards = f"<{tag}>{''.join(f'<{name}>{text}</{name}>' for name, text in reversed(fields))}</{tag}>"
    element = STATEMENT[version](backwards, LINE[version](), backwards)
    assert reports(provider, tmp_path, element, keys.gepg) == [FIRST[version]] * 3


FAULTS = [
    ({"PayRefId": ""}, "PayRefId"),
    ({"PayRefId": None}, "PayRefId"),
    ({"PayRefId": "9" * 101}, "PayRefId"),
    ({"PayRefId": "<a>9</a>"}, "holds elements"),
    ({"PaidAmt": "<a>9</a>"}, "holds elements"),
    ({"PaidAmt": None}, "PaidAmt"),
    ({"PaidAmt": ""}, "PaidAmt"),
    ({"PaidAmt": "30,000.00"}, "PaidAmt"),
    ({"PaidAmt": "3e4"}, "PaidAmt"),
    ({"PaidAmt": "30000.005"}, "PaidAmt"),
    ({"PaidAmt": "-30000"}, "PaidAmt"),
    ({"PaidAmt": "0.00"}, "PaidAmt"),
    ({"PaidAmt": "٣٠٠٠٠"}, "PaidAmt"),
    ({"PaidAmt": "9" * 17}, "PaidAmt"),
    ({"TrxDtTm": None}, "TrxDtTm"),
    ({"TrxDtTm": ""}, "TrxDtTm"),
    ({"TrxDtTm": "10/11/2025 12:00"}, "TrxDtTm"),
    ({"TrxDtTm": "2025-02-30T12:00:26"}, "TrxDtTm"),
    ({"TrxDtTm": "2025-11-10T25:00:26"}, "TrxDtTm"),
    ({"TrxDtTm": "2025-11-10T12:60:26"}, "TrxDtTm"),
    ({"TrxDtTm": "2025-11-10"}, "TrxDtTm"),
    ({"Remarks": "Failed at PSP"}, "failed"),
    ({"Remarks": "FAILED"}, "failed"),
    ({"Remarks": "Transaction reversed"}, "failed"),
    ({"Remarks": "&#70;ailed"}, "failed"),
    ({"PspName": "A & B"}, "well-formed"),
    ({"PspName": "&undefined;"}, "well-formed"),
    ({"PspName": "\x01"}, "well-formed"),
    ({"PspName": "&#0;"}, "well-formed"),
    ({"PspName": "x ]]> y"}, "well-formed"),
    ({"PspName": "\ufffe"}, "well-formed"),
    ({"PspName": "<a"}, "well-formed"),
    ({"PspName": "</PspCode>"}, "well-formed"),
    ({"PspName": "A</PspName><PaidAmt>1</PaidAmt><PspName>"}, "twice"),
    ({"PspName": "A</PspName>text<PspName2>"}, "well-formed"),
    ({"PspName": "<x xmlns='urn:x'/>"}, "namespaces"),
]
FAULTS_V5 = [
    ({"Ccy": None}, "Ccy"),
    ({"Ccy": "shilling"}, "PaidAmt"),
    ({"Ccy": "tzs"}, "PaidAmt"),
    ({"CustCntrNum": "", "BillCtrNum": ""}, "control number"),
    ({"CustCntrNum": None, "BillCtrNum": None}, "control number"),
    ({"CustCntrNum": "9" * 51}, "control number"),
]
FAULTS_V4 = [
    ({"CCy": None}, "CCy"),
    ({"CCy": "shilling"}, "PaidAmt"),
    ({"BillCtrNum": ""}, "control number"),
    ({"BillCtrNum": "9" * 51}, "control number"),
]


@pytest.mark.parametrize(
    ("version", "changes", "why"),
    [*(("v5", *case) for case in FAULTS + FAULTS_V5), *(("v4", *case) for case in FAULTS + FAULTS_V4)],
)
def test_a_line_that_cannot_be_read_is_a_fault_and_the_others_are_read(provider, keys, tmp_path, version, changes, why):
    good, bad = LINE[version](), LINE[version](**changes)
    element = STATEMENT[version](good, good, bad, good)
    first, second, fault, last = read(provider, tmp_path, element, keys.gepg)
    assert isinstance(fault, LineFault)
    assert why in fault.why
    start = element.encode().index(bad.encode()) + len("<Gepg>")
    assert fault[:3] == (3, start, len(bad.encode()))
    assert [row.line for row in (first, second, last)] == [1, 2, 4]
    assert {row.reference for row in (first, second, last)} == {REPORT.reference}


@BOTH
@pytest.mark.parametrize(
    ("junk", "faults"),
    [
        ("text{l}", 1),
        ("{l}text{l}", 1),
        ("{l}text", 1),
        ("{l}<Other/>{l}", 1),
        ("<Other>1</Other>{l}", 1),
        ("{l}<{t}/>{l}", 1),
        ("{l}</{c}><{c}>{l}", 1),
        ("<{t}><{t}>{i}</{t}></{t}>{l}", 2),
        ("{l}<{t}></{t}>", 1),
        ("<{t}X>{i}</{t}X>{l}", 1),
        ("<x:{t}>{i}</x:{t}>{l}", 1),
        ("<{t} a='</{t}>'>{i}</{t}>{l}", 2),
        ("{l}\x00{l}", 1),
        ("{l}\x0b", 1),
        ("{l}\xa0", 1),
        ("{l}<Other>{i}</Other>", 1),
        ("<Other>{i}</Other>{l}", 1),
    ],
)
def test_nothing_stands_between_lines_but_white_space(provider, keys, tmp_path, version, junk, faults):
    container, tag = TAGS[version]
    own = LINE[version]()
    inner = own.removeprefix(f"<{tag}>").removesuffix(f"</{tag}>")
    spelt = junk.format(l=own, t=tag, c=container, i=inner)
    for lines in ([own, spelt, own], [own, spelt]):
        rows = read(provider, tmp_path, STATEMENT[version](*lines), keys.gepg)
        found = [row for row in rows if isinstance(row, LineFault)]
        assert len(found) == faults, rows
        numbers = [row.line for row in rows]
        assert numbers == sorted(set(numbers)), "no number is given twice"
        assert all(row[1:5] == rows[0][1:5] for row in rows if isinstance(row, StatementRow))


def test_the_reason_never_quotes_a_value(provider, keys, tmp_path):
    for changes in ({"PaidAmt": "CANARY"}, {"TrxDtTm": "CANARY"}, {"Ccy": "CANARY"}, {"PyrName": "CANARY & <"}):
        (fault,) = read(provider, tmp_path, statement(line(**changes)), keys.gepg)
        assert isinstance(fault, LineFault)
        assert "CANARY" not in fault.why


def test_a_report_of_a_faulty_line_is_an_error_of_the_caller(provider, keys, tmp_path):
    (fault,) = read(provider, tmp_path, statement(line(PaidAmt="x")), keys.gepg)
    lines = provider.lines_of(opened(provider, tmp_path, wrap(statement(line(PaidAmt="x")), keys.gepg)))
    row = StatementRow(1, "", "", 0, "", fault.offset, fault.length)
    with pytest.raises(ValueError, match="PaidAmt"):
        lines.report(tmp_path / "statement.xml", row)


# -------------------------------------------------------------------------------- a line and a callback are one payment


@BOTH
@pytest.mark.parametrize(
    ("customer", "own", "group", "bill"),
    [
        ("199600000148", "199600000148", "B-1", "B-1"),
        ("199600000148", "199600000777", "B-1", "B-1"),
        ("199600000148", "", "B-1", "B-1"),
        ("", "199600000777", "B-1", "B-1"),
        ("110300000001", "199600000777", "G-1", "B-1"),
        ("110300000001", "", "G-1", "B-1"),
        ("110300000001", "199600000777", "", "B-1"),
        ("110300000001", "199600000777", "G-1", ""),
    ],
)
def test_a_line_has_the_digest_of_the_callback(provider, keys, tmp_path, version, customer, own, group, bill):
    if version == "v4":
        number = own or customer
        told = payment_v4(entry_v4(PayCtrNum=number, PaidAmt="410000.00"))
        listed = LINE["v4"](BillCtrNum=number, PaidAmt="410000")
    else:
        told = payment(entry(BillCtrNum=own, BillId=bill), customer=customer)
        told = told.replace("<GrpBillId>B-7f3a</GrpBillId>", f"<GrpBillId>{group}</GrpBillId>")
        listed = line(CustCntrNum=customer, BillCtrNum=own, GrpBillId=group, BillId=bill)
    (callback,) = provider.read("payments", wrap(told, keys.gepg)).notices
    (report,) = reports(provider, tmp_path, STATEMENT[version](listed), keys.gepg)
    assert (report.key, report.digest) == (callback.key, callback.digest)


def test_the_parts_of_a_combined_bill_have_the_digests_of_their_callback(provider, keys, tmp_path):
    """One notification of two bills, and their two lines."""
    parts = [{"BillCtrNum": f"19960000000{n}", "BillId": f"B-{n}", "PayRefId": "77", "TrxId": "T"} for n in (1, 2)]
    told = payment(*(entry(**part) for part in parts), customer="110300000001").replace(">B-7f3a<", ">G-1<", 1)
    lines = [line(CustCntrNum="110300000001", GrpBillId="G-1", **part) for part in parts]
    callbacks = provider.read("payments", wrap(told, keys.gepg)).notices
    found = reports(provider, tmp_path, statement(*lines), keys.gepg)
    assert [report.digest for report in found] == [report.digest for report in callbacks]
    assert len({report.key for report in found}) == 2


@BOTH
@pytest.mark.parametrize("changes", [{"PaidAmt": "29999.99"}, {"PayRefId": "9-9"}])
def test_another_payment_has_another_digest(provider, keys, tmp_path, version, changes):
    (callback,) = provider.read("payments", wrap(NOTIFICATION[version](), keys.gepg)).notices
    (same,) = reports(provider, tmp_path, STATEMENT[version](LINE[version]()), keys.gepg)
    (other,) = reports(provider, tmp_path, STATEMENT[version](LINE[version](**changes)), keys.gepg)
    assert same.digest == callback.digest != other.digest


# ---------------------------------------------------------------------------------------------------------------- spans


def _spans(provider, keys, folder, element):
    reading = opened(provider, folder, wrap(element, keys.gepg))
    lines = provider.lines_of(reading)
    return reading, lines, list(lines.spans(folder / "statement.xml"))


@BOTH
@pytest.mark.parametrize("gap", ["", "\r\n  "])
@pytest.mark.parametrize("end", [">", " \n>"])
@pytest.mark.parametrize("size", [1_000, 1_001, 1_002, 1_003, 1_500, 7_777, 1 << 19])
def test_spans_tile_the_lines_without_a_gap(provider, keys, tmp_path, monkeypatch, version, gap, end, size):
    monkeypatch.setattr(statement_lines, "SPAN_BYTES", size)
    container, tag = TAGS[version]
    lines = [
        gap + LINE[version](PayRefId=str(n), PspName="x" * (n * 37 % 200)).replace(f"</{tag}>", f"</{tag}{end}")
        for n in range(1, 60)
    ]
    element = STATEMENT[version](*lines, gap)
    reading, reader, spans = _spans(provider, keys, tmp_path, element)
    first = element.index(f"<{container}>") + len(container) + 2
    assert spans[0].offset == reading.start + first
    assert all(one.offset + one.length == two.offset for one, two in itertools.pairwise(spans))
    covered = spans[-1].offset + spans[-1].length
    assert reading.start + element.index(f"</{container}>") - len(gap) <= covered
    assert all(span.length <= size for span in spans)
    rows = [reader.rows(tmp_path / "statement.xml", span) for span in spans]
    assert [part[0].line for part in rows] == [span.first_line for span in spans]
    flat = [row for part in rows for row in part]
    assert [(row.line, row.reference) for row in flat] == [(n, str(n)) for n in range(1, 60)]
    data = (tmp_path / "statement.xml").read_bytes()
    assert [data[row.offset : row.offset + row.length].decode() for row in flat] == [each.strip() for each in lines]


def test_a_file_has_spans_of_some_hundred_kilobytes(provider, keys, tmp_path):
    _, _, spans = _spans(provider, keys, tmp_path, statement(*(line(PayRefId=str(n)) for n in range(3_000))))
    assert len(spans) > 2
    assert all(256 << 10 <= span.length <= 512 << 10 for span in spans[:-1])


@pytest.mark.parametrize("spoil", ["x" * (1 << 19), "</PmtTrxDtlX>" * (1 << 16)])
def test_lines_that_cannot_be_told_apart(provider, keys, tmp_path, spoil):
    element = statement(line(), line(PyrName=spoil), line())
    reading = opened(provider, tmp_path, wrap(element, keys.gepg))
    with pytest.raises(ValueError, match="told apart"):
        list(provider.lines_of(reading).spans(tmp_path / "statement.xml"))


def test_a_span_with_markup_is_a_fault_even_if_nobody_asked_the_gate():
    raw = (line() + "<!-- " + line() + " -->" + line()).encode()
    (fault,) = read_rows(BY_DIALECT["v5"], raw, Span(100, len(raw), 7))
    assert fault[:3] == (7, 100, len(raw))


def test_a_file_that_is_no_statement_has_no_spans(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"<a>" * 1000)
    with pytest.raises(ValueError, match="begin"):
        list(GepgStatementLines("v5", 0, 1 << 20).spans(path))


# ------------------------------------------------------------------------------------------- two readers, one result

VALUES = st.one_of(
    st.sampled_from(
        ["", " ", "30000", "30000.0", "30000.005", "0", "TZS", "USD", "tzs", "199600000148", "9" * 50, "9" * 51,
         "9" * 101, "B-7f3a", "G-1", "2025-11-10T12:00:26", "2025-11-10 12:00:26.0", "2025-11-10T24:00:00",
         "2025-02-30T12:00:26", "0000-01-01T00:00:00", "Successful", "Failed at PSP", "Un\u017fuccessful",
         "fa\u0131led", "&amp;", "&#39;", "&#70;ailed", "&lt;", "a & b", "Ndürü", "\ufffe",
         "\x85", "\xa0x\xa0", "\x0b", "\x7f", "]]>",
         "<a/>", "<a>1</a>", "1<2", "\t1\r\n", " 7 8 "]
    ),
    st.text(st.characters(codec="utf-8"), max_size=6),
)  # fmt: skip
PIECES = st.sampled_from(
    [b"<", b">", b"&", b"/", b" ", b"\n", b"\x00", b"\xff", b"\xc3", b"<a/>", b"</a>", b"<PaidAmt>", b"</PaidAmt>",
     b"<PmtTrxDtl>", b"</PmtTrxDtl>", b"<ReconcTrxInf>", b"</ReconcTrxInf>", b"<PmtTrxDtl/>", b"<!--", b"-->",
     b"<![CDATA[", b"]]>", b"<?", b"?>", b"'", b'"', b" a='1'", b"xmlns='u'", b"&#39;", b"\xef\xbf\xbe", b"text"]
)  # fmt: skip


@st.composite
def _spans_of_lines(draw: st.DrawFn) -> tuple[str, bytes]:
    """A few lines, mostly alike, some of them changed, some with bytes that do not belong."""
    version = draw(st.sampled_from(["v5", "v4"]))
    names = [*re.findall(r"<(\w+)>", LINE[version]())[1:], "Remarks", "Ccy", "CCy", "PayCtrNum", "Later", "Later"]
    lines = []
    for _ in range(draw(st.integers(1, 6))):
        changes = draw(st.dictionaries(st.sampled_from(names), st.one_of(st.none(), VALUES), max_size=3))
        lines.append(LINE[version](**changes).encode("utf-8", "surrogatepass"))
    block = draw(st.sampled_from([b"", b"\n", b" "])).join(lines)
    if draw(st.booleans()):
        block = re.sub(rb"<(\w+)></\1>", draw(st.sampled_from([rb"<\1/>", rb"<\1 />", rb"<\1  />"])), block)
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(block)))
        end = min(len(block), start + draw(st.sampled_from([0, 0, 1, 5, 40])))
        block = block[:start] + draw(st.one_of(PIECES, st.binary(max_size=3))) + block[end:]
    return version, block


@given(case=_spans_of_lines())
@how(max_examples=300, deadline=None)
def test_the_quick_reader_and_the_strict_one_agree(case):
    version, block = case
    form, span = BY_DIALECT[version], Span(1_000, len(block), 5)
    assert read_rows(form, block, span) == read_rows(form, block, span, quick=False)


def test_a_shape_takes_the_letters_of_xml_and_no_other_bytes():
    """Every edge of every class of UTF-8, by itself and after another."""
    text = re.compile(statement_lines._TEXT)
    edges = [0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBD, 0xBE, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
             0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF]  # fmt: skip
    short = [bytes(each) for length in (1, 2, 3) for each in itertools.product(edges, repeat=length)]
    long = [bytes((first, *rest)) for first in edges if first >= 0xF0 for rest in itertools.product(edges, repeat=3)]
    wrong = [raw for raw in short + long if bool(text.fullmatch(raw.decode("latin-1"))) != _is_xml(raw)]
    assert wrong == []


def _is_xml(raw: bytes) -> bool:
    try:
        return not {"\ufffe", "\uffff"} & set(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return False


@BOTH
def test_lines_that_are_alike_are_read_quickly(monkeypatch, version):
    """The property above would hold, too, if no line were ever read by a shape."""
    strict = []
    monkeypatch.setattr(statement_lines, "parse", _counted(strict, statement_lines.parse))
    lines = [
        LINE[version](PayRefId=str(n), PspName="A &amp; B &#039;" if n % 2 else "Ndürü", Remarks="Successful")
        for n in range(50)
    ]
    raw = "\r\n".join(lines).encode()
    rows = read_rows(BY_DIALECT[version], raw, Span(0, len(raw), 1))
    assert [row.reference for row in rows if isinstance(row, StatementRow)] == [str(n) for n in range(50)]
    assert len(strict) == 1
    strict.clear()
    raw = raw.replace(b">A &amp; B", b">A \xff B", 1)
    kinds = [type(row) for row in read_rows(BY_DIALECT[version], raw, Span(0, len(raw), 1))]
    assert (len(kinds), kinds.count(LineFault)) == (50, 1)
    assert len(strict) == 2, "one line of bytes that are no text costs itself alone"


def test_a_few_shapes_in_one_span_and_no_more(monkeypatch):
    strict = []
    monkeypatch.setattr(statement_lines, "parse", _counted(strict, statement_lines.parse))
    shapes = [line(**{f"Extra{n}": ""}) for n in range(6)]
    raw = "".join(shapes * 3).encode()
    assert all(isinstance(row, StatementRow) for row in read_rows(BY_DIALECT["v5"], raw, Span(0, len(raw), 1)))
    assert len(strict) == 4 + 2 * 3


def test_a_line_with_unknown_elements_without_end_makes_no_shape(monkeypatch):
    strict = []
    monkeypatch.setattr(statement_lines, "parse", _counted(strict, statement_lines.parse))
    long = line(**{f"Extra{n}": "" for n in range(64)})
    spaced = line(TrxDtTm=" 2025-11-10T12:00:26")  # of a known shape, save for one value: no shape of its own
    raw = (long * 2 + spaced * 5 + line() * 2 + line(Later="") * 3).encode()
    rows = read_rows(BY_DIALECT["v5"], raw, Span(0, len(raw), 1))
    assert [row.reference for row in rows] == [REPORT.reference] * 12
    assert len(strict) == 2 + 5 + 1


def _counted(calls, function):
    def call(raw):
        calls.append(raw)
        return function(raw)

    return call
