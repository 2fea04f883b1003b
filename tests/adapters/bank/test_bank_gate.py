"""What is believed: exactly what a key of the bank's has signed, within 300 seconds, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from bank_samples import NOW, Bank, encoded, mac, notice, signed

from gateway.domain.money import Money
from gateway.ports import Asked, Due, Rejected, Verdict

BODY = notice()
STAMP = "x-bank-timestamp"
Headers = dict[str, str]


def verdict(bank: Bank, body: bytes, headers: Headers) -> Verdict:
    return bank.provider.read("notice", body, headers).verdict


# what is done to a good request's headers and body, and whether it is still believed
CASES: list[tuple[str, Callable[[Bank, Headers], tuple[bytes, Headers]], bool]] = [
    ("as signed", lambda b, h: (BODY, h), True),
    ("with the other key of the rotation", lambda b, h: (BODY, b.headers(BODY, "k2")), True),
    ("hex in capitals", lambda b, h: (BODY, {**h, "x-bank-signature": h["x-bank-signature"].upper()}), True),
    ("spaces around", lambda b, h: (BODY, {name: f" {value} " for name, value in h.items()}), True),
    ("299 s late", lambda b, h: (BODY, b.headers(BODY, seconds=-299)), True),
    ("300 s late", lambda b, h: (BODY, b.headers(BODY, seconds=-300)), True),
    ("301 s late", lambda b, h: (BODY, b.headers(BODY, seconds=-301)), False),
    ("299 s early", lambda b, h: (BODY, b.headers(BODY, seconds=299)), True),
    ("301 s early", lambda b, h: (BODY, b.headers(BODY, seconds=301)), False),
    ("a byte of the body altered", lambda b, h: (BODY.replace(b"30000", b"30001"), h), False),
    ("a space more", lambda b, h: (BODY + b" ", h), False),
    ("cut", lambda b, h: (BODY[:-1], h), False),
    ("an empty body", lambda b, h: (b"", h), False),
    ("the timestamp altered", lambda b, h: (BODY, {**h, "x-bank-timestamp": str(int(h[STAMP]) + 1)}), False),
    ("the timestamp spelt with a zero", lambda b, h: (BODY, {**h, STAMP: "0" + h[STAMP]}), False),
    ("no key id", lambda b, h: (BODY, {n: v for n, v in h.items() if n != "x-bank-key-id"}), False),
    ("no timestamp", lambda b, h: (BODY, {n: v for n, v in h.items() if n != "x-bank-timestamp"}), False),
    ("no signature", lambda b, h: (BODY, {n: v for n, v in h.items() if n != "x-bank-signature"}), False),
    ("no headers", lambda b, h: (BODY, {}), False),
    ("a key id that nobody has", lambda b, h: (BODY, {**h, "x-bank-key-id": "k3"}), False),
    ("the key id of the other key", lambda b, h: (BODY, {**h, "x-bank-key-id": "k2"}), False),
    ("a wrong key", lambda b, h: (BODY, signed("k1", b"x" * 32, BODY)), False),
    ("an empty key", lambda b, h: (BODY, signed("k1", b"", BODY)), False),
    ("a truncated signature", lambda b, h: (BODY, {**h, "x-bank-signature": h["x-bank-signature"][:32]}), False),
    ("a signature that is no ASCII", lambda b, h: (BODY, {**h, "x-bank-signature": "é" * 64}), False),
    ("a timestamp of words", lambda b, h: (BODY, {**h, "x-bank-timestamp": "yesterday"}), False),
    ("a timestamp without end", lambda b, h: (BODY, {**h, "x-bank-timestamp": "9" * 5_000}), False),
    ("a timestamp of other digits", lambda b, h: (BODY, {**h, "x-bank-timestamp": "١٧٩٥"}), False),
    (
        "signed without the point between",
        lambda b, h: (BODY, {**h, "x-bank-signature": mac(b.keys["k1"], h["x-bank-timestamp"].encode() + BODY)}),
        False,
    ),
    ("signed without the timestamp", lambda b, h: (BODY, {**h, "x-bank-signature": mac(b.keys["k1"], BODY)}), False),
]  # fmt: skip


@pytest.mark.parametrize(("done", "good"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
@pytest.mark.parametrize("action", ["notice", "lookup", "status"])
def test_the_gate(action: str, done: Callable[[Bank, Headers], tuple[bytes, Headers]], good: bool) -> None:
    bank = Bank()
    body, headers = done(bank, bank.headers(BODY))
    if action == "notice":
        reading = bank.provider.read("notice", body, headers)
        reply = bank.provider.acknowledge(reading, "I1")
        assert (reading.verdict is Verdict.GENUINE) is good
        assert bool(reading.notices) is good
    else:
        asked = bank.biller.parse(action, body, headers)
        assert (isinstance(asked, Rejected) and asked.verdict is Verdict.BAD_SIGNATURE) is not good
        if not isinstance(asked, Rejected):
            return
        reply = bank.biller.refuse(asked)
    if not good:
        assert reply.status == 401
        assert json.loads(reply.body)["code"] == "PAY-SIGNATURE"
        assert dict(reply.headers) == {}, "an answer to nobody known carries nothing to believe"


@pytest.mark.parametrize("place", range(len(BODY)))
def test_no_byte_can_be_changed(place: int) -> None:
    bank = Bank()
    changed = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
    assert verdict(bank, changed, bank.headers(BODY)) is Verdict.BAD_SIGNATURE


def test_a_key_that_was_taken_away_is_believed_no_more() -> None:
    both = Bank()
    later = Bank(keys={"k2": both.keys["k2"]})
    assert verdict(later, BODY, both.headers(BODY, "k1")) is Verdict.BAD_SIGNATURE
    assert verdict(later, BODY, both.headers(BODY, "k2")) is Verdict.GENUINE


def test_a_replay_within_the_tolerance_reads_the_same_and_later_not_at_all() -> None:
    bank = Bank()
    headers = bank.headers(BODY)
    first = bank.provider.read("notice", BODY, headers)
    bank.clock.time += timedelta(seconds=300)
    assert bank.provider.read("notice", BODY, headers) == first
    bank.clock.time += timedelta(seconds=1)
    assert verdict(bank, BODY, headers) is Verdict.BAD_SIGNATURE


@pytest.mark.parametrize("key_id", ["k1", "k2"])
def test_answers_are_signed_with_the_key_that_asked_and_name_the_request(key_id: str) -> None:
    bank = Bank()
    headers = bank.headers(BODY, key_id)
    reply = bank.provider.acknowledge(bank.provider.read("notice", BODY, headers), "I1")
    assert (reply.status, json.loads(reply.body)) == (200, {"status": "received", "reference": "FT26329A7Q1"})
    assert reply.headers["X-Bank-Key-Id"] == key_id
    assert bank.believes(reply, headers)
    other = bank.headers(BODY, key_id, seconds=1)
    assert not bank.believes(reply, other), "an answer to another request"


def test_every_delivery_of_a_payment_gets_the_same_acknowledgement() -> None:
    bank = Bank()
    replies = [
        bank.provider.acknowledge(bank.provider.read("notice", body, bank.headers(body, key_id)), inbox_id)
        for inbox_id, (body, key_id) in enumerate([(BODY, "k1"), (BODY, "k2"), (notice(channel="AGENT"), "k1")])
        for inbox_id in [str(inbox_id)]
    ]
    assert len({(reply.status, reply.body) for reply in replies}) == 1


@pytest.mark.parametrize("action", ["notice", "lookup", "status"])
def test_nothing_that_we_sign_can_be_sent_back_as_a_request(action: str) -> None:
    """The same key signs both ways: an answer, with all that was signed of it, is no request."""
    bank = Bank()
    question = encoded({"control_number": "994120000011"})
    headers = bank.headers(question)
    asked = bank.biller.parse("lookup", question, headers)
    assert isinstance(asked, Asked)
    due = Due("A***", Money(1), "CHF", NOW.date(), False, NOW.date(), None)
    reply = bank.biller.render(asked, due)
    returned = {name.lower(): value for name, value in reply.headers.items()}
    for body in (reply.body, headers["x-bank-signature"].encode() + b"." + reply.body):
        if action == "notice":
            assert bank.provider.read(action, body, returned).verdict is not Verdict.GENUINE
        else:
            assert isinstance(bank.biller.parse(action, body, returned), Rejected)


def test_secrets_stay_out_of_sight() -> None:
    bank = Bank()
    told = repr([bank.provider, bank.biller, vars(bank.provider), vars(bank.biller)])
    assert not [key for key in bank.keys.values() if key.decode() in told]
