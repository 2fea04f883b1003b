"""The USSD address over real HTTP: always a screen, nothing run twice, nothing of one phone for another."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
from channel_world import in_flight
from pytest_aiohttp import AiohttpClient
from web_world import (
    ADDRESS,
    BILL,
    CHFID,
    FAMILY,
    KNOWN,
    NUMBER,
    OTHER_PHONE,
    PAYABLE,
    PHONE,
    STRANGER,
    UNNUMBERED,
    Broken,
    Dial,
    Languages,
    Numbers,
    Phone,
    Registry,
    World,
    form,
    until,
)

from adapters.sessions.memory import MemorySessions
from gateway.domain.bill import Bill, BillState
from gateway.domain.chfid import with_check_digit
from gateway.domain.effects import AnswerBySms
from gateway.domain.ussd.effects import RequestBill
from gateway.domain.ussd.machine import Ask
from gateway.service.answer_ussd import Budget
from gateway.service.bounded import Bounded
from gateway.web import bodies

HOME = "CON Bima IMEISHA\ntangu 31/05/2026\n1 Lipia bima\n2 Namba ya malipo\n3 Familia yangu\n4 Malipo yangu\n5 Mengine"
CONFIRM_START = "CON CHF Iliyoboreshwa\nLipa TZS 30,000\n"
GIVEN = (
    "CON Namba ya malipo:\n9941 8000 0017\nLipa TZS 30,000\nMwisho 22/12/2026\nUmetumiwa pia kwa SMS.\n"
    "1 Kulipa kwa simu\n2 Kulipa benki\n0 Rudi"
)
LATER = "END Samahani, hatuwezi kujibu sasa. Tafadhali piga tena baada ya dakika chache."
COVER_ONLY = "END Bima IMEISHA\ntangu 31/05/2026\nKwa huduma nyingine piga tena baadaye."
BY_SMS = "END Samahani, jibu linachelewa. Tutakutumia kwa SMS. Usipige tena sasa."
TROUBLE = "END Samahani, kuna tatizo. Tafadhali piga tena baadaye."
UNREADABLE = "END Samahani, ombi halikueleweka. Tafadhali piga tena."
BUSY = "END Huduma ina watu wengi sasa. Tafadhali piga tena baada ya dakika chache."


async def test_dial_renew_number(dial: Dial) -> None:
    world = World()
    phone = await dial(world)
    assert await phone.send("") == HOME
    assert (await phone.send("1")).startswith(CONFIRM_START)
    assert await phone.send("1*1") == GIVEN
    assert [(w.key, w.amount_minor, w.msisdn, w.language) for w in world.numbers.wanted] == [
        ("family:7/product:3/after:12", 3_000_000, PHONE, "sw")
    ]


async def test_a_get_carries_a_turn_too(dial: Dial) -> None:
    phone = await dial(World())
    for text, start in (("", HOME), ("1", CONFIRM_START)):
        async with phone.client.get(ADDRESS, params=form(text)) as response:
            assert response.status == 200
            assert (await response.text()).startswith(start)


async def test_a_get_is_unescaped_once(dial: Dial) -> None:
    """``%2531`` is a percent sign, a 3 and a 1: no answer of this menu, and not the key 1."""
    phone = await dial(World())
    await phone.send("")
    async with phone.client.get(f"{ADDRESS}?{urlencode(form('%31'))}") as response:
        assert (await response.text()).startswith("CON Si sahihi.")


# -------------------------------------------------------------------------------------------------------- who may call


@pytest.mark.parametrize(
    "path",
    ["/ussd/africastalking/wrong", "/ussd/africastalking/", "/ussd/africastalking", "/ussd/beem/hushhush-3f9a",
     "/ussd/africastalking/hushhush-3f9", "/ussd/africastalking/hushhush-3f9a/more", "/ussd/africastalking/%FF%00",
     "/ussd/africastalking/%E2%98%83", "/ussd/Africastalking/hushhush-3f9a", "/ussd/africastalking/HUSHHUSH-3F9A"],
)  # fmt: skip
@pytest.mark.parametrize("end", ["", "/end"])
async def test_another_address_is_not_there(dial: Dial, path: str, end: str) -> None:
    world = World()
    phone = await dial(world)
    async with phone.client.post(path + end, data=form()) as response:
        assert response.status == 404
        assert "Bima" not in await response.text()
    assert world.registry.asked == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"])
async def test_another_method_is_not_allowed(dial: Dial, method: str) -> None:
    phone = await dial(World())
    async with phone.client.request(method, ADDRESS) as response:
        assert response.status == 405


@pytest.mark.parametrize(
    ("networks", "status"),
    [
        ([], 200),
        (["127.0.0.0/8"], 200),
        (["10.0.0.0/8"], 404),
        (["::1/128"], 404),
        (["10.0.0.0/8", "127.0.0.1/32"], 200),
    ],
)
async def test_only_allowed_networks_may_call(dial: Dial, networks: list[str], status: int) -> None:
    phone = await dial(World(networks=[ipaddress.ip_network(network) for network in networks]))
    for path in (ADDRESS, f"{ADDRESS}/end"):
        async with phone.client.post(path, data=form(), headers={"X-Forwarded-For": "10.1.1.1"}) as response:
            assert response.status == status


async def test_the_word_that_a_session_ended_is_taken(dial: Dial) -> None:
    world = World()
    phone = await dial(world)
    ended = {"sessionId": "ATUid_1", "status": "Incomplete", "input": "1*1", "lastAppResponse": HOME}
    async with phone.client.post(f"{ADDRESS}/end", data=ended) as response:
        assert (response.status, await response.read()) == (200, b"")
    assert world.registry.asked == []


# ------------------------------------------------------------------------------------------------- what cannot be read

ODD_BODIES = [
    ("an empty body", b""),
    ("JSON", b'{"sessionId": "a"}'),
    ("no session", urlencode({k: v for k, v in form().items() if k != "sessionId"}).encode()),
    ("no phone", urlencode({k: v for k, v in form().items() if k != "phoneNumber"}).encode()),
    ("no text", urlencode({k: v for k, v in form().items() if k != "text"}).encode()),
    ("a foreign phone", urlencode(form(phone="+254712345678")).encode()),
    ("letters for a phone", urlencode(form(phone="Asha")).encode()),
    ("bytes that are not UTF-8", urlencode(form()).encode() + b"\xff\xfe"),
    ("escapes that are not UTF-8", urlencode(form()).encode() + b"%FF"),
    ("NULs", b"\0" * 100),
    ("70 kB", urlencode(form("9" * 70_000)).encode()),
    ("two phones", urlencode(form()).encode() + b"&phoneNumber=%2B255754111222"),
    ("an escape that is none", b"%%%&%=%"),
]


@pytest.mark.parametrize("body", [body for _, body in ODD_BODIES], ids=[name for name, _ in ODD_BODIES])
async def test_what_is_no_turn_gets_a_clear_last_screen(dial: Dial, body: bytes) -> None:
    world = World()
    phone = await dial(world)
    assert await phone.post(body) == UNREADABLE
    assert world.registry.asked == []
    assert await phone.send("") == HOME, "the next one is answered"


@pytest.mark.parametrize("text", ["Asha", "9" * 10_000, "*" * 10_000, "#*#*#", "１", "😀", " ", "{family.state}", "\0"])
async def test_whatever_is_typed_gets_a_screen(dial: Dial, text: str) -> None:
    phone = await dial(World())
    await phone.send("")
    assert (await phone.send(text)).startswith(("CON ", "END "))


async def test_an_answer_of_10_kb_is_wrong_and_no_more(dial: Dial) -> None:
    world = World()
    phone = await dial(world)
    await phone.send("")
    assert (await phone.send("9" * 10_000)).startswith("CON Si sahihi. Jaribu tena.\nBima IMEISHA\n")
    assert len(world.registry.asked) == 1


# --------------------------------------------------------------------------------------------- the same turn once more


async def test_a_repeated_callback_gets_the_same_bytes_and_runs_nothing(dial: Dial) -> None:
    world = World()
    phone = await dial(world)
    for text in ("", "1", "1*1"):
        first = await phone.send(text)
        asked = len(world.registry.asked)
        for _ in range(3):
            assert await phone.send(text) == first
        assert len(world.registry.asked) == asked
    assert len(world.numbers.wanted) == 1


@pytest.mark.parametrize("texts", [[""], ["", "1"], ["", "1", "1*1"]], ids=["dial", "quote", "bill"])
async def test_two_identical_callbacks_at_once_get_one_reply(dial: Dial, texts: list[str]) -> None:
    world = World()
    phone = await dial(world)
    for text in texts[:-1]:
        await phone.send(text)
    asked = len(world.registry.asked)
    world.registry.held = asyncio.Event()
    twins = [asyncio.create_task(phone.send(texts[-1])) for _ in range(3)]
    if texts[-1] != "1*1":  # the number needs no fact of the registry
        await until(lambda: in_flight() == 3)
        assert len(world.registry.asked) == asked + 1
    world.registry.held.set()
    replies = await asyncio.gather(*twins)
    assert len(set(replies)) == 1
    assert len(world.registry.asked) <= asked + 1
    assert len(world.numbers.wanted) == texts.count("1*1")


@pytest.mark.parametrize("late", ["", "1", "1*00"])
async def test_an_earlier_turn_that_comes_late_moves_nothing(dial: Dial, late: str) -> None:
    world = World()
    phone = await dial(world)
    for text in ("", "1", "1*00", "1*00*1"):
        stands = await phone.send(text)
    asked = len(world.registry.asked)
    assert await phone.send(late) == stands
    assert len(world.registry.asked) == asked
    assert await phone.send("1*00*1*1") == GIVEN, "the conversation goes on from where it stood"


async def test_another_transcript_under_the_same_session_is_another_conversation(dial: Dial) -> None:
    world = World(registry=Registry({"caller": KNOWN, "quote": PAYABLE, "enquiry": {"state": "none"}}))
    phone = await dial(world)
    for text in ("", "1"):
        await phone.send(text)
    assert await phone.send(f"5*1*{CHFID}") == "END Namba hii haina bima."


@pytest.mark.parametrize("text", ["1*1", "1*1*1*1", "2*1*1", "*".join(["00"] * 20) + "*1*1"])
async def test_a_session_that_nobody_holds_stops_at_the_confirmation(dial: Dial, text: str) -> None:
    """After a restart of the session store, or dialled ahead: nothing is billed that was not confirmed here."""
    world = World(registry=Registry({"caller": KNOWN, "quote": PAYABLE, "bill": {"state": "none"}}))
    phone = await dial(world)
    assert (await phone.send(text)).startswith(CONFIRM_START)
    assert world.numbers.wanted == []
    assert await phone.send(f"{text}*1") == GIVEN


async def test_a_transcript_longer_than_a_conversation_is_cut(dial: Dial) -> None:
    world = World()
    phone = await dial(world)
    reply = await phone.send("*".join(["5", "2", "1"] * 1_000))
    assert reply.startswith(("CON ", "END "))
    assert len(world.registry.asked) == 1


async def test_a_session_of_another_phone_is_another_conversation(dial: Dial) -> None:
    """Session ids are the aggregator's: one that is forged or used again shows nothing of the first phone."""
    told = {PHONE: KNOWN, OTHER_PHONE: STRANGER}
    world = World(registry=Registry({"caller": lambda ask: told[dict(ask.args)["msisdn"]], "quote": PAYABLE}))
    mine = await dial(world)
    await mine.send("")
    await mine.send("1")
    other = Phone(mine.client, mine.session, OTHER_PHONE)
    for text in ("1*1", "1", ""):
        reply = await other.send(text)
        assert "30,000" not in reply
        assert "IMEISHA" not in reply
    assert world.numbers.wanted == []
    assert await mine.send("1*1") == GIVEN, "and the first goes on undisturbed"


