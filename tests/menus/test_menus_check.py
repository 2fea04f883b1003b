"""Every kind of fault that a book can have and still be loaded: each found, by its sentence, in a small book."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

import menus
from gateway.domain.cover import CoverState
from gateway.domain.ussd.book import COMMON_TEXTS, load_book
from gateway.domain.ussd.by_sms import messages_of
from gateway.domain.ussd.effects import BEGUN, DOES, OF_MONEY
from gateway.domain.ussd.explore import FRAMES
from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.samples import ANSWERS, CALLERS, TYPED, member
from gateway.menu_tools.check import check

Data = dict[str, Any]
Change = Callable[[Data, Data], Any]


LATER = [f"sms.{kind}" for kind in (*messages_of("quote"), *(f"answer_cover_{state}" for state in BEGUN))]


def small() -> tuple[Data, Data]:
    """A menu, a confirmation that is guarded, the money, an end; in two languages."""
    texts: Data = {
        "name": "Kiswahili",
        "hello": "Habari",
        "pay": "Lipa",
        "sure": "Sawa?",
        "yes": "Ndiyo",
        "bye": "Asante",
    }
    for key in (*COMMON_TEXTS, *LATER):
        head, tail = key.split(".")
        texts.setdefault(head, {})[tail] = tail
    texts["nav"] |= {"back": "0 Rudi", "more": "# Zaidi"}
    screens = {
        "start": {"kind": "menu", "text": "hello", "options": [option("1", "pay", "sure"), option("2", "yes", "end")]},
        "sure": {"kind": "menu", "text": "sure", "guard": True, "options": [option("1", "yes", "billed")]},
        "billed": {"kind": "route", "does": ["request_bill"], "routes": [{"goto": "end"}]},
        "end": {"kind": "end", "text": "bye"},
    }
    data = {
        "languages": ["sw", "en"],
        "start": "start",
        "screens": {n: {**s, "menu": "all"} for n, s in screens.items()},
    }
    return data, {"sw": texts, "en": copy.deepcopy(texts)}


def option(key: str, text: str, goto: str) -> Data:
    return {"key": key, "text": text, "goto": goto}


def screens(data: Data) -> Data:
    found: Data = data["screens"]
    return found


def add(data: Data, name: str, **screen: Any) -> None:
    """A screen that the key 3 of the first one leads to."""
    screens(data)[name] = {**screen, "menu": "more"}
    screens(data)["start"]["options"].append(option("3", "yes", name))


def when(goto: str, path: str, value: object) -> Data:
    return {"goto": goto, "when": {path: value}}


def every(texts: Data, **changed: str) -> None:
    for language in texts.values():
        language.update(changed)


def circle(data: Data) -> None:
    add(data, "a", kind="route", routes=[{"goto": "b"}])
    screens(data)["b"] = {"kind": "route", "routes": [{"goto": "a"}], "menu": "more"}


def chain(data: Data, **first: Any) -> None:
    """Ten routes one after the other."""
    add(data, "r0", **first, kind="route", routes=[{"goto": "r1"}])
    for number in range(1, 10):
        goto = f"r{number + 1}" if number < 9 else "end"
        screens(data)[f"r{number}"] = {"kind": "route", "routes": [{"goto": goto}], "menu": "more"}


def asking(data: Data) -> None:
    """Ten facts for one reply."""
    facts = ["caller", "tries"]
    add(data, "r0", kind="route", needs=facts, failed="end", routes=[{"goto": "r1"}])
    for name, goto in (("r1", "r2"), ("r2", "r3"), ("r3", "r4"), ("r4", "end")):
        screens(data)[name] = {
            "kind": "route", "needs": facts, "failed": "end", "routes": [{"goto": goto}], "menu": "more",
        }  # fmt: skip


def of_family(data: Data, goto: str) -> None:
    """Leads a phone of one family there, which is known then."""
    put = {"goto": goto, "when": {"caller.count": 1}, "put": {"family": "caller.families.0"}}
    add(data, "f", kind="route", routes=[put, {"goto": "end"}], **CALLER)


def listed(data: Data, texts: Data, line: str) -> None:
    """A list of the family's members, each with the same line."""
    needs = {"needs": ["members"], "failed": "end"}
    of_family(data, "l")
    routes = [when("shown", "members.state", "some"), {"goto": "end"}]
    screens(data)["l"] = {"kind": "route", "routes": routes, "menu": "more", **needs}
    shown = {"kind": "list", "text": "sure", "source": "members.items", "each": "of.{item.state}", "menu": "more"}
    screens(data)["shown"] = shown
    every(texts, of=dict.fromkeys(map(str, CoverState), line))


