"""Asking for a day's account, what the immediate answer means, and how the account is acknowledged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from gepg_samples import enveloped, holds, opened, rightly_signed, wrap, wrongly_hashed
from statement_samples import VALID, kept
from statement_samples import opened as read_file

from adapters.payments.gepg import GepgProvider
from gateway.domain.outcomes import Accepted, Busy, Refused, Unknown
from gateway.ports import DayOrder, HttpResponse, StatementReading, Verdict

ORDER = DayOrder(date(2025, 11, 10), None, "1825734690")
NOW = datetime(2025, 11, 11, 3, 0, tzinfo=UTC)
BOTH = pytest.mark.parametrize("version", ["v5", "v4"])


@pytest.fixture
def providers(settings) -> dict[str, GepgProvider]:
    return {version: GepgProvider(replace(settings, version=version)) for version in ("v5", "v4")}


def ack(version: str, code: str = "7101", req_id: str = "1825734690") -> str:
    if version == "v4":
        return f"<gepgSpReconcReqAck><ReconcStsCode>{code}</ReconcStsCode></gepgSpReconcReqAck>"
    return (
        f"<sucSpPmtReqAck><AckId>A-1</AckId><ReqId>{req_id}</ReqId><AckStsCode>{code}</AckStsCode>"
        "<AckStsDesc>in its words</AckStsDesc></sucSpPmtReqAck>"
    )


# ---------------------------------------------------------------------------------------------------------- the request


def test_v5_request(providers, keys):
    request = providers["v5"].day_request(ORDER, NOW)
    element, signed = opened(request.body)
    assert element == (
        b"<sucSpPmtReq><ReqId>1825734690</ReqId><SpGrpCode>SP19960</SpGrpCode><SysCode>TIMIS001</SysCode>"
        b"<TrxDt>2025-11-10</TrxDt><Rsv1></Rsv1><Rsv2></Rsv2><Rsv3></Rsv3></sucSpPmtReq>"
    )
    assert holds(element, signed, keys.ours.public_key())
    assert (request.method, request.url) == ("POST", "http://127.0.0.1:8090/gepg/api/reconciliation/20/request")
    assert request.headers == {
        "Content-Type": "application/xml",
        "Gepg-Code": "SP19960",
        "Gepg-Com": "default.sp.in",
        "Gepg-Alg": "00S2",
    }


def test_v4_request(providers, keys):
    request = providers["v4"].day_request(ORDER, NOW)
    element, signed = opened(request.body)
    assert element == (
        b"<gepgSpReconcReq><SpReconcReqId>1825734690</SpReconcReqId><SpCode>SP19960</SpCode>"
        b"<SpSysId>TIMIS001</SpSysId><TnxDt>2025-11-10</TnxDt><ReconcOpt>1</ReconcOpt></gepgSpReconcReq>"
    )
    assert holds(element, signed, keys.ours.public_key())
    assert request.url == "http://127.0.0.1:8090/gepg/api/reconciliations/sig_sp_qrequest"
    assert request.headers == {
        "Content-Type": "application/xml",
        "Gepg-Code": "SP19960",
        "Gepg-Com": "default.sp.in",
    }


def test_the_generation_is_the_service_providers(settings):
    provider = GepgProvider(replace(settings, versions={"SP023": "v4"}))
    theirs = replace(ORDER, provider_code="SP023")
    assert opened(provider.day_request(ORDER, NOW).body)[0].startswith(b"<sucSpPmtReq>")
    request = provider.day_request(theirs, NOW)
    assert opened(request.body)[0].startswith(b"<gepgSpReconcReq>")
    assert request.headers["Gepg-Code"] == "SP023"
    assert b"<SpCode>SP023</SpCode>" in request.body


@BOTH
def test_a_resend_equals_its_first(providers, version):
    later = datetime(2025, 11, 12, tzinfo=UTC)
    assert providers[version].day_request(ORDER, NOW) == providers[version].day_request(ORDER, later)


def test_v4_takes_nothing_but_a_number(providers):
    for request_id in ("", "RQ-1", "١٢", "0", "-1", str(2**31), "1" * 11):
        with pytest.raises(AssertionError, match="number"):
            providers["v4"].day_request(replace(ORDER, request_id=request_id), NOW)


# ----------------------------------------------------------------------------------------------------------- its answer


@BOTH
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("7101", Accepted),
        ("7321", Busy),
        ("7317", Busy),
        ("7332", Busy),
        ("7101;7321", Busy),
        *((code, Refused) for code in (
            "7202", "7203", "7205", "7206", "7242", "7269", "7303", "7318", "7319", "7320", "7322", "7323")),
        ("7318;7321", Refused),
        ("7999;7319", Refused),
        *((code, Unknown) for code in ("7201", "7204", "7226", "7283", "7999", "7101;7999", "7321;7999")),
        *((code, Unknown) for code in ("", "all well", "71010", "7101;x")),
    ],
)  # fmt: skip
def test_every_code_has_one_meaning(providers, keys, version, code, expected):
    outcome = providers[version].day_outcome(ORDER, HttpResponse(200, {}, wrap(ack(version, code), keys.gepg)))
    assert type(outcome) is expected
    if isinstance(outcome, Refused):
        assert outcome.code == code
        assert outcome.text


def test_what_is_told_beside_the_code(providers, keys):
    v5, v4 = (
        providers[version].day_outcome(ORDER, HttpResponse(200, {}, wrap(ack(version), keys.gepg_next)))
        for version in ("v5", "v4")
    )
    assert (v5, v4) == (Accepted("A-1"), Accepted(None))
    refused = [
        providers[version].day_outcome(ORDER, HttpResponse(200, {}, wrap(ack(version, "7319"), keys.gepg)))
        for version in ("v5", "v4")
    ]
    assert refused == [
        Refused("7319", "in its words"),
        Refused("7319", "the day is out of the range that may be asked for"),
    ]


def test_an_answer_to_another_request_means_nothing(providers, keys):
    answer = HttpResponse(200, {}, wrap(ack("v5", req_id="77"), keys.gepg))
    assert isinstance(providers["v5"].day_outcome(ORDER, answer), Unknown)
    answer = HttpResponse(200, {}, wrap(ack("v5", req_id=""), keys.gepg))
    assert isinstance(providers["v5"].day_outcome(ORDER, answer), Accepted)


@BOTH
def test_what_is_not_signed_means_nothing(providers, keys, version):
    raw = ack(version).encode()
    good = rightly_signed(raw, keys.gepg)
    for body in (
        raw,
        b"",
        b"<html>OK</html>",
        enveloped(raw, b""),
        wrap(raw, keys.stranger),
        wrap(raw, keys.ours),
        enveloped(raw, wrongly_hashed(raw, keys.gepg)),
        enveloped(raw.replace(b"7101", b"7102"), good),
        wrap(ack("v4" if version == "v5" else "v5"), keys.gepg),
        wrap(b"<billSubReqAck><AckStsCode>7101</AckStsCode></billSubReqAck>", keys.gepg),
        wrap(raw, keys.gepg)[:-30],
        wrap(VALID[version], keys.gepg),
    ):
        assert isinstance(providers[version].day_outcome(ORDER, HttpResponse(200, {}, body)), Unknown), body


@BOTH
def test_http_says_something_too(providers, keys, version):
    good = wrap(ack(version), keys.gepg)
    outcomes = {
        status: providers[version].day_outcome(ORDER, HttpResponse(status, {"retry-after": "7"}, good))
        for status in (200, 400, 429, 500, 502, 503)
    }
    assert [type(outcome) for outcome in outcomes.values()] == [Accepted, Accepted, Busy, Unknown, Unknown, Busy]
    assert outcomes[503] == Busy(7.0, "HTTP 503")


# -------------------------------------------------------------------------------------------------- our acknowledgement


@BOTH
def test_a_statement_is_acknowledged_in_its_own_generation(providers, keys, tmp_path, version):
    path = kept(tmp_path, wrap(VALID[version], keys.gepg))
    forged, cut = wrap(VALID[version], keys.stranger), wrap(VALID[version], keys.gepg)[:-9]
    for provider in providers.values():  # whichever generation is the default
        replies = [provider.acknowledge_statement(provider.open_statement("reconciliations", path), "OUR-1")]
        for body in (forged, cut):
            reading = provider.open_statement("reconciliations", kept(tmp_path, body))
            if reading.verdict is Verdict.UNREADABLE:
                reading = replace(reading, dialect=version)
            replies.append(provider.acknowledge_statement(reading, "OUR-1"))
        kept(tmp_path, wrap(VALID[version], keys.gepg))
        assert [reply.status for reply in replies] == [200, 200, 400]
        assert {reply.content_type for reply in replies} == {"application/xml"}
        for reply, code, res_id in zip(replies, (b"7101", b"7303", b"7242"), (b"RES-9", b"RES-9", b""), strict=True):
            element, signed = opened(reply.body)
            assert holds(element, signed, keys.ours.public_key())
            if version == "v4":
                assert element == b"<gepgSpReconcRespAck><ReconcStsCode>%b</ReconcStsCode></gepgSpReconcRespAck>" % code
            else:
                assert element == (
                    b"<sucSpPmtResAck><AckId>OUR-1</AckId><ResId>%b</ResId><AckStsCode>%b</AckStsCode></sucSpPmtResAck>"
                    % (res_id, code)
                )


@BOTH
def test_bodies_that_were_never_taken_in_whole(providers, keys, version):
    provider = providers[version]
    reading = StatementReading("reconciliations", Verdict.TOO_LARGE, why="cut")
    reply = provider.acknowledge_statement(reading, "OUR-1")
    assert (reply.status, b">7242<" in reply.body) == (413, True)
    assert (b"<gepgSpReconcRespAck>" in reply.body) == (version == "v4")
    assert provider.statement_not_kept("reconciliations").status == 503
    assert b"Gepg" not in provider.statement_not_kept("reconciliations").body


def test_the_route(provider, keys, tmp_path):
    assert tuple(provider.statement_routes) == ("reconciliations",)
    assert "reconciliations" not in provider.routes
    assert read_file(provider, tmp_path, wrap(VALID["v4"], keys.gepg)).route == "reconciliations"
