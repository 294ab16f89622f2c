"""The page of 5 000 cases: how fast it opens, sorts, filters and prints, and whether nothing is lost.

The cases are drawn (`tests.support.cohorts`) and called by the real rules: the figures tell the cost of a
page and nothing of HER2.
"""

from __future__ import annotations

import csv
import re
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from her2path.io.case_tables import CALLS
from her2path.io.tables import read_table
from her2path.steps import cohort_report
from tests.support.browser import OpenedPage, chromium
from tests.support.cohorts import write_cohort
from tests.validation.exchange.rows import Row

CASES = 5000
_ON = f"{CASES} drawn cases, called by the real rules"
_MOST_SORT_S = 0.3
_TIMES = 3
"""Times that a page is opened or a column sorted; the best counts, for a machine does other things too."""
_SORT = """column => new Promise(done => {
  const button = document.querySelectorAll('#cases thead button')[column], started = performance.now();
  button.click();
  requestAnimationFrame(() => setTimeout(() => done((performance.now() - started) / 1000)));
})"""
_FIND = """words => new Promise(done => {
  const field = document.getElementById('filter-text'), started = performance.now();
  field.value = words;
  field.dispatchEvent(new Event('input'));
  requestAnimationFrame(() => setTimeout(() => done((performance.now() - started) / 1000)));
})"""


def rows() -> list[Row]:
    """Measure the page and compare both tables."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        sheet = write_cohort(root, CASES)
        started = time.perf_counter()
        cohort_report.run(
            sheet=sheet,
            cases=root / "cases",
            images=root / "images",
            pdf=Path("report.pdf"),
            calls=root / "calls.csv",
            table=root / "calls.parquet",
            cohort=root / "cohort.html",
            params=cohort_report.CohortReportParams(),
        )
        made_s = time.perf_counter() - started
        page = root / "cohort.html"
        return [
            *_in_the_browser(page),
            Row("cohort page: size", _ON, page.stat().st_size / 1e6, "MB"),
            Row("cohort page and both tables: made by `cohort_report` in", _ON, made_s, "s"),
            Row(
                "cells of `calls.parquet` that say otherwise than `calls.csv`",
                _ON,
                _differing(root / "calls.csv", root / "calls.parquet"),
                threshold=0,
                direction="at most",
            ),
        ]


def _in_the_browser(file: Path) -> list[Row]:
    with chromium() as browser:
        opened_s = min(_opened_s(browser, file) for _ in range(_TIMES))
        page = OpenedPage(browser.new_page(), file, file.parent).open()
        columns = page.page.locator("#cases thead button").count()
        # Up and down: the second click on a column sorts the other way.
        sorts = [
            min(float(page.page.evaluate(_SORT, column)) for _ in range(_TIMES)) for column in range(columns)
        ]
        finds = [float(page.page.evaluate(_FIND, words)) for words in ("00123", "recount", "")]
        started = time.perf_counter()
        printed = page.printed()
        printed_s = time.perf_counter() - started
        found = len(set(re.findall(r"H26-\d{5}", printed.text)))
        if page.faults:
            raise AssertionError(page.faults)
    return [
        Row("cohort page: from its address to the table painted", _ON, opened_s, "s"),
        Row(
            "cohort page: the slowest of its columns to sort, until it is painted",
            _ON,
            max(sorts),
            "s",
            threshold=_MOST_SORT_S,
            direction="at most",
        ),
        Row("cohort page: the slowest of three searches, until it is painted", _ON, max(finds), "s"),
        Row(
            "cohort page: cases on paper",
            _ON,
            found,
            threshold=CASES,
            detail=f"{printed.sheets} sheets of A4",
        ),
        Row("cohort page: printed to PDF in", _ON, printed_s, "s"),
    ]


def _opened_s(browser: Browser, file: Path) -> float:
    page = OpenedPage(browser.new_page(), file, file.parent)
    started = time.perf_counter()
    page.open()
    seconds = time.perf_counter() - started
    page.page.close()
    if page.faults:
        raise AssertionError(page.faults)
    return seconds


def _differing(text: Path, typed: Path) -> int:
    with text.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    table = read_table(typed, CALLS).to_pylist()
    if len(written) != len(table):
        raise AssertionError(f"{len(written)} rows and {len(table)}")
    return sum(
        _as_text(value) != row[name].removeprefix("'")
        for row, other in zip(written, table, strict=True)
        for name, value in other.items()
    )


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ";".join(value)
    return repr(value) if isinstance(value, float) else str(value)
