"""The services on real stores, at noon of the day on which the demo families were loaded."""

from __future__ import annotations

from datetime import datetime, time

import pytest
from service_world import Clock, World

import menus
from gateway.domain.clock import EAT, eat_day
from gateway.domain.ussd.book import load_book
from gateway.service.messages import Messages
from gateway.store.database import Database


@pytest.fixture(scope="session")
def messages() -> Messages:
    return Messages(load_book(*menus.read()))


@pytest.fixture
async def world(database: Database, messages: Messages) -> World:
    async with database.reading() as tx:
        loaded = await tx.callers.watermark("phones")
    assert loaded is not None
    return World(database, Clock(datetime.combine(eat_day(loaded), time(12), EAT)), messages)
