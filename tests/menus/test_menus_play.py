"""The phone in the terminal: what it shows, what it is told, and that what it records is a test that passes at once."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import test_menus_conversations as conversation_tests
from played.conversation import Conversation
from played.talk import BOOK, new_session

from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.machine import Ask
from gateway.domain.ussd.samples import ANSWERS, CALLERS
from gateway.menu_tools.phone import Phone, Registry, UnknownWordError, states_of


def gateway(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "menus", *arguments]
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60, check=False)


RECORDED = [
    ("a renewal", ["--caller", "expired"], "1\n1\n"),
    ("what changed on the way", [], "1\n!state changed\n1\n00\n!state control_number=refused\n1\n1\n"),
    ("late", [], "!late bill\n2\n"),
    (
        "pages of a narrow screen, in English",
        ["--channel", "narrowest", "--language", "en"],
        "#\n8\n#\n5\n1\n100000014\n",
    ),
    ("dialled ahead, on a network", ["--dialled", "1,1", "--network", BOOK.networks[0]], "1\n"),
    ("the language", ["--caller", "several"], "2\n5\n2\n2\n!state waiting\n2\n2\n"),
    ("dropped at a confirmation and taken up again", [], "1\n!drop\n1\n1\n"),
    (
        "an officer, whose commission is late first",
        ["--caller", "officer"],
        "3\n!late\n1\n!state reckoned\n!dial\n3\n1\n1\n",
    ),
    ("lists, on a screen of many pages", ["--channel", "narrowest"], "3\n#\n#\n0\n4\n#\n"),
    ("begun twice, the last is kept", [], "5\n!caller stranger\n1\n100000017\n100000014\n"),
]


@pytest.mark.parametrize(("options", "typed"), [c[1:] for c in RECORDED], ids=[c[0] for c in RECORDED])
def test_what_is_recorded_is_a_test_that_passes(options: list[str], typed: str, tmp_path: Path) -> None:
    path = tmp_path / "recorded.toml"
    done = gateway("play", *options, "--record", str(path), typed=typed)
    assert (done.returncode, done.stderr) == (0, "")
    recorded = Conversation(path.stem, tomllib.loads(path.read_text("utf-8")))
    conversation_tests.test_every_turn_is_written_in_every_language(recorded)
    for language in recorded.languages:
        conversation_tests.test_a_conversation_goes_as_written(recorded, language)
    assert recorded.languages == list(BOOK.languages)
    assert tomllib.loads(conversation_tests.recorded(recorded)) == recorded.data
    shown = [line[2:-2].rstrip() for line in done.stdout.split("\n") if line.startswith("| ")]
    spoken = "en" if "en" in options else "sw"
    last = recorded.turns[-1][spoken].split("\n")
    assert " ".join(shown).endswith(" ".join(last)), "the file holds what the terminal showed"


def test_a_screen_is_shown_with_what_it_takes_and_what_it_brought_about() -> None:
    done = gateway("play", typed="1\n1\n")
    assert done.stdout.split("\n")[-14:-1] == [
        "  committed: request_bill family:1/product:1/after:0 family=1 minor=999999900 for=+255754100200 in=sw",
        "  control_number: numbered",
        "+------------------------------------------+",
        "| Namba ya malipo:                         |",
        "| 9941 8000 0017                           |",
        "| Lipa TZS 9,999,999                       |",
        "| Mwisho 30/12/2026                        |",
        "| Umetumiwa pia kwa SMS.                   |",
        "| 1 Kulipa kwa simu                        |",
        "| 2 Kulipa benki                           |",
        "| 0 Rudi                                   |",
        "+------------------------------------------+",
        "  135/160 septets, page 1 of 1",
    ]


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (("--channel", "x"), "", "no channel 'x'; there are "),
        (("--language", "xx"), "", "no language 'xx'; there are sw; en"),
        (("--caller", "nobody"), "", "no caller 'nobody'; there are stranger; "),
        (("--network", "x"), "", "no network 'x'; there are "),
        (("/nowhere",), "", "/nowhere/book.toml: "),
        ((), "!lat\n", "not known: '!lat'"),
        ((), "!late nothing\n", "not known: '!late nothing'"),
        ((), "!state nowhere\n", "no fact has the state 'nowhere'"),
        ((), "!state bill=payable\n", "no fact has the state 'bill=payable'"),
        ((), "2\n2\n1\n", "the conversation has ended"),
        ((), "2\n2\n!drop\n", "the conversation has ended"),
    ],
)
def test_wrong_use_is_said(arguments: tuple[str, ...], typed: str, said: str) -> None:
    done = gateway("play", *arguments, typed=typed)
    assert done.returncode == 2
    assert said in done.stderr


def phone(*lines: str, frame: Frame | None = None) -> list[str]:
    """What is said after the last line."""
    said: list[str] = []
    played = Phone(BOOK, new_session(frame=frame), "covered", (), said.append)
    for line in lines:
        said.clear()
        played.told(line)
    return said


def test_a_notice_and_pages_are_counted() -> None:
    narrow = Frame(80, "bytes", "<br>", 4, "ascii", True)
    assert [phone(*keys, frame=narrow)[-1].strip() for keys in (("8",), ("#",), ("#", "#"))] == [
        "77/80 bytes, page 1 of 3", "69/80 bytes, page 2 of 3", "13/80 bytes, page 3 of 3",
    ]  # fmt: skip


def test_the_facts_are_listed_with_what_they_say_now() -> None:
    listed = phone("!state waiting", "!facts")[0].split("\n")
    assert "  bill: numbered, [waiting], none" in listed
    assert [line.split(":")[0].strip() for line in listed] == ["caller", *ANSWERS]


def test_every_state_of_every_fact_can_be_told() -> None:
    registry = Registry()
    for fact in ANSWERS:
        for state, sample in states_of(fact).items():
            registry.choose(f"{fact}={state}")
            assert registry(Ask(fact, ())) == sample
    assert states_of("caller") == CALLERS


def test_hanging_up_ends_the_call() -> None:
    said: list[str] = []
    played = Phone(BOOK, new_session(), "covered", (), said.append)
    assert played.told("!help")
    assert "!quit" in said[-1]
    assert not played.told("!quit")
    with pytest.raises(UnknownWordError):
        played.told("!")
