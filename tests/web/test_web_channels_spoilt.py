"""Good requests of every channel with bytes lost, doubled, flipped and put in: always the wire's own answer."""

from __future__ import annotations

import random
from dataclasses import replace
from urllib.parse import quote_from_bytes

from channel_lines import CODE, Line, Request, each
from channel_world import HOME, House, house, told
from yarl import URL

PUT_IN = [
    b"%", b"%00", b"%2", b"&", b"=", b"<", b">", b"]]>", b"&#x0;", b"&amp;", b'"', b"\\u0000", b"\\ud800", b"{", b"[",
    b"null", b"NaN", b"\xff", "😀".encode(), b"*" * 50, b"#", b"<br>", b"<!--", b"<![CDATA[", b"9" * 3_000, b"\0",
]  # fmt: skip
PHONES = [b"null", b"0", b"", b"+255 754 987 654", b"255754987654" * 2]
IN_AN_ADDRESS = "%&=+*!$'()~.-_;,:@/?"  # everything else is escaped, as any HTTP client must
INSIDE = ("Error:", "Traceback", "Exception", "None", "lxml", "asyncio")
REQUESTS = 250


def spoilt(chance: random.Random, good: bytes) -> bytes:
    found = bytearray(good)
    for _ in range(chance.randint(1, 3)):
        at, to = sorted(chance.randint(0, len(found)) for _ in range(2))
        match chance.randrange(7):
            case 0:
                del found[at : min(to, at + 8)]
            case 1:
                found[at:at] = bytes([chance.randrange(256)])
            case 2:
                found[at : at + 1] = bytes(byte ^ (1 << chance.randrange(8)) for byte in found[at : at + 1])
            case 3:
                found[at:at] = found[at:to]
            case 4:
                del found[to:]
            case 5:
                found[at:at] = chance.choice(PUT_IN)
            case _:
                found = bytearray(bytes(found).replace(b"255754987654", chance.choice(PHONES)))
    return bytes(found)


def spoilt_request(chance: random.Random, at: House, kind: type[Line], number: int) -> Request:
    line = at.line(kind, f"s{number % 20}")
    line.turns, line.said = chance.randint(1, 4), ["1"] * chance.randrange(3)
    is_first = chance.random() < 0.5
    good = line.first(CODE + chance.choice(["", "#", "*1"])) if is_first else line.next(chance.choice("120#5"))
    if good.method == "POST":
        return replace(good, body=spoilt(chance, good.body))
    address, _, query = good.address.partition("?")
    return replace(good, address=f"{address}?{quote_from_bytes(spoilt(chance, query.encode()), IN_AN_ADDRESS)}")


@each
async def test_a_spoilt_request_gets_a_clear_answer_and_the_next_one_is_answered(kind: type[Line]) -> None:
    chance = random.Random(7)  # one seed, one run
    async with house(told()) as at:
        for number in range(REQUESTS):
            request = spoilt_request(chance, at, kind, number)
            address = URL(request.address, encoded=True)
            data = request.body if request.method == "POST" else None
            async with at.client.request(request.method, address, data=data) as response:
                body = (await response.read()).decode()
                assert response.status == 200, (request, body)
            assert body.strip()
            assert [word for word in INSIDE if word in body] == [], request
        assert len({wanted.key for wanted in at.told.wanted}) <= 1
        line = at.line(kind, "after", "255754111222")
        assert (await line.dial()).text.startswith(HOME)
