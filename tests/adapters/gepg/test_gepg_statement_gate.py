"""A day's account is believed whole or not at all: wrong signers, altered bytes, and files made to mislead."""

from __future__ import annotations

import pickle

import pytest
from gepg_samples import enveloped, rightly_signed, signature_tag, wrap, wrongly_hashed
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from statement_samples import LINE, STATEMENT, TAGS, VALID, kept, line, opened, read, statement

from gateway.domain.outcomes import Busy, Done, Refused, Unknown
from gateway.ports import LineFault, StatementReading, StatementRow, Verdict

VERSIONS = ("v5", "v4")
BOTH = pytest.mark.parametrize("version", VERSIONS)
WINDOW = 1 << 16  # that the cutter looks at, at either end


def _refused(reading: StatementReading) -> bool:
    return (
        reading.verdict in (Verdict.BAD_SIGNATURE, Verdict.UNREADABLE)
        and (reading.outcome, reading.request_id, reading.start, reading.end) == (None, None, 0, 0)
        and bool(reading.why)
    )


@BOTH
def test_what_a_statement_says_of_itself(provider, keys, tmp_path, version):
    for key in (keys.gepg, keys.gepg_next):
        body = wrap(VALID[version], key)
        assert opened(provider, tmp_path, body) == StatementReading(
            "reconciliations",
            Verdict.GENUINE,
            Done(),
            request_id="1825734690",
            message_id="RES-9" if version == "v5" else None,
            provider_code="SP19960",
            start=6,
            end=6 + len(VALID[version]),
            dialect=version,
            is_signed=True,
        )


@BOTH
@pytest.mark.parametrize(
    "shape",
    [
        b"<Gepg>%M%S</Gepg>",
        b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n<Gepg>%M%S</Gepg>",
        b'<?xml version="1.0" encoding="utf-16"?><Gepg>%M%S</Gepg>',
        b"\xef\xbb\xbf<Gepg>%M%S</Gepg>",
        b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>\r\n<Gepg>%M%S</Gepg>\r\n',
        b"<Gepg>\r\n  %M\r\n  %S\r\n</Gepg>\r\n",
        b"  \n<Gepg >\t%M %S</Gepg >\n\n",
        b"<Gepg a='b'>%M%S</Gepg>",
        b"<Gepg>%S%M</Gepg>",
        b"<Gepg>%M<%T>AAAA</%T>%S</Gepg>",  # the last one counts
        b"<Gepg>%M%S<%O>AAAA</%O></Gepg>",  # of its own generation
    ],
)
def test_the_envelope_may_be_spelt_in_many_ways(provider, keys, tmp_path, version, shape):
    raw = VALID[version].encode()
    tag = signature_tag(raw)
    other = b"signature" if version == "v4" else b"gepgSignature"
    signed = b"<%b>\r\n %b </%b >" % (tag, rightly_signed(raw, keys.gepg), tag)
    body = shape.replace(b"%S", signed).replace(b"%T", tag).replace(b"%O", other).replace(b"%M", raw)
    reading = opened(provider, tmp_path, body)
    assert (reading.verdict, body[reading.start : reading.end]) == (Verdict.GENUINE, raw), reading.why
    assert len(_lines(provider, tmp_path, reading)) == 2


def _lines(provider, folder, reading):
    path, lines = folder / "statement.xml", provider.lines_of(reading)
    return [row for span in lines.spans(path) for row in lines.rows(path, span)]


@BOTH
def test_wrong_signers_and_signatures(provider, keys, tmp_path, version):
    raw = VALID[version].encode()
    good, tag = rightly_signed(raw, keys.gepg), signature_tag(raw)
    other = b"signature" if version == "v4" else b"gepgSignature"
    own = LINE[version]().encode()
    bodies = {
        "stranger": wrap(raw, keys.stranger),
        "our own key": wrap(raw, keys.ours),
        "the other generation's hash": enveloped(raw, wrongly_hashed(raw, keys.gepg)),
        "none": b"<Gepg>" + raw + b"</Gepg>",
        "empty": enveloped(raw, b""),
        "self-closed": b"<Gepg>" + raw + b"<" + tag + b"/></Gepg>",
        "no base64": enveloped(raw, b"%%%"),
        "cut": enveloped(raw, good[:-8]),
        "the other generation's element": b"<Gepg>" + raw + b"<" + other + b">" + good + b"</" + other + b"></Gepg>",
        "good one first, bad one last": enveloped(raw, good + b"</" + tag + b"><" + tag + b">AAAA"),
        "re-indented after signing": enveloped(raw.replace(b"><", b">\n<"), good),
        "re-encoded after signing": enveloped(raw.replace(b"-", b"&#45;"), good),
        "an amount changed after signing": enveloped(raw.replace(b">30000", b">90000"), good),
        "a line taken out after signing": enveloped(raw.replace(own, b"", 1), good),
        "a line doubled after signing": enveloped(raw.replace(own, own * 2), good),
        "signed with the envelope": enveloped(raw, rightly_signed(b"<Gepg>" + raw, keys.gepg)),
        "white space at the end of what was signed": enveloped(raw, rightly_signed(raw + b" ", keys.gepg)),
        "two, signed one by one": enveloped(raw + raw, good),
    }  # fmt: skip
    readings = {name: opened(provider, tmp_path, body) for name, body in bodies.items()}
    assert {name for name, reading in readings.items() if not _refused(reading)} == set()
    assert {name for name, r in readings.items() if r.verdict is not Verdict.BAD_SIGNATURE} == set()
    assert {r.dialect for r in readings.values()} == {version}


