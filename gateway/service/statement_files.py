"""Where statements lie: taken in while they are hashed, given their name once they are whole, on the disk before it is
said so."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

HEAD_BYTES = 4_096  # of the statement that stand in the inbox; the file holds it all
_INCOMING = "incoming"
_STALE_S = 86_400.0
_SPARE_BYTES = 512_000_000  # of the disk that statements never take: the database may be on it


class NoRoomError(RuntimeError):
    """The disk has no room for a statement."""


class Incoming:
    """A file that is being taken in. Blocking: call from a thread."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self.size = 0
        self.head = b""
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self._file: BinaryIO = path.open("xb")

    def write(self, chunk: bytes) -> bool:
        """Add bytes; False once there are more than a statement may have: what is over is not kept."""
        self.size += len(chunk)
        if self.size > self._max_bytes:
            return False
        if len(self.head) < HEAD_BYTES:
            self.head += chunk[: HEAD_BYTES - len(self.head)]
        self._hash.update(chunk)
        self._file.write(chunk)
        return True

    def copy(self, path: Path) -> None:
        """Take in a file by the system's own means, which may not even read it; ``hash`` is still to be called."""
        self.size = path.stat().st_size
        if self.size > self._max_bytes:
            return
        self._file.close()
        shutil.copyfile(path, self.path)
        self.size = self.path.stat().st_size
        self._file = self.path.open("r+b")
        self.head = self._file.read(HEAD_BYTES)

    def hash(self) -> None:
        """Of a file that was copied in."""
        with self.path.open("rb") as file:
            self._hash = hashlib.file_digest(file, "sha256")

    @property
    def too_large(self) -> bool:
        return self.size > self._max_bytes

    @property
    def digest(self) -> str:
        """SHA-256 of what was kept."""
        return self._hash.hexdigest()

    def end(self) -> None:
        """The bytes are on the disk once this returns."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def discard(self) -> None:
        """Close and forget; nothing happens to a file that has its name."""
        self._file.close()
        self.path.unlink(missing_ok=True)


class StatementFolder:
    """A folder that serving processes, workers and commands share."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes

    def take_in(self, announced: int = 0) -> Incoming:
        """A new file. Raises NoRoomError where ``announced`` bytes would fill the disk."""
        incoming = self.folder / _INCOMING
        incoming.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(incoming).free < announced + _SPARE_BYTES:
            raise NoRoomError("no room for a statement")
        return Incoming(incoming / f"{uuid4().hex}.part", self._max_bytes)

    def copy_in(self, path: Path) -> Incoming:
        """A file of somebody's, whole but not hashed yet. Raises NoRoomError, or OSError where it cannot be read."""
        incoming = self.take_in(path.stat().st_size)
        try:
            incoming.copy(path)
        except BaseException:
            incoming.discard()
            raise
        return incoming

    def keep(self, incoming: Incoming, provider: str) -> str:
        """Give the ended file the name of its content, so that the same bytes are one file; the name."""
        name = f"{provider}-{incoming.digest}"
        incoming.path.replace(self.folder / name)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return name

    def path_of(self, name: str) -> Path:
        return self.folder / name

    def sweep(self, now_s: float) -> int:
        """Remove what was left half taken in by a process that died; how many files."""
        gone = 0
        for path in (self.folder / _INCOMING).glob("*.part"):
            with suppress(FileNotFoundError):
                if now_s - path.stat().st_mtime > _STALE_S:
                    path.unlink()
                    gone += 1
        return gone
