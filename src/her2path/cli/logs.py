"""Logging of the command line: JSON lines on stderr, with the step and the image they belong to.

The results keep what a step logs, so the names of the files that it reads are left out of it: libraries
name the file in their warnings, and Python in what it says of an error.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_context: ContextVar[dict[str, str] | None] = ContextVar("her2path_log_context", default=None)
_concealed: ContextVar[tuple[str, ...]] = ContextVar("her2path_log_concealed", default=())
_STAND_IN = "(file of the image)"


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            **(_context.get() or {}),
            "message": _without_names(record.getMessage()),
        }
        if hasattr(record, "exit_code"):
            line["exit_code"] = record.exit_code
        if record.exc_info:
            line["trace"] = _without_names(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def _without_names(text: str) -> str:
    for name in _concealed.get():
        text = text.replace(name, _STAND_IN)
    return text


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


@contextmanager
def concealing(files: Iterable[Path]) -> Iterator[None]:
    """Leave paths and names of files out of all that is logged within the block.

    What libraries log and warn of comes as JSON lines, too, from WARNING up.
    """
    paths = [path for file in files for path in (file, file.absolute(), file.resolve())]
    names = {text for path in paths for text in (str(path), str(path.parent), path.name)}
    # The longest first, so that a path goes as a whole; a dot or a slash would garble every line.
    token = _concealed.set(tuple(sorted((name for name in names if len(name) > 3), key=len, reverse=True)))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        logging.getLogger().removeHandler(handler)
        _concealed.reset(token)
