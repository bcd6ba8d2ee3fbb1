"""Where log records go: to stderr, as a line for people or as one JSON object a line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps(
            {
                "@timestamp": when,
                "@level": record.levelname.lower(),
                "@module": record.name,
                "@message": record.getMessage(),
            },
            ensure_ascii=False,
        )


class _PlainFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {record.name}: {record.getMessage()}"


def start_logging(level: int, *, as_json: bool) -> None:
    """Send sipsync's own records to stderr. Those of other packages stay unseen: they may quote a URL."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if as_json else _PlainFormatter())
    root = logging.getLogger("sipsync")
    root.handlers = [handler]
    root.propagate = False
    root.setLevel(level)
