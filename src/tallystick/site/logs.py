"""Logs of a server: one JSON object a line on standard error."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

# What a request's line tells. No query string: it may hold what nobody should read in a log.
REQUEST_FIELDS = ("method", "path", "status", "dt_ms", "addr")


class JsonLine(logging.Formatter):
    """Time, level, logger and message; for a request its fields, for a fault its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name == "granian.access" and isinstance(record.args, Mapping):
            line |= {name: record.args[name] for name in REQUEST_FIELDS}
            line["dt_ms"] = round(float(line["dt_ms"]), 3)
        else:
            line["message"] = record.getMessage()
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "tallystick.site.logs.JsonLine"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stderr",
            "formatter": "json",
        }
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "_granian": {"level": "INFO"},
        "granian.access": {"level": "INFO"},
    },
}
