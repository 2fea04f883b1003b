"""A closed-loop client: so many phones at once, each playing the dialogue over one keep-alive connection.

Raw sockets and a ready-made request, so that the client costs little beside the server it measures.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import uuid4

DIALOGUE: Sequence[tuple[str, bytes]] = (  # cumulative text, and what the reply must hold
    ("", b"CON Bima ya CHF: HAI"),  # cover, and the menu
    ("5", b"CON Huduma nyingine"),  # another menu
    ("5*0", b"CON Bima ya CHF: HAI"),  # back
    ("5*0*5", b"CON Huduma nyingine"),  # and once more
    ("5*0*5*2", b"CON Lugha"),  # one further on
)


@dataclass(slots=True)
class Result:
    steps: int = 0
    wrong: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.steps / self.seconds

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


def _request(session: str, msisdn: str, text: str) -> bytes:
    form = {
        "sessionId": session,
        "phoneNumber": msisdn,
        "networkCode": "64004",
        "serviceCode": "*152*00#",
        "text": text,
    }
    body = urlencode(form).encode()
    head = (
        "POST /ussd/africastalking/demo HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _phone(port: int, phones: Sequence[str], until: float, check: bool, result: Result) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        turn = 0
        while time.perf_counter() < until:
            session = f"ATUid_{uuid4().hex}"
            msisdn = phones[turn % len(phones)]
            turn += 1
            for text, expected in DIALOGUE:
                sent = time.perf_counter()
                writer.write(_request(session, msisdn, text))
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                result.latencies.append(time.perf_counter() - sent)
                result.steps += 1
                if check and not body.startswith(expected):
                    result.wrong += 1
    finally:
        writer.close()


async def measure(port: int, phones: Sequence[str], seconds: float, at_once: int, check: bool) -> Result:
    """Steps per second, latencies and wrong replies over ``seconds`` with ``at_once`` phones."""
    result = Result()
    started = time.perf_counter()
    await asyncio.gather(
        *(
            _phone(port, [*phones[n % len(phones) :], *phones[: n % len(phones)]], started + seconds, check, result)
            for n in range(at_once)
        )
    )
    result.seconds = time.perf_counter() - started
    return result
