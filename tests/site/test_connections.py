"""Connections that live on between requests."""

import psycopg
import pytest
from django.core.signals import request_finished, request_started
from django.db import connection

from tallystick.site.server import Server


@pytest.fixture
def asked(database: Server):
    """A connection that has served a request and is kept for the next one."""
    return _statement("SELECT pg_backend_pid()")


def _statement(sql: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def _next_request() -> None:
    request_finished.send(sender=None)
    request_started.send(sender=None)


def test_a_connection_is_kept_for_the_next_request(asked):
    _next_request()

    assert _statement("SELECT pg_backend_pid()") == asked


def test_a_connection_that_the_server_has_ended_is_replaced_before_the_next_request(
    asked, database: Server
):
    with database.connect() as owner:
        owner.execute("SELECT pg_terminate_backend(%s, 5000)", [asked])

    _next_request()

    assert _statement("SELECT pg_backend_pid()") != asked


def test_a_connection_with_a_notice_waiting_is_kept(asked, database: Server):
    with connection.cursor() as cursor:
        cursor.execute("LISTEN weather")
    with database.connect() as owner:
        owner.execute("NOTIFY weather, 'rain'")

    _next_request()

    assert _statement("SELECT pg_backend_pid()") == asked


def test_a_connection_closed_by_ourselves_is_not_usable(asked):
    raw: psycopg.Connection = connection.connection
    raw.close()

    assert not connection.is_usable()
