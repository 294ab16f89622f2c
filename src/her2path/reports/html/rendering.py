"""Turn pages into HTML: one template each, everything inline, nothing fetched."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from her2path.reports.case_page import CasePage
from her2path.reports.cohort_page import CohortPage


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("her2path.reports.html", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render_case(page: CasePage) -> str:
    """Render the page of one case as a self-contained HTML document."""
    return _environment().get_template("case.html.j2").render(page=page)


def render_cohort(page: CohortPage) -> str:
    """Render the page of all cases as a self-contained HTML document."""
    return _environment().get_template("cohort.html.j2").render(page=page)