CHOOSE = {"kind": "choose", "text": "sure", "source": "caller.families", "into": "family", "goto": "end"}
CALLER = {"needs": ["caller"], "failed": "end"}
LONG = " ".join(["neno"] * 35)  # 174 septets
FAULTS: list[tuple[str, Change, list[str]]] = [
    ("a text that nothing shows", lambda _, t: t["sw"].update(old="Zamani"), ["sw: old: no screen shows this text"]),
    (
        "a message that nobody writes",
        lambda _, t: t["en"]["sms"].update(old="Old"),
        ["en: sms.old: no screen shows this text"],
    ),
    (
        "a fact that one language does not tell",
        lambda b, t: (screens(b)["start"].update(**CALLER), t["sw"].update(hello="Familia {caller.count}")),
        ["en: hello: does not tell {caller.count}, which sw tells"],
    ),
    (
        "a fact that one language tells alone",
        lambda b, t: (screens(b)["start"].update(**CALLER), t["en"].update(hello="{caller.count} families")),
        ["en: hello: tells {caller.count}, which sw does not"],
    ),
    (
        "a way back without its key",
        lambda _, t: t["sw"]["nav"].update(back="Rudi"),
        ["sw: nav.back: must begin with the key: '0' and a space"],
    ),
    (
        "more without its key",
        lambda _, t: t["en"]["nav"].update(more="#More"),
        ["en: nav.more: must begin with the key: '#' and a space"],
    ),
    (
        "a message of two segments, its longest data counted",
        lambda _, t: [
            t[code]["sms"].update(receipt="x" * n + "{amount:money}") for code, n in (("sw", 150), ("en", 148))
        ],
        ["sw: sms.receipt: 2 septets over 160, what one message holds"],
    ),
    (
        "a message with a letter that halves its room",
        lambda _, t: t["sw"]["sms"].update(receipt="Karibu ŵŷ"),
        ["sw: sms.receipt: a message cannot hold 'ŵŷ': it would be of 70 letters only"],
    ),
    (
        "a last sentence of two pages",
        lambda _, t: t["sw"]["end"].update(busy=LONG[:100]),
        ["sw: end.busy: 24 bytes over 80 on 'narrowest' screens and another: it has no second page"],
    ),
    (
        "a letter that a channel does not have",
        lambda _, t: t["sw"].update(bye="Ŋ asante"),
        ["sw: bye: 'Ŋ' would read as ? on 'narrowest' screens"],
    ),
    (
        "too many options allowed",
        lambda b, _: b.update(limits={"options": 6}),
        ["limits: 6 options allowed, 5 are the most"],
    ),
    (
        "a guard where none is seen",
        lambda b, _: screens(b)["billed"].update(guard=True),
        ["all.toml: billed: a guard on the kind 'route' guards nothing: it belongs on a menu"],
    ),
    (
        "a screen that nothing leads to",
        lambda b, _: screens(b).update(lost={"kind": "route", "menu": "more", "routes": [{"goto": "end"}]}),
        ["more.toml: lost: nothing leads here"],
    ),
    (
        "a screen that no fact leads to",
        lambda b, _: (
            add(b, "r", kind="route", routes=[when("never", "caller.count", 99), {"goto": "end"}], **CALLER),
            screens(b).update(never={"kind": "end", "text": "bye", "menu": "more"}),
        ),
        ["more.toml: never: no caller comes here, whatever the facts are"],
    ),
    ("a circle of routes", lambda b, _: circle(b), ["more.toml: a: goes round without a key: a > b > a"]),
    (
        "more routes than one reply passes",
        lambda b, _: chain(b),
        [f"more.toml: r{at}: passes {11 - at} screens without a key, 8 at most" for at in range(3)],
    ),
    (
        "more facts than one reply asks for",
        lambda b, _: asking(b),
        ["more.toml: r0: needs 10 facts for one reply, 8 at most"],
    ),
    (
        "money without a guard",
        lambda b, _: screens(b)["sure"].update(guard=False),
        ["all.toml: sure: leads to 'billed', which does request_bill, and is no guard"],
    ),
    (
        "money past the guard, by way of a route",
        lambda b, _: add(b, "quick", kind="route", routes=[{"goto": "billed"}]),
        ["all.toml: start: leads to 'billed', which does request_bill, and is no guard"],
    ),
    (
        "money as soon as the phone dials",
        lambda b, _: (
            screens(b).update(
                go={
                    "kind": "route",
                    "menu": "all",
                    "routes": [
                        {"goto": "billed", "when": {"caller.count": 1}},
                        {"goto": "start"},
                    ],
                    **CALLER,
                }
            ),
            b.update(start="go"),
        ),
        ["all.toml: billed: does request_bill as soon as the phone dials"],
    ),
    (
        "money whenever a screen is shown",
        lambda b, _: screens(b)["sure"].update(does=["request_bill"]),
        [
            "all.toml: start: leads to 'sure', which does request_bill, and is no guard",
            "all.toml: sure: does request_bill whenever it is shown, so the key for back does it again",
        ],
    ),
    (
        "a dead end",
        lambda b, _: screens(b)["start"].update(options=[option("1", "pay", "start"), option("2", "yes", "start")]),
        [
            *(f"{code}: all.toml: start: a dead end: no key leads to another screen" for code in ("en", "sw")),
            *(
                f"all.toml: {name}: {said}"
                for name, said in [
                    ("billed", "nothing leads here"),
                    ("end", "no caller comes here, whatever the facts are"),
                    ("end", "nothing leads here"),
                    ("sure", "no caller comes here, whatever the facts are"),
                    ("sure", "nothing leads here"),
                ]
            ),
        ],
    ),
    (
        "a dead end but for a call that is lost",
        lambda b, _: screens(b)["start"].update(
            options=[option("1", "pay", "start"), option("2", "yes", "start")], **CALLER
        ),
        [
            *(f"{code}: all.toml: start: a dead end: no key leads to another screen" for code in ("en", "sw")),
            "all.toml: billed: nothing leads here",
            "all.toml: sure: no caller comes here, whatever the facts are",
            "all.toml: sure: nothing leads here",
        ],
    ),
    (
        "nothing to choose from",
        lambda b, _: add(b, "c", **CHOOSE, **CALLER),
        [f"{code}: more.toml: c: nothing to choose from: caller.families is empty" for code in ("en", "sw")],
    ),
    (
        "a dash for a fact",
        lambda b, t: (
            of_family(b, "q"),
            screens(b).update(q={"kind": "end", "text": "q", "needs": ["bill"], "failed": "end", "menu": "more"}),
            every(t, q="{bill.number}"),
        ),
        [f"{code}: more.toml: q: q: a dash would stand for {{bill.number}}" for code in ("en", "sw")],
    ),
    (
        "a text for a state that is not there",
        lambda b, t: (
            add(b, "q", kind="end", text="q.{bill.state}"),
            every(t, **{f"q.{state}": state for state in ("numbered", "waiting", "none")}),
        ),
        [f"{code}: more.toml: q: there is no text 'q.None'" for code in ("en", "sw")],
    ),
    (
        "an option that is cut",
        lambda _, t: t["sw"].update(pay=LONG),
        [
            "sw: all.toml: start: key 1: 121 bytes over 80 on 'narrowest' screens and 6 others: "
            "the option would be cut in two"
        ],
    ),
    (
        "a family disowned without a guard",
        lambda b, _: add(b, "d", kind="end", text="bye", does=["disown_family"]),
        ["all.toml: start: leads to 'd', which does disown_family, and is no guard"],
    ),
    (
        "an option of two lines",
        lambda _, t: t["sw"].update(pay="Lipa\nsasa"),
        ["sw: pay: must be one line"],
    ),
    (
        "more screens between two replies than the machine passes",
        lambda b, _: b.update(limits={"hops": 9, "asks": 9}),
        ["limits: hops is 9, 8 at most", "limits: asks is 9, 8 at most"],
    ),
    (
        "a fact of nobody: no family is known there",
        lambda b, _: add(b, "q", kind="end", text="bye", needs=["bill"], failed="end"),
        ["more.toml: q: asks for 'bill' where 'family.id' is not known"],
    ),
    (
        "a screen too far away",
        lambda b, _: (
            b.update(limits={"keys": 1}),
            add(b, "near", kind="menu", text="sure", options=[option("1", "yes", "far")]),
            screens(b).update(far={"kind": "end", "text": "sure", "menu": "more"}),
        ),
        ["more.toml: far: is 2 keys away, 1 at most"],
    ),
]


