"""Every fault that a book of menus can have is found when it is loaded, and said so that an officer can mend it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

import menus
from gateway.domain.cover import CoverState
from gateway.domain.errors import ERRORS
from gateway.domain.ussd.book import COMMON_TEXTS, BookError, Limits, Template, load_book
from gateway.domain.ussd.facts import lookup
from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.machine import Key, Started, step
from gateway.domain.ussd.session import Session

Data = dict[str, Any]
Change = Callable[[Data, Data], Any]


def small() -> tuple[Data, Data]:
    """The least book: a screen, another, an end; two languages."""
    texts: Data = {"name": "Kiswahili", "hello": "Habari", "more": "Zaidi", "bye": "Kwaheri"}
    for key in COMMON_TEXTS:
        head, tail = key.split(".")
        texts.setdefault(head, {})[tail] = tail
    data = {
        "languages": ["sw", "en"],
        "start": "start",
        "screens": {
            "start": {"kind": "menu", "text": "hello", "options": [{"key": "1", "text": "more", "goto": "end"}]},
            "end": {"kind": "end", "text": "bye"},
        },
    }
    return data, {"sw": texts, "en": copy.deepcopy(texts)}


def start(data: Data) -> Data:
    found: Data = data["screens"]["start"]
    return found


def option(**fields: str) -> Data:
    return {"key": "2", "text": "more", "goto": "end", **fields}


NEEDS = {"needs": ["caller"], "failed": "end"}
FAULTS: list[tuple[str, Change, list[str]]] = [
    ("no language", lambda b, t: (b.update(languages=[]), t.clear()), ["the book has no language"]),
    ("a language without its file", lambda b, _: b["languages"].append("fr"), ["language file missing: fr"]),
    ("no start", lambda b, _: b.pop("start"), ["the start screen '' does not exist"]),
    ("an unknown start", lambda b, _: b.update(start="x"), ["the start screen 'x' does not exist"]),
    ("no screens", lambda b, _: b.update(screens={}), ["the start screen 'start' does not exist"]),
    (
        "a screen's name that no label can carry",
        lambda b, _: b["screens"].update({"a|b": {"kind": "end", "text": "bye"}}),
        ["screen a|b: the screen's name must be of a-z, 0-9, - and _, at most 60: 'a|b'"],
    ),
    (
        "a screen's name without an end",
        lambda b, _: b["screens"].update({"a" * 61: {"kind": "end", "text": "bye"}}),
        ["the screen's name must be"],
    ),
    (
        "a menu's name with a line in it",
        lambda b, _: b["screens"]["end"].update(menu="a\nb"),
        ["screen end: the menu's name must be"],
    ),
    ("an unknown kind", lambda b, _: start(b).update(kind="page"), ["screen start: unknown kind 'page'"]),
    (
        "an option leads nowhere",
        lambda b, _: start(b)["options"].append(option(goto="x")),
        ["screen start: goes to 'x', which does not exist"],
    ),
    (
        "a route leads nowhere",
        lambda b, _: b["screens"].update(r={"kind": "route", "routes": [{"goto": "x"}]}),
        ["screen r: goes to 'x', which does not exist"],
    ),
    (
        "an answer leads nowhere",
        lambda b, _: b["screens"].update(
            i={"kind": "input", "text": "bye", "accept": "chfid", "into": "chfid", "goto": "x"}
        ),
        ["screen i: goes to 'x', which does not exist"],
    ),
    (
        "a failure leads nowhere",
        lambda b, _: start(b).update(needs=["caller"], failed="x"),
        ["screen start: goes to 'x', which does not exist"],
    ),
    (
        "an unknown fact",
        lambda b, _: start(b).update(needs=["weather"], failed="end"),
        ["screen start: needs the unknown fact 'weather'"],
    ),
    (
        "an unknown fact to forget",
        lambda b, _: start(b).update(forget=["weather"]),
        ["screen start: needs the unknown fact 'weather'"],
    ),
    ("an unknown effect", lambda b, _: start(b).update(does=["pay"]), ["screen start: does the unknown effect 'pay'"]),
    (
        "nothing said for a fact that does not come",
        lambda b, _: start(b).update(needs=["caller"]),
        ["screen start: needs facts but does not say where to go when they do not come"],
    ),
    (
        "a failure that needs facts itself",
        lambda b, _: b["screens"].update(
            a={"kind": "end", "text": "bye", **NEEDS, "failed": "c"}, c={"kind": "end", "text": "bye", **NEEDS}
        ),
        ["screen a: when facts do not come it goes to 'c', which needs facts"],
    ),
    (
        "six options",
        lambda b, _: start(b).update(options=[option(key=str(n)) for n in range(1, 7)]),
        ["screen start: more than 5 options"],
    ),
    *(
        (
            f"the key {key!r} for an option",
            lambda b, _, key=key: start(b)["options"].append(option(key=key)),
            ["screen start: option keys clash with each other or with 0, 00, # (or are empty)"],
        )
        for key in ("0", "00", "#", "1", "")
    ),
    (
        "an unknown language to switch to",
        lambda b, _: start(b)["options"].append(option(language="fr")),
        ["screen start: switches to the unknown language 'fr'"],
    ),
    (
        "a menu without options",
        lambda b, _: start(b).update(options=[]),
        ["screen start: a menu without options is a dead end"],
    ),
    (
        "a choice without what and whither",
        lambda b, _: b["screens"].update(c={"kind": "choose", "text": "bye", "source": "caller.families"}),
        ["screen c: an answer needs 'goto' and 'into'"],
    ),
    (
        "a choice of nothing",
        lambda b, _: b["screens"].update(c={"kind": "choose", "text": "bye", "goto": "end", "into": "family"}),
        ["screen c: chooses from the unknown ''"],
    ),
    (
        "an effect that sends a message without a text",
        lambda b, _: (b.update(networks=["yas"]), b["screens"]["end"].update(does=["tell_mobile"])),
        [f"{code}: no text for 'sms.how_mobile.{network}'" for code in ("sw", "en") for network in ("other", "yas")],
    ),
    (
        "a list of nothing",
        lambda b, _: b["screens"].update(c={"kind": "list", "text": "bye", "source": "bill.items", "each": "bye"}),
        ["screen c: lists the unknown 'bill.items'"],
    ),
    (
        "a list whose items have no text",
        lambda b, _: b["screens"].update(c={"kind": "list", "text": "bye", "source": "members.items", "each": "bye"}),
        ["screen c: an item needs a text of its state: 'each'"],
    ),
    (
        "an item that mentions what it has not",
        lambda b, t: (
            b["screens"].update(
                c={"kind": "list", "text": "bye", "source": "members.items", "each": "own.{item.state}"}
            ),
            [language.update(own=dict.fromkeys(CoverState, "{item.name}")) for language in t.values()],
            t["sw"]["own"].update(none="{item.chfid}"),
        ),
        ["sw: own.none: unknown field 'item.chfid'"],
    ),
    (
        "an item's field outside a list",
        lambda _, t: t["sw"].update(hello="{item.name}"),
        ["sw: hello: unknown field 'item.name'"],
    ),
    (
        "an input of who knows what",
        lambda b, _: b["screens"].update(
            i={"kind": "input", "text": "bye", "goto": "end", "into": "chfid", "accept": "name"}
        ),
        ["screen i: accepts the unknown 'name'"],
    ),
    (
        "routes that may all not hold",
        lambda b, _: b["screens"].update(
            r={"kind": "route", "routes": [{"goto": "end", "when": {"quote.state": "payable"}}]}
        ),
        ["screen r: the last route must hold always"],
    ),
    (
        "a route screen without routes",
        lambda b, _: b["screens"].update(r={"kind": "route"}),
        ["screen r: the last route must hold always"],
    ),
    (
        "a route on an unknown fact",
        lambda b, _: b["screens"].update(
            r={"kind": "route", "routes": [{"goto": "end", "when": {"x.state": "a"}}, {"goto": "end"}]}
        ),
        ["screen r: a route asks for the unknown 'x.state'"],
    ),
    (
        "a route on a state that never is",
        lambda b, _: b["screens"].update(
            r={"kind": "route", "routes": [{"goto": "end", "when": {"quote.state": "paybale"}}, {"goto": "end"}]}
        ),
        ["screen r: quote.state is never 'paybale'"],
    ),
    (
        "no text key",
        lambda b, _: start(b).pop("text"),
        ["screen start: shows no text, or one picked by an unknown fact"],
    ),
    (
        "a text picked by an unknown fact",
        lambda b, _: start(b).update(text="home.{famly.state}"),
        ["screen start: shows no text, or one picked by an unknown fact"],
    ),
    ("a text missing in one language", lambda _, t: t["en"].pop("hello"), ["en: no text for 'hello'"]),
    ("an option's text missing", lambda _, t: t["sw"].pop("more"), ["sw: no text for 'more'"]),
    (
        "a variant missing",
        lambda b, t: (
            start(b).update(text="quote.{quote.state}"),
            [
                x.update(quote={"payable": "a", "suspended": "b", "no_product": "c", "nothing_due": "d"})
                for x in t.values()
            ],
        ),
        ["sw: no text for 'quote.already_renewed'", "en: no text for 'quote.already_renewed'"],
    ),
    *(
        (
            f"the common text {key} missing",
            lambda _, t, key=key: t["en"][key.split(".")[0]].pop(key.split(".")[1]),
            [f"en: no text for {key!r}"],
        )
        for key in COMMON_TEXTS
    ),
    (
        "an unknown field",
        lambda _, t: t["sw"].update(hello="TZS {quote.amout:money}"),
        ["sw: hello: unknown field 'quote.amout'"],
    ),
    ("a field of nothing", lambda _, t: t["sw"].update(hello="{name}"), ["sw: hello: unknown field 'name'"]),
    (
        "an unknown field of a message",
        lambda _, t: t["sw"]["sms"].update(covered="{quote.amount}"),
        ["sw: sms.covered: unknown field 'quote.amount'"],
    ),
    ("an unknown format", lambda _, t: t["sw"].update(hello="{quote.until:day}"), ["sw: hello: unknown format 'day'"]),
    (
        "a brace that is left open",
        lambda _, t: t["sw"].update(hello="{quote.until"),
        ["sw: hello: a brace that is no field"],
    ),
    (
        "capitals in a field",
        lambda _, t: t["sw"].update(hello="{Quote.until}"),
        ["sw: hello: a brace that is no field"],
    ),
    ("an unknown word of a screen", lambda b, _: start(b).update(colour="red"), ["screen start: ", "colour"]),
    (
        "an unknown word of an option",
        lambda b, _: start(b)["options"].append(option(colour="red")),
        ["screen start: ", "colour"],
    ),
    (
        "an option without a key",
        lambda b, _: start(b)["options"].append({"text": "more", "goto": "end"}),
        ["screen start: ", "key"],
    ),
    (
        "a route without a goto",
        lambda b, _: b["screens"].update(r={"kind": "route", "routes": [{}]}),
        ["screen r: route 1: 'goto' is missing"],
    ),
    ("options that are no tables", lambda b, _: start(b).update(options=["1"]), ["screen start: "]),
    (
        "a route's condition that is no table",
        lambda b, _: b["screens"].update(r={"kind": "route", "routes": [{"goto": "end", "when": 3}]}),
        ["screen r: "],
    ),
    ("an unknown limit", lambda b, _: b.update(limits={"kyes": 3}), ["limits: unknown word 'kyes'"]),
    (
        "a limit in quotes",
        lambda b, _: b.update(limits={"keys": "40"}),
        ["limits: 'keys' must be a whole number"],
    ),
    ("a limit that is no number", lambda b, _: b.update(limits={"keys": True}), ["limits: 'keys' must be a whole"]),
    ("limits that are no table", lambda b, _: b.update(limits=5), ["book.toml: 'limits' must be a table"]),
    (
        "an unknown word of the book",
        lambda b, _: b.update(langauges=["sw"]),
        ["book.toml: unknown word 'langauges'"],
    ),
    ("languages that are no list", lambda b, _: b.update(languages=5), ["book.toml: 'languages' must be a list"]),
    ("networks that are one text", lambda b, _: b.update(networks="yas"), ["book.toml: 'networks' must be a list"]),
    ("a way to resume without its table", lambda b, _: b.update(resume="ask"), ["book.toml: 'resume' must be a table"]),
    (
        "an unknown word of the way to resume",
        lambda b, _: b.update(resume={"aks": "x"}),
        ["resume: unknown word 'aks'"],
    ),
    ("a screen that is a text", lambda b, _: b["screens"].update(a="b"), ["screen a: must be a table"]),
    ("a screen of no kind", lambda b, _: start(b).pop("kind"), ["screen start: 'kind' is missing"]),
    *(
        (
            f"{value!r} for {word!r}",
            lambda b, _, word=word, value=value: start(b).update({word: value}),
            [f"screen start: {word!r} must be {said}"],
        )
        for word, value, said in (
            ("text", 5, "a text"),
            ("text", ["a"], "a text"),
            ("does", "await_number", "a list of texts"),
            ("needs", [["caller"]], "a list of texts"),
            ("forget", 7, "a list of texts"),
            ("guard", "false", "true or"),
            ("goal", 1, "true or"),
            ("options", {"key": "1"}, "a list of tables"),
            ("resume", ["ask"], "a text"),
        )
    ),
    (
        "an option's key that is a number",
        lambda b, _: start(b)["options"].append({**option(), "key": 2}),
        ["screen start: option 2: 'key' must be a text in quotes"],
    ),
    *(
        (
            f"the key {key!r} that no caller types",
            lambda b, _, key=key: start(b)["options"].append(option(key=key)),
            [f"screen start: {key!r} is no key for an option: a number from 1 to 99"],
        )
        for key in ("a", " 2", "*", "000", "2" * 41)
    ),
    (
        "a route whose condition is misspelt, and would hold always",
        lambda b, _: b["screens"].update(
            r={"kind": "route", "routes": [{"goto": "end", "wehn": {"caller.count": 1}}, {"goto": "start"}]}
        ),
        ["screen r: route 1: unknown word 'wehn'"],
    ),
    (
        "a fact put by a number",
        lambda b, _: b["screens"].update(r={"kind": "route", "routes": [{"goto": "end", "put": {"family": 0}}]}),
        ["screen r: route 1: put 'family' must be a text"],
    ),
    (
        "a fact put where nobody reads it",
        lambda b, _: b["screens"].update(
            r={"kind": "route", "routes": [{"goto": "end", "put": {"familly": "caller"}}]}
        ),
        ["screen r: 'familly' is none of the values that there are: family, chfid,"],
    ),
    (
        "an answer that nobody reads",
        lambda b, _: b["screens"].update(
            i={"kind": "input", "text": "bye", "accept": "chfid", "into": "chifd", "goto": "end"}
        ),
        ["screen i: 'chifd' is none of the values"],
    ),
    (
        "options on a screen that ends the call",
        lambda b, _: b["screens"]["end"].update(options=[option()]),
        ["screen end: 'options' means nothing on the kind 'end'"],
    ),
    (
        "a way on beside a menu's options",
        lambda b, _: start(b).update(goto="end"),
        ["screen start: 'goto' means nothing on the kind 'menu'"],
    ),
    (
        "languages on what is no menu",
        lambda b, _: b["screens"]["end"].update(languages=True),
        ["screen end: 'languages' means nothing but on a menu"],
    ),
    (
        "screens without an end",
        lambda b, _: b["screens"].update({f"s{n}": {"kind": "end", "text": "bye"} for n in range(400)}),
        ["402 screens, 400 at most"],
    ),
    *(
        (f"{value!r} for a text", lambda _, t, value=value: t["sw"].update(hello=value), [f"sw: hello: {said}"])
        for value, said in ((5, "must be a text"), (["a"], "must be a text"), ("", "is empty"), (" \n", "is empty"))
    ),
    ("a text without an end", lambda _, t: t["sw"].update(hello="a " * 501), ["sw: hello: 1,002 characters, 1,000 at"]),
    ("a language without its name", lambda _, t: t["en"].pop("name"), ["en: 'name' is missing"]),
    *(
        (
            f"{field} for {told}",
            lambda _, t, field=field: t["sw"].update(hello=field),
            [f"sw: hello: {field} must be told as {told}"],
        )
        for field, told in (
            ("{quote.amount}", "{quote.amount:money}"),
            ("{quote.amount:date}", "{quote.amount:money}"),
            ("{quote.until:money}", "{quote.until:date}"),
            ("{quote.product:money}", "{quote.product}"),
            ("{family.label:date}", "{family.label}"),
            ("{caller.count:money}", "{caller.count}"),
        )
    ),
    (
        "an amount in a message in hundredths",
        lambda _, t: t["sw"]["sms"].update(receipt="TZS {amount}"),
        ["sw: sms.receipt: {amount} must be told as {amount:money}"],
    ),
    (
        "a field that a message does not know",
        lambda _, t: t["sw"]["sms"].update(receipt="{chfid}: TZS {amount:money}"),
        ["sw: sms.receipt: this message knows no {chfid}, only {amount}, {receipt}"],
    ),
    *(
        (
            f"a fact in {key}",
            lambda _, t, key=key: t["sw"][key.split(".")[0]].update({key.split(".")[1]: "{quote.product}"}),
            [f"sw: {key}: tells {{quote.product}}, and no fact is told there"],
        )
        for key in ("nav.wrong", "end.busy")
    ),
]


def test_the_least_book_is_good() -> None:
    assert load_book(*small()).default_language == "sw"


@pytest.mark.parametrize(("change", "said"), [c[1:] for c in FAULTS], ids=[c[0] for c in FAULTS])
def test_a_fault_is_found(change: Change, said: list[str]) -> None:
    data, languages = small()
    change(data, languages)
    with pytest.raises(BookError) as raised:
        load_book(data, languages)
    for sentence in said:
        assert sentence in str(raised.value)
    assert len(raised.value.faults) <= max(1, len(said)), "one fault is said once"


def test_every_fault_is_listed_not_only_the_first() -> None:
    data, languages = small()
    start(data).update(kind="page", does=["pay"])
    languages["en"].pop("hello")
    with pytest.raises(BookError) as raised:
        load_book(data, languages)
    assert raised.value.faults == [
        "screen start: unknown kind 'page'",
        "screen start: does the unknown effect 'pay'",
        "en: no text for 'hello'",
    ]


def test_every_common_text_of_the_shell_is_demanded() -> None:
    """A polite end must never show its key."""
    assert {error.caller for error in ERRORS.values() if error.caller} <= set(COMMON_TEXTS)


def test_the_shipped_book_is_good_in_both_languages() -> None:
    book = load_book(*menus.read())
    assert list(book.languages) == ["sw", "en"]
    assert book.limits == Limits(keys=40, wrong=4, options=5, input_characters=40)
    assert [name for name, screen in book.screens.items() if screen.guard] == [
        "officer_confirm",
        "wrong_phone",
        "confirm",
    ]
    assert {name: screen.does for name, screen in book.screens.items() if screen.does} == {
        "officer_ask": ("request_bill",),
        "ask_number": ("request_bill",),
        "number_mobile": ("tell_mobile",),
        "number_bank": ("tell_bank",),
        "commission_sms": ("tell_commission",),
        "number_awaited": ("await_number",),
        "payment_awaited": ("await_number",),
        "answer_by_sms": ("answer_by_sms",),
        "due_by_sms": ("due_by_sms",),
        "disowned": ("disown_family",),
        "claimed": ("claim_family",),
    }


def test_a_language_is_its_file() -> None:
    """Those that the book lists come first; a screen for languages offers each by its own name."""
    data, languages = small()
    data["languages"] = ["sw"]
    languages |= {"gogo": {**languages["en"], "name": "Cigogo"}, "en": {**languages["en"], "name": "English"}}
    data["screens"]["start"] = {"kind": "menu", "text": "hello", "languages": True, "goto": "end"}
    book = load_book(data, languages)
    assert list(book.languages) == ["sw", "en", "gogo"]
    assert [(o.key, o.goto, o.language) for o in book.screens["start"].options] == [
        ("1", "end", "sw"), ("2", "end", "en"), ("3", "end", "gogo"),
    ]  # fmt: skip
    said = [book.language("sw").say(option.text, {}) for option in book.screens["start"].options]
    assert said == ["Kiswahili", "English", "Cigogo"]


def test_a_language_that_nobody_knows_is_the_first_one() -> None:
    book = load_book(*small())
    assert book.language("xx").code == "sw"
    assert book.language("en").code == "en"


def test_a_loop_of_routes_ends_politely() -> None:
    """The book's checks do not follow routes; the machine is bounded instead."""
    data, languages = small()
    data["screens"]["a"] = {"kind": "route", "routes": [{"goto": "b"}]}
    data["screens"]["b"] = {"kind": "route", "routes": [{"goto": "a"}]}
    start(data)["options"][0]["goto"] = "a"
    book = load_book(data, languages)
    shown = step(book, Session("s", "c", "+255754100200", "sw", Frame(160)), Started())
    ended = step(book, shown.session, Key("1"))
    assert (ended.reply, ended.final) == ("error", True)


