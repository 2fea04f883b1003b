"""How soon a serving process is ready, printed, and what it weighs: of that gross faults are asserted."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import aiohttp
from ports import free_ports
from processes_harness import Child, Phone, Sql, gateway_command, new_families


async def test_startup_and_memory(backend: str, settings: dict[str, str], fresh_database: Any, tmp_path: Path) -> None:
    url = fresh_database()
    sql = Sql(url)
    families = await new_families(sql, 50, members=1)
    await sql.close()
    ready = []
    for attempt in range(2):
        public, operator = free_ports(2)
        base = f"http://127.0.0.1:{public}"
        child = Child(
            f"serve{attempt}",
            gateway_command("serve", "--public-port", str(public), "--operator-port", str(operator)),
            {**settings, "GATEWAY_DATABASE__URL": url},
            tmp_path / f"serve{attempt}.log",
            f"{base}/readyz",
        )
        started = time.monotonic()
        child.start()
        try:
            child.wait_ready()
            ready.append(time.monotonic() - started)
            idle_kb = child.resident_kb()
            async with aiohttp.ClientSession() as client:
                for _ in range(5):
                    phones = [Phone(client, [base], family.phones[0]) for family in families]
                    screens = await asyncio.gather(*(phone.dial() for phone in phones))
                    screens += await asyncio.gather(*(phone.press("1") for phone in phones))
                    assert {screen.status for screen in screens} == {200}
            busy_kb = child.resident_kb()
        finally:
            assert child.stop() == 0
    print(
        f"\n[{backend}] serve: ready after {', '.join(f'{s:.2f}' for s in ready)} s;"
        f" resident {idle_kb / 1024:.0f} MB idle, {busy_kb / 1024:.0f} MB after 500 requests"
    )
    assert busy_kb < 300 * 1024