async def test_the_language_is_kept_for_the_next_call(dial: Dial) -> None:
    world = World()
    phone = await dial(world)
    await phone.send("")
    await phone.send("5")
    await phone.send("5*2")
    assert (await phone.send("5*2*2")).startswith("CON Insurance ENDED\n")
    assert world.languages.kept == {PHONE: "en"}


# --------------------------------------------------------------------------------------------------- when things break


async def test_more_callers_than_the_bound_get_a_polite_end_at_once(dial: Dial) -> None:
    world = World(in_flight=2)
    world.registry.held = asyncio.Event()
    phone = await dial(world)
    inside = [asyncio.create_task(Phone(phone.client, f"s{n}").send("")) for n in range(2)]
    await until(lambda: len(world.registry.asked) == 2)
    assert await asyncio.gather(*(Phone(phone.client, f"t{n}").send("") for n in range(5))) == [BUSY] * 5
    assert not any(caller.done() for caller in inside), "at once, not when a place is free"
    assert len(world.registry.asked) == 2
    world.registry.held.set()
    assert await asyncio.gather(*inside) == [HOME, HOME], "those inside are answered"
    assert await phone.send("") == HOME, "and there is room again"


async def test_a_caller_who_hangs_up_gives_his_place_back(dial: Dial) -> None:
    world = World(in_flight=1, budget=Budget(total_s=0.5, fact_s=0.2))
    world.registry.held = asyncio.Event()
    phone = await dial(world)
    gone = asyncio.create_task(phone.send(""))
    await until(lambda: len(world.registry.asked) == 1)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    await until(lambda: in_flight() == 0)
    world.registry.held.set()
    assert await phone.send("") == HOME