# ------------------------------------------------------------------------------------------------------------ templates

SCOPE: dict[str, object] = {
    "a": {"day": "2026-03-01", "date": date(2026, 3, 1), "money": 3_000_050, "number": "994180000017", "none": None},
    "list": [{"x": "first"}, {"x": "second"}],
    "empty": "",
}
TEMPLATES = [
    ("Asante", "Asante"),
    ("{a.day:date}", "01/03/2026"),
    ("{a.date:date}!", "01/03/2026!"),
    ("TZS {a.money:money}", "TZS 30,000.50"),
    ("{a.number:number}.", "9941 8000 0017."),
    ("{a.number}", "994180000017"),
    ("{list.1.x}{list.0.x}", "secondfirst"),
    ("{list.2.x} {a.none:date} {empty:money} {nothing.at.all}", "- - - -"),
    ("{a.number:money}", "-"),
]


@pytest.mark.parametrize(("source", "said"), TEMPLATES)
def test_a_template_says(source: str, said: str) -> None:
    assert Template(source).render(SCOPE) == said


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.number", "994180000017"),
        ("list.1", {"x": "second"}),
        ("list.-1", None),
        ("list.x", None),
        ("a.number.x", None),
        ("", None),
    ],
)
def test_a_path_leads_to(path: str, found: object) -> None:
    assert lookup(SCOPE, path) == found
