"""What an officer adds without a line of Python: a language is one file, a menu is a file and its texts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import menus


def gateway(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "menus", *arguments]
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = tmp_path / "menus"
    shutil.copytree(Path(menus.__file__).parent, copied, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copied


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_a_new_language_is_one_file(folder: Path) -> None:
    english = (folder / "languages" / "en.toml").read_text("utf-8")
    gogo = english.replace('name = "English"', 'name = "Cigogo"').replace("1. Get a control", "1. Pata control")
    (folder / "languages" / "gogo.toml").write_text(gogo, "utf-8")
    checked = gateway("check", str(folder))
    assert checked.returncode == 0, checked.stdout
    assert "Kiswahili, English, Cigogo" in checked.stdout
    played = gateway("play", str(folder), typed="5\n2\n3\n00\n")
    assert played.returncode == 0, played.stderr
    assert "| 3 Cigogo  " in played.stdout
    assert "committed: keep_language gogo" in played.stdout
    assert "| 1 Pay for insurance " in played.stdout


def test_a_language_with_a_text_missing_is_refused(folder: Path) -> None:
    english = (folder / "languages" / "en.toml").read_text("utf-8")
    lines = [line for line in english.split("\n") if not line.startswith("busy = ")]
    (folder / "languages" / "gogo.toml").write_text("\n".join(lines), "utf-8")
    checked = gateway("check", str(folder))
    assert checked.returncode == 1
    assert checked.stdout.split("\n")[0] == "gogo: no text for 'end.busy'"


FEEDBACK = """
[feedback]
kind = "route"
forget = ["quote"]
needs = ["quote"]
failed = "try_later"
routes = [{ when = { "quote.state" = "payable" }, goto = "feedback_price" }, { goto = "feedback_thanks" }]

[feedback_price]
kind = "menu"
text = "feedback_price"
options = [{ key = "1", text = "option.yes", goto = "feedback_thanks" }]

[feedback_thanks]
kind = "end"
text = "feedback_thanks"
"""
TEXTS = {
    "sw": ("Bima ni TZS {quote.amount:money}. Ni bei nzuri?", "Asante kwa maoni yako."),
    "en": ("The insurance is TZS {quote.amount:money}. Is it a good price?", "Thank you for telling us."),
}


def test_a_new_menu_is_a_file_and_its_texts(folder: Path) -> None:
    (folder / "screens" / "feedback.toml").write_text(FEEDBACK, "utf-8")
    family = folder / "screens" / "family.toml"
    edit(
        family,
        'goto = "help" },\n]',
        'goto = "help" },\n  { key = "9", text = "option.feedback", goto = "feedback" },\n]',
    )
    for code, (price, thanks) in TEXTS.items():
        language = folder / "languages" / f"{code}.toml"
        edit(language, "name = ", f'feedback_price = "{price}"\nfeedback_thanks = "{thanks}"\nname = ')
        edit(language, "[option]\n", '[option]\nfeedback = "Maoni"\n')
    checked = gateway("check", str(folder))
    assert checked.returncode == 0, checked.stdout
    played = gateway("play", str(folder), "--caller", "expired", typed="5\n9\n1\n")
    assert played.returncode == 0, played.stderr
    assert "| Bima ni TZS 9,999,999. Ni bei nzuri? " in played.stdout
    assert "| Asante kwa maoni yako. " in played.stdout
    assert "the last screen" in played.stdout


def test_a_file_that_is_no_toml_is_named(folder: Path) -> None:
    (folder / "screens" / "feedback.toml").write_text("[feedback\n", "utf-8")
    checked = gateway("check", str(folder))
    assert checked.returncode == 1
    assert checked.stdout.startswith("feedback.toml: ")


def test_a_fault_that_stops_the_loading_is_said_with_its_file(folder: Path) -> None:
    edit(folder / "screens" / "settings.toml", 'goto = "help_pay"', 'goto = "nowhere"')
    checked = gateway("check", str(folder))
    assert checked.returncode == 1
    assert checked.stdout.split("\n")[0] == "settings.toml: screen help: goes to 'nowhere', which does not exist"


def test_a_file_as_an_editor_of_windows_saves_it_is_read_and_another_encoding_is_said(folder: Path) -> None:
    path = folder / "languages" / "sw.toml"
    text = path.read_text("utf-8")
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert gateway("check", str(folder)).returncode == 0
    for encoding, spelt in (("latin-1", text.replace("Kiswahili", "Kiswahil\u00ed")), ("utf-16", text)):
        path.write_bytes(spelt.encode(encoding))
        checked = gateway("check", str(folder))
        assert (checked.returncode, checked.stdout, checked.stderr) == (1, "sw.toml: is not saved as UTF-8\n", "")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('lost = "x"\n', "lost.toml: 'lost' stands in no screen: a screen begins with its name in brackets\n"),
        (f"x = {'[' * 3_000}{']' * 3_000}", "lost.toml: too deep a nesting\n"),
    ],
)
def test_what_is_no_screen_is_said(folder: Path, written: str, said: str) -> None:
    (folder / "screens" / "lost.toml").write_text(written, "utf-8")
    checked = gateway("check", str(folder))
    assert (checked.returncode, checked.stdout, checked.stderr) == (1, said, "")