@BOTH
def test_a_refused_statement_keeps_its_id_only_when_that_is_plain(provider, keys, tmp_path, version):
    assert opened(provider, tmp_path, wrap(VALID[version], keys.stranger)).message_id == (
        "RES-9" if version == "v5" else None
    )
    assert opened(provider, tmp_path, wrap(statement(res_id="&lt;b&gt;"), keys.stranger)).message_id is None


@BOTH
def test_truncated_anywhere(provider, keys, tmp_path, version):
    body = wrap(VALID[version], keys.gepg)
    for length in [*range(0, len(body) - 500, 3), *range(len(body) - 500, len(body))]:
        reading = opened(provider, tmp_path, body[:length])
        assert _refused(reading), length
        assert reading.verdict is Verdict.UNREADABLE, length


@BOTH
def test_one_byte_altered_anywhere(provider, keys, tmp_path, version):
    """A changed byte is never believed; outside the signed bytes it may at most change nothing."""
    raw = VALID[version].encode()
    body, path = wrap(raw, keys.gepg), tmp_path / "statement.xml"
    good = _lines(provider, tmp_path, opened(provider, tmp_path, body))
    for place, byte in enumerate(body):
        inside = 6 <= place < 6 + len(raw)
        for changed in (byte ^ 1,) if inside and place % 7 else {byte ^ 1, ord(" "), ord("<"), 0xFF} - {byte}:
            path.write_bytes(body[:place] + bytes([changed]) + body[place + 1 :])
            reading = provider.open_statement("reconciliations", path)
            assert not (inside and reading.verdict is Verdict.GENUINE), place
            assert _refused(reading) or _lines(provider, tmp_path, reading) == good, place


@BOTH
def test_one_byte_lost_or_doubled(provider, keys, tmp_path, version):
    raw = VALID[version].encode()
    body, path = wrap(raw, keys.gepg), tmp_path / "statement.xml"
    for place in [*range(0, len(body) - 400, 11), *range(len(body) - 400, len(body))]:
        for mutant in (body[:place] + body[place + 1 :], body[:place] + body[place : place + 1] + body[place:]):
            path.write_bytes(mutant)
            reading = provider.open_statement("reconciliations", path)
            inside = 6 < place < 6 + len(raw) - 1
            assert not (inside and reading.verdict is Verdict.GENUINE), place
            assert _refused(reading) or mutant[reading.start : reading.end] == raw, place


