"""Logs as one JSON object a line, on standard error. Personal data is not logged; a test plants canaries."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import ExcInfo

# Never the frames' variables nor an exception's text: both hold phones, names and numbers (a driver quotes the row, a
# parser the value). The system's own errors say nothing of people.
_NO_PEOPLE = (OSError, EOFError, MemoryError, RecursionError)


class _Traceback(ExceptionDictTransformer):
    """Types and places of an exception and its causes."""

    def __init__(self) -> None:
        super().__init__(show_locals=False)

    def __call__(self, exc_info: ExcInfo) -> list[dict[str, Any]]:
        stacks = super().__call__(exc_info)
        kept = isinstance(exc_info[1], _NO_PEOPLE)
        for number, stack in enumerate(stacks):
            stack["exc_notes"] = []
            if number or not kept:
                stack["exc_value"] = ""
        return stacks


class _Lines(logging.Formatter):
    """The standard library's loggers: their text and exceptions may hold anything, so name and place only."""

    def formatException(self, ei: Any) -> str:
        return "".join(traceback.format_tb(ei[2])) + (ei[0].__name__ if ei[0] else "")


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a line of the HTTP server's is worth keeping: anyone can send what is no HTTP, as often as they like."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or not kind.__module__.startswith("aiohttp.http")


def configure(level: int = logging.INFO) -> None:
    """Set up structlog and the standard library's loggers alike."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(_Traceback()),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines('{"level":"%(levelname)s","event":"%(name)s"}'))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
