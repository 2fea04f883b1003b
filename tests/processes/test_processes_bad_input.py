"""What hostile or careless peers send to the real process: an answer each time, the bytes kept, nothing applied."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from processes_harness import Family, World, new_reference, notification, post_form
from sqlalchemy import select

from adapters.registry.openimis.tables import policies, premiums
from gateway.domain.chfid import with_check_digit
from gateway.store.tables import bill, case, entry, inbox, payment
from sandbox.keys import KeyRing, ensure_keys, load_keys

DOCTYPE = b'<!DOCTYPE Gepg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.fixture(scope="session")
def forger(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """Keys that look like GePG's and are not."""
    folder: Path = tmp_path_factory.mktemp("forger")
    ensure_keys(folder)
    return load_keys(folder)


async def billed(world: World) -> tuple[Family, str, str]:
    """A family with its control number and bill."""
    family = await world.family()
    number = await world.number_for(family)
    await world.quiet()
    return family, number, str(await world.sql.scalar(select(bill.c.id).where(bill.c.family_id == family.id)))


async def evidence(world: World, raw: bytes) -> list[tuple[str, int, bytes]]:
    """The verdicts under which exactly these bytes were kept, with size and body."""
    rows = await world.sql.rows(select(inbox).where(inbox.c.digest == hashlib.sha256(raw).hexdigest()))
    return [(row.verdict, row.size, row.body) for row in rows]


async def untouched(world: World, family: Family, reference: str) -> None:
    """Neither premium nor policy nor payment, and the bill as it was."""
    await world.quiet()
    assert await world.sql.count(premiums, premiums.c.Receipt == reference) == 0
    assert await world.sql.count(payment, payment.c.reference == reference, payment.c.state == "settled") == 0
    rows = await world.sql.rows(select(policies.c.PolicyID).where(policies.c.FamilyID == family.id))
    assert [row.PolicyID for row in rows] == [family.policy_id]
    assert await world.sql.scalar(select(bill.c.state).where(bill.c.family_id == family.id)) == "numbered"
    assert await world.sms_like(family.phones[0], reference) == []


def _forged(raw: bytes, again: bytes) -> bytes:
    return again


def _altered(raw: bytes, _again: bytes) -> bytes:
    return raw.replace(b"<PaidAmt>30000.00", b"<PaidAmt>30001.00")


def _unsigned(raw: bytes, _again: bytes) -> bytes:
    head, rest = raw.split(b"<signature>")
    return head + rest.split(b"</signature>")[1]


def _appended(raw: bytes, again: bytes) -> bytes:
    """A genuine message, and a forged one beside it."""
    body = again.removeprefix(b"<Gepg>").split(b"<signature>")[0]
    return raw.replace(b"<signature>", body + b"<signature>")


def _doctype(raw: bytes, _again: bytes) -> bytes:
    return DOCTYPE + raw


