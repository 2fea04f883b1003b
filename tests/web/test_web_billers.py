"""The billers' address: a secret each, notices kept before they are acknowledged, questions bounded and in time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from biller_world import KEYS, LIMIT, NOTICE, SECRETS, Ledger, Open, Registry
from web_world import CHFID, NAME, PHONE, until

from gateway.ports import Standing, StandingState, StatementReceiver
from gateway.web.replies import response_of


async def test_a_notice_is_acknowledged_after_the_commit(opened: Open) -> None:
    bank = await opened(Ledger(held=asyncio.Event()))
    waiting = asyncio.create_task(bank.post("notice", NOTICE))
    await until(lambda: bank.ledger.kept != [])
    answered, _ = await asyncio.wait({waiting}, timeout=0.05)
    assert not answered, "answered before the commit"
    bank.ledger.held.set()
    assert await waiting == (200, {"status": "received", "reference": "FT1"}, True)
    ((evidence, (report,)),) = bank.ledger.kept
    assert (evidence.provider, evidence.route, evidence.message_id) == ("bank-crdb", "notice", "CRDB-FT1")
    assert (report.key, report.chfid) == (("CRDB-FT1", CHFID), CHFID)
    assert bank.woken == [True]


async def test_the_secret_is_in_nothing_that_is_kept(opened: Open) -> None:
    bank = await opened()
    await bank.post("notice", NOTICE, **{"X-Forwarded-For": "10.0.0.1"})
    ((evidence, _),) = bank.ledger.kept
    assert set(evidence.headers) <= {"content-type", "content-length", "user-agent", "x-forwarded-for", "date"}
    assert SECRETS["crdb"] not in repr(bank.ledger.kept)
    assert "x-bank-signature" not in evidence.headers


async def test_what_was_not_kept_must_come_again(opened: Open) -> None:
    bank = await opened(Ledger(broken=ConnectionError("no database")))
    status, said, believed = await bank.post("notice", NOTICE)
    assert (status, said["code"], believed) == (503, "PAY-NOT-KEPT", False)


async def test_each_other_verdict_has_its_status_and_is_kept(opened: Open) -> None:
    bank = await opened()
    status, said, believed = await bank.post("notice", NOTICE, **{"x-bank-signature": "0" * 64})
    assert (status, said["code"], believed) == (401, "PAY-SIGNATURE", False)
    status, said, believed = await bank.post("notice", {**NOTICE, "amount": "30,00"})
    assert (status, said["code"], believed) == (400, "PAY-UNREADABLE", True)
    status, said, believed = await bank.post("notice", json.dumps(NOTICE).encode().ljust(LIMIT + 1))
    assert (status, said["code"], believed) == (413, "PAY-TOO-LARGE", False)
    assert [e.verdict for e, _ in bank.ledger.kept] == ["bad_signature", "unreadable", "too_large"]
    assert [n for _, n in bank.ledger.kept] == [(), (), ()]


async def test_questions_are_answered_and_leave_nothing(opened: Open) -> None:
    bank = await opened()
    status, said, believed = await bank.post("lookup", {"chfid": CHFID})
    assert (status, said["status"], said["name"], said["amount"], believed) == (
        200,
        "due",
        "Z*** K***",
        "30000.00",
        True,
    )
    bank.registry.answers = lambda _question: Standing(StandingState.RECEIVED)
    assert await bank.post("status", {"reference": "FT1"}, bank="nmb") == (
        200,
        {"reference": "FT1", "status": "received"},
        True,
    )
    assert [biller for biller, _ in bank.registry.asked] == ["bank-crdb", "bank-nmb"]
    assert (bank.ledger.kept, bank.woken) == ([], [])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [(b"{", 400, "PAY-UNREADABLE"), (b" " * 20_000, 413, "PAY-TOO-LARGE")],
)
async def test_what_is_no_question_is_refused(opened: Open, body: bytes, status: int, code: str) -> None:
    bank = await opened()
    answered, said, believed = await bank.post("lookup", body)
    assert (answered, said["code"], believed) == (status, code, status == 400)
    assert bank.registry.asked == []


async def test_one_banks_key_does_not_open_anothers_address(opened: Open) -> None:
    bank = await opened()
    for action, body in (("notice", NOTICE), ("lookup", {"chfid": CHFID})):
        assert (await bank.post(action, body, secret=SECRETS["nmb"]))[0] == 401
    assert bank.registry.asked == []
    assert [e.provider for e, _ in bank.ledger.kept] == ["bank-nmb"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/payments/bank/wrong/notice", 404),
        ("POST", "/payments/bank//notice", 404),
        ("POST", "/payments/bank/{secret}x/notice", 404),
        ("POST", "/payments/bank/{secret}", 404),
        ("POST", "/payments/bank/{secret}/other", 404),
        ("POST", "/payments/bank/{secret}/notice/", 404),
        ("POST", "/payments/bank/%C3%A9/notice", 404),
        ("GET", "/payments/bank/{secret}/notice", 405),
    ],
)
async def test_another_address_takes_nothing(opened: Open, method: str, path: str, status: int) -> None:
    bank = await opened()
    async with bank.client.request(method, path.format(secret=SECRETS["crdb"]), data=b"{}") as response:
        assert response.status == status
    assert (bank.ledger.kept, bank.registry.asked) == ([], [])


@pytest.mark.parametrize(("networks", "status"), [(["10.0.0.0/8"], 404), (["10.0.0.0/8", "127.0.0.0/8"], 200)])
async def test_only_the_banks_networks_may_call(opened: Open, networks: list[str], status: int) -> None:
    bank = await opened(networks=networks)
    assert (await bank.post("notice", NOTICE))[0] == status
    assert (await bank.post("lookup", {"chfid": CHFID}))[0] == status
    assert len(bank.ledger.kept) == (1 if status == 200 else 0)


async def test_questions_beyond_the_bound_are_told_not_now_and_notices_are_taken(opened: Open) -> None:
    bank = await opened(registry=Registry(held=asyncio.Event()), in_flight=2)
    asking = [asyncio.create_task(bank.post("lookup", {"chfid": CHFID})) for _ in range(2)]
    await until(lambda: len(bank.registry.asked) == 2)
    status, said, believed = await bank.post("lookup", {"chfid": CHFID})
    assert (status, said["code"], believed) == (503, "PAY-NO-ANSWER", True)
    assert (await bank.post("notice", NOTICE))[0] == 200
    bank.registry.held.set()
    assert [(await one)[0] for one in asking] == [200, 200]
    assert (await bank.post("lookup", {"chfid": CHFID}))[0] == 200, "the places are free again"


async def test_notices_beyond_the_bound_wait_and_are_answered(opened: Open) -> None:
    bank = await opened(Ledger(held=asyncio.Event()), in_flight=2)
    calls = [asyncio.create_task(bank.post("notice", {**NOTICE, "reference": f"FT{n}"})) for n in range(6)]
    await until(lambda: len(bank.ledger.kept) == 2)
    await asyncio.wait(calls, timeout=0.05)
    assert len(bank.ledger.kept) == 2, "two at once, no more"
    bank.ledger.held.set()
    assert {(await call)[0] for call in calls} == {200}
    assert len(bank.ledger.kept) == 6


async def test_a_statement_goes_to_whoever_takes_statements(opened: Open, tmp_path: Path) -> None:
    """The taker streams it to a file; the bank's adapter judges the file by the headers, and answers."""

    async def take(request: web.Request, receiver: StatementReceiver, route: str) -> web.StreamResponse:
        path = tmp_path / "statement"
        path.write_bytes(await request.read())
        headers = {name.lower(): value for name, value in request.headers.items()}
        return response_of(receiver.acknowledge_statement(receiver.open_statement(route, path, headers), "I1"))

    body = b"#statement,2026-11-21\nreference,chfid,amount,currency,paid_at\n"
    bank = await opened(take_statement=take)
    assert await bank.post("statement", body) == (200, {"status": "received", "day": "2026-11-21"}, True)
    status, said, believed = await bank.post("statement", body, **{"x-bank-signature": "0" * 64})
    assert (status, said["code"], believed) == (401, "PAY-SIGNATURE", False)
    assert (await bank.post("statement", body, secret="wrong"))[0] == 404
    assert (await (await opened()).post("statement", body))[0] == 404, "nobody takes statements here"


async def test_logs_hold_neither_people_nor_secrets(opened: Open, log_text: Callable[[], str]) -> None:
    bank = await opened(networks=["127.0.0.0/8"])
    await bank.post("notice", NOTICE)
    await bank.post("notice", {**NOTICE, "amount": "30,00"})
    await bank.post("notice", {**NOTICE, "payer_name": 1, "payer_msisdn": PHONE})
    await bank.post("lookup", {"chfid": CHFID, "control_number": PHONE})
    await bank.post("lookup", {"chfid": CHFID}, **{"x-bank-key-id": NAME})
    bank.ledger.broken = ValueError(f"row of {PHONE} {NAME}")
    await bank.post("notice", NOTICE)
    far = await opened(networks=["10.0.0.0/8"])
    await far.post("notice", NOTICE)
    text = log_text()
    for event in ("callback_refused", "callback_not_kept", "question_refused", "biller_network_refused"):
        assert event in text
    canaries = [PHONE, PHONE[1:], NAME, NAME.split()[0], CHFID, *SECRETS.values(), *(k.decode() for k in KEYS.values())]
    assert [canary for canary in canaries if canary in text] == []
