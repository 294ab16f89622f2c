"""Counts of pictures as `evaluation.json` writes them, and back."""

from __future__ import annotations

import numpy as np

from her2path.io.evaluation_documents import ChancesEntry, CountsEntry, EvaluatedItem, PairedEntry
from her2path.training.evaluation import ItemResult
from her2path.training.evaluation_counts import Counts, joined, part

_DIGITS = 6


def item_entry(found: ItemResult) -> EvaluatedItem:
    """Write down one picture."""
    return EvaluatedItem(
        item_id=found.item_id,
        unit=found.unit,
        source=found.source,
        style=found.style,
        is_blank=found.is_blank,
        new=_counts_entry(found.counts[0]),
        old=tuple(_counts_entry(counts) for counts in found.counts[1:]),
        paired=tuple(
            PairedEntry(both=both, only_new=new, only_old=old, neither=neither)
            for both, new, old, neither in (pairs.tolist() for pairs in found.paired)
        ),
    )


def _counts_entry(counts: Counts) -> CountsEntry:
    def whole(name: str) -> list[object]:
        values: list[object] = part(counts, name).astype(int).tolist()
        return values

    def chances(name: str) -> ChancesEntry:
        n, sums, true = part(counts, name)
        return ChancesEntry(
            n=n.astype(int).tolist(),
            chances=sums.round(_DIGITS).tolist(),
            came_true=true.astype(int).tolist(),
        )

    plain = ("nuclei", "tumour_nuclei", "cells", "stained", "tiles", "areas")
    return CountsEntry.model_validate(
        {name: whole(name) for name in plain}
        | {name: chances(name) for name in ("tumour_chances", "expressed_chances")}
    )


def counts_of(entry: CountsEntry) -> Counts:
    """Read the counts of one picture."""
    plain = ("nuclei", "tumour_nuclei", "cells", "stained", "tiles", "areas")
    parts = {name: np.array(getattr(entry, name), np.float64) for name in plain}
    for name in ("tumour_chances", "expressed_chances"):
        found: ChancesEntry = getattr(entry, name)
        parts[name] = np.array([found.n, found.chances, found.came_true], np.float64)
    return joined(parts)
