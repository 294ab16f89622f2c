"""The PDF of a case: what its page prints, on fewer sheets, and every number of the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from her2path.io.documents import CallDoc
from her2path.reports.case_material import CONTROLS, GALLERY, OVERLAY, CaseMaterial
from her2path.reports.case_page import CasePage, case_page
from her2path.reports.html.pdf import write_pdf
from her2path.reports.html.rendering import render_case_pdf, render_unread_pdf
from her2path.reports.score_section import HOT_SPOTS
from her2path.reports.synoptic import synoptic_of
from her2path.reports.synoptic_field import Synoptic
from her2path.reports.trail_section import NamedNumber, cuts_by_quantity, named_numbers

PRINTED_PICTURES = frozenset({OVERLAY, GALLERY, CONTROLS, HOT_SPOTS})
"""Pictures that stand on paper; maps and fields, which are for looking closer, are on the page."""


@dataclass(frozen=True, slots=True)
class NumberTable:
    """Numbers of one test, as printed."""

    title: str
    numbers: tuple[NamedNumber, ...]


@dataclass(frozen=True, slots=True)
class CasePdf:
    """All that the template of the PDF prints."""

    page: CasePage
    summary: Synoptic
    numbers: tuple[NumberTable, ...]
    report_name: str


def case_pdf(material: CaseMaterial) -> bytes:
    """Make the PDF of a case; ConfigError where Pango is missing."""
    report = CasePdf(
        page=case_page(material),
        summary=synoptic_of(material.call, material.images),
        numbers=all_numbers(material.call),
        report_name=material.report_name,
    )
    return write_pdf(render_case_pdf(report))


def unread_pdf(case_id: str, *, found: str, version: str) -> bytes:
    """Make the PDF of a case whose result another version wrote; `found` says which one."""
    return write_pdf(render_unread_pdf(case_id, found=found, version=version))


def all_numbers(call: CallDoc) -> tuple[NumberTable, ...]:
    """List every number that a call holds by test; a test that was not made has no table.

    With two populations the call holds those of ISH for the main one.
    """
    cuts = cuts_by_quantity(call)
    parts: Mapping[str, Mapping[str, int | float | str | None]] = {
        "IHC": call.ihc,
        "ISH of the main population" if call.populations else "ISH": call.ish,
        "Recount": call.recount,
    }
    return tuple(
        NumberTable(f"{title}, as in call.json", named_numbers(numbers, cuts))
        for title, numbers in parts.items()
        if numbers
    )