async def test_a_slow_registry_costs_a_screen_not_the_call(dial: Dial) -> None:
    world = World(budget=Budget(total_s=0.6, fact_s=0.1))
    phone = await dial(world)
    await phone.send("")
    world.registry.held = asyncio.Event()
    async with asyncio.timeout(5):
        assert await phone.send("1") == BY_SMS
    assert await Phone(phone.client, "another").send("") == BY_SMS


async def test_a_channel_in_a_hurry_shortens_the_budget(dial: Dial) -> None:
    """However generous the settings, the reply comes within the channel's own deadline (here ten seconds)."""
    world = World(budget=Budget(total_s=0.3, fact_s=60))
    world.registry.held = asyncio.Event()
    phone = await dial(world)
    async with asyncio.timeout(5):
        assert await phone.send("") == BY_SMS


async def test_the_waits_of_one_reply_do_not_add_up(dial: Dial) -> None:
    """Each fact comes within its own time; the second would come when the reply is due."""

    class Slow(Registry):
        async def answer(self, ask: Ask) -> dict[str, Any]:
            await asyncio.sleep(0.25)
            return await super().answer(ask)

    registry = Slow({"caller": KNOWN, "quote": PAYABLE})
    phone = await dial(World(registry=registry, budget=Budget(total_s=0.5, fact_s=0.4)))
    assert await phone.send("1") == BY_SMS
    assert [ask.fact for ask in registry.asked] == ["caller"]


