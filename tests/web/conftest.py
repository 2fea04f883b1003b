"""A phone on the public listener, and what the logs say meanwhile."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator

import pytest
import structlog
from aiohttp.test_utils import TestServer
from biller_world import opened as opened
from pytest_aiohttp import AiohttpClient
from web_world import Dial, Phone, World

from gateway import logs

_TIME = re.compile(r'(?<="timestamp": ")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z')


@pytest.fixture
def dial(aiohttp_client: AiohttpClient) -> Dial:
    """A phone on a world of one's own."""

    async def dialled(world: World) -> Phone:
        server = TestServer(world.public())
        await server.start_server(access_log=None)  # as the product starts it: an access log would hold the secret
        return Phone(await aiohttp_client(server))

    return dialled


@pytest.fixture(autouse=True)
def log_text(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """What the product's own logging writes, structlog's and the standard library's.

    Without the times: six digits of a second hold any four now and then, a piece of a number that is looked for too.
    """
    written = io.StringIO()
    logs.configure()
    # the loggers of modules must not remember this stream
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(written), cache_logger_on_first_use=False)
    caplog.set_level("DEBUG")
    yield lambda: _TIME.sub("", written.getvalue()) + caplog.text
    structlog.reset_defaults()
