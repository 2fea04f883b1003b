"""What GePG's immediate answer to a bill means: a table, and Unknown for everything outside it."""

from __future__ import annotations

import pytest
from gepg_samples import detail, payment, result, sha1_signature, signature, wrap
from test_gepg_bill_request import ORDER

from adapters.payments.gepg.codes import CODES, Meaning, meaning
from gateway.domain.outcomes import Accepted, Busy, Refused, Unknown
from gateway.ports import HttpResponse


def ack(code: str = "7101", words: str = "Successful") -> str:
    return (
        f"<billSubReqAck><AckId>ACK-9</AckId><ReqId>req-0001</ReqId><AckStsCode>{code}</AckStsCode>"
        f"<AckStsDesc>{words}</AckStsDesc></billSubReqAck>"
    )


def _outcome(provider, body: bytes, status: int = 200, **headers: str):
    return provider.bill_outcome(ORDER, HttpResponse(status, headers, body))


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("7101", Accepted("ACK-9")),
        ("7226", Accepted("ACK-9")),
        ("7101;7226", Accepted("ACK-9")),
        ("7242", Refused("7242", "w")),
        ("7201", Refused("7201", "w")),
        ("7303", Refused("7303", "w")),
        ("7323", Refused("7323", "w")),
        ("7242;7627", Refused("7242;7627", "w")),
        ("7627; 7242 ;", Refused("7627;7242", "w")),
        ("7321;7242", Refused("7321;7242", "w")),
        ("7321", Busy(60.0, "7321")),
        ("7332", Busy(60.0, "7332")),
        ("7317", Busy(60.0, "7317")),
        ("7101;7321", Busy(60.0, "7101;7321")),
    ],
)
def test_known_codes(provider, keys, code, outcome):
    assert _outcome(provider, wrap(ack(code, "w"), keys.gepg)) == outcome


def test_a_recorded_answer_to_another_request(provider, keys):
    body = wrap(ack().replace("req-0001", "req-0000"), keys.gepg)
    assert isinstance(_outcome(provider, body), Unknown)
    assert _outcome(provider, wrap(ack().replace("req-0001", ""), keys.gepg)) == Accepted("ACK-9")


@pytest.mark.parametrize("code", ["7241", "7102", "7627", "0000", "9999", "7321;7627", "7101;7240", "7279", "7283"])
def test_codes_that_prove_nothing(provider, keys, code):
    assert isinstance(_outcome(provider, wrap(ack(code), keys.gepg)), Unknown)


@pytest.mark.parametrize("code", ["", ";", "GS", "71o1", "７１０１", "71012", "<x>7101</x>"])
def test_codes_that_are_none(provider, keys, code):
    assert isinstance(_outcome(provider, wrap(ack(code), keys.gepg)), Unknown)


def test_our_words_where_gepg_has_none(provider, keys):
    outcome = _outcome(provider, wrap(ack("7224;7231", ""), keys.gepg))
    assert outcome == Refused("7224;7231", "the bill's amount is wrong; the bill's expiry date is wrong")


def test_the_table_keeps_its_promises():
    assert all(len(code) == 4 and code.isdigit() and text for code, (_, text) in CODES.items())
    accepted = {code for code in CODES if meaning(code) is Meaning.ACCEPTED}
    busy = {code for code in CODES if meaning(code) is Meaning.BUSY}
    assert (accepted, busy) == ({"7101", "7226"}, {"7317", "7321", "7332"})
    assert meaning("7627") is Meaning.UNKNOWN
    # Codes about money or a settled bill must not read as "no such bill": it may be payable.
    assert {meaning(code) for code in ("7207", "7214", "7279", "7301", "7302", "7336")} == {Meaning.UNKNOWN}


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 60.0),
        ("120", 120.0),
        ("0", 1.0),
        ("99999", 3600.0),
        ("-5", 60.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 60.0),
    ],
)
def test_busy_statuses(provider, keys, status, header, seconds):
    headers = {} if header is None else {"retry-after": header}
    assert provider.bill_outcome(ORDER, HttpResponse(status, headers, b"busy")) == Busy(seconds, f"HTTP {status}")
    assert isinstance(_outcome(provider, wrap(ack("7242"), keys.gepg), status), Busy)


@pytest.mark.parametrize("status", [500, 502, 504, 599])
def test_other_server_errors_prove_nothing(provider, keys, status):
    assert isinstance(_outcome(provider, b"<html>", status), Unknown)
    assert isinstance(_outcome(provider, wrap(ack("7242"), keys.gepg), status), Unknown)


def test_a_signed_refusal_is_believed_below_500(provider, keys):
    assert _outcome(provider, wrap(ack("7242", "w"), keys.gepg), 400) == Refused("7242", "w")


def test_answers_that_gepg_did_not_sign(provider, keys):
    """A proxy's "refused" after GePG took the bill must not lose it, nor a forged "accepted" end the asking."""
    for code in ("7101", "7242"):
        raw = ack(code).encode()
        good = signature(raw, keys.gepg)
        for body in (
            wrap(raw, keys.stranger),
            b"<Gepg>" + raw + b"</Gepg>",
            b"<Gepg>" + raw + b"<signature>" + sha1_signature(raw, keys.gepg) + b"</signature></Gepg>",
            b"<Gepg>" + ack("7226").encode() + b"<signature>" + good + b"</signature></Gepg>",
            raw,
        ):
            for status in (200, 400, 404):
                assert isinstance(_outcome(provider, body, status), Unknown), body


@pytest.mark.parametrize(
    "body", [b"", b"OK", b"{}", b"<html><body>Service Unavailable</body></html>", b"x" * 2_000_000]
)
def test_answers_that_are_no_acknowledgement(provider, body):
    for status in (200, 302, 404):
        assert isinstance(_outcome(provider, body, status), Unknown)


def test_other_signed_messages_are_no_acknowledgement(provider, keys):
    for element in (payment(), result(detail()), ack() + ack(), ack() + result() + result(), ack() + payment()):
        assert isinstance(_outcome(provider, wrap(element, keys.gepg)), Unknown)


def _pair(*parts: str) -> bytes:
    return ("<Gepg>" + "".join(parts) + "</Gepg>").encode()


def test_acknowledgement_and_result_in_one_body(provider, keys):
    """Whichever bytes the signature covers: the acknowledgement's, or everything up to the signature."""

    def sig(text: str, key=keys.gepg) -> str:
        return f"<signature>{signature(text.encode(), key).decode()}</signature>"

    first, second = ack(), result(detail())
    accepted = [
        _pair(first, second, sig(first)),
        _pair(first, second, sig(first + second)),
        _pair(first, " \n", second, sig(f"{first} \n{second}")),
        _pair(second, first, sig(second + first)),
        _pair(first, sig(first), second, sig(second)),
    ]
    assert [_outcome(provider, body) for body in accepted] == [Accepted("ACK-9")] * len(accepted)
    refused = [
        _pair(first, second, sig(second)),  # a genuine result with somebody's acknowledgement put before it
        _pair(first, second, sig(first + second, keys.stranger)),
        _pair(first, second),
        _pair(first, sig(second), second),
    ]
    assert {type(_outcome(provider, body)) for body in refused} == {Unknown}
