"""The pages that people open: how fast they are, and how heavy."""

from __future__ import annotations

from tests.validation.exchange import case_viewer
from tests.validation.exchange.rows import Row


def measure() -> list[Row]:
    """Measure the page of a case."""
    return case_viewer.rows()
