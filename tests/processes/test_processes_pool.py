"""Ready and revived numbers between real processes, in both generations: GePG is down, and the caller gets one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ports import free_ports
from processes_harness import Child, Family, Stack, World, gateway_command, run_gateway, until
from sqlalchemy import select

from adapters.registry.openimis.tables import premiums
from gateway.store.tables import bill, bill_fact, case, pool_number

PROCESSES = {"sqlite": (1, 0), "postgresql": (2, 2)}  # serving, working


@pytest.fixture(scope="module", params=["v4", "v5"])
def stack(
    backend: str,
    settings: dict[str, str],
    fresh_database: Any,
    keys: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Stack]:
    """A gateway that keeps a pool, and a sandbox that answers it in its generation."""
    logs = tmp_path_factory.mktemp(f"logs-pool-{request.param}-{backend}")
    serving, working = PROCESSES[backend]
    own, *ports = free_ports(1 + 2 * serving + working)
    publics, operators, workers = ports[:serving], ports[serving : 2 * serving], ports[2 * serving :]
    bases, sandbox_url = [f"http://127.0.0.1:{port}" for port in publics], f"http://127.0.0.1:{own}"
    environment = {
        **settings,
        "GATEWAY_DATABASE__URL": fresh_database(),
        "GATEWAY_GEPG__VERSION": request.param,
        "GATEWAY_GEPG__PAYER_PHONE": "255222000000",
        "GATEWAY_GEPG__URL": f"{sandbox_url}/gepg",
        "GATEWAY_AFRICASTALKING__SMS_URL": f"{sandbox_url}/africastalking/version1/messaging",
        "GATEWAY_POOL__ENABLED": "true",
        "GATEWAY_POOL__LOW": "0",
        "GATEWAY_POOL__HIGH": "0",
        "GATEWAY_POOL__PRODUCTS": '{"CHFDOM": {"low": 4, "high": 6}}',
        "GATEWAY_POOL__EVERY_S": "0.5",
    }

    def child(name: str, command: list[str], port: int) -> Child:
        return Child(name, command, environment, logs / f"{name}.log", f"http://127.0.0.1:{port}/readyz")

    played = ["-m", "sandbox", "serve", "--port", str(own), "--keys", str(keys), "--gateway", ",".join(bases)]
    made = Stack(
        backend=backend,
        url=environment["GATEWAY_DATABASE__URL"],
        keys=keys,
        environment=environment,
        sandbox=child("sandbox", [sys.executable, *played, "--gepg-delay-s", "0.1"], own),
        sandbox_url=sandbox_url,
        serving=[
            child(
                f"serve{at}", gateway_command("serve", "--public-port", str(at), "--operator-port", str(operator)), at
            )
            for at, operator in zip(publics, operators, strict=True)
        ],
        workers=[child(f"work{at}", gateway_command("work", "--operator-port", str(at)), at) for at in workers],
        bases=bases,
        operators=[f"http://127.0.0.1:{port}" for port in operators],
        lease_s=float(settings["GATEWAY_WORKER__LEASE_S"]),
        sms_window=int(settings["GATEWAY_WORKER__SMS_WINDOW"]),
    )
    try:
        for each in made.children:
            each.start()
        made.wait_ready()
        yield made
    finally:
        codes = {each.name: each.stop() for each in reversed(made.children) if each.process is not None}
    assert not any(codes.values()), f"every process ends well when asked to: {codes}"


async def full(world: World) -> set[str]:
    """The ready numbers, once the pool is at its high mark or was and lost a few."""

    async def ready() -> bool:
        return await world.sql.count(pool_number, pool_number.c.state == "ready") >= 4

    await until(ready, "a pool of ready numbers")
    await world.quiet()
    rows = await world.sql.rows(select(pool_number.c.control_number).where(pool_number.c.state == "ready"))
    return {row.control_number for row in rows}


async def bills_of(world: World, family: Family) -> list[Any]:
    return list(await world.sql.rows(select(bill).where(bill.c.family_id == family.id).order_by(bill.c.generation)))


async def expire(world: World, family: Family) -> None:
    async with world.sql.writing() as db:
        past = datetime.now(UTC) - timedelta(minutes=1)
        await db.execute(bill.update().where(bill.c.family_id == family.id).values(expires_at=past))


async def test_a_caller_gets_a_number_while_gepg_is_down_and_pays_it(world: World) -> None:
    ready = await full(world)
    family = await world.family()
    await world.fault("bill_submission", "drop", times=10_000)
    screen = await world.phone(family.phones[0]).ask_for_number()
    assert (screen.kind, screen.control_number in ready) == ("CON", True), screen.text
    (ours,) = await bills_of(world, family)
    assert (ours.state, ours.control_number) == ("numbered", screen.control_number)
    again = await world.phone(family.phones[0]).ask_for_number()
    assert again.control_number == screen.control_number
    assert (await world.pay(screen.control_number, family.phones[0], "29000.00"))["code"] == "7302", "exact at GePG too"
    paid = await world.pay(screen.control_number, family.phones[0])
    assert paid["status"] == "paid"

    async def told() -> list[str]:
        return await world.sms_like(family.phones[0], paid["pay_ref_id"])

    await until(told, "the SMS that says covered")
    assert await world.sql.count(premiums, premiums.c.Receipt == paid["pay_ref_id"]) == 1
    (ours,) = await bills_of(world, family)
    assert (ours.state, ours.paid_minor) == ("paid", 3_000_000)
    assert await world.sql.count(case, case.c.bill_id == ours.id) == 0
    await world.no_faults()


async def test_money_for_a_number_that_nobody_was_given_is_a_case(world: World) -> None:
    number = sorted(await full(world))[-1]
    stranger = await world.family()
    paid = await world.pay(number, stranger.phones[0])
    assert paid["status"] == "paid"
    await world.quiet()
    cases = await world.sql.rows(select(case.c.kind).where(case.c.subject == f"payment:{paid['pay_ref_id']}/{number}"))
    assert [row.kind for row in cases] == ["unknown_control_number"]
    assert await world.sql.count(premiums, premiums.c.Receipt == paid["pay_ref_id"]) == 0
    assert (
        await world.sql.count(pool_number, pool_number.c.control_number == number, pool_number.c.state == "spent") == 1
    )


async def test_an_expired_number_is_revived_and_paid(world: World) -> None:
    family = await world.family()
    number = await world.number_for(family)
    await expire(world, family)
    screen = await world.phone(family.phones[0]).ask_for_number()
    assert screen.control_number == number, screen.text
    old, new = await bills_of(world, family)
    assert (old.state, old.control_number, new.state, new.control_number) == ("expired", None, "numbered", number)
    paid = await world.pay(number, family.phones[0])
    assert paid["status"] == "paid"
    await world.quiet()
    _, new = await bills_of(world, family)
    assert new.state == "paid"
    assert await world.sql.count(premiums, premiums.c.Receipt == paid["pay_ref_id"]) == 1


async def test_a_number_that_gepg_does_not_revive_is_replaced_by_itself(world: World) -> None:
    family = await world.family()
    number = await world.number_for(family)
    await expire(world, family)
    unknown = number[:-4] + f"{(int(number[-4:]) + 5000) % 10_000:04}"
    async with world.sql.writing() as db:
        await db.execute(bill.update().where(bill.c.family_id == family.id).values(control_number=unknown))
    screen = await world.phone(family.phones[0]).ask_for_number()
    assert len(screen.control_number) == 12, screen.text
    assert screen.control_number not in (number, unknown)
    _, new = await bills_of(world, family)
    assert (new.state, new.reuses) == ("numbered", None)
    (fact,) = await world.sql.rows(
        select(bill_fact.c.details).where(bill_fact.c.bill_id == new.id, bill_fact.c.fact == "not_reused")
    )
    assert (fact.details["control_number"], fact.details["code"]) == (unknown, "7335")


async def test_the_command_shows_the_pool(world: World) -> None:
    await full(world)
    done = run_gateway("bills", "pool", environment=world.stack.environment)
    assert done.returncode == 0, done.stderr
    heading, line, last = done.stdout.strip().splitlines()
    assert heading.split() == ["product", "asked", "ready", "bound", "refused", "retired", "spent"]
    code, _, ready, *_ = line.split()
    assert (code, last) == ("CHFDOM", f"{ready} ready to be handed out")
    assert int(ready) >= 4
