"""What the log tells of a request, and what it never tells."""

import json
import logging
from collections.abc import Iterator

import pytest
from django.test import Client

from tallystick.faces.request_log import WithRequestId
from tallystick.site.logs import JsonLine


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, object]]]:
    """The lines as the server writes them, while they are written."""
    written: list[dict[str, object]] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(json.loads(self.format(record)))

    keeper = Keeper()
    keeper.setFormatter(JsonLine())
    keeper.addFilter(WithRequestId())
    logger = logging.getLogger("tallystick")
    logger.addHandler(keeper)
    caplog.set_level(logging.INFO, logger="tallystick")
    yield written
    logger.removeHandler(keeper)


def test_a_request_is_one_line_with_its_id_and_without_its_query(lines):
    answer = Client(HTTP_HOST="localhost").get(
        "/health/live?token=geheim", headers={"X-Request-ID": "abc-1"}
    )

    [line] = lines
    assert answer["X-Request-ID"] == line["request_id"] == "abc-1"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/health/live", 200)
    assert "geheim" not in json.dumps(line)


@pytest.mark.parametrize("sent", ["", "two words", "line\nbreak", "x" * 65])
def test_an_id_that_is_none_is_replaced(lines, sent):
    Client(HTTP_HOST="localhost").get("/health/live", headers={"X-Request-ID": sent})

    [line] = lines
    assert line["request_id"]
    assert line["request_id"] != sent


def test_what_is_logged_on_the_way_has_the_requests_id(lines):
    Client(HTTP_HOST="localhost").get("/api/v1/nothing", headers={"X-Request-ID": "abc-2"})
    logging.getLogger("tallystick.other").info("afterwards")

    assert [line.get("request_id") for line in lines] == ["abc-2", None]
    assert lines[0]["logger"] == "tallystick.api"
