"""The page of a case with its zoomable slide: how fast it opens and how heavy it is, with many cells.

Cells and slide are made up (`tests.support.viewed_case`): the figures tell the cost of a page and nothing of
the measurement.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from her2path.steps import case_report
from her2path.steps.case_report import CaseReportParams
from tests.support.browser import OpenedPage, chromium
from tests.support.viewed_case import write_viewed_case
from tests.validation.exchange.rows import Row

_SIZE_PX0 = (4000, 4000)
_MOST_MB = 8.0
_MOST_S = 2.0
_TIMES = 5
"""Times that a page is opened; the best counts, since a machine may do other things meanwhile."""
_DRAW = """() => {
  const canvas = document.querySelector('.slide-canvas'), started = performance.now();
  canvas.dispatchEvent(new KeyboardEvent('keydown', {key: '+'}));
  return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(
    () => done(performance.now() - started))));
}"""


def rows() -> list[Row]:
    """Measure pages of 20 000 and of 500 000 cells."""
    return [row for cells in (20_000, 500_000) for row in _measured(cells)]


def _measured(cells: int) -> list[Row]:
    on = f"1 slide with {cells:,} made-up cells".replace(",", " ")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        call, artefacts = write_viewed_case(root, cells=cells, size_px0=_SIZE_PX0)
        page = root / "report.html"
        started = time.perf_counter()
        case_report.run(call=call, artefact=artefacts, report=page, params=CaseReportParams())
        made_s = time.perf_counter() - started
        megabytes = page.stat().st_size / 1e6
        opened_s, drawn_ms = _opened(page, root)
    return [
        Row(
            "case page: from its address to the slide painted with its cells",
            on,
            opened_s,
            "s",
            threshold=_MOST_S,
            direction="at most",
        ),
        Row("case page: one step of zoom from the whole slide, painted", on, drawn_ms, "ms"),
        Row("case page: size", on, megabytes, "MB", threshold=_MOST_MB, direction="at most"),
        Row("case page: made by `case_report` in", on, made_s, "s"),
    ]


def _opened(file: Path, folder: Path) -> tuple[float, float]:
    """Seconds until the slide is painted, and milliseconds for one step of zoom; best of some."""
    with chromium() as browser:
        found = [_once(browser, file, folder) for _ in range(_TIMES)]
    return min(seconds for seconds, _ in found), min(drawn for _, drawn in found)


def _once(browser: Browser, file: Path, folder: Path) -> tuple[float, float]:
    page = OpenedPage(browser.new_page(), file, folder)
    started = time.perf_counter()
    page.open()
    page.page.locator(".slide").scroll_into_view_if_needed()
    page.page.wait_for_selector(".slide[data-ready]")
    page.settle()
    seconds = time.perf_counter() - started
    drawn = float(page.page.evaluate(_DRAW))
    page.page.close()
    if page.faults:
        raise AssertionError(page.faults)
    return seconds, drawn
