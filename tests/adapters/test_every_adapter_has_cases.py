"""An adapter without tests is not finished: every module and package below adapters/ is looked up here."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KINDS = ("ussd", "sms", "payments", "registry", "sessions")
FOLDERS = {  # packages large enough for a folder of their own
    ("payments", "bank"): "bank",
    ("payments", "gepg"): "gepg",
    ("registry", "openimis"): "registry",
}


def adapters_in(folder: Path) -> list[tuple[str, str]]:
    """(kind, name) of every module and package."""
    return sorted(
        (kind, path.stem)
        for kind in KINDS
        for path in (folder / kind).iterdir()
        if not path.name.startswith(("_", ".")) and (path.suffix == ".py" or (path / "__init__.py").is_file())
    )


def files_for(kind: str, name: str, tests: Path) -> list[Path]:
    """Files that hold tests of this adapter: those that carry its name, or all in the folder it has for itself."""
    own = FOLDERS.get((kind, name))
    found = (tests / own).rglob("test_*.py") if own else (tests / kind).rglob(f"test_*{name}*.py")
    return [path for path in found if "def test_" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize(("kind", "name"), adapters_in(ROOT / "adapters"))
def test_every_adapter_has_tests(kind: str, name: str) -> None:
    assert files_for(kind, name, ROOT / "tests" / "adapters"), f"adapters/{kind}/{name} has no tests"


@pytest.mark.parametrize(("kind", "name"), [one for one in adapters_in(ROOT / "adapters") if one[0] in ("ussd", "sms")])
def test_every_translation_has_a_table_of_cases(kind: str, name: str) -> None:
    paths = files_for(kind, name, ROOT / "tests" / "adapters")
    assert any("\nCASES" in path.read_text(encoding="utf-8") for path in paths), f"adapters/{kind}/{name} has no CASES"


def test_the_scan_sees_what_is_there() -> None:
    found = adapters_in(ROOT / "adapters")
    assert {("ussd", "africastalking"), ("sms", "africastalking"), ("sessions", "memory"), ("sessions", "valkey")} <= {
        *found
    }


def test_a_new_adapter_without_tests_is_found(tmp_path: Path) -> None:
    for kind in KINDS:
        (tmp_path / "adapters" / kind).mkdir(parents=True)
        (tmp_path / "tests" / kind).mkdir(parents=True)
    (tmp_path / "adapters" / "ussd" / "__init__.py").touch()
    (tmp_path / "adapters" / "ussd" / "beem.py").touch()
    (tmp_path / "adapters" / "payments" / "tigo").mkdir()
    (tmp_path / "adapters" / "payments" / "tigo" / "__init__.py").touch()
    assert adapters_in(tmp_path / "adapters") == [("payments", "tigo"), ("ussd", "beem")]
    assert files_for("ussd", "beem", tmp_path / "tests") == []
    file = tmp_path / "tests" / "ussd" / "test_beem.py"
    file.write_text("CASES = []\n", encoding="utf-8")
    assert files_for("ussd", "beem", tmp_path / "tests") == []
    file.write_text("def test_it(): ...\n", encoding="utf-8")
    assert files_for("ussd", "beem", tmp_path / "tests") == [file]