def _cut(raw: bytes, _again: bytes) -> bytes:
    return raw[: len(raw) // 2]


def _empty(_raw: bytes, _again: bytes) -> bytes:
    return b""


def _no_xml(_raw: bytes, _again: bytes) -> bytes:
    return b"\x00\xff{} SELECT 1; --"


@pytest.mark.parametrize(
    ("spoil", "code", "verdict"),
    [
        (_forged, "7303", "bad_signature"),
        (_altered, "7303", "bad_signature"),
        (_unsigned, "7303", "bad_signature"),
        (_appended, "7242", "unreadable"),
        (_doctype, "7242", "unreadable"),
        (_cut, "7242", "unreadable"),
        (_empty, "7242", "unreadable"),
        (_no_xml, "7242", "unreadable"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else str(value),
)
async def test_a_message_that_is_not_gepgs(
    world: World, forger: KeyRing, spoil: object, code: str, verdict: str
) -> None:
    family, number, bill_id = await billed(world)
    reference = new_reference()
    said = {
        "reference": reference,
        "number": number,
        "bill_id": bill_id,
        "msisdn": family.phones[0],
        "paid_minor": 3_000_000,
    }
    raw = notification(load_keys(world.stack.keys), **said)
    assert callable(spoil)
    sent = spoil(raw, notification(forger, **said))
    assert sent != raw
    before = len(await evidence(world, sent))
    status, answered = await world.post(sent)
    assert answered == code
    assert status == (200 if code == "7303" else 400)
    kept = await evidence(world, sent)
    assert len(kept) == before + 1
    assert kept[-1] == (verdict, len(sent), sent), "the bytes and the verdict are kept"
    await untouched(world, family, reference)
    assert await world.post(raw) == (200, "7101"), "and the genuine one still counts"
    await world.quiet()
    assert await world.sql.count(premiums, premiums.c.Receipt == reference) == 1


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
async def test_five_megabytes_are_answered_and_not_reset(world: World, chunked: bool) -> None:
    raw = b"<Gepg>" + b"<pmtSpNtfReq>" * 400_000
    assert len(raw) > 5_000_000

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(raw), 65_536):
            yield raw[at : at + 65_536]

    started = time.monotonic()
    async with world.client.post(
        f"{world.stack.bases[0]}/payments/gepg/payments", data=pieces() if chunked else io.BytesIO(raw)
    ) as response:
        body = await response.text()
    took_s = time.monotonic() - started
    print(f"\n[{world.stack.backend}] 5.2 MB answered in {took_s:.2f} s")
    assert response.status == 413
    assert "<AckStsCode>7242</AckStsCode>" in body
    rows = await world.sql.rows(
        select(inbox).where(inbox.c.verdict == "too_large").order_by(inbox.c.received_at.desc())
    )
    assert rows[0].size == len(raw)
    assert rows[0].body == raw[: len(rows[0].body)]
    assert 0 < len(rows[0].body) <= 1_000_000


@pytest.mark.parametrize(
    ("amount", "other_number", "kind", "state"),
    [
        ("29000.00", "", "wrong_amount", "case"),
        ("31000.00", "", "wrong_amount", "case"),
        ("30000.00", "199609999999", "unknown_control_number", "unmatched"),
        ("30000.00", "777770000001", "other_payee", "case"),  # the simulator names SP77777, as the number does
    ],
)
async def test_money_that_does_not_fit_is_acknowledged_and_becomes_a_case(
    world: World, amount: str, other_number: str, kind: str, state: str
) -> None:
    """GePG would refuse such a payment at the counter; when it tells of one all the same, the money has moved."""
    family, number, _ = await billed(world)
    paid_number = other_number or number
    more = {"bill_id": "NOSUCHBILL"} if other_number else {}
    paid = await world.pay(paid_number, family.phones[0], amount, force=True, **more)
    assert paid["status"] == "paid", "acknowledged 7101 at the first try"
    reference = paid["pay_ref_id"]
    await world.quiet()
    cases = await world.sql.rows(select(case).where(case.c.subject == f"payment:{reference}/{paid_number}"))
    assert [(row.kind, row.state) for row in cases] == [(kind, "open")]
    assert await world.sql.count(premiums, premiums.c.Receipt == reference) == 0
    rows = await world.sql.rows(select(policies.c.PolicyID).where(policies.c.FamilyID == family.id))
    assert [row.PolicyID for row in rows] == [family.policy_id]
    states = await world.sql.rows(select(payment.c.state).where(payment.c.reference == reference))
    assert [row.state for row in states] == [state]
    held = await world.sms_like(family.phones[0], reference, "Malipo yanakaguliwa")
    assert len(held) == (0 if kind == "other_payee" else 1), "what we have not got, nobody says that we have"
    assert await world.sql.count(entry, entry.c.inbox_id == cases[0].inbox_id, entry.c.state == "new") == 0


# ---------------------------------------------------------------------------------------------------------------- USSD

FORM = {"sessionId": "ATUid_1", "phoneNumber": "+255770000000", "serviceCode": "*152*00#", "text": ""}
UNREADABLE = "ombi halikueleweka"


@pytest.mark.parametrize(
    "form",
    [
        {name: value for name, value in FORM.items() if name != "sessionId"},
        {name: value for name, value in FORM.items() if name != "phoneNumber"},
        {name: value for name, value in FORM.items() if name != "text"},
        {},
        {**FORM, "phoneNumber": "mama"},
        {**FORM, "phoneNumber": "+4915112345678"},
        {**FORM, "sessionId": "x" * 10_000},
        b"",
        b"\xff\xfe=\x80&text=%ff%fe",
        b"text=1&text=2&sessionId=a&phoneNumber=%2B255770000000",
        b"&".join(b"f%d=1" % number for number in range(2_000)),
        b"text=" + b"1" * 200_000,
    ],
    ids=lambda value: repr(value)[:60],
)
async def test_a_form_that_is_no_turn(world: World, form: dict[str, str] | bytes) -> None:
    screen = await post_form(world.client, world.stack.bases[0], form)
    assert (screen.status, screen.kind) == (200, "END")
    assert UNREADABLE in screen.text


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (with_check_digit(9_999_999), "Namba hiyo haipo"),  # well-formed, nobody's
        ("123456789", "Si sahihi"),  # wrong checksum
        ("mama Neema", "Si sahihi"),
        ("", "Si sahihi"),
        ("%s" % ("9" * 10_000), "Si sahihi"),
        ("' OR 1=1 --", "Si sahihi"),
        ("１２３４５６７８９", "Si sahihi"),
        ("\x00\x07", "Si sahihi"),
    ],
    ids=["unknown", "checksum", "letters", "empty", "10 kB", "sql", "wide digits", "control"],
)
async def test_wrong_insurance_numbers(world: World, typed: str, says: str) -> None:
    family = await world.family()
    phone = world.phone(family.phones[0])
    await phone.dial()
    await phone.press("5")
    asked = await phone.press("1")
    assert "tarakimu 9" in asked.text
    screen = await phone.press(typed)
    assert (screen.status, screen.kind) == (200, "CON")
    assert says in screen.text
    assert len(screen.text) <= 160
    other = await world.family(ended_days=-30)
    answer = await phone.press(other.chfid)
    assert answer.kind == "END"
    assert answer.text.startswith("Bima HAI hadi"), "and the conversation goes on"


