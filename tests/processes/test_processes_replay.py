"""``imis-gateway replay`` beside a running gateway: GePG has changed its key, and we learn of it late."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from processes_harness import Family, World, new_families, new_reference, notification, run_gateway
from sqlalchemy import select

from adapters.registry.openimis.tables import premiums
from gateway.store.tables import audit, bill, inbox
from sandbox.keys import KeyRing, ensure_keys, load_keys


@pytest.fixture(scope="session")
def renewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GePG's next keys, which the running processes do not know."""
    folder: Path = tmp_path_factory.mktemp("renewed")
    ensure_keys(folder)
    return folder


def aware(world: World, renewed: Path) -> dict[str, str]:
    """The environment once an operator has added the new certificate."""
    both = f"{world.stack.keys / 'gepg.crt.pem'},{renewed / 'gepg.crt.pem'}"
    return {**world.stack.environment, "GATEWAY_GEPG__PEER_CERTIFICATES": both}


async def billed(world: World, count: int) -> list[tuple[Family, str, str]]:
    """Families with control number and bill id."""
    families = await new_families(world.sql, count)
    numbers = await asyncio.gather(*(world.number_for(family) for family in families))
    await world.quiet()
    rows = await world.sql.rows(select(bill.c.family_id, bill.c.id).where(bill.c.family_id.in_(f.id for f in families)))
    ids = {row.family_id: row.id for row in rows}
    return [(family, number, ids[family.id]) for family, number in zip(families, numbers, strict=True)]


def told(keys: KeyRing, family: Family, number: str, bill_id: str, reference: str, minor: int = 3_000_000) -> bytes:
    return notification(
        keys, reference=reference, number=number, bill_id=bill_id, msisdn=family.phones[0], paid_minor=minor
    )


async def inbox_id(world: World, raw: bytes) -> str:
    return str(await world.sql.scalar(select(inbox.c.id).where(inbox.c.digest == hashlib.sha256(raw).hexdigest())))


async def run(world: World, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(run_gateway, "replay", *arguments, environment=environment)


async def test_one_message_by_two_commands_at_once(world: World, renewed: Path) -> None:
    [(family, number, bill_id)] = await billed(world, 1)
    reference = new_reference()
    raw = told(load_keys(renewed), family, number, bill_id, reference)
    assert await world.post(raw) == (200, "7303")
    known = await inbox_id(world, raw)
    kept = await world.sql.rows(select(inbox).where(inbox.c.id == known))
    still = await run(world, dict(world.stack.environment), known)
    assert (still.returncode, still.stderr) == (1, "")
    assert "kept as bad_signature, bad_signature today: no accepted key signed the message" in still.stdout

    both = await asyncio.gather(*(run(world, aware(world, renewed), known, "--by", "Ester") for _ in range(2)))
    assert [(done.returncode, done.stderr) for done in both] == [(0, "")] * 2
    for done in both:
        assert f"payment {reference}/{number} TZS 30,000  settled" in done.stdout
    await world.quiet()
    assert await world.sql.count(premiums, premiums.c.Receipt == reference) == 1
    assert len(await world.sms_like(family.phones[0], reference)) == 1
    assert await world.sql.rows(select(inbox).where(inbox.c.id == known)) == kept
    acts = await world.sql.rows(select(audit).where(audit.c.subject == f"inbox:{known}"))
    assert {(row.actor, row.action) for row in acts} == {("Ester", "message.replayed")}
    assert sum(row.details["added"] for row in acts) == 1

    again = await run(world, aware(world, renewed), known)
    assert (again.returncode, "; 1 taken up" in again.stdout) == (0, False)
    assert await world.sql.count(premiums, premiums.c.Receipt == reference) == 1


async def test_all_of_a_window(world: World, renewed: Path) -> None:
    """Five payments refused, one of which came again by the old key meanwhile, one of another amount, and a forgery."""
    began = datetime.now(UTC) - timedelta(seconds=1)
    bills = await billed(world, 5)
    references = [new_reference() for _ in bills]
    for at, ((family, number, bill_id), reference) in enumerate(zip(bills, references, strict=True)):
        minor = 2_900_000 if at == 4 else 3_000_000
        raw = told(load_keys(renewed), family, number, bill_id, reference, minor)
        assert await world.post(raw) == (200, "7303")
    family, number, bill_id = bills[0]
    assert await world.post(told(load_keys(world.stack.keys), family, number, bill_id, references[0])) == (200, "7101")
    assert await world.post(b"<Gepg><pmtSpNtfReq></pmtSpNtfReq></Gepg>") == (200, "7303")
    await world.quiet()
    done = await run(world, aware(world, renewed), "--refused-since", began.isoformat())
    assert (done.returncode, done.stderr) == (1, ""), "one of another amount needs a person"
    ends = [line.split("  ")[-1] for line in done.stdout.splitlines() if " payment " in line]
    assert ends[:4] == ["duplicate", "settled", "settled", "settled"]
    assert ends[4].startswith("case, case ")
    assert ends[4].endswith("(PAY-AMOUNT)")
    assert "6 looked at: 5 taken up, 1 still refused; 1 of those taken up need a person" in done.stdout
    await world.quiet()
    for reference in references[:4]:
        assert await world.sql.count(premiums, premiums.c.Receipt == reference) == 1
    assert await world.sql.count(premiums, premiums.c.Receipt == references[4]) == 0
    done = await run(world, aware(world, renewed), "--refused-since", began.isoformat())
    assert (done.returncode, done.stdout) == (
        0,
        "1 looked at: 0 taken up, 1 still refused; 0 of those taken up need a person or another try\n",
    )
    done = await run(world, aware(world, renewed), "--refused-since", began.isoformat(), "--most", "1")
    assert done.returncode == 1
    assert "stopped at 1" in done.stdout


async def test_what_cannot_be_replayed_is_a_sentence(world: World) -> None:
    environment = dict(world.stack.environment)
    done = await run(world, environment, "nobodys")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "imis-gateway: there is no message nobodys\n")
    raw = b"<Gepg>" + b"<a/>" * 250_050
    assert (await world.post(raw))[0] == 413
    (large,) = await world.sql.rows(select(inbox.c.id).where(inbox.c.size == len(raw)))
    done = await run(world, environment, large.id)
    assert done.returncode == 1
    assert done.stderr == f"imis-gateway: only 1000000 of its {len(raw)} bytes were kept: they cannot be verified\n"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("a b",),
        ("x" * 41,),
        ("--refused-since", "yesterday"),
        ("known", "--refused-since", "2026-11-26"),
        ("known", "--most", "0"),
        ("known", "--by", " "),
    ],
    ids=" ".join,
)
def test_wrong_use(settings: dict[str, str], arguments: tuple[str, ...]) -> None:
    done = run_gateway("replay", *arguments, environment=settings)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
