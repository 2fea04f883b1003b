"""Every screen, key and fact that a conversation can come to, walked breadth first with the longest real data.

A node is a session without its counters; an edge is a key and whatever the registry answers to every ask on the way.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from played.talk import BOOK, Talk, as_event, new_session, one_step
from played.walk import NOTICES, WALKED, walk

from gateway.domain.cover import CoverState
from gateway.domain.segments import is_gsm7, units
from gateway.domain.ussd.accepts import ACCEPTS
from gateway.domain.ussd.book import load_book
from gateway.domain.ussd.effects import (
    AwaitNumber,
    ClaimFamily,
    DisownFamily,
    KeepLanguage,
    PromiseAnswer,
    RequestBill,
    TellCommission,
    TellHowToPay,
)
from gateway.domain.ussd.explore import DROPPED, Edge, explore
from gateway.domain.ussd.facts import FACTS, SMS_FIELDS
from gateway.domain.ussd.frame import Frame, cost
from gateway.domain.ussd.machine import Key, Started, step
from gateway.domain.ussd.samples import ANSWERS, CALLERS, GIVEN_NAMES, SMS, TYPED, caller, member
from gateway.domain.ussd.session import Session
from gateway.domain.ussd.told_alone import told_alone
from gateway.domain.ussd.ways import HOWS


def test_every_state_of_every_fact_is_answered() -> None:
    answered = {fact: {str(state) for a in answers for state in _states(a)} for fact, answers in ANSWERS.items()}
    assert answered == {fact: set(spec.states) for fact, spec in FACTS.items() if fact != "caller"}


def _states(answer: dict[str, Any]) -> list[str]:
    """An officer's commission is of two months, each with a state of its own."""
    return [answer["state"]] if "state" in answer else [month["state"] for month in answer.values()]


def test_every_kind_of_answer_and_every_field_of_a_message_has_its_samples() -> None:
    assert TYPED.keys() == ACCEPTS.keys()
    assert all(any(accept(typed) for typed in TYPED[name]) for name, accept in ACCEPTS.items())
    assert SMS.keys() == SMS_FIELDS


FIRST = ("home", "families", "stranger", "officer", "officers")  # where a call may begin
OFFICERS = [name for name, who in CALLERS.items() if "officer" in who]
NARROW = ("stranger", "suspended", "several", "officer", "officers")
# a family's state is a text of its first screen, and tells nothing of the way: one of them is walked whole
ALIKE = [str(state) for state in CoverState if state != CoverState.COVERED]
WALKS = [(name, 160) for name in CALLERS] + [(name, 140) for name in NARROW]


@cache
def walked(name: str, limit: int) -> list[Edge]:
    """An officer comes to any family in any state, and from it to the officer's own: the way there is forgotten."""
    if name in OFFICERS or (name in ALIKE and limit == 160):
        return explore(WALKED, Frame(limit), [CALLERS[name]])
    return walk(WALKED, CALLERS[name], limit)


@pytest.fixture(scope="module", params=WALKS, ids=[f"{name}-{limit}" for name, limit in WALKS])
def edges(request: pytest.FixtureRequest) -> list[Edge]:
    name, limit = request.param
    return walked(name, limit)


def test_every_screen_can_be_read(edges: list[Edge]) -> None:
    """Fits the channel with its prefix, in the short alphabet, nothing unfilled, five options at most."""
    for reply, limit in {(edge.step.reply or "", edge.step.session.frame.units) for edge in edges}:
        assert reply.strip(), "an empty screen"
        assert units(reply) <= limit - 4, reply
        assert is_gsm7(reply), reply
        assert not re.search(r"[{}]|None|\bsw\b|[a-z]\.[a-z]", reply), reply
        assert not re.search(r"(^|\s)-(\s|$|\.)", reply), f"a dash instead of a fact: {reply}"
        assert len(re.findall(r"(?m)^[1-9] ", reply)) <= BOOK.limits.options, reply


def test_back_leads_back_and_home_leads_home(edges: list[Edge]) -> None:
    for edge in edges:
        before, after = edge.before, edge.step.session
        if before is None:
            continue
        if edge.key == "0" and before.trail:
            assert (after.screen, after.trail) == (before.trail[-1], before.trail[:-1])
            assert not edge.step.effects
        if edge.key == "00":
            assert after.trail == ()
            assert after.screen in FIRST
            assert not edge.step.final


