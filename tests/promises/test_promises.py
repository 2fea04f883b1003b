"""The README's promises name the tests that show them: what is named exists, and what is not built yet says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \|$", (ROOT / "README.md").read_text(), re.M)


def test_there_are_ten() -> None:
    assert [number for number, _, _ in ROWS] == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize(("number", "promise", "shown"), ROWS)
def test_what_shows_a_promise_exists(number: str, promise: str, shown: str) -> None:
    named = re.findall(r"`([^`]+)`", shown)
    assert named or "not built yet" in shown
    for path in named:
        assert (ROOT / path).is_file(), path
        assert "def test_" in (ROOT / path).read_text(), path