FAILURES = [ConnectionError("redis://:pass@10.0.0.1 refused"), TimeoutError("late"), OSError("disk"), ValueError("odd")]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda f: type(f).__name__)
async def test_a_registry_that_raises_costs_a_screen(dial: Dial, failure: Exception) -> None:
    phone = await dial(World(registry=Registry({"caller": failure})))
    assert await phone.send("") == BY_SMS


async def test_the_promise_is_in_the_database_before_it_is_shown(dial: Dial) -> None:
    world = World(registry=Registry({"caller": KNOWN, "quote": TimeoutError("late")}))
    phone = await dial(world)
    await phone.send("")
    assert await phone.send("1") == BY_SMS
    (promised,) = (known.effect for known in world.languages.promised.values())
    assert isinstance(promised, AnswerBySms)
    assert (promised.fact, promised.args, promised.msisdn) == ("quote", {"family_id": 7}, PHONE)


async def test_a_promise_that_is_not_committed_is_not_made(dial: Dial) -> None:
    world = World(
        registry=Registry({"caller": TimeoutError("late")}), languages=Languages(broken=ConnectionError("gone"))
    )
    phone = await dial(world)
    assert await phone.send("") == LATER
    assert world.languages.promised == {}
    world.languages.broken = None
    assert await phone.send("") == BY_SMS, "the turn was not taken: said again, it is run again"


