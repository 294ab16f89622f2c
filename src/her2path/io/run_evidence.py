"""What a run holds of a case to look at: its call, and the pictures and reports beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from her2path.errors import ArtefactError
from her2path.io.documents import CallDoc, read_document
from her2path.io.qa_review_entries import EvidenceEntry

_OF_CASE = {"report": "report.html"}
_OF_IMAGE = {
    "overlay": "overlay.png",
    "hot_spots": "hotspots.png",
    "hot_spot_areas": "hotspots.geojson",
    "heterogeneity": "heterogeneity_map.png",
    "cells": "cells.geojson",
    "gallery": "gallery.png",
    "fish_overview": "fish_overview.png",
}


def evidence_of(results: Path, case_id: str) -> EvidenceEntry | str:
    """Read what the call of a case rests on.

    Parameters
    ----------
    results : Path
        Folder of the results of `her2path run`.
    case_id : str
        Case.

    Returns
    -------
    EvidenceEntry or str
        Why there is none.  A document that cannot be read (of another version, or damaged) is no reason to
        withhold the comparison, which rests on the table of calls alone.
    """
    folder = results / "cases" / case_id
    path = folder / "call.json"
    if not path.is_file():
        return "the calls were given as a table; give the results folder of the run to see what they rest on"
    try:
        call = read_document(path, CallDoc)
    except ArtefactError as error:
        return f"what the call rests on cannot be shown: {error}"
    return EvidenceEntry(
        rule_trail=call.rule_trail,
        distance_to_cut=call.distance_to_cut,
        flags=call.flags,
        ihc=call.ihc,
        ish=call.ish,
        files=_files(results, folder, [results / "images" / name for name in call.images]),
    )


def _files(results: Path, folder: Path, images: Sequence[Path]) -> dict[str, tuple[str, ...]]:
    """Name the files that exist, relative to the results folder."""
    places: dict[str, tuple[Path, ...]] = {kind: (folder / name,) for kind, name in _OF_CASE.items()}
    places |= {kind: tuple(image / name for image in images) for kind, name in _OF_IMAGE.items()}
    found = {
        kind: tuple(path.relative_to(results).as_posix() for path in paths if path.is_file())
        for kind, paths in places.items()
    }
    return {kind: paths for kind, paths in found.items() if paths}