def test_back_is_offered_where_it_leads_somewhere_and_only_there(edges: list[Edge]) -> None:
    for edge in edges:
        session = edge.step.session
        last = (edge.step.reply or "").rsplit("\n", 1)[-1]
        offered = last in ("0 Rudi", "0 Back")
        assert offered == (bool(session.trail) and BOOK.screens[session.screen].kind != "end"), edge


def test_what_is_told_alone_is_what_one_dials_for(edges: list[Edge]) -> None:
    """Whole, in the channel's room, and with no key to press. A second page would need a conversation."""
    for edge in edges:
        session = edge.step.session
        told, screen = told_alone(BOOK, session), BOOK.screens[session.screen]
        if told is None:
            assert not screen.goal or session.page or (session.reply or "").find("\n# ") > 0
            continue
        assert screen.goal
        assert cost(session.frame, told) <= session.frame.room
        options = {f"{o.key} {BOOK.language(session.language).say(o.text, {})}" for o in screen.options}
        lines = told.split("\n")
        assert not options & set(lines)
        if session.page == 0 and not (session.reply or "").startswith(NOTICES):
            own = [line for line in lines_without_nav(session.reply or "") if line not in options]
            assert lines[: len(own)] == own


def test_the_last_screen_is_an_end_and_every_other_goes_on(edges: list[Edge]) -> None:
    left: dict[str, set[str]] = {}
    for edge in edges:
        session = edge.step.session
        if edge.step.final:
            assert BOOK.screens[session.screen].kind == "end"
        if edge.before is not None and edge.key != DROPPED:
            left.setdefault(edge.before.screen, set()).add(session.screen)
    for screen, reached in left.items():
        assert reached - {screen}, f"no way on from {screen}"


def test_turning_the_pages_shows_every_line_once(edges: list[Edge]) -> None:
    """From the first page on and round to it: every option once, and after a wrong key no line is passed over."""
    firsts = {
        edge.step.reply: edge.step.session
        for edge in edges
        if not edge.step.final and edge.step.session.page == 0 and not (edge.step.reply or "").startswith(NOTICES)
    }
    for session in firsts.values():
        pages = pages_of(session)
        lines = [line for page in pages for line in lines_without_nav(page)]
        for option in BOOK.screens[session.screen].options:
            assert len([line for line in lines if line.startswith(f"{option.key} ")]) == 1, pages
        for on in range(len(pages)):  # a wrong key on whichever page
            at = session
            for _ in range(on):
                at = step(BOOK, at._replace(keys=0), Key("#")).session
            wrong = step(BOOK, at._replace(keys=0, wrong=0), Key("no such key"))
            notice, *rest = lines_without_nav(wrong.reply or "")
            assert notice in NOTICES, wrong.reply
            following = step(BOOK, wrong.session, Key("#"))
            words, seen = " ".join(lines).split(), " ".join(rest).split()
            assert words[: len(seen)] == seen, "the first page follows the notice"
            more = " ".join(lines_without_nav(following.reply or "")).split()
            assert any(words[start : start + len(more)] == more for start in range(len(seen) + 1)), (
                wrong.reply,
                following.reply,
            )


def pages_of(first: Session) -> list[str]:
    """The screen's pages, by pressing # until the first is back."""
    pages, at = [first.reply], step(BOOK, first._replace(keys=0), Key("#"))
    while at.session.page != 0:
        assert len(pages) < 20, "the pages never come round"
        pages.append(at.reply or "")
        at = step(BOOK, at.session._replace(keys=0), Key("#"))
    assert at.reply == first.reply
    return pages


def lines_without_nav(page: str) -> list[str]:
    return [line for line in page.split("\n") if not line.startswith(("0 ", "# "))]


