"""The synoptic summary of a case: the fields of a biomarker report, each with its value or why it has none.

The fields follow those that CAP's protocols for biomarkers of the breast, and of stomach and oesophagus,
ask for, as far as her2path knows them; names, order and words are her2path's own.  What only the laboratory
knows (antibody, probe, block) stands as "not stated", so that nobody takes a gap for an answer.
"""

from __future__ import annotations

import csv
import io
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.verdict import State
from her2path.io.count_table import guarded
from her2path.io.documents import CallDoc
from her2path.reports.evidence import ImageEvidence
from her2path.reports.specimen_section import SITE_WORDS
from her2path.reports.synoptic_field import (
    Standing,
    Synoptic,
    SynopticField,
    SynopticPart,
    number,
    without,
    words,
)
from her2path.reports.synoptic_tests import ihc_part, ish_part, population_parts, recount_part
from her2path.reports.versions_section import guideline_title
from her2path.reports.wording import (
    CATEGORY_WORDS,
    NOT_EVALUABLE,
    evidence_text,
    flag_sentence,
    notes_of,
    reason_sentences,
    words_of,
)

SIGNATURE = "For research and validation. A pathologist signs."
CSV_COLUMNS = ("case_id", "part", "field", "label", "value", "unit", "standing", "text")
_WIDTH, _LABEL = 80, 34
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_STATUS: Mapping[str, str] = MappingProxyType(
    {
        State.POSITIVE: "positive",
        State.NEGATIVE: "negative",
        State.EQUIVOCAL: "equivocal",
        State.INDETERMINATE: "indeterminate",
    }
)
"""States that are a result; all others are pending, or there is none."""


def synoptic_of(call: CallDoc, images: Sequence[ImageEvidence]) -> Synoptic:
    """Gather the summary of a case.

    Parameters
    ----------
    call : CallDoc
        The call.
    images : sequence of ImageEvidence
        All images of the case.
    """
    return Synoptic(
        case_id=call.case_id,
        title=f"HER2 summary of case {call.case_id}",
        parts=(
            _result(call),
            _specimen(call),
            ihc_part(call, images),
            ish_part(call, images),
            *recount_part(call),
            *population_parts(call),
            _signature(),
        ),
    )


def _result(call: CallDoc) -> SynopticPart:
    notes = notes_of(call)
    mandatory = [note.text for note in notes if note.kind == "mandatory"]
    flags = [flag_sentence(flag) or flag for flag in call.flags]
    fields = [
        _status(call),
        words("rests_on", "The result rests on", evidence_text(call) or "no test that could be read"),
        words("guideline", "Guideline", guideline_title(call.guideline) or call.guideline),
        words("acts_next", "Who acts next", words_of(call).who),
    ]
    fields += [words("to_do", "To do", note.text) for note in notes if note.kind == "action"]
    if (known := GUIDELINES.get(call.guideline)) is None or known.has_low_expression_overlay:
        fields.append(_category(call))
    fields += [words("comment", "Comment of the guideline", text) for text in mandatory]
    fields += [
        words(
            "edited_by_person",
            "Edited by a person",
            f"image {image_id}: {'; '.join(f'{by}, {on}' for by, on in edits.signatures)}; "
            f"score before: {edits.score_before or 'none'}",
        )
        for image_id, edits in sorted(call.edits.items())
    ]
    fields += [words("to_look_at", "To look at", text) for text in flags]
    return SynopticPart("result", "Result", tuple(fields))


def _status(call: CallDoc) -> SynopticField:
    name, label = "her2_status", "HER2 status"
    if call.state in _STATUS:
        return words(name, label, _STATUS[call.state])
    if call.state == NOT_EVALUABLE:
        return without(name, label, Standing.NOT_EVALUABLE, "; ".join(reason_sentences(call)))
    return without(name, label, Standing.PENDING, words_of(call).short)


def _category(call: CallDoc) -> SynopticField:
    name, label = "expression_category", "Category for trials (an extra)"
    if call.her2_category is not None:
        return words(name, label, CATEGORY_WORDS.get(call.her2_category, call.her2_category))
    if call.state in _STATUS:
        return without(name, label, Standing.NOT_MEASURED, "no category applies, or none can be told")
    standing = Standing.NOT_EVALUABLE if call.state == NOT_EVALUABLE else Standing.PENDING
    return without(name, label, standing)


def _specimen(call: CallDoc) -> SynopticPart:
    stated = call.specimen
    fixed, cold = stated.fixation_hours, stated.cold_ischaemia_minutes
    missing = Standing.NOT_STATED
    return SynopticPart(
        "specimen",
        "Specimen",
        (
            words("specimen_kind", "Kind of specimen", None if stated.kind is None else str(stated.kind)),
            words(
                "tumour_site", "Site of the tumour", None if stated.site is None else SITE_WORDS[stated.site]
            ),
            words("block", "Block", None),
            words("fixative", "Fixative", None),
            number(
                "fixation",
                "Time in the fixative",
                fixed,
                f"{fixed:g} h" if fixed is not None else "",
                "h",
                missing=missing,
            ),
            number(
                "cold_ischaemia",
                "Cold ischaemia",
                cold,
                f"{cold:g} min" if cold is not None else "",
                "min",
                missing=missing,
            ),
        ),
    )


def _signature() -> SynopticPart:
    return SynopticPart(
        "signature",
        "Signature",
        (words("pathologist", "Pathologist", None), words("signed_on", "Date", None)),
    )


def synoptic_text(summary: Synoptic) -> str:
    """Write the summary as plain text, 80 characters wide.

    A field stands on its own line; what people wrote cannot begin a line of its own, nor turn the
    direction of another.
    """
    lines = [_plain(summary.title), SIGNATURE]
    for part in summary.parts:
        lines += ["", part.title.upper()]
        for field in part.fields:
            label = f"{_plain(field.label)}:"
            first = label.ljust(_LABEL) if len(label) < _LABEL else f"{label} "
            lines += textwrap.wrap(
                first + _plain(field.text),
                width=_WIDTH,
                subsequent_indent=" " * _LABEL,
                break_on_hyphens=False,
                drop_whitespace=True,
            )
    return "\n".join(lines) + "\n"


def synoptic_csv(summary: Synoptic) -> str:
    """Write the summary as a table, one row per field (RFC 4180); a field without a value says why."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for part in summary.parts:
        for field in part.fields:
            value = "" if field.value is None else field.value
            # repr gives the shortest digits that read back as the same number.
            cell = repr(value) if isinstance(value, float) else guarded(_plain(str(value)))
            row = (guarded(summary.case_id), part.name, field.name, guarded(_plain(field.label)), cell)
            writer.writerow((*row, field.unit, str(field.standing), guarded(_plain(field.text))))
    return target.getvalue()


def _plain(text: str) -> str:
    r"""Keep what people wrote on one line and in one direction; what would change either is named.

    Examples
    --------
    >>> _plain("a\nSTATUS: positive \u202e")
    'a STATUS: positive [U+202E]'
    """
    # The narrow space between thousands is none of a plain text: programs read 1235.
    text = text.replace("\N{NARROW NO-BREAK SPACE}", "")
    named = (f"[U+{ord(c):04X}]" if c in _BIDI or _is_control(c) else c for c in text)
    return " ".join("".join(named).split())


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs"} and not character.isspace()
