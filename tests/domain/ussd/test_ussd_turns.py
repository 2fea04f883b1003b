"""What a transcript means for the conversation that is held."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from played.talk import Talk, from_table, new_session

from gateway.domain.ussd.turns import (
    KEPT_IDS,
    Fresh,
    KeyTurn,
    Lost,
    Next,
    Same,
    dialled_inputs,
    mark,
    may_dial,
    read_key,
    read_transcript,
)

# held ("-": nothing), what comes, what it means
CASES: list[tuple[str, str, str, Same | Next | Fresh]] = [
    ("the first dial", "-", "", Fresh(())),
    ("answers in the dialled code", "-", "1*2", Fresh(("1", "2"))),
    ("a session that the store lost", "-", "1*1*1", Fresh(("1", "1", "1"))),
    ("the dial again", "", "", Same()),
    ("the first answer", "", "1", Next("1")),
    ("the first answer is empty stars", "", "*", Next("*")),
    ("the first answer holds a star", "", "1*2", Next("1*2")),
    ("the same turn again", "1", "1", Same()),
    ("the next answer", "1", "1*2", Next("2")),
    ("the next answer is empty", "1", "1*", Next("")),
    ("the next answer holds a star", "1", "1*2*3", Next("2*3")),
    ("the next answer is a star", "1", "1**", Next("*")),
    ("the same with a star in it", "1*2*3", "1*2*3", Same()),
    ("a shorter text: an earlier turn, late", "1*2*3", "1*2", Same()),
    ("a shorter text: the first turn, late", "1*2*3", "1", Same()),
    ("a shorter text: the dial, late", "1*2*3", "", Same()),
    ("shorter, but not a beginning", "1*2*3", "2", Fresh(("2",))),
    ("a beginning of letters, not of answers", "1*23", "1*2", Fresh(("1", "2"))),
    ("longer, but of another beginning", "1*2", "1*3*4", Fresh(("1", "3", "4"))),
    ("longer by letters, not by an answer", "1*2", "1*23", Fresh(("1", "23"))),
    ("diverged in the last answer", "1*2", "1*3", Fresh(("1", "3"))),
]


@pytest.mark.parametrize(("held", "comes", "means"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_transcript_means_this(held: str, comes: str, means: Same | Next | Fresh) -> None:
    stored = None if held == "-" else new_session()._replace(transcript=held)
    assert read_transcript(stored, comes) == means


@pytest.mark.parametrize(
    ("held", "comes", "means"),
    [
        ("1*1", "", Fresh(())),
        ("", "", Same()),  # the dial itself ended it
        ("1*1", "1*1", Same()),
        ("1*1", "1", Same()),
        ("1*1", "2", Fresh(("2",))),
    ],
)
def test_after_the_end_a_dial_is_a_new_one(held: str, comes: str, means: Same | Fresh) -> None:
    """Some wires' session id is the phone's number, and people dial again within minutes."""
    assert read_transcript(new_session()._replace(transcript=held, final=True), comes) == means


def test_a_session_that_never_had_a_transcript_is_begun() -> None:
    assert read_transcript(new_session(), "1") == Fresh(("1",))


TRANSCRIPTS = st.text(alphabet="12*#a", max_size=12)


@given(held=TRANSCRIPTS, answer=TRANSCRIPTS)
def test_one_answer_more_is_always_the_next(held: str, answer: str) -> None:
    longer = f"{held}*{answer}" if held else answer
    expected = Next(answer) if longer != held else Same()
    assert read_transcript(new_session()._replace(transcript=held), longer) == expected


@given(held=TRANSCRIPTS, comes=TRANSCRIPTS)
def test_a_late_turn_never_runs_anything(held: str, comes: str) -> None:
    """What was answered before is a beginning of what is held, answer by answer: never run again."""
    answers = held.split("*") if held else []
    for number in range(len(answers) + 1):
        earlier = "*".join(answers[:number])
        if earlier or number == 0:
            assert read_transcript(new_session()._replace(transcript=held), earlier) == Same()


# ------------------------------------------------------------------------------------ wires that send the last key only

CODES = ("*152*00#", "*152*00*9#")
NOTHING, OPEN, BEGUN, OVER = "nothing", "open", "begun", "over"  # what we hold; begun: since *152*00#, none answered
# what we hold, its turns, what comes, what it means
KEY_CASES: list[tuple[str, str, tuple[str, ...], KeyTurn, Same | Next | Fresh | Lost]] = [
    ("a first turn", NOTHING, (), KeyTurn("*152*00#", True, codes=CODES), Fresh(())),
    ("a first turn with answers in it", NOTHING, (), KeyTurn("*152*00*1*2#", True, codes=CODES), Fresh(("1", "2"))),
    ("under the longer of two codes", NOTHING, (), KeyTurn("*152*00*9*2#", True, codes=CODES), Fresh(("2",))),
    ("a first turn under a code that is none of ours", NOTHING, (), KeyTurn("*1#", True, codes=CODES), Fresh(())),
    ("a first turn where no code is known", NOTHING, (), KeyTurn("*152*00*1#", True), Fresh(())),
    ("a first turn without a text", NOTHING, (), KeyTurn("", True, codes=CODES), Fresh(())),
    ("a first turn again", BEGUN, (), KeyTurn("*152*00#", True, codes=CODES), Same()),
    ("a first turn again, its session over at once", OVER, ("dialled *152*00#",), KeyTurn("*152*00#", True), Same()),
    ("another first turn in a session none answered", BEGUN, (), KeyTurn("*152*00*1#", True, codes=CODES),
     Fresh(("1",))),
    ("a first turn after an answer: the id is used again", OPEN, (), KeyTurn("*152*00#", True, codes=CODES), Fresh(())),
    ("a first turn after the end", OVER, (), KeyTurn("*152*00#", True, codes=CODES), Fresh(())),
    ("an answer", OPEN, (), KeyTurn("1", False), Next("1")),
    ("the first answer", BEGUN, (), KeyTurn("1", False), Next("1")),
    ("an answer that holds a star", OPEN, (), KeyTurn("1*2", False), Next("1*2")),
    ("an empty answer", OPEN, (), KeyTurn("", False), Next("")),
    ("an answer that reads like the code", OPEN, (), KeyTurn("*152*00#", False, codes=CODES), Next("*152*00#")),
    ("the same answer again, on a wire without ids", OPEN, (), KeyTurn("1", False), Next("1")),
    ("the same answer, while the first is still being answered", OPEN, ("key 1",), KeyTurn("1", False, early=True),
     Same()),
    ("another answer meanwhile", OPEN, ("key 1",), KeyTurn("2", False, early=True), Next("2")),
    ("the same answer, once that was answered", OPEN, ("key 1",), KeyTurn("1", False), Next("1")),
    ("the same answer at once, with an id of its own", OPEN, ("6",), KeyTurn("1", False, "7", early=True), Next("1")),
    ("an answer to a session that the store lost", NOTHING, (), KeyTurn("1", False), Lost()),
    ("an answer to a lost session, with an id", NOTHING, (), KeyTurn("1", False, "7"), Lost()),
    ("an answer to a session that ended", OVER, (), KeyTurn("1", False), Same()),
    ("an answer with a new id", OPEN, ("6",), KeyTurn("1", False, "7"), Next("1")),
    ("an answer with the id of the last", OPEN, ("6", "7"), KeyTurn("1", False, "7"), Same()),
    ("an answer with the id of one before: late", OPEN, ("6", "7"), KeyTurn("2", False, "6"), Same()),
    ("a first turn with its id again", OPEN, ("1",), KeyTurn("*152*00#", True, "1"), Same()),
    ("a first turn with its id again, late", OPEN, ("1", "6"), KeyTurn("*152*00#", True, "1"), Same()),
    ("a first turn with its id again, which ended it", OVER, ("1",), KeyTurn("*152*00#", True, "1"), Same()),
    ("a first turn with its id again, after the end", OVER, ("1", "6"), KeyTurn("*152*00#", True, "1"), Fresh(())),
    ("an answer with its id again, after the end", OVER, ("1", "6", "7"), KeyTurn("1", False, "6"), Same()),
    ("the last answer with its id again, after the end", OVER, ("1", "6"), KeyTurn("1", False, "6"), Same()),
    ("a first turn with a new id", OPEN, ("1",), KeyTurn("*152*00#", True, "2"), Fresh(())),
    ("nothing said, no code known, nothing held", NOTHING, (), KeyTurn("147*03"), Fresh(())),
    ("nothing said, one of our codes", NOTHING, (), KeyTurn("152*00", codes=CODES), Fresh(())),
    ("nothing said, one of our codes with answers", NOTHING, (), KeyTurn("152*00*1", codes=CODES), Fresh(("1",))),
    ("nothing said, none of our codes: it answered a lost screen", NOTHING, (), KeyTurn("1", codes=CODES), Lost()),
    ("nothing said, the code again, none answered", OPEN, ("dialled 152*00",), KeyTurn("152*00", codes=CODES), Same()),
    ("the same where no code is known", OPEN, ("dialled 147*03",), KeyTurn("147*03"), Same()),
    ("nothing said, an answer", OPEN, ("dialled 152*00",), KeyTurn("1", codes=CODES), Next("1")),
    ("nothing said, the code after an answer", OPEN, (), KeyTurn("152*00", codes=CODES), Fresh(())),
    ("nothing said, the code with answers after an answer", OPEN, (), KeyTurn("152*00*1", codes=CODES), Fresh(("1",))),
    ("nothing said, a code of one number after an answer", OPEN, (), KeyTurn("147", codes=("*147#",)), Next("147")),
    ("nothing said, the code after an answer, no code known", OPEN, (), KeyTurn("152*00"), Next("152*00")),
    ("nothing said, an answer to a session that ended", OVER, (), KeyTurn("1", codes=CODES), Same()),
    ("nothing said, the code after the end", OVER, (), KeyTurn("152*00*1", codes=CODES), Fresh(("1",))),
    ("nothing said, after the end, no code known", OVER, (), KeyTurn("152*00"), Same()),
]  # fmt: skip


@pytest.mark.parametrize(("held", "turns", "comes", "means"), [c[1:] for c in KEY_CASES], ids=[c[0] for c in KEY_CASES])
def test_a_key_means_this(held: str, turns: tuple[str, ...], comes: KeyTurn, means: Same | Next | Fresh | Lost) -> None:
    kept = ("dialled *152*00#",) if held == BEGUN else turns
    stored = None if held == NOTHING else new_session()._replace(turns=kept, final=held == OVER)
    assert read_key(stored, comes) == means


@pytest.mark.parametrize(
    ("dialled", "inputs"),
    [
        ("*152*00#", ()),
        ("152*00", ()),
        ("152*00#", ()),
        ("*152*00", ()),
        (" *152*00# ", ()),
        ("*152*00*1*100000014#", ("1", "100000014")),
        ("*152*00*9*1#", ("1",)),
        ("*152*00**#", ("", "")),
        ("*152*001#", None),
        ("*152#", None),
        ("1", None),
        ("", None),
        ("*" * 100, None),
    ],
)
def test_the_answers_inside_a_dialled_code(dialled: str, inputs: tuple[str, ...] | None) -> None:
    assert dialled_inputs(dialled, CODES) == inputs


def test_a_turn_that_was_answered_is_known_when_it_comes_again() -> None:
    """Whatever came first: the same turn at once again is no new one, on every wire that can tell."""
    for turn in (KeyTurn("*152*00#", True), KeyTurn("152*00", codes=CODES), KeyTurn("*1#", True, "1")):
        begun = new_session()._replace(turns=mark(None, turn, Fresh(())))
        assert read_key(begun, turn) == Same()
    session = new_session()._replace(turns=("1",))
    for number in range(2, 30):
        turn = KeyTurn("5", False, str(number))
        seen = read_key(session, turn)
        assert seen == Next("5")
        session = session._replace(turns=mark(session, turn, seen))
        for earlier in range(max(1, number - KEPT_IDS + 1), number + 1):
            assert read_key(session, KeyTurn("5", False, str(earlier))) == Same()
    assert len(session.turns) == KEPT_IDS


def test_a_lost_session_keeps_no_code_that_would_stop_the_next_answer() -> None:
    lost = KeyTurn("1", codes=CODES)
    session = new_session()._replace(turns=mark(None, lost, Lost()))
    assert read_key(session, lost) == Next("1")


@given(
    held=st.sampled_from([NOTHING, OPEN, OVER]),
    turns=st.lists(st.sampled_from(["1", "2", "dialled 1", "dialled *152*00#"]), max_size=3).map(tuple),
    text=st.text(alphabet="12*#0", max_size=8),
    first=st.sampled_from([True, False, None]),
    id_=st.sampled_from(["", "1", "2", "3"]),
    codes=st.sampled_from([(), CODES]),
)
def test_a_key_always_means_something(
    held: str, turns: tuple[str, ...], text: str, first: bool | None, id_: str, codes: tuple[str, ...]
) -> None:
    stored = None if held == NOTHING else new_session()._replace(turns=turns, final=held == OVER)
    turn = KeyTurn(text, first, id_, codes)
    seen = read_key(stored, turn)
    assert not (stored is None and isinstance(seen, Same | Next))
    assert not (held == OVER and isinstance(seen, Next)), "what has ended is not played on"
    if isinstance(seen, Next):
        assert seen.text == text
    if not isinstance(seen, Same):
        assert len(mark(stored, turn, seen)) <= KEPT_IDS


@given(
    text=st.text(alphabet="152*#0", max_size=8) | st.sampled_from(["*152*00#", "*152*00*1#", "152*00", "*152*00*9*1#"]),
    first=st.sampled_from([True, False, None]),
    codes=st.sampled_from([(), CODES]),
)
def test_what_may_be_a_dial_without_answers_is_one_where_nothing_is_held(
    text: str, first: bool | None, codes: tuple[str, ...]
) -> None:
    """What a dropped conversation left is looked for then, and only then."""
    turn = KeyTurn(text, first, codes=codes)
    assert may_dial(turn) == (read_key(None, turn) == Fresh(()))
    assert may_dial(text) == (read_transcript(None, text) == Fresh(()))


PAYABLE = {
    "state": "payable",
    "key": "family:1/product:1/after:0",
    "product": "CHF",
    "amount": 3_000_000,
    "start": "2026-12-31",
    "until": "2027-12-30",
}
KNOWN = {"language": None, "count": 1, "families": [{"id": 1, "state": "none"}]}


@pytest.mark.parametrize("dialled", [["1"], ["1", "1"], ["1", "1", "1"], ["1", "00", "1", "1"], ["2", "1", "1"]])
def test_answers_dialled_ahead_stop_at_a_confirmation_of_money(dialled: list[str]) -> None:
    numbered = {"state": "numbered", "number": "994180000017", "amount": 3_000_000, "expires": "2026-12-31"}
    table = {"caller": [KNOWN], "quote": [PAYABLE], "bill": [{"state": "none"}], "control_number": [numbered]}
    talk = Talk(from_table(table), new_session())
    seen = [talk.dial(), *(talk.press(key, dialled=True) for key in dialled)]
    assert [effect for one in seen for effect in one.effects] == []
    assert seen[-1].screen.startswith("CHF\nLipa TZS 30,000\n")
    assert talk.press("1").effects == (
        "request_bill family:1/product:1/after:0 family=1 minor=3000000 for=+255754100200 in=sw",
    )


def test_answers_dialled_ahead_do_all_the_rest() -> None:
    covered = {"state": "covered", "until": "2026-12-31"}
    talk = Talk(from_table({"caller": [KNOWN], "enquiry": [covered]}), new_session())
    talk.dial()
    talk.press("5", dialled=True)
    talk.press("2", dialled=True)
    assert talk.press("2", dialled=True).effects == ("keep_language en for=+255754100200",)
    talk.press("5", dialled=True)
    talk.press("1", dialled=True)
    assert talk.press("100000014", dialled=True).screen == "COVERED until 31/12/2026."