async def test_a_phone_that_was_promised_enough_is_promised_no_more(dial: Dial) -> None:
    world = World(registry=Registry({"caller": STRANGER, "enquiry": TimeoutError("late")}))
    said = []
    for number in ("100000014", "100000025", "100000036", "100000047", "100000014"):
        phone = await dial(world)
        phone.session = f"s{len(said)}"
        await phone.send("")
        await phone.send("1")
        said.append(await phone.send(f"1*{with_check_digit(int(number[:8]))}"))
    assert said == [BY_SMS, BY_SMS, BY_SMS, LATER, BY_SMS], "the first question is open, so its promise holds"
    assert len(world.languages.promised) == 3


async def test_a_phone_that_plays_with_us_closes_no_door_to_others(dial: Dial) -> None:
    """Promises that a rule refuses are no failures of the database."""
    late = TimeoutError("late")
    world = World(registry=Registry({"caller": STRANGER, "enquiry": late}))
    client = (await dial(world)).client

    async def enquire(number: int, phone: str) -> str:
        line = Phone(client, f"s{number}", phone)
        await line.send("")
        await line.send("1")
        return await line.send(f"1*{with_check_digit(number)}")

    said = [await enquire(number, PHONE) for number in range(10_000_001, 10_000_012)]
    assert said == [BY_SMS] * 3 + [LATER] * 8
    assert await enquire(10_000_001, OTHER_PHONE) == BY_SMS


async def test_numbers_that_were_paid_meanwhile_close_no_door_to_others(dial: Dial) -> None:
    """Nor is what a rule refuses a failure of the database elsewhere."""
    numbered = {"state": "numbered", "number": NUMBER, "amount": 3_000_000, "expires": "2026-12-22"}
    world = World(registry=Registry({"caller": KNOWN, "bill": numbered}), languages=Paid())
    client = (await dial(world)).client

    async def how(number: int) -> str:
        line = Phone(client, f"s{number}")
        await line.send("")
        await line.send("2")
        return await line.send("2*1")

    assert [await how(number) for number in range(7)] == [LATER] * 7
    Paid.state = BillState.NUMBERED
    assert (await how(8)).startswith("END Piga *150*00# (M-Pesa)")


class Paid(Languages):
    """A database in which the number was paid meanwhile, until it is told otherwise."""

    state = BillState.PAID

    async def by_control_number(self, number: str) -> Bill:
        return replace(BILL, state=self.state)


async def test_what_fails_in_a_row_is_left_alone(dial: Dial) -> None:
    """After five failures nobody waits for the registry, but for the one who tries it each two seconds."""
    world = World(registry=Registry({"caller": TimeoutError("late")}))
    phone = await dial(world)
    assert [await Phone(phone.client, f"s{n}").send("") for n in range(30)] == [BY_SMS] * 30
    assert 5 <= len(world.registry.asked) <= 10


async def test_a_last_screen_is_shown_though_its_session_cannot_be_kept(dial: Dial) -> None:
    """What it speaks of is committed; a conversation that goes on could not go on."""
    world = World(sessions=Forgetful(forget_after=2), numbers=Numbers([UNNUMBERED]))
    phone = await dial(world)
    await phone.send("")
    await phone.send("1")
    by_sms = "END Ombi limepokelewa. Namba ya malipo itakuja kwa SMS. Usiombe tena."
    assert await phone.send("1*1") == by_sms
    assert await phone.send("1*1") == by_sms, "said again it is run again, and is the same bill"
    assert {w.key for w in world.numbers.wanted} == {"family:7/product:3/after:12"}


class Forgetful(MemorySessions):
    """Keeps the first sessions that it is given, and then is gone for writing."""

    def __init__(self, forget_after: int) -> None:
        super().__init__()
        self._left = forget_after

    async def save(self, key: str, value: bytes, ttl_s: int) -> None:
        if self._left <= 0:
            raise ConnectionError("gone")
        self._left -= 1
        await super().save(key, value, ttl_s)


class Stuck(MemorySessions):
    """Never answers: on reading, or on writing."""

    def __init__(self, on_load: bool) -> None:
        super().__init__()
        self._on_load = on_load

    async def load(self, key: str) -> bytes | None:
        if self._on_load:
            await asyncio.Event().wait()
        return None

    async def save(self, key: str, value: bytes, ttl_s: int) -> None:
        await asyncio.Event().wait()


