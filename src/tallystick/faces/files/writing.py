"""Files are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.rules.hidden_characters import printable
from tallystick.rules.refusal import Refusal


class CannotWrite(Refusal):
    """A file cannot be written where it was asked for."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{printable(str(path))}: {problem}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file to write, which takes the place of ``path`` at the end. Raises CannotWrite."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise CannotWrite(path, f"{error.strerror or error}; name another file") from error
    finally:
        unfinished.unlink(missing_ok=True)


def refuse_unwritable(path: Path) -> None:
    """Raise CannotWrite now rather than after long work."""
    if path.is_dir():
        raise CannotWrite(path, "is a folder; name a file in it")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.touch()
        beside.unlink()
    except OSError as error:
        raise CannotWrite(path, f"{error.strerror or error}; name another file") from error
