"""Circuit breakers by name, and what is seen of them."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from gateway.domain.breaker import BreakerRule
from gateway.service.breakers import Breakers
from gateway.service.metrics import BREAKER_OPEN


def gauge(name: str) -> float:
    return float(BREAKER_OPEN.labels(name)._value.get())


def test_each_name_has_its_own(logged: list[MutableMapping[str, Any]]) -> None:
    now = [0.0]
    breakers = Breakers(BreakerRule(failures=2, within_s=10, retry_s=2), lambda: now[0])
    assert breakers.allow("cover")
    breakers.failed("cover")
    assert breakers.allow("cover")
    breakers.failed("cover")
    assert not breakers.allow("cover")
    assert breakers.allow("due"), "another one is not concerned"
    assert gauge("cover") == 1
    now[0] = 2
    assert breakers.allow("cover"), "one tries"
    assert not breakers.allow("cover"), "and only one"
    breakers.succeeded("cover")
    assert breakers.allow("cover")
    assert breakers.allow("cover")
    assert gauge("cover") == 0
    assert [event["event"] for event in logged] == ["breaker_opened", "breaker_closed"]


def test_a_success_ends_the_row() -> None:
    breakers = Breakers(BreakerRule(failures=2), lambda: 0.0)
    for _ in range(5):
        breakers.failed("bill")
        breakers.succeeded("bill")
    assert breakers.allow("bill")


def test_one_that_opens_again_is_said_once_each_time(logged: list[MutableMapping[str, Any]]) -> None:
    breakers = Breakers(BreakerRule(failures=1), lambda: 0.0)
    for _ in range(3):
        breakers.failed("quote")
    breakers.succeeded("quote")
    breakers.failed("quote")
    assert [event["event"] for event in logged] == ["breaker_opened", "breaker_closed", "breaker_opened"]
