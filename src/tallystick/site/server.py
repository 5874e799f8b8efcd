"""A PostgreSQL server, and a database on it, as something one can connect to."""

from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tallystick.rules.refusal import Refusal

ENGINE = "tallystick.site.postgresql"
APPLICATION_ROLE = "tallystick_app"
FIRM_ROLE = "tallystick_firm"
SUPPORTED_VERSION = 18


class NotADatabaseUrl(Refusal):
    """DATABASE_URL cannot be read."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"DATABASE_URL cannot be read: {why}. "
            "Write it as postgresql://USER:PASSWORD@HOST:5432/DATABASE."
        )


class ServerUnreachable(Refusal):
    """Nobody answers, or the login is not let in."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(
            f"PostgreSQL at {where} cannot be reached: {why.strip()}. "
            "Check DATABASE_URL and that the server is running."
        )


class UnsupportedServer(Refusal):
    """The server is older than the platform needs."""

    def __init__(self, where: str, version: int) -> None:
        super().__init__(
            f"PostgreSQL at {where} is version {version // 10_000}; "
            f"{SUPPORTED_VERSION} or later is needed. "
            f"Point DATABASE_URL at a PostgreSQL {SUPPORTED_VERSION} server, or leave it out "
            "to use the embedded one."
        )


@dataclass(frozen=True, slots=True)
class Server:
    """One database on one PostgreSQL server, with the login that owns its tables.

    ``host`` is a host name, an address, or the folder of a socket. The password is kept out of
    the representation, so that it reaches no log and no traceback.
    """

    host: str
    port: str
    user: str
    database: str
    password: str = field(default="", repr=False)
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read a libpq URL or ``key=value`` string.

        Raises NotADatabaseUrl when libpq cannot, or when it names no database.
        """
        try:
            parts = {key: str(value) for key, value in conninfo_to_dict(url).items()}
        except psycopg.ProgrammingError as error:
            raise NotADatabaseUrl(str(error).strip()) from None
        database = parts.pop("dbname", "")
        if not database:
            raise NotADatabaseUrl("it names no database")
        return cls(
            host=parts.pop("host", ""),
            port=parts.pop("port", ""),
            user=parts.pop("user", ""),
            password=parts.pop("password", ""),
            database=database,
            options=tuple(sorted(parts.items())),
        )

    def named(self, database: str) -> Self:
        """The same server and login, another database."""
        return replace(self, database=database)

    def without_password(self) -> Self:
        return replace(self, password="")

    @property
    def where(self) -> str:
        """Host and database, for a person; never the password. A socket's folder tells nothing."""
        return self.database if self.host.startswith("/") else f"{self.host}/{self.database}"

    @property
    def url(self) -> str:
        """The libpq URL, password included: for child processes only."""
        login = quote(self.user, safe="")
        if self.password:
            login += ":" + quote(self.password, safe="")
        query = {"host": self.host, "port": self.port, **dict(self.options)}
        given = {key: value for key, value in query.items() if value}
        at = f"{login}@" if login else ""
        return (
            f"postgresql://{at}/{quote(self.database, safe='')}?{urlencode(given, quote_via=quote)}"
        )

    def django_entry(self, *, role: str | None) -> dict[str, Any]:
        """The entry of Django's DATABASES; with ``role``, every connection acts as that role."""
        options = dict(self.options)
        if role:
            options["options"] = f"{options.get('options', '')} -c role={role}".strip()
        return {
            "ENGINE": ENGINE,
            "NAME": self.database,
            "HOST": self.host,
            "PORT": self.port,
            "USER": self.user,
            "PASSWORD": self.password,
            "OPTIONS": options,
            "CONN_MAX_AGE": None,
            # Once a request: a connection that died with its server is replaced, not answered by.
            "CONN_HEALTH_CHECKS": True,
        }

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection as the owner, committing each statement by itself.

        Raises ServerUnreachable, and UnsupportedServer below PostgreSQL 18.
        """
        parts = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "dbname": self.database,
            **dict(self.options),
        }
        given = {key: value for key, value in parts.items() if value}
        try:
            connection = psycopg.connect(autocommit=True, **given)
        except psycopg.OperationalError as error:
            raise ServerUnreachable(self.where, str(error)) from None
        if connection.info.server_version < SUPPORTED_VERSION * 10_000:
            version = connection.info.server_version
            connection.close()
            raise UnsupportedServer(self.where, version)
        return connection
