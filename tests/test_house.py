"""What import-linter cannot see: names, and that a rule of the house is kept in words too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# the composition root wires providers by name, and the demo sets their addresses
MAY_NAME = {"gateway/app.py", "gateway/demo.py"}
PROVIDERS = re.compile(r"gepg|africa.?s?.?talking|beem|m-?pesa|tigo|mixx|halo(pesa|tel)|airtel|vodacom|selcom", re.I)


def _sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def test_no_providers_name_inside_the_gateway() -> None:
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in _sources("gateway")
        if str(path.relative_to(ROOT)) not in MAY_NAME
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if PROVIDERS.search(line)
    ]
    assert named == []


def test_the_domain_uses_the_standard_library_only() -> None:
    import sys

    imported = {
        match.group(1).split(".")[0]
        for path in _sources("gateway/domain")
        for match in re.finditer(r"^(?:from|import) ([\w.]+)", path.read_text(), re.M)
    }
    assert imported - set(sys.stdlib_module_names) == {"gateway"}


def test_no_group_is_repeated_possessively() -> None:
    """Debian's Python 3.11.2 goes on where one has failed half-way: hostile bytes are taken for what they are not.

    https://github.com/python/cpython/issues/106052
    """
    group = re.compile(r"(?<!\()\)[*+?]\+|\)\{[0-9,{}]+\}\+|\(\?>")  # "()*+" stands in alphabets
    folders = ("gateway", "adapters", "config", "menus", "sandbox")
    found = [p for folder in folders for p in _sources(folder) if group.search(p.read_text())]
    assert found == []
    assert group.search(r"(?:a+)*+b")
    assert group.search(r"(?:a+){0,9}+b")


@pytest.mark.parametrize("word", ["float(", ": float"])
def test_no_float_near_money(word: str) -> None:
    """Seconds and rates are floats; amounts, prices and values never."""
    money = ["money", "valuation", "quote", "settlement", "bill", "payments", "policy", "effects"]
    found = [name for name in money if word in (ROOT / f"gateway/domain/{name}.py").read_text()]
    assert found == []


def test_the_clock_and_chance_stay_out_of_the_domain() -> None:
    forbidden = re.compile(r"\b(datetime\.now|date\.today|time\.time|random\.|secrets\.|uuid4)")
    assert [str(p) for p in _sources("gateway/domain") if forbidden.search(p.read_text())] == []


def test_requirements_are_locked_with_hashes_and_name_no_index() -> None:
    for name in ("runtime", "dev", "openimis"):
        text = (ROOT / f"requirements/{name}.txt").read_text()
        pinned = re.findall(r"^[a-z0-9].*==", text, re.M | re.I)
        assert len(pinned) > 20
        assert text.count("--hash=sha256:") >= len(pinned)
        assert "://" not in text
        assert "index" not in text
