"""Why numbers of a test stand in a case although nothing was called from them.

Without these words a reader would take the numbers of a rejected count for a result, or blame a sound test
for the failed image of the other one.
"""

from __future__ import annotations

from collections.abc import Iterable

from her2path.io.call_entries import PopulationEntry, TrailEntry
from her2path.io.documents import CallDoc
from her2path.reports.wording import NOT_EVALUABLE

EVIDENCE = "These numbers are evidence and no result."
_REJECTED = "indeterminate: "


def not_called(call: CallDoc) -> str:
    """Say why nothing was called from what was measured; empty where the case has a call.

    Names the images that failed, so that the other images are not blamed.
    """
    if call.state != NOT_EVALUABLE:
        return ""
    failed = sorted(call.reasons)
    images = f"image{'' if len(failed) == 1 else 's'} {', '.join(failed)}"
    reasons = "; ".join(dict.fromkeys(call.reasons[image].reason for image in failed))
    return f"measured, but not called, because {images} failed: {reasons}"


def unread_first_count(call: CallDoc, steps: Iterable[TrailEntry]) -> str:
    """Say why the first count is no result; empty where a group was read from it."""
    if call.ish_group is not None:
        return ""
    return not_called(call) or _rejected(step.conclusion for step in steps)


def unread_recount(call: CallDoc, steps: Iterable[TrailEntry]) -> str:
    """Say why a recount is no result; empty where it was read."""
    return not_called(call) or _rejected(step.conclusion.removeprefix("recount: ") for step in steps)


def unread_population(population: PopulationEntry | None) -> str:
    """Say why the count of a population is no result; empty where a group was read from it."""
    if population is None or population.ish_group is not None:
        return ""
    return _rejected(step.conclusion for step in population.rule_trail if step.rule_id.startswith("ISH-"))


def _rejected(conclusions: Iterable[str]) -> str:
    """Join the reasons for which rules rejected a count; empty where none did."""
    reasons = [one.removeprefix(_REJECTED) for one in conclusions if one.startswith(_REJECTED)]
    return f"cannot be read: {'; '.join(dict.fromkeys(reasons))}" if reasons else ""
