"""What a report shows of how certain an IHC score is, how its cells are spread, and where to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup

from her2path.domain.ihc_chances import CERTAIN
from her2path.io.documents import IhcScoreResult
from her2path.io.score_entries import IntervalMethod
from her2path.reports.html.pictures import Picture
from her2path.reports.html.plots import share_bar
from her2path.reports.number_names import label_of
from her2path.reports.numbers import count_text, number_text, percentage_text
from her2path.reports.odds import drawn_bound_pct
from her2path.reports.wording import CATEGORY_WORDS

BLOCK_MAP, HOT_SPOTS = "heterogeneity_map.png", "hotspots.png"
"""Pictures of a score beside its overlay."""
HETEROGENEITY_WORDS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "fields": ("Blocks of 250 µm compared", 0),
        "intraclass_correlation": (
            "Share of the variation between blocks (intraclass correlation, 0 to 1)",
            2,
        ),
        "quadratic_entropy": ("Mean difference of two cells' scores (quadratic entropy, 0 to 1.5)", 2),
        "h_score_low": ("H-score of the blocks, 10th percentile", 1),
        "h_score_high": ("H-score of the blocks, 90th percentile", 1),
    }
)
"""Words and decimals for the measures of heterogeneity of an IHC slide."""
_SPREAD_WORDS: Mapping[str | None, str] = MappingProxyType(
    {
        "uniform": "Uniform: nine in ten cells or more have the same score, or blocks do not differ.",
        "scattered": "Scattered: differently stained cells lie among each other, in about the same mixture "
        "everywhere.",
        "clustered": "Clustered: staining differs from area to area.",
        None: "Too few blocks with 30 scored cells or more to tell clustered from scattered staining.",
    }
)
_OPEN_WORDS: Mapping[str, str] = MappingProxyType(
    {"needs_ish": "open: ISH decides", "equivocal": "equivocal: a further test decides"}
)


@dataclass(frozen=True, slots=True)
class ChanceRow:
    """One score or category and how many samples of the same tissue are given it."""

    name: str
    is_this: bool
    probability: str
    bar: Markup


@dataclass(frozen=True, slots=True)
class SpotRow:
    """One hot spot as printed."""

    rank: str
    place: str
    pixels: str
    cells: str
    pct: str
    h_score: str


@dataclass(frozen=True, slots=True)
class ScoreSection:
    """What stands behind one score, ready for the page."""

    chance: str
    """How likely another sample is given the score, in a sentence, or why cells without any difference do
    not tell it; empty where `reason` says why not."""
    is_uncertain: bool
    reason: str
    basis: str
    """How probabilities and intervals were worked out."""
    of_cells: str
    """What intervals would be that take every cell for an observation."""
    scores: tuple[ChanceRow, ...]
    """Empty where all cells are alike."""
    categories: tuple[ChanceRow, ...]
    """Empty where there is but one with a chance, or none."""
    spread: str
    block_map: Picture | None
    spots: tuple[SpotRow, ...]
    spot_quantity: str
    """What the hot spots have most of, in words."""
    crops: Picture | None


def score_section(image_id: str, result: IhcScoreResult, pictures: Mapping[str, Picture]) -> ScoreSection:
    """Word what stands behind a score.

    Parameters
    ----------
    image_id : str
        The image.
    result : IhcScoreResult
        Its score.
    pictures : mapping of str to Picture
        By ``<image_id>/<file>``; one that is missing is not shown.
    """
    alike = is_without_spread(result)
    chance = None if alike else result.score_probabilities.get(result.score)
    draws = result.interval.draws
    stained = result.percentages.get("stained")
    return ScoreSection(
        chance=_alike(result.scored_cells)
        if alike
        else ""
        if chance is None
        else f"Of samples of the same tissue {sample_text(chance, draws)} would be scored {result.score}.",
        is_uncertain=chance is not None and chance < CERTAIN,
        reason="" if result.no_probabilities is None else result.no_probabilities.reason,
        basis=_basis(result.interval, result.scored_cells),
        of_cells="" if stained is None else _range_text(stained.cells_low_pct, stained.cells_high_pct),
        scores=()
        if alike
        else _rows({str(k): v for k, v in result.score_probabilities.items()}, str(result.score), draws),
        categories=() if alike else _categories(result, draws),
        spread=_SPREAD_WORDS[result.staining_spread],
        block_map=pictures.get(f"{image_id}/{BLOCK_MAP}"),
        spots=tuple(
            SpotRow(
                rank=str(rank),
                place=f"{number_text(spot.x_um, digits=1)}, {number_text(spot.y_um, digits=1)}",
                pixels=f"{spot.x_px0:.0f}, {spot.y_px0:.0f}",
                cells=count_text(spot.cells),
                pct=percentage_text(spot.pct, digits=1),
                h_score=number_text(spot.h_score, digits=1),
            )
            for rank, spot in enumerate(result.hot_spots, start=1)
        ),
        spot_quantity=label_of(result.hot_spot_quantity).lower() if result.hot_spot_quantity else "",
        crops=pictures.get(f"{image_id}/{HOT_SPOTS}") if result.hot_spots else None,
    )


def is_without_spread(result: IhcScoreResult) -> bool:
    """Tell whether every drawn sample was the same: all scored cells stain alike."""
    kinds = [n for row in result.tally.values() for n in row.values() if n]
    return result.interval.method == "block_bootstrap" and len(kinds) == 1


def _alike(cells: int) -> str:
    return (
        f"The {count_text(cells)} scored cells all stain alike, so drawing from them again always gives the "
        "same score: how likely samples of the same tissue differ cannot be told from them."
    )


def sample_text(probability: float, draws: int) -> str:
    """Print a share of the drawn samples; none or all of them is no certainty (rule of three).

    Examples
    --------
    >>> sample_text(0.973, 2000), sample_text(0.0, 2000), sample_text(1.0, 2000)
    ('97.3 %', '< 0.2 %', '> 99.8 %')
    """
    if probability in (0.0, 1.0):
        least = drawn_bound_pct(draws)
        return f"< {least:g} %" if probability == 0 else f"> {100 - least:g} %"
    return f"{number_text(100 * probability, digits=1, cuts=(0.0, 100.0))} %"


def _range_text(low: float, high: float) -> str:
    ends = low, high
    first, last = (percentage_text(end, digits=1) for end in ends)
    if first == last:
        first, last = (percentage_text(end) for end in ends)
    return f"{first} to {last} %"


def _rows(found: Mapping[str, float], this: str, draws: int) -> tuple[ChanceRow, ...]:
    shown = {name: p for name, p in found.items() if p > 0 or name == this}
    return tuple(
        ChanceRow(name, name == this, sample_text(p, draws), share_bar(p, strong=name == this))
        for name, p in shown.items()
    )


def _categories(result: IhcScoreResult, draws: int) -> tuple[ChanceRow, ...]:
    """List the categories where the score alone does not tell them: a 0 is null or ultralow."""
    found = {name: p for name, p in result.category_probabilities.items() if p > 0}
    if not {"null", "ultralow"} & found.keys():
        return ()
    words = {**CATEGORY_WORDS, **_OPEN_WORDS}
    return _rows({words.get(name, name): p for name, p in found.items()}, "", draws)


def _basis(method: IntervalMethod, cells: int) -> str:
    reach = f"{number_text(method.reach_um, digits=0)} µm"
    alone = round(method.independent_cells)
    # Where no cell differs from its neighbours nothing was learnt of how alike they are.
    fewer = (
        f"Neighbouring cells are alike over about {reach} here, so the {count_text(cells)} scored cells tell "
        f"no more than about {count_text(alone)} independent ones would."
        if alone < cells
        else ""
    )
    if method.method == "wilson_of_areas":
        return (
            f"{fewer} The tissue holds only {number_text(method.areas, digits=0)} areas of {reach}, the size "
            "of its patches: too few to draw samples from. Each is taken for one observation (Wilson "
            "interval)."
        ).lstrip()
    return (
        f"Worked out by drawing blocks of tissue ({number_text(method.block_um, digits=0)} µm) again, with "
        "repetition, so that cells of one patch stay together (block bootstrap, "
        f"{count_text(method.draws)} samples). {fewer}"
    ).rstrip()
