"""Turn pages into HTML: one template each, everything inline, nothing fetched."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

if TYPE_CHECKING:
    # Each page brings what it is made of; a caller loads the one that it renders, not all of them.
    from her2path.reports.case_page import CasePage
    from her2path.reports.case_pdf import CasePdf
    from her2path.reports.cohort_page import CohortPage
    from her2path.reports.dataset_page import DatasetPage
    from her2path.reports.evaluation_page import EvaluationPage
    from her2path.reports.qa_page import QaPage
    from her2path.reports.read_page import ReadPage

_BACKTICKED = re.compile(r"`([^`<>]+)`")


def with_code(words: str) -> Markup:
    """Escape a message and set what it quotes in backticks (columns, values) as code.

    Examples
    --------
    >>> str(with_code("fill in `mpp` & run"))
    'fill in <code>mpp</code> &amp; run'
    """
    return Markup(_BACKTICKED.sub(r"<code>\1</code>", str(escape(words))))  # noqa: S704  (escaped before)


def css_string(words: str) -> Markup:
    r"""Quote text for a style sheet; all but letters, digits and spaces is written as its code.

    Examples
    --------
    >>> str(css_string("a-1"))
    '"a\\2d 1"'
    """
    quoted = "".join(c if c.isascii() and (c.isalnum() or c == " ") else f"\\{ord(c):x} " for c in words)
    return Markup(f'"{quoted}"')  # noqa: S704  (no quote, bracket or backslash is left)


def with_title(svg: Markup, words: str) -> Markup:
    """Give a drawing words: readers of a PDF hear them, where a page hides a mere sign.

    Examples
    --------
    >>> str(with_title(Markup('<svg aria-hidden="true"><path/></svg>'), "ISH needed"))
    '<svg><title>ISH needed</title><path/></svg>'
    """
    head, _, body = svg.replace(' aria-hidden="true"', "").partition(">")
    return Markup(f"{head}><title>{escape(words)}</title>{body}")  # noqa: S704  (our own drawing)


def css_picture(drawing: str, tone: str) -> Markup:
    """Turn an SVG element into a picture of a style sheet, drawn in the colour `tone`.

    Examples
    --------
    >>> str(css_picture('<svg width="9"/>', "#123456"))[:38]
    'url("data:image/svg+xml,%3Csvg%20xmlns'
    """
    head = f'<svg xmlns="http://www.w3.org/2000/svg" color="{tone}" '
    whole = str(drawing).strip().replace("<svg ", head, 1)
    return Markup(f'url("data:image/svg+xml,{quote(whole)}")')  # noqa: S704  (no quote or bracket is left)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("her2path.reports.html", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["with_code"] = with_code
    environment.filters["css_string"] = css_string
    environment.filters["css_picture"] = css_picture
    environment.filters["with_title"] = with_title
    return environment


def render_case(page: CasePage) -> str:
    """Render the page of one case as a self-contained HTML document."""
    return _with_script("case.html.j2", "case_viewer.js", page)


def _with_script(template: str, script: str, page: CasePage | CohortPage) -> str:
    """Render a page whose policy runs this script and no other, whatever a text of a case may hold."""
    environment = _environment()
    source = _script(environment, script)
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode("ascii")
    found = environment.get_template(template)
    return found.render(page=page, script=source, script_digest=f"sha256-{digest}")


def render_unread_case(case_id: str, *, found: str, version: str) -> str:
    """Render the page of a case whose result another version wrote; `found` says which one."""
    template = _environment().get_template("case_unread.html.j2")
    return template.render(case_id=case_id, found=found, version=version)


def _script(environment: Environment, name: str) -> Markup:
    if environment.loader is None:
        raise ValueError("the templates have no loader")
    source, _, _ = environment.loader.get_source(environment, name)
    return Markup(source)  # noqa: S704  (our own script)


def render_case_pdf(report: CasePdf) -> str:
    """Render the HTML that the PDF of a case is laid out from."""
    template = _environment().get_template("case_pdf.html.j2")
    return template.render(report=report, page=report.page)


def render_unread_pdf(case_id: str, *, found: str, version: str) -> str:
    """Render the HTML of the PDF of a case whose result another version wrote."""
    template = _environment().get_template("pdf_unread.html.j2")
    return template.render(case_id=case_id, found=found, version=version)


def render_cohort(page: CohortPage) -> str:
    """Render the page of all cases as a self-contained HTML document."""
    return _with_script("cohort.html.j2", "cohort.js", page)


def render_read_page(page: ReadPage) -> str:
    """Render the nuclei of a recount as a self-contained HTML document."""
    return _environment().get_template("read_page.html.j2").render(page=page)


def render_dataset(page: DatasetPage) -> str:
    """Render the page of a labelled dataset as a self-contained HTML document."""
    return _environment().get_template("dataset.html.j2").render(page=page)


def render_qa(page: QaPage) -> str:
    """Render the page of quality assurance as a self-contained HTML document."""
    return _environment().get_template("qa.html.j2").render(page=page)


def render_evaluation(page: EvaluationPage) -> str:
    """Render the evaluation of a model as a self-contained HTML document."""
    return _environment().get_template("evaluation.html.j2").render(page=page)
