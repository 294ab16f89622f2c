"""Quality of an invented FISH count: so many weak and cytoplasmic signals beside the counted ones."""

from __future__ import annotations

from her2path.domain.count_quality import CountQuality, Part
from her2path.io.count_entries import QualityEntry


def quality_of(
    counted: int,
    *,
    weak: int = 0,
    cytoplasmic: int = 0,
    unresolved: tuple[int, int] = (3, 40),
    obscured: tuple[int, int] = (0, 30),
) -> QualityEntry:
    """Set `weak` and `cytoplasmic` signals beside `counted` ones; nuclei as (so many, of so many)."""
    return QualityEntry.of(
        CountQuality(
            Part(weak, weak + counted),
            Part(cytoplasmic, cytoplasmic + counted),
            Part(*unresolved),
            Part(*obscured),
        )
    )
