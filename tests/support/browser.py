"""A real browser for tests: opens one file, and writes down everything that a page must not do.

A page of a report stands alone.  Whatever it asks of the console, of the network or of another file is
kept as a fault, and the fixture that opened the page fails on any of them.  The browser is the one of
the system (`tests/debian-packages.txt`); Playwright only drives it and fetches none of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

DESK = (1280, 900)
PHONE = (390, 844)
A4 = (794, 1123)
"""CSS pixels of an upright sheet at 96 dpi, as printing lays a page out."""
SCREENSHOTS = "HER2PATH_SCREENSHOTS"
"""Folder that screenshots go to, for people who want to look at them; by default that of the test."""

_ARGUMENTS = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
_WITHIN_PAGE = ("data:", "blob:", "about:")
_PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
_SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
_FOCUSED = """() => {
  const e = document.activeElement;
  return e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText || e.tagName;
}"""
_OPENED = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"


def chromium_path() -> str:
    """Find the browser of the system; AssertionError with the remedy where there is none."""
    found = os.environ.get("HER2PATH_CHROMIUM") or shutil.which("chromium")
    assert found, "no chromium found: run `make setup`, or name one in HER2PATH_CHROMIUM"
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser without a window; it ends with the block."""
    with sync_playwright() as playwright:
        # A container has no user namespaces, and the pages are our own.
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=list(_ARGUMENTS), chromium_sandbox=False
        )
        yield browser
        browser.close()


@dataclass(frozen=True)
class Printed:
    """A page as the browser prints it."""

    file: Path

    @cached_property
    def text(self) -> str:
        """All words on all sheets, white space folded."""
        return " ".join(_told("pdftotext", "-layout", str(self.file), "-").split())

    @cached_property
    def facts(self) -> Mapping[str, str]:
        """What pdfinfo says: ``Pages``, ``Page size``, ..."""
        lines = (line.partition(":") for line in _told("pdfinfo", str(self.file)).splitlines())
        return {name: value.strip() for name, _, value in lines}

    @property
    def paper_mm(self) -> tuple[int, int]:
        """Width and height of a sheet, rounded: (210, 297) is A4 upright."""
        width, _, height = self.facts["Page size"].split()[:3]
        return round(float(width) * 25.4 / 72), round(float(height) * 25.4 / 72)

    @property
    def sheets(self) -> int:
        """Sheets of paper."""
        return int(self.facts["Pages"])


@dataclass
class OpenedPage:
    """A file in the browser, and what went wrong since it was opened."""

    page: Page
    file: Path
    folder: Path
    """For screenshots and prints."""
    scripts: bool = True
    """Whether the page may run scripts."""
    allowed: set[str] = field(default_factory=set)
    """Addresses of other files that the test itself goes to."""
    faults: list[str] = field(default_factory=list)

    def open(self) -> OpenedPage:
        """Open the file and wait until it is painted."""
        self.allowed.add(self.file.resolve().as_uri())
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"uncaught error: {error}"))
        self.page.on("request", self._on_request)
        self.page.on("crash", lambda _: self.faults.append("the page crashed"))
        self.page.goto(self.file.resolve().as_uri(), wait_until="load")
        self.settle()
        return self

    def _on_console(self, message: ConsoleMessage) -> None:
        # A breach of the content security policy is an error of the console, too.
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def _on_request(self, request: Request) -> None:
        address = request.url.partition("#")[0]
        if address not in self.allowed and not address.startswith(_WITHIN_PAGE):
            self.faults.append(f"request: {address}")

    def allow(self, file: Path) -> None:
        """Say that the test follows a link to another file."""
        self.allowed.add(file.resolve().as_uri())

    def settle(self) -> None:
        """Wait until the browser has laid out and painted what was asked of it."""
        if self.scripts:
            self.page.evaluate(_PAINTED)

    @property
    def opened_ms(self) -> float:
        """Milliseconds from the address to the end of loading."""
        return float(self.page.evaluate(_OPENED))

    def shot(self, name: str, *, full: bool = False) -> Path:
        """Take a screenshot for people to look at."""
        path = Path(os.environ.get(SCREENSHOTS, self.folder)) / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path, full_page=full)
        return path

    def printed(self, name: str = "printed") -> Printed:
        """Print the page to PDF on the paper that its own style sheet asks for."""
        path = self.folder / f"{name}.pdf"
        self.page.pdf(path=path, prefer_css_page_size=True, print_background=True)
        return Printed(path)

    def serious_findings(self, within: str | None = None) -> list[str]:
        """Serious and critical findings of axe, one line each, in the page or in what a selector names."""
        found = Axe().run(self.page, context=within).response["violations"]
        return [
            f"{rule['id']} ({rule['impact']}): {node['html'][:200]} {node['failureSummary']}"
            for rule in found
            if rule["impact"] in {"serious", "critical"}
            for node in rule["nodes"]
        ]

    def focused(self) -> str:
        """Name the element that has the focus as a person would: its label, or its words."""
        return str(self.page.evaluate(_FOCUSED))

    def sideways(self) -> int:
        """Pixels by which the page as a whole is wider than the window."""
        return int(self.page.evaluate(_SIDEWAYS))


def _told(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