@pytest.mark.parametrize(
    "shape",
    [
        "<Gepg>{m}{s}text</Gepg>",
        "<Gepg>text{m}{s}</Gepg>",
        "<Gepg>{m}<other/>{s}</Gepg>",
        "<Gepg><other/>{m}{s}</Gepg>",
        "<Gepg>{m}{s}<!-- c --></Gepg>",
        "<Gepg>{s}</Gepg>",
        "<Gepg></Gepg>",
        "{m}{s}",
        "{m}",
        "<gepg>{m}{s}</gepg>",
        "<Gepg>{m}{s}",
        "<Gepg>{m}{s}</gepg>",
        "<Gepg>{m}{s}</Gepg>x",
        "<Gepg>{m}{s}</Gepg></Gepg>",
        "x<Gepg>{m}{s}</Gepg>",
        "<Gepg>{m}</Gepg>{s}",
        "<Gepg><x>{m}</x>{s}</Gepg>",
        "<Gepg><!--{m}-->{s}</Gepg>",
        "<Gepg><![CDATA[{m}]]>{s}</Gepg>",
        "<!DOCTYPE Gepg><Gepg>{m}{s}</Gepg>",
        "<?xml version='1.0'?><?xml version='1.0'?><Gepg>{m}{s}</Gepg>",
        "<x:Gepg>{m}{s}</x:Gepg>",
        "<Gepg>{m}<signature><x/></signature></Gepg>",
        "<Gepg><sucSpPmtRes/>{s}</Gepg>",
        "<Gepg><sucSpPmtRes>{s}</Gepg>",
        "<Gepg><a x='<sucSpPmtRes>'/>{m}{s}</Gepg>",
        "<Gepg>{w}{m}{s}</Gepg>",
        "<Gepg>{m}{s}</Gepg>{w}",
        "<Gepg><billSubRes></billSubRes>{s}</Gepg>",
        "",
        " ",
        "{{}}",
    ],
)
def test_anything_but_one_statement_and_signatures_is_unreadable(provider, keys, tmp_path, shape):
    m = VALID["v5"]
    s = f"<signature>{rightly_signed(m.encode(), keys.gepg).decode()}</signature>"
    assert opened(provider, tmp_path, f"<Gepg>{m}{s}</Gepg>".encode()).verdict is Verdict.GENUINE
    reading = opened(provider, tmp_path, shape.format(m=m, s=s, w=" " * WINDOW).encode())
    assert _refused(reading), reading
    assert reading.verdict is Verdict.UNREADABLE


def test_an_end_before_the_start_is_no_end(provider, tmp_path):
    reading = opened(provider, tmp_path, b"<Gepg></sucSpPmtRes><sucSpPmtRes><signature>AAAA</signature></Gepg>")
    assert (reading.verdict, reading.why) == (Verdict.UNREADABLE, "the statement is cut off")


FORGED = statement(line(PaidAmt="9000000.00"))


def test_a_signed_statement_hidden_beside_a_forged_one(provider, keys, tmp_path):
    """Whatever the arrangement, the forged line is never given."""
    good = VALID["v5"]
    sig = rightly_signed(good.encode(), keys.gepg).decode()
    signed = f"{good}<signature>{sig}</signature>"
    outside = FORGED.removesuffix("</sucSpPmtRes>")
    for body in (
        f"<Gepg>{FORGED}{signed}</Gepg>",
        f"<Gepg>{good}{FORGED}<signature>{sig}</signature></Gepg>",
        f"<Gepg>{signed}{FORGED}</Gepg>",
        f"<Gepg>{outside}{good}</sucSpPmtRes><signature>{sig}</signature></Gepg>",
        f"<Gepg>{outside}{signed}</sucSpPmtRes></Gepg>",
        f"<Gepg>{FORGED}<signature>{sig}<x>{good}</x></signature></Gepg>",
        f"<Gepg>{FORGED}<signature>{sig}{good}</signature></Gepg>",
        f"<Gepg><Gepg>{good}</Gepg>{FORGED}<signature>{sig}</signature></Gepg>",
        f"<Gepg>{FORGED}<!--{good}--><signature>{sig}</signature></Gepg>",
        f"<Gepg>{FORGED}<signature>{sig}</signature></Gepg><Gepg>{signed}</Gepg>",
        f"<Gepg>{signed}</Gepg><Gepg>{FORGED}</Gepg>",
        f"<Gepg>{signed}</Gepg>{FORGED}",
        f"{FORGED}<Gepg>{signed}</Gepg>",
    ):
        assert _refused(opened(provider, tmp_path, body.encode())), body


# ----------------------------------------------------------------------------------------- what was signed is nonsense


