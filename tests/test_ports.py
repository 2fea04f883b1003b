"""Suites that run side by side never start two processes on one port."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ports import free_ports


def test_no_port_is_given_twice() -> None:
    ports = [*free_ports(3), *free_ports(3)]
    assert len(set(ports)) == 6


def test_what_another_process_was_given_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it ends, though it listens on nothing yet."""
    chosen = free_ports(1)[0]
    monkeypatch.setattr("ports._FIRST", chosen)
    monkeypatch.setattr("ports._BEYOND", chosen + 1)
    asks = f"import ports; ports._FIRST, ports._BEYOND = {chosen}, {chosen + 1}; print(ports.free_ports(1))"
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(__file__)}
    other = subprocess.run([sys.executable, "-c", asks], env=environment, capture_output=True, text=True, check=False)
    assert other.returncode == 1, other.stdout
    with pytest.raises(StopIteration):
        free_ports(1)
