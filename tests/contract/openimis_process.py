"""The client of openimis/driver.py: real openIMIS in a process and an interpreter of its own."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from sqlalchemy.engine import make_url

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PATIENCE = 60  # seconds for one answer; a schema takes about five


def interpreter() -> Path:
    """The Python that has openIMIS' packages."""
    return Path(os.environ.get("OPENIMIS_PYTHON") or ROOT / ".venv-openimis/bin/python")


class OpenImisError(Exception):
    """openIMIS raised or refused; ``kind`` is the exception's name there."""

    def __init__(self, kind: str, said: str) -> None:
        super().__init__(f"{kind}: {said}")
        self.kind, self.said = kind, said


class OpenImis:
    """One running driver. Calls are answered in order, from one thread at a time."""

    def __init__(self, server_url: str) -> None:
        url = make_url(server_url)
        socket = url.query.get("host")
        host = url.host or (socket if isinstance(socket, str) else "")
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        self._answers: queue.Queue[str] = queue.Queue()
        self._process = subprocess.Popen(
            [interpreter(), "-u", HERE / "openimis/driver.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            env={
                "PATH": os.environ.get("PATH", ""),
                "TZ": "UTC",
                "PYTHONDONTWRITEBYTECODE": "1",
                "OPENIMIS_DB_HOST": host,
                "OPENIMIS_DB_PORT": str(url.port or ""),
                "OPENIMIS_DB_USER": url.username or "",
                "OPENIMIS_DB_PASSWORD": url.password or "",
                "OPENIMIS_DB_NAME": url.database or "",
            },
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")  # it ended

    def __call__(self, do: str, **arguments: Any) -> Any:
        """Ask for an operation of openimis/operations.py; raises OpenImisError when openIMIS does."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
            line = self._answers.get(timeout=PATIENCE)
        except (OSError, queue.Empty):
            line = ""
        if not line:
            self._process.kill()  # so that a late answer is never taken for the next one's
            raise AssertionError(f"openIMIS did not answer {do!r}; it said:\n{self.said()}")
        answer = json.loads(line)
        if "error" in answer:
            raise OpenImisError(answer["error"], answer["said"])
        return answer["ok"]

    def said(self) -> str:
        """The end of what it wrote to stderr."""
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - 4000))
        return self._log.read().decode(errors="replace")

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        with suppress(OSError):  # it may be gone already
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()