def said(data: Data, texts: Data, channels: dict[str, Frame] | None = None) -> list[str]:
    return [str(fault) for fault in check(load_book(data, texts), channels or {}).faults]


def test_the_small_book_is_good() -> None:
    assert said(*small()) == []


@pytest.mark.parametrize(("change", "sentences"), [c[1:] for c in FAULTS], ids=[c[0] for c in FAULTS])
def test_a_fault_is_found_and_said_once(change: Change, sentences: list[str]) -> None:
    data, texts = small()
    change(data, texts)
    assert sorted(said(data, texts)) == sorted(sentences)


def test_what_is_too_long_is_named_by_the_channels_that_are_on() -> None:
    data, texts = small()
    add(data, "r", kind="route", routes=[{"goto": "end", "when": {"caller.count": 0}}, {"goto": "c"}], **CALLER)
    screens(data)["c"] = {**CHOOSE, "menu": "more"}
    assert said(data, texts) == []
    narrow = Frame(45)  # 41 for an item of 30 letters, a line break, "# Zaidi", a line break and "0 Rudi"
    found = said(data, texts, {"wire": narrow, "other": narrow})
    item = "4 septets over 45 on wire, other: the item would be cut in two"
    assert [line for line in found if "item" in line] == [
        f"{code}: more.toml: c: key {key}: {item}" for code in ("en", "sw") for key in (1, 2, 3)
    ]