@BOTH
@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("1825734690", "<a/>"),
        lambda text: text.replace("1825734690", "1" * 101),
        lambda text: text.replace("7101", ""),
        lambda text: text.replace("7101", "all well"),
        lambda text: text.replace(">SP19960</Sp", "><a/></Sp", 1),
        lambda text: text.replace("<BatchHdr>", "<Other>").replace("</BatchHdr>", "</Other>").replace(
            "ReconcBatchInfo>", "Other>"),
        lambda text: text.replace("</SpGrpCode>", "</SpGrpCode><ReqId>2</ReqId>").replace(
            "</SpName>", "</SpName><SpReconcReqId>2</SpReconcReqId>"),
        lambda text: text.replace("<BatchHdr>", "text<BatchHdr>").replace("<ReconcBatchInfo>", "text<ReconcBatchInfo>"),
        lambda text: text.replace("</PmtDtls>", "</PmtDtls>text").replace("</ReconcTrans>", "</ReconcTrans>text"),
        lambda text: text.replace("</PmtDtls>", "</PmtDtls><a>").replace("</ReconcTrans>", "</ReconcTrans><a>"),
        lambda text: text.replace("</PmtDtls>", "</PmtDtlsX>").replace("</ReconcTrans>", "</ReconcTransX>"),
        lambda text: text.replace("</PmtDtls>", "").replace("</ReconcTrans>", ""),
        lambda text: text.replace("<PmtDtls>", "<a><PmtDtls>").replace("<ReconcTrans>", "<a><ReconcTrans>"),
        lambda text: text.replace("<PmtDtls>", "").replace("<ReconcTrans>", ""),
        lambda text: text.replace("<PmtDtls>", "<PmtDtls/><PmtDtls>").replace(
            "<ReconcTrans>", "<ReconcTrans/><ReconcTrans>"),
        lambda text: text.replace("<PmtDtls>", "<PmtDtls /><PmtDtls>").replace(
            "<ReconcTrans>", "<ReconcTrans /><ReconcTrans>"),
        lambda text: text.replace("<PmtDtls>", "<PmtDtls a='>'>").replace("<ReconcTrans>", "<ReconcTrans a='>'>"),
        lambda text: text.replace("<PmtDtls>", "<PmtDtls a='/>'>").replace("<ReconcTrans>", "<ReconcTrans a='/>'>"),
        lambda text: text.replace("SP19960</Sp", "&undefined;</Sp", 1),
        lambda text: text.replace("SP19960</Sp", "A & B</Sp", 1),
        lambda text: text.replace("<PmtDtls>", "<PmtDtls><!-- c -->").replace(
            "<ReconcTrans>", "<ReconcTrans><!-- c -->"),
        lambda text: text.replace("Asha", "<![CDATA[</PmtTrxDtl></ReconcTrxInf>]]>"),
        lambda text: text.replace("Asha", "<?x </PmtTrxDtl></ReconcTrxInf>?>"),
        lambda text: text.replace("Successful", "<!DOCTYPE x>").replace("Community", "<!DOCTYPE x>"),
    ],
)  # fmt: skip
def test_well_signed_but_unreadable(provider, keys, tmp_path, version, spoil):
    spoilt = spoil(VALID[version])
    assert spoilt != VALID[version]
    reading = opened(provider, tmp_path, wrap(spoilt, keys.gepg))
    assert (reading.verdict, reading.start, reading.end) == (Verdict.UNREADABLE, 0, 0), reading
    assert reading.is_signed
    assert reading.why.startswith("well signed, but ")
    forged = opened(provider, tmp_path, wrap(spoilt, keys.stranger))
    assert (forged.verdict, forged.is_signed) == (Verdict.BAD_SIGNATURE, False)


def test_a_pair_that_is_no_tag_is_found_across_the_edge_of_a_block(provider, keys, tmp_path):
    for place in (-1, 0, 1):
        before = statement(line(PyrName="x"))
        fill = (1 << 20) + place - before.index(">x<") - 1
        element = statement(line(PyrName="x" * fill + "<!-- -->"))
        assert opened(provider, tmp_path, wrap(element, keys.gepg)).verdict is Verdict.UNREADABLE


def test_two_statements_that_were_signed_as_one(provider, keys, tmp_path):
    """The frame of the first and the last fits; what stands between shows, and no line is lost or passed over."""
    element = statement(line()) + statement(line(PayRefId="9-2"))
    first, second = read(provider, tmp_path, element, keys.gepg)
    assert isinstance(first, StatementRow)
    assert isinstance(second, LineFault)


def test_bytes_that_are_not_utf8_or_utf16(provider, keys, tmp_path):
    raw = VALID["v5"].encode()
    spoilt = raw.replace(b">Successful<", b">Successf\xe9l<")
    assert opened(provider, tmp_path, wrap(spoilt, keys.gepg)).verdict is Verdict.UNREADABLE
    assert opened(provider, tmp_path, wrap(VALID["v5"].encode("utf-16"), keys.gepg)).verdict is Verdict.UNREADABLE


# ----------------------------------------------------------------------------------------------------- the day's status


@BOTH
@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("7101", Done),
        ("7321", Busy),
        ("7317", Busy),
        ("7318", Refused),
        ("7319", Refused),
        ("7101;7319", Refused),
        ("7201", Unknown),
        ("7999", Unknown),
    ],
)
@pytest.mark.parametrize("empty", ["<{c}></{c}>", "<{c}/>", "<{c} />", "<{c}>\r\n</{c}>", ""])
def test_a_day_without_lines(provider, keys, tmp_path, version, code, outcome, empty):
    container = TAGS[version][0]
    element = STATEMENT[version](code=code)
    element = element.replace(f"<{container}></{container}>", empty.format(c=container))
    reading = opened(provider, tmp_path, wrap(element, keys.gepg))
    assert isinstance(reading.outcome, outcome), reading
    assert reading.request_id == "1825734690"
    assert _lines(provider, tmp_path, reading) == []


