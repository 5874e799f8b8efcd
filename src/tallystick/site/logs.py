"""Logs of a server: one JSON object a line on standard error."""

import json
import logging
from datetime import UTC, datetime
from typing import Any


class JsonLine(logging.Formatter):
    """Time, level, logger, the request it is about, and the message.

    A request's own line has its fields instead of a message; a fault its traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if request_id := getattr(record, "request_id", ""):
            line["request_id"] = request_id
        if fields := getattr(record, "request_fields", None):
            line |= fields
        else:
            line["message"] = record.getMessage()
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def logging_of(level: str) -> dict[str, Any]:
    """The server's logging, from ``level`` upwards."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request": {"()": "tallystick.faces.request_log.WithRequestId"}},
        "formatters": {"json": {"()": "tallystick.site.logs.JsonLine"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "json",
                "filters": ["request"],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {"_granian": {"level": level}},
    }