def test_a_line_of_a_list_is_whole_on_every_channel_that_is_on() -> None:
    """Where nobody reads it yet it may go on the next page."""
    data, texts = small()
    listed(data, texts, " ".join(["neno"] * 20))  # 99 septets
    assert said(data, texts) == []
    assert said(data, texts, {"wide": Frame(160)}) == []
    over = "18 septets over 100 on wire: the item would be cut in two"  # with a line break, "# Zaidi" and "0 Rudi"
    assert said(data, texts, {"wire": Frame(100)}) == [
        f"{code}: more.toml: shown: of.{state}: {over}" for code in ("en", "sw") for state in sorted(CoverState)
    ]


@pytest.mark.parametrize(
    ("more", "frame", "over"),
    [
        (f"# {'a' * 56}", Frame(80), "16 bytes over 80 on 'narrowest' screens and 2 others"),
        ("# ዝርዝር", Frame(60), "22 septets over 60 on wire"),  # one letter makes each of them sixteen bits
    ],
)
def test_ways_about_that_leave_no_room_are_a_fault_and_no_crash(more: str, frame: Frame, over: str) -> None:
    data, texts = small()
    listed(data, texts, "neno")
    texts["sw"]["nav"]["more"] = more
    found = said(data, texts, {"wire": frame})
    assert f"sw: nav.more: {over}: with 'nav.back' it leaves no line of a screen" in found


def test_a_dash_in_a_line_of_a_list_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    data, texts = small()
    listed(data, texts, "{item.name}")
    assert said(data, texts) == []
    nameless = {**member("expired"), "name": ""}
    monkeypatch.setitem(ANSWERS, "members", [{"state": "some", "count": 1, "items": [nameless]}])
    dash = "a dash would stand for {item.name}"
    assert said(data, texts) == [f"{code}: more.toml: shown: of.expired: {dash}" for code in ("en", "sw")]


