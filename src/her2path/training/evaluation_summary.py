"""From counts of pictures to the figures, diagrams and verdicts of an evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.paired import (
    bootstrap,
    mcnemar_exact,
    non_inferiority,
    paired_difference,
    quantile_estimate,
)
from her2path.domain.stats.reliability import points
from her2path.io.evaluation_documents import (
    BlankEntry,
    EvaluatedItem,
    FigureEntry,
    MarginVerdict,
    McNemarEntry,
    Output,
    Point,
    ReliabilityEntry,
    SubgroupEntry,
    Verdict,
)
from her2path.io.guard_set import Margin
from her2path.io.model_card import WeightsEntry
from her2path.io.qa_documents import EstimateEntry
from her2path.training.evaluate import FEWEST_SCORED
from her2path.training.evaluation_counts import CLASSES, SIZE, Counts, counts_of, part
from her2path.training.evaluation_figures import (
    BY_CLASS,
    BY_GROUP,
    EXPRESSED_ECE,
    STAINED,
    TUMOUR_ECE,
    Figure,
    figure,
)

Items = Sequence[EvaluatedItem]
_DIGITS = 6
"""Of figures in documents: sums in another order differ in the last bits only."""
_OUTPUTS: tuple[tuple[Output, str, Figure], ...] = (
    ("tumour", "tumour_chances", TUMOUR_ECE),
    ("expressed", "expressed_chances", EXPRESSED_ECE),
)


def _by_unit(items: Items, model: int) -> Counts:
    """Sum the counts of one model over the pictures of each unit; shape (units, SIZE), in order of names."""
    if not items:
        return np.zeros((0, SIZE))
    units, place = np.unique([item.unit for item in items], return_inverse=True)
    rows = np.stack([counts_of(item.by_model[model]) for item in items])
    sums = np.zeros((len(units), rows.shape[1]))
    np.add.at(sums, place, rows)
    return sums


def rounded(entry: EstimateEntry) -> EstimateEntry:
    """Round an estimate to what is the same on every machine."""
    numbers = {name: getattr(entry, name) for name in ("value", "low", "high")}
    return entry.model_copy(
        # Adding 0 turns -0.0 into 0.0.
        update={name: None if v is None else round(v, _DIGITS) + 0.0 for name, v in numbers.items()}
    )


def figure_entry(found: Figure, items: Items, *, models: int, units: str) -> FigureEntry | None:
    """Work out one row of a table; None where the new model has no value."""
    if not items:
        return None
    every = [_by_unit(items, model) for model in range(models)]
    own = [rounded(EstimateEntry.of(bootstrap(sums, found.statistic, units=units))) for sums in every]
    if own[0].value is None:
        return None
    differences = [paired_difference(every[0], old, found.statistic, units=units) for old in every[1:]]
    return FigureEntry(
        name=found.name,
        title=found.title,
        more_is_better=found.more_is_better,
        new=own[0],
        old=tuple(own[1:]),
        difference=tuple(rounded(EstimateEntry.of(difference)) for difference in differences),
    )


def figure_entries(
    wanted: Iterable[Figure], items: Items, *, models: int, units: str
) -> tuple[FigureEntry, ...]:
    """Work out the rows of a table that have a value."""
    rows = (figure_entry(found, items, models=models, units=units) for found in wanted)
    return tuple(row for row in rows if row is not None)


def reliability_entries(items: Items, ids: Sequence[str], *, units: str) -> tuple[ReliabilityEntry, ...]:
    """Draw the reliability diagrams of the chances that anything is known about."""
    found = []
    for model, model_id in enumerate(ids):
        sums = _by_unit(items, model)
        for output, name, error in _OUTPUTS:
            bins = [
                Point(chance=min(1.0, round(chance, _DIGITS)), share=round(share, _DIGITS), n=n)
                for chance, share, n in points(part(sums.sum(axis=0), name))
            ]
            estimate = rounded(EstimateEntry.of(bootstrap(sums, error.statistic, units=units)))
            if bins:
                found.append(
                    ReliabilityEntry(output=output, model=model_id, error=estimate, points=tuple(bins))
                )
    return tuple(found)


def subgroup_entries(items: Items, *, models: int, units: str) -> tuple[SubgroupEntry, ...]:
    """Part the pictures by source and by style of the stain, and the cells by class."""
    found = []
    for axis in ("source", "style"):
        for group in sorted({str(getattr(item, axis)) for item in items}):
            some = [item for item in items if getattr(item, axis) == group]
            rows = figure_entries(BY_GROUP, some, models=models, units=units)
            found.append(SubgroupEntry(axis=axis, group=group, pictures=len(some), figures=rows))
    for word, recall in BY_CLASS.items():
        rows = figure_entries([recall], items, models=models, units=units)
        level = list(BY_CLASS).index(word)
        if rows:
            having = sum(1 for item in items if sum(item.new.cells[level]))
            found.append(SubgroupEntry(axis="class", group=word, pictures=having, figures=rows))
    return tuple(found)


def mcnemar_entries(items: Items, ids: Sequence[str]) -> tuple[McNemarEntry, ...]:
    """Test whether one of two models calls more cells right; none where no cell has a class."""
    found = []
    for place, model_id in enumerate(ids):
        pairs = [item.paired[place] for item in items]
        both, new, old, neither = (
            sum(getattr(pair, name) for pair in pairs) for name in ("both", "only_new", "only_old", "neither")
        )
        if both + new + old + neither:
            p_value = float(f"{mcnemar_exact(new, old).p_value:.6g}")
            found.append(
                McNemarEntry(
                    compared_with=model_id,
                    both=both,
                    only_new=new,
                    only_old=old,
                    neither=neither,
                    p_value=p_value,
                )
            )
    return tuple(found)


def blank_shares(items: Items, model: int) -> npt.NDArray[np.float64]:
    """Per cent of the scored cells called stained, of each picture with enough of them."""
    sums = np.array([item.by_model[model].stained for item in items], np.float64)
    sums = sums.reshape(-1, 2)
    enough = sums[:, 0] >= FEWEST_SCORED
    return np.asarray(100 * sums[enough, 1] / sums[enough, 0])


def blank_entries(items: Items, ids: Sequence[str]) -> tuple[BlankEntry, ...]:
    """State the limit of blank of each model."""
    found = []
    for model, model_id in enumerate(ids):
        shares = blank_shares(items, model)
        limit = rounded(EstimateEntry.of(quantile_estimate(shares, 0.95, units="pictures")))
        worst = round(float(shares.max()), _DIGITS) if len(shares) else None
        found.append(BlankEntry(model=model_id, pictures=len(shares), limit_pct=limit, worst_pct=worst))
    return tuple(found)


def confusions(items: Items, models: int) -> tuple[list[list[int]], ...]:
    """Sum labelled by called classes over the pictures, by model."""
    return tuple(
        sum(
            (np.array(item.by_model[model].cells, np.int64) for item in items),
            np.zeros((CLASSES, CLASSES + 1), np.int64),
        ).tolist()
        for model in range(models)
    )


def verdicts(
    margins: Sequence[Margin], items: Items, blanks: Items, old: Sequence[WeightsEntry], *, units: str
) -> tuple[Verdict, ...]:
    """Hold the new model against each old one by the margins of a guard set.

    A figure that could not be measured passes nothing.
    """
    found = []
    for place, entry in enumerate(old, start=1):
        rows = []
        for margin in margins:
            wanted = figure(margin.figure)
            on = blanks if wanted is STAINED else items
            test = non_inferiority(
                _by_unit(on, 0),
                _by_unit(on, place),
                wanted.statistic,
                margin=margin.margin,
                more_is_better=wanted.more_is_better,
                units="pictures" if wanted is STAINED else units,
            )
            rows.append(
                MarginVerdict(
                    figure=margin.figure,
                    margin=margin.margin,
                    why=margin.why,
                    difference=rounded(EstimateEntry.of(test.difference)),
                    passed=test.is_shown,
                )
            )
        found.append(Verdict(compared_with=entry, margins=tuple(rows)))
    return tuple(found)
