"""Logging of the command line: JSON lines on stderr, with the step and the image they belong to."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_context: ContextVar[dict[str, str] | None] = ContextVar("her2path_log_context", default=None)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            **(_context.get() or {}),
            "message": record.getMessage(),
        }
        if hasattr(record, "exit_code"):
            line["exit_code"] = record.exit_code
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def start(level: int) -> None:
    """Send the package's records at `level` and above to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    package = logging.getLogger("her2path")
    package.handlers = [handler]
    package.setLevel(level)
    package.propagate = False


@contextmanager
def context(**names: str) -> Iterator[None]:
    """Add names (``step``, ``image_id``) to every record within the block."""
    token = _context.set({**(_context.get() or {}), **names})
    try:
        yield
    finally:
        _context.reset(token)