async def test_repeated_shorter_and_unknown_turns(world: World) -> None:
    family = await world.family()
    phone = world.phone(family.phones[0])
    first = await phone.dial()
    confirm = await phone.press("1")
    assert (await phone.send("1")).text == confirm.text, "a repeated callback gets the same bytes"
    assert await world.sql.count(bill, bill.c.family_id == family.id) == 0
    shorter = await phone.send("")
    assert (shorter.status, shorter.kind) == (200, "CON")
    assert shorter.text in (confirm.text, first.text)
    resumed = await phone.send("1*2")
    assert (resumed.status, resumed.kind) == (200, "CON")
    assert "IMEISHA" in resumed.text, "'no' leads home"
    stranger = await phone.send("1*1", session_id="ATUid_never_seen")
    assert (stranger.status, stranger.kind) == (200, "CON")
    assert "30,000" in stranger.text, "an unknown session replays its keys, but never past the confirmation of money"
    assert await world.sql.count(bill, bill.c.family_id == family.id) == 0


async def test_other_addresses_and_methods(world: World) -> None:
    base = world.stack.bases[0]
    for path, status in (
        ("/ussd/africastalking/wrong", 404),
        ("/ussd/nobody/demo", 404),
        ("/payments/gepg/nothing", 404),
        ("/payments/other/payments", 404),
        ("/metrics", 404),
        ("/console/", 404),
    ):
        async with world.client.post(f"{base}{path}", data=FORM) as response:
            assert response.status in (status, 405), path
            body = await response.text()
        assert "Traceback" not in body
        assert "gateway" not in body
    async with world.client.get(f"{base}/metrics") as response:
        assert response.status == 404, "metrics are the operator's, not the public's"
