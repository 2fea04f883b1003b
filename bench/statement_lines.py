"""``python -m bench.statement_lines``: CPU spent on each line of a day's account, beside the floor of a bare parse.

The floor is libxml2 alone: every span parsed into a tree and nothing taken out of it. Ours checks the same, and more,
and gives the rows. Both run in this one process, over the same spans of a file that was verified before.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from lxml import etree

from adapters.payments.gepg.statement import open_statement
from adapters.payments.gepg.statement_lines import GepgStatementLines
from bench.statement_data import amount_minor_of, control_number_of, reference_of, write_statement
from gateway.ports import Span, StatementRow
from sandbox.keys import ensure_keys

BAR_US = 12.0  # a million and a half lines in some twenty seconds of two processes
DAY = date(2026, 11, 25)


def _spent(work: Callable[[], object]) -> float:
    """CPU seconds of this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


def _bare(path: Path, spans: list[Span]) -> None:
    with path.open("rb") as file:
        for span in spans:
            file.seek(span.offset)
            etree.fromstring(b"<lines>" + file.read(span.length) + b"</lines>")


def _rows(lines: GepgStatementLines, path: Path, spans: list[Span]) -> None:
    for span in spans:
        lines.rows(path, span)


def _measure(version: str, count: int, folder: Path, rounds: int) -> bool:
    path = folder / f"{version}.xml"
    size = write_statement(path, version, count, folder / "gepg.key.pem", DAY)
    key = x509.load_pem_x509_certificate((folder / "gepg.crt.pem").read_bytes()).public_key()
    assert isinstance(key, RSAPublicKey)
    readings = []
    verified = _spent(lambda: readings.append(open_statement(path, [key], version)))
    reading = readings[0]
    lines = GepgStatementLines(reading.dialect, reading.start, reading.end)
    spans: list[Span] = []
    split = _spent(lambda: spans.extend(lines.spans(path)))
    read = min(_spent(lambda: _rows(lines, path, spans)) for _ in range(rounds))
    bare = min(_spent(lambda: _bare(path, spans)) for _ in range(rounds))
    right = _right(lines, path, spans, count)
    per = 1e6 / count
    print(
        f"{version} {count} lines, {size / count:.0f} bytes each, {len(spans)} spans, {'right' if right else 'WRONG'}\n"
        f"   verify {verified * per:6.2f} us a line  {size / verified / 1e6:7.0f} MB/s\n"
        f"   split  {split * per:6.2f} us a line  {size / split / 1e6:7.0f} MB/s\n"
        f"   rows   {read * per:6.2f} us a line  {size / read / 1e6:7.0f} MB/s\n"
        f"   floor  {bare * per:6.2f} us a line  {size / bare / 1e6:7.0f} MB/s\n"
        f"   rows / floor {read / bare:.2f}; all in {(verified + split + read) * per:.2f} us (bar {BAR_US:.0f})"
    )
    return right and (verified + split + read) * per <= BAR_US


def _right(lines: GepgStatementLines, path: Path, spans: list[Span], count: int) -> bool:
    """Whether every line is what was written, in order."""
    number = 0
    for span in spans:
        for row in lines.rows(path, span):
            number += 1
            expected = (number, reference_of(number), control_number_of(number), amount_minor_of(number), "TZS")
            if not isinstance(row, StatementRow) or row[:5] != expected:
                return False
    return number == count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ensure_keys(Path(folder))
        good = [_measure(version, options.lines, Path(folder), options.rounds) for version in ("v5", "v4")]
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
