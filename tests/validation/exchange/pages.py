"""The pages that people open: how fast they are, and how heavy."""

from __future__ import annotations

from tests.validation.exchange import case_viewer, cohort_table
from tests.validation.exchange.rows import Row


def measure() -> list[Row]:
    """Measure the page of a case and that of all cases."""
    return [*case_viewer.rows(), *cohort_table.rows()]