def _is_promised_as_asked(session: Session, promised: PromiseAnswer) -> None:
    """On the screen that says so, to this phone, as an officer where an officer asked."""
    args = dict(promised.args)
    assert session.msisdn == promised.msisdn
    if session.screen == "due_by_sms":
        assert promised.fact == "quote"
        assert args.pop("officer") == session.values["officer"]["code"]
        assert args == (
            {"chfid": session.values["chfid"]}
            if "officer_enquiry" not in session.facts
            else {"family_id": session.values["family"]["id"]}
        )
        return
    assert session.screen == "answer_by_sms"
    if "family_id" in args:
        assert args.get("officer", "") == session.values["family"].get("officer", "")
        assert "mandate" in session.facts or "officer" not in args
    elif promised.fact == "officer_enquiry":
        assert args["officer"] == session.values["officer"]["code"]
    else:
        assert "officer" not in args


def test_a_bill_is_asked_for_only_by_a_yes_to_its_amount(edges: list[Edge]) -> None:
    asked = 0
    for edge in edges:
        for effect in edge.step.effects:
            before = edge.before
            if isinstance(effect, PromiseAnswer):
                _is_promised_as_asked(edge.step.session, effect)
                continue
            assert before is not None
            if isinstance(effect, AwaitNumber):
                assert (effect.family_id, effect.msisdn) == (before.values["family"]["id"], before.msisdn)
                assert edge.step.session.screen in ("number_awaited", "payment_shown")
            elif isinstance(effect, RequestBill):
                asked += 1
                quote = before.facts["quote"]
                assert (before.screen, edge.key) == ("officer_confirm" if effect.officer else "confirm", "1")
                assert (effect.key, effect.amount_minor) == (quote["key"], quote["amount"])
                assert (effect.family_id, effect.msisdn) == (before.values["family"]["id"], before.msisdn)
                assert effect.language == before.language
                assert effect.officer == before.values["family"].get("officer", "")
                if effect.officer:
                    assert before.facts["mandate"]["state"] == "given"
            elif isinstance(effect, TellHowToPay):
                after = edge.step.session
                assert before.screen in ("number_how", "number_given", "officer_given")
                assert after.screen == f"number_{effect.way}"
                assert (effect.control_number, effect.msisdn) == (after.facts["bill"]["number"], before.msisdn)
            elif isinstance(effect, TellCommission):
                assert (before.screen, edge.key) == ("commission_told", "1")
                assert effect.first == before.values["month"]["first"]
            elif isinstance(effect, DisownFamily):
                assert (before.screen, edge.key) == ("wrong_phone", "1")
                assert effect == DisownFamily(before.values["family"]["id"], before.msisdn)
            elif isinstance(effect, ClaimFamily):
                assert before.screen == "claim_number"
                assert effect == ClaimFamily(edge.key, before.msisdn)
            else:
                assert isinstance(effect, KeepLanguage)
                assert before.screen == "language"
                assert effect.language == edge.step.session.language
    assert asked or not any(edge.step.session.screen == "confirm" for edge in edges)


def test_dropped_and_dialled_again_goes_where_the_screen_says(edges: list[Edge]) -> None:
    """And shows nothing that was fetched before, does nothing, and confirms nothing.

    Who is late is promised the first screen.
    """
    met = set()
    for edge in (edge for edge in edges if edge.key == DROPPED):
        before, after = edge.before, edge.step.session
        assert before is not None
        late = PromiseAnswer("caller", (), before.msisdn, after.language)
        assert edge.step.effects == ((late,) if after.screen == "answer_by_sms" else ())
        assert set(after.facts) <= {"caller"}, "nothing of before, and nothing more is asked for the question"
        how = BOOK.screens[before.screen].resume if before.trail else "restart"
        if before.screen == "resume":
            how = "ask"
        met.add(how)
        if after.screen == "answer_by_sms":
            assert after.left == before.left, "the caller fact came too late: the next dial takes it up"
        elif how == "ask":
            assert before.left is not None
            assert (after.screen, after.trail, after.left) == ("resume", (), before.left._replace(stood="resume"))
        elif how == "continue":
            assert after.screen == (BOOK.screens[before.screen].resume_at or before.screen)
            assert len(after.trail) == 1
            assert after.trail[0] in FIRST
            assert (edge.step.reply or "").startswith(("Tunaendelea.\n", "We go on.\n"))
        else:
            assert after.screen in FIRST
            assert (after.trail, after.left) == ((), None)
    assert met == ({"continue", "restart"} if edges[0].step.session.screen == "stranger" else {*HOWS})