@pytest.mark.parametrize(("on_load", "screen"), [(True, LATER), (False, COVER_ONLY)], ids=["load", "save"])
async def test_a_session_store_that_never_answers_ends_with_the_budget(dial: Dial, on_load: bool, screen: str) -> None:
    phone = await dial(World(sessions=Stuck(on_load), budget=Budget(total_s=0.3)))
    async with asyncio.timeout(5):
        assert await phone.send("") == screen


async def test_a_look_up_that_cannot_be_stopped_ends_with_the_budget(dial: Dial) -> None:
    """As a driver that gives back its connection to a server that hangs."""
    let_go = asyncio.Event()

    class Deaf(Registry):
        async def answer(self, ask: Ask) -> dict[str, Any]:
            return await room.run(self._deaf)

        async def _deaf(self) -> dict[str, Any]:
            try:
                await asyncio.Event().wait()
            finally:
                await let_go.wait()
            return {}

    room = Bounded(1)
    phone = await dial(World(registry=Deaf({}), budget=Budget(total_s=0.4, fact_s=0.1)))
    async with asyncio.timeout(5):
        assert await phone.send("") == BY_SMS
        assert await Phone(phone.client, "another").send("") == BY_SMS, "nor does the next one, who finds no place"
    let_go.set()
    async with asyncio.timeout(5):
        assert await room.run(partial(asyncio.sleep, 0, "free")) == "free", "its place is free once it is over"


