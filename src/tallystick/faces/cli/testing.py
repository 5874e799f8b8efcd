"""``tally test``: one command checks everything, and says how long each check took."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree

import typer

from tallystick.rules.refusal import Refusal

ROOT = Path(__file__).parents[4]
PROGRAMS = Path(sys.executable).parent


class NotACheckout(Refusal):
    """The tests come with the source, not with the installed package."""

    def __init__(self) -> None:
        super().__init__(
            f"There is no source checkout in {ROOT}. Clone the project and run ./tally test there."
        )


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, and what runs it and tells whether all was well."""

    name: str
    passes: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Count:
    """What pytest counted; an error in a fixture is a failure."""

    passed: int
    failed: int
    skipped: int


def check(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(help="Given to pytest; then only the tests run.", metavar="[PYTEST ARGS]"),
    ] = None,
) -> None:
    """Check everything: lint, format, types, layers, migrations, docs, tests.

    Every check runs even when an earlier one fails. Exit status 1 when any failed.
    """
    if not (ROOT / "pyproject.toml").is_file():
        raise NotACheckout
    with tempfile.TemporaryDirectory(prefix="tally-check-") as folder:
        report = Path(folder, "tests.xml")
        checks = () if arguments else house_checks(Path(folder))
        results = [
            _timed(check) for check in (*checks, _tests(report, arguments or on_all_cores()))
        ]
        count = counted(report)
    typer.echo()
    for name, passed, seconds in results:
        typer.echo(f"{'ok    ' if passed else 'FAILED'} {seconds:7.1f} s  {name}")
    if shutil.which("chromium") is None:
        typer.echo("not run             browser tests: they need Debian's package chromium")
    skipped = f", {count.skipped} skipped" if count.skipped else ""
    typer.echo(f"{count.passed} passed, {count.failed} failed{skipped}")
    if not all(passed for _, passed, _ in results):
        raise typer.Exit(1)


def house_checks(folder: Path) -> tuple[Check, ...]:
    """Everything but the tests; ``folder`` takes the built pages."""
    python = sys.executable
    docs = (python, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet")
    return (
        Check("lint", lambda: _runs(python, "-m", "ruff", "check", ".")),
        Check("format", lambda: _runs(python, "-m", "ruff", "format", "--check", ".")),
        Check("types", lambda: _runs(python, "-m", "mypy")),
        Check("layers", lambda: _runs(str(PROGRAMS / "lint-imports"), "--no-cache")),
        Check("migrations", models_match_migrations),
        Check("docs", lambda: _runs(*docs, "docs", str(folder / "docs"))),
    )


def on_all_cores() -> list[str]:
    """All tests spread over the machine's cores; each has a cluster of its own."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return [f"--numprocesses={cores}", "--dist=worksteal"] if cores > 1 else []


def models_match_migrations() -> bool:
    """True when no model has changed since its last migration was written. Needs no database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tallystick.site.settings")
    os.environ.setdefault("TALLY_SECRET_KEY", "checks sign nothing")
    import django

    django.setup()
    from django.apps import apps
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

    loader = MigrationLoader(None)
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    changes = detector.changes(graph=loader.graph)
    for label, migrations in changes.items():
        for migration in migrations:
            for operation in migration.operations:
                typer.echo(f"{label}: {operation.describe()} has no migration")
    return not changes


def counted(report: Path) -> Count:
    """Read pytest's own report; when there is none, pytest failed before its first test."""
    if not report.is_file():
        return Count(passed=0, failed=1, skipped=0)
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in suites:
        for name in totals:
            totals[name] += int(suite.get(name, "0"))
    failed = totals["failures"] + totals["errors"]
    return Count(
        passed=totals["tests"] - failed - totals["skipped"],
        failed=failed,
        skipped=totals["skipped"],
    )


def _tests(report: Path, arguments: list[str]) -> Check:
    command = (sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *arguments)
    return Check("tests", lambda: _runs(*command))


def _runs(*command: str) -> bool:
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def _timed(check: Check) -> tuple[str, bool, float]:
    typer.echo(f"== {check.name}")
    began = time.monotonic()
    passed = check.passes()
    return check.name, passed, time.monotonic() - began