def test_a_dropped_call_whose_way_back_is_too_long_is_a_fault() -> None:
    """Dialled, each half of the way is short enough; dialled again, both are passed in one reply."""
    data, texts = small()
    add(data, "r0", kind="route", routes=[{"goto": "r1"}])
    for number in range(1, 4):
        goto = f"r{number + 1}" if number < 3 else "kept"
        screens(data)[f"r{number}"] = {"kind": "route", "routes": [{"goto": goto}], "menu": "more"}
    kept = {"kind": "menu", "text": "sure", "options": [option("1", "yes", "end")], "menu": "more"}
    screens(data)["kept"] = {**kept, "resume": "continue", "resume_at": "r0"}
    data["limits"] = {"hops": 6}
    assert said(data, texts) == []
    data["limits"] = {"hops": 5}
    breaks = "dropped there and dialled again, the conversation breaks off"
    assert said(data, texts) == [f"{code}: more.toml: kept: {breaks}" for code in ("en", "sw")]


def test_what_would_not_end_is_a_fault_and_no_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.domain.ussd.explore.MOST_PLACES", 5)
    assert "more than 5 places" in said(*small())


def test_what_has_no_samples_cannot_be_checked_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ANSWERS, "tries")
    monkeypatch.delitem(TYPED, "chfid")
    data, texts = small()
    add(data, "b", kind="end", text="bye", needs=["tries"], failed="end")
    screens(data)["sure"]["options"].append(option("2", "yes", "i"))
    screens(data)["i"] = {
        "kind": "input",
        "text": "sure",
        "accept": "chfid",
        "into": "chfid",
        "goto": "end",
        "menu": "more",
    }
    assert said(data, texts) == [
        "more.toml: b: no caller comes here, whatever the facts are",
        "more.toml: b: there is no sample of the fact 'tries'",
        "more.toml: i: there is no sample of what it accepts, 'chfid'",
    ]


def test_the_book_that_ships_is_good_and_its_report_says_what_was_seen() -> None:
    data, languages = menus.read()
    report = check(load_book(data, languages), {"wire": Frame(160, prefix=0)})
    assert [str(fault) for fault in report.faults] == []
    assert (report.screens, report.menus) == (len(data["screens"]), len({s["menu"] for s in data["screens"].values()}))
    assert report.languages == ("Kiswahili", "English")
    assert report.edges > 1_000
    assert report.views > report.screens
    assert len(report.frames) == len(FRAMES)
    assert "wire" in report.frames


@pytest.mark.parametrize("frame", [Frame(80), Frame(80, "ucs2", prefix=0), Frame(80, "characters")], ids=str)
def test_what_the_book_that_ships_breaks_on_the_narrowest_channel_is_said(frame: Frame) -> None:
    """No channel has it by default; the settings allow it."""
    faults = check(load_book(*menus.read()), {"wire": frame}).faults
    assert {(fault.screen, fault.key) for fault in faults} <= {
        ("payment_shown", "receipt.paid"),
        ("payment_shown", "receipt.checked"),
    }
    assert faults
    assert all("over 80 on wire: the item would be cut in two" in str(fault) for fault in faults)


@pytest.mark.parametrize("letter", ["ã", "ŵ", "一", "😀"])
def test_a_name_in_letters_that_cost_more_breaks_no_line(letter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One letter outside GSM-7 makes each of a screen's units sixteen bits, or is four bytes: on every channel's own
    limit the longest names still stand whole."""

    def spelt(found: dict[str, Any], field: str) -> dict[str, Any]:
        return {**found, field: found[field].replace("a", letter)}

    for caller in CALLERS.values():
        for listed_ in ("families", "officers"):
            if listed_ in caller:
                monkeypatch.setitem(caller, listed_, [spelt(item, "label") for item in caller[listed_]])
    monkeypatch.setitem(ANSWERS["members"][0], "items", [spelt(m, "name") for m in ANSWERS["members"][0]["items"]])
    wires = {
        "text": Frame(160),
        "object": Frame(160, prefix=0),
        "raw bytes": Frame(182, "bytes", "<br>", 0, entities=True),
    }
    assert [str(fault) for fault in check(load_book(*menus.read()), wires).faults] == []


def test_every_effect_of_money_is_one_that_screens_may_name() -> None:
    assert DOES.keys() >= OF_MONEY
