"""The services on real stores, at noon of the day on which the demo families were loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog
from service_world import World, opened

import menus
from gateway.domain.ussd.book import load_book
from gateway.service.messages import Messages
from gateway.store.database import Database


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What the services log meanwhile; never a phone, whatever a test does."""
    with structlog.testing.capture_logs() as events:
        yield events
    assert not re.search(r"255[67][0-9]{8}", repr(events))


@pytest.fixture(scope="session")
def messages() -> Messages:
    return Messages(load_book(*menus.read()))


@pytest.fixture
async def world(database: Database, messages: Messages) -> World:
    return await opened(database, messages)
