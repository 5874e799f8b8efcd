"""PostgreSQL for the tests: one private cluster a run, one migrated template, a clone per test.

A test that asks for ``database`` gets a fresh one; Django's connection acts on it as the
application's role. ``database.url`` lets child processes connect. No other test may touch a
database: Django has none to connect to.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest

# No clock decides a test: machines are slow at times.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# Before anything of Django is imported: nothing of the developer's own installation is used.
_HOME = Path(tempfile.mkdtemp(prefix="tally-tests-"))
_HOME.chmod(0o755)  # as root, the server's user must pass
os.environ["TALLY_HOME"] = str(_HOME)
os.environ["TALLY_SECRET_KEY"] = "tests sign nothing of value"
os.environ["DJANGO_SETTINGS_MODULE"] = "tallystick.site.settings"
os.environ.pop("DATABASE_URL", None)

import django  # noqa: E402 - the environment comes first

django.setup()

from tallystick.site import cluster, databases  # noqa: E402 - the environment comes first
from tallystick.site.marks import Purpose, mark  # noqa: E402
from tallystick.site.server import Server  # noqa: E402


def pytest_unconfigure() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The run's own server, at its maintenance database; a power cut may corrupt it."""
    with cluster.leased(_HOME, durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres: Server) -> Server:
    """A migrated, empty database that is only ever copied."""
    template = postgres.named("tallystick_template")
    databases.create(template, at=postgres)
    mark(template, Purpose.TEST)
    databases.migrate(template)
    return template


@pytest.fixture
def database(postgres: Server, template: Server) -> Iterator[Server]:
    """A migrated, empty database of this test's own; Django is connected to it."""
    with _copied(template, postgres) as clone:
        yield clone


@pytest.fixture(scope="module")
def shared_database(postgres: Server, template: Server) -> Iterator[Server]:
    """One for all tests of a module, who see to it that they do not meet in it."""
    with _copied(template, postgres) as clone:
        yield clone


@contextmanager
def _copied(template: Server, postgres: Server) -> Iterator[Server]:
    clone = postgres.named(f"tallystick_test_{secrets.token_hex(4)}")
    databases.create(clone, at=postgres, template=template.database)
    databases.use(clone)
    yield clone
    databases.leave()
    databases.drop(clone, at=postgres)