def test_what_is_left_is_taken_up_after_the_question_or_gone(edges: list[Edge]) -> None:
    for edge in edges:
        before, after = edge.before, edge.step.session
        if before is None or before.screen != "resume":
            continue
        assert before.left is not None
        if edge.key == "1":
            shown = {"nothing_to_pay", "answer_by_sms"}
            if before.left.screen == "officer_confirm":
                shown |= {"officer_confirm", "officer_elsewhere", "officer_left", "officer_limited", "due_by_sms"}
                shown |= {"officer_number_again"}  # the number is no family's any more
            else:
                shown |= {"confirm"}
            assert after.screen in shown
        elif edge.key in ("2", "00"):
            assert (after.screen, after.trail, after.left) == (after.screen, (), None)
            assert after.screen in FIRST


def test_a_strangers_phone_comes_to_no_money(edges: list[Edge]) -> None:
    first = edges[0].step.session
    if first.screen == "stranger":
        shown = {edge.step.session.screen for edge in edges}
        assert not shown & {"home", "confirm", "number_given", "number_how", "families"}


def test_all_that_the_book_holds_is_reached() -> None:
    """Nothing in the book is dead, and the walk is no walk around the block."""
    everywhere = [edge for name in NARROW for edge in walked(name, 140)]
    shown = {edge.step.session.screen for edge in everywhere}
    assert shown == {s.name for s in BOOK.screens.values() if s.kind != "route"}
    pressed = {(edge.before.screen, edge.key) for edge in everywhere if edge.before}
    assert pressed >= {(s.name, o.key) for s in BOOK.screens.values() for o in s.options}
    assert {edge.step.session.language for edge in everywhere} == {"sw", "en"}


def test_a_fact_is_asked_for_anew_wherever_it_is_needed() -> None:
    """So that nothing is shown that was true some screens ago; who calls does not change in a call."""
    for screen in BOOK.screens.values():
        assert {*screen.needs} - {"caller"} <= {*screen.forget}, screen.name


@pytest.mark.parametrize("limit", [80, 100, 140, 160])
def test_twenty_members_turn_pages_and_no_line_is_broken(limit: int) -> None:
    members = [{**member("covered"), "name": f"{GIVEN_NAMES[:10]}  {number:02}"} for number in range(20)]
    told = {"caller": caller("covered"), "members": {"state": "some", "count": 20, "items": members}}
    talk = Talk(lambda ask: told[ask.fact], new_session(limit=limit))
    talk.dial()
    pages = pages_of(talk.press("3").session)
    assert all(units(page) <= limit - 4 for page in pages)
    lines = [line for page in pages for line in lines_without_nav(page)]
    shown = [f"{GIVEN_NAMES[:10]} {number:02}: HAI hadi 30/12/2026" for number in range(20)]
    assert lines == ["Familia yangu:", *shown]


def test_a_phone_of_twenty_families_turns_pages() -> None:
    """More families than any menu holds: each can be chosen, each screen fits."""
    taken = one_step(BOOK, new_session(limit=140), Started())
    taken = one_step(BOOK, taken.session, as_event(taken.asks[0], caller(*["covered"] * 20)))
    pages = pages_of(taken.session)
    assert all(units(page) <= 136 for page in pages)
    numbers = [int(line.split()[0]) for page in pages for line in lines_without_nav(page) if line[0].isdigit()]
    assert numbers == list(range(1, 21))
    for number in numbers:
        chosen = one_step(BOOK, taken.session, Key(str(number)))
        assert chosen.session.screen == "home"
        assert chosen.session.values["family"]["id"] == number


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"help": "{caller.count}"}, None),
        ({"help": "Bei ni " + "x" * 400}, None),
        ({"help": "Karibu ŵ"}, "alphabet"),
    ],
)
def test_the_walk_sees_a_text_that_is_too_long_or_in_another_alphabet(change: dict[str, str], why: str | None) -> None:
    """A guard of the guard: what the shipped book must not hold is found in one that holds it."""
    import menus

    data, languages = menus.read()
    languages["sw"] |= change
    book = load_book(data, languages)
    found = walk(replace(book, limits=WALKED.limits), caller("covered"), 160)
    assert all(units(edge.step.reply or "") <= 156 for edge in found), "paging holds whatever the text"
    assert all(is_gsm7(edge.step.reply or "") for edge in found) == (why is None)