@BOTH
def test_the_header_may_stand_behind_the_lines(provider, keys, tmp_path, version):
    container = TAGS[version][0]
    start = VALID[version].index(f"<{container}>")
    end = VALID[version].index(f"</{container}>") + len(f"</{container}>")
    root = VALID[version].index(">") + 1
    text = VALID[version]
    swapped = text[:root] + text[start:end] + text[root:start] + text[end:]
    reading = opened(provider, tmp_path, wrap(swapped, keys.gepg))
    assert (reading.outcome, reading.request_id) == (Done(), "1825734690")
    assert len(_lines(provider, tmp_path, reading)) == 2


@BOTH
def test_a_file_larger_than_every_window(provider, keys, tmp_path, version):
    count = 3_000
    element = STATEMENT[version](*(LINE[version](PayRefId=str(number)) for number in range(count)))
    body = wrap(element, keys.gepg)
    assert len(body) > 20 * WINDOW
    reading = opened(provider, tmp_path, body)
    assert (reading.verdict, body[reading.start : reading.end]) == (Verdict.GENUINE, element.encode())
    assert [row.reference for row in _lines(provider, tmp_path, reading)] == [str(number) for number in range(count)]
    middle = len(body) // 2
    kept(tmp_path, body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :])
    assert provider.open_statement("reconciliations", tmp_path / "statement.xml").verdict is Verdict.BAD_SIGNATURE


def test_only_a_genuine_statement_has_lines_and_they_travel_between_processes(provider, keys, tmp_path):
    reading = opened(provider, tmp_path, wrap(VALID["v5"], keys.gepg))
    lines = provider.lines_of(reading)
    assert pickle.loads(pickle.dumps(lines)) == lines
    assert len(pickle.dumps(lines)) < 300  # no keys inside
    with pytest.raises(ValueError, match="genuine"):
        provider.lines_of(opened(provider, tmp_path, wrap(VALID["v5"], keys.stranger)))


PIECES = st.sampled_from(
    [b"<Gepg>", b"</Gepg>", b"<sucSpPmtRes>", b"</sucSpPmtRes>", b"<PmtDtls>", b"</PmtDtls>", b"<PmtTrxDtl>",
     b"</PmtTrxDtl>", b"<signature>", b"</signature>", b"<BatchHdr>", b"</BatchHdr>", b"<PayStsCode>7101</PayStsCode>",
     b"<a/>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"&amp;", b"\xff", b"\x00", b" ", b"<", b">"]
)  # fmt: skip


@given(body=st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=30).map(b"".join)))
@how(max_examples=200, deadline=None)
def test_any_bytes(provider, tmp_path_factory, body):
    reading = opened(provider, tmp_path_factory.getbasetemp(), body)
    assert _refused(reading)
    assert provider.acknowledge_statement(reading, "ACK-1").status in (200, 400)


@given(content=st.lists(PIECES, max_size=20).map(b"".join))
@how(max_examples=200, deadline=None)
def test_nonsense_that_gepg_signed(provider, keys, tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp()
    reading = opened(provider, folder, wrap(b"<sucSpPmtRes>" + content + b"</sucSpPmtRes>", keys.gepg))
    if reading.verdict is Verdict.GENUINE:
        assert all(isinstance(row, LineFault) for row in _lines(provider, folder, reading))


@BOTH
@given(data=st.data())
@how(max_examples=150, deadline=None)
def test_mutations_that_gepg_signed(provider, keys, tmp_path_factory, version, data):
    """The gate does not help here. Whatever is given as a row can be reported in full, and says the same there."""
    folder, raw = tmp_path_factory.getbasetemp(), VALID[version].encode()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(raw)))
        end = min(len(raw), start + data.draw(st.sampled_from([0, 1, 9, 40, 700])))
        raw = raw[:start] + data.draw(st.one_of(PIECES, st.binary(max_size=8))) + raw[end:]
    reading = opened(provider, folder, wrap(raw, keys.gepg))
    if reading.verdict is not Verdict.GENUINE:
        assert _refused(reading)
        return
    lines, path = provider.lines_of(reading), folder / "statement.xml"
    for row in _lines(provider, folder, reading):
        if isinstance(row, StatementRow):
            report = lines.report(path, row)
            amount = (report.amount.amount_minor, report.amount.currency)
            assert (report.reference, report.control_number, *amount) == row[1:5]
