"""What a transcript means for the conversation that is held."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from played.talk import Talk, from_table, new_session

from gateway.domain.ussd.turns import Fresh, Next, Same, read_transcript

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
    talk.press("4", dialled=True)
    assert talk.press("2", dialled=True).effects == ("keep_language en for=+255754100200",)
    talk.press("3", dialled=True)
    assert talk.press("100000014", dialled=True).screen == "COVERED until 31/12/2026."