@pytest.mark.parametrize(
    ("failure", "screen"),
    [
        (ConnectionError("10.0.0.1 refused"), COVER_ONLY),
        (TimeoutError("late"), COVER_ONLY),
        (ValueError("odd"), TROUBLE),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("on_load", [True, False], ids=["load", "save"])
async def test_a_session_store_that_raises_costs_the_menu_not_the_cover(
    dial: Dial, failure: Exception, screen: str, on_load: bool
) -> None:
    phone = await dial(World(sessions=Broken(failure, on_load)))
    assert await phone.send("") == screen


SEVERAL = {**KNOWN, "count": 2, "families": [*KNOWN["families"], {**FAMILY, "id": 8}]}
AN_OFFICER = {**KNOWN, "officer": True, "officer_count": 1, "officers": [{"id": 3, "code": "EO3", "label": "A EO3"}]}


@pytest.mark.parametrize(
    ("caller", "text", "screen"),
    [
        ({**KNOWN, "language": "en"}, "", "END Insurance ENDED\non 31/05/2026\nFor other services dial again later."),
        (TimeoutError("late"), "", BY_SMS),
        (STRANGER, "", LATER),
        (SEVERAL, "", LATER),
        (AN_OFFICER, "", LATER),
        (KNOWN, "1", LATER),
    ],
    ids=["in his language", "late", "a stranger", "of several families", "an officer's", "further on than the dial"],
)
async def test_what_a_phone_is_told_while_no_session_is_held(
    dial: Dial, caller: dict[str, Any] | Exception, text: str, screen: str
) -> None:
    world = World(registry=Registry({"caller": caller, "quote": PAYABLE}), sessions=Broken(ConnectionError("gone")))
    phone = await dial(world)
    assert await phone.send(text) == screen


async def test_a_number_is_told_though_its_session_cannot_be_kept(dial: Dial) -> None:
    """It was asked for and is there: how to pay it is another call's."""
    world = World(sessions=Forgetful(forget_after=2))
    phone = await dial(world)
    await phone.send("")
    await phone.send("1")
    number = GIVEN[: GIVEN.index("1 Kulipa")].replace("CON", "END")
    assert await phone.send("1*1") == f"{number}Kwa huduma nyingine piga tena baadaye."
    assert await phone.send("1*1") == f"{number}Kwa huduma nyingine piga tena baadaye.", "said again, the same bill"


async def test_a_stored_session_that_cannot_be_read_begins_anew(dial: Dial) -> None:
    world = World()
    for rubbish in (b"", b"rubbish", b"[1]", b"\xff", b"[" * 1_000):
        await world.sessions.save(f"africastalking:{PHONE}:ATUid_1", rubbish, 60)
        phone = await dial(world)
        assert await phone.send("") == HOME


async def test_a_bill_that_cannot_be_made_now_is_promised(dial: Dial) -> None:
    """With what was agreed to, once it is promised however often it is said, and without a try where the bills rest."""
    world = World(numbers=Numbers([ConnectionError("the registry hangs")]))
    phone = await dial(world)
    for n in range(8):
        each = Phone(phone.client, f"s{n}")
        await each.send("")
        await each.send("1")
        assert await each.send("1*1") == "END Ombi limepokelewa. Namba ya malipo itakuja kwa SMS. Usiombe tena."
    (promised,) = [known.effect for known in world.languages.promised.values()]
    assert isinstance(promised, AnswerBySms)
    agreed = {"bill_key": "family:7/product:3/after:12", "family_id": 7, "amount_minor": 3_000_000}
    assert (promised.fact, promised.args) == ("control_number", agreed)
    assert (promised.msisdn, promised.language) == (PHONE, "sw")
    assert len(world.numbers.wanted) == 5


async def test_a_bill_that_hangs_leaves_time_for_its_promise(dial: Dial) -> None:
    class Hanging(Numbers):
        async def __call__(self, wanted: RequestBill, now: datetime) -> Bill | None:
            await asyncio.Event().wait()
            return None

    phone = await dial(World(numbers=Hanging(), budget=Budget(total_s=1.0)))
    await phone.send("")
    await phone.send("1")
    async with asyncio.timeout(5):
        assert await phone.send("1*1") == "END Ombi limepokelewa. Namba ya malipo itakuja kwa SMS. Usiombe tena."


async def test_what_was_not_committed_is_not_promised(dial: Dial) -> None:
    """Neither the bill nor the promise of one."""
    down = ConnectionError("the database is down")
    world = World(numbers=Numbers([down, UNNUMBERED]), languages=Languages(broken=down))
    phone = await dial(world)
    await phone.send("")
    await phone.send("1")
    assert await phone.send("1*1") == LATER
    # the turn was not taken: said again, it is run again, and now it holds
    assert await phone.send("1*1") == "END Ombi limepokelewa. Namba ya malipo itakuja kwa SMS. Usiombe tena."
    assert len(world.numbers.wanted) == 2


async def test_a_language_that_was_not_kept_is_not_spoken(dial: Dial) -> None:
    world = World(languages=Languages(broken=ConnectionError("gone")))
    phone = await dial(world)
    await phone.send("")
    await phone.send("5")
    await phone.send("5*2")
    assert await phone.send("5*2*2") == LATER
    assert world.languages.kept == {}


async def test_a_number_that_is_late_comes_by_sms(dial: Dial) -> None:
    world = World(numbers=Numbers([UNNUMBERED]))
    phone = await dial(world)
    await phone.send("")
    await phone.send("1")
    reply = await phone.send("1*1")
    assert reply == "END Ombi limepokelewa. Namba ya malipo itakuja kwa SMS. Usiombe tena."
    assert NUMBER not in reply.replace(" ", "")


async def test_no_exception_is_ever_on_a_screen(dial: Dial) -> None:
    word = "Kengele-8d1"
    worlds = [
        World(registry=Registry({"caller": RuntimeError(word)})),
        World(sessions=Broken(RuntimeError(word))),
        World(sessions=Broken(RuntimeError(word), on_load=False)),
        World(numbers=Numbers([RuntimeError(word)])),
        World(registry=Registry({"caller": {"count": 1, "families": [{"state": "expired", "until": word}]}})),
        World(registry=Registry({"caller": {"count": 1}})),
    ]
    for world in worlds:
        phone = await dial(world)
        for text in ("", "1", "1*1"):
            reply = await phone.send(text)
            assert word not in reply
            assert "Error" not in reply


async def test_a_body_that_never_comes_does_not_hold_its_place(
    dial: Dial, monkeypatch: pytest.MonkeyPatch, aiohttp_client: AiohttpClient
) -> None:
    monkeypatch.setattr(bodies, "READ_S", 0.1)
    phone = await dial(World(in_flight=1))
    server: Any = phone.client.server
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(f"POST {ADDRESS} HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100\r\n\r\nsession".encode())
    await writer.drain()
    async with asyncio.timeout(5):
        assert b" 408 " in await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert await phone.send("") == HOME
