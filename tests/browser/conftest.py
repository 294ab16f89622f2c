"""Pages in a real browser: every page that a test opens is watched to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.browser import DESK, OpenedPage, chromium

Visit = Callable[..., OpenedPage]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of this folder together: one browser is enough."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The browser; it ends before other tests run, which may use an event loop of their own."""
    with chromium() as started:
        yield started


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Visit]:
    """Open a file as `visit(path, size=DESK)`; the test fails on any error or request of its pages.

    Further options go to the browser's context: ``color_scheme``, ``reduced_motion``, ``has_touch``,
    ``java_script_enabled``, ``device_scale_factor``.
    """
    opened: list[OpenedPage] = []

    def visited(file: Path, *, size: tuple[int, int] = DESK, **options: object) -> OpenedPage:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        context.set_default_timeout(10_000)
        scripts = bool(options.get("java_script_enabled", True))
        page = OpenedPage(context.new_page(), file, tmp_path / f"browser-{len(opened)}", scripts)
        opened.append(page)
        return page.open()

    yield visited
    faults = [f"{page.file.name}: {fault}" for page in opened for fault in page.faults]
    for page in opened:
        page.page.context.close()
    assert faults == []
