"""The statistics of quality assurance: how each is printed, what it says, and what it does not say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from her2path.domain.stats.estimate import CONFIDENCE
from her2path.io.qa_documents import EstimateEntry
from her2path.reports.numbers import count_text, number_text, signed_text
from her2path.reports.qa_blocks import Head, Meaning, Meanings


@dataclass(frozen=True, slots=True)
class Statistic:
    """How a statistic is printed and explained."""

    title: str
    says: str
    says_not: str
    percent: bool = False
    """Whether it is a share that is printed in per cent."""
    difference: bool = False
    """Whether it is a difference of shares, printed with its sign in percentage points."""
    digits: int = 3


_NO_VERDICT = "It does not say who is right."
_MIX = "It falls where nearly all cases have one result, so it is not comparable between sets of another mix."
_OF_ANALYSIS = "how calls that are neither were treated stands in the table."

STATISTICS: Mapping[str, Statistic] = MappingProxyType(
    {
        "exact": Statistic(
            "Exact agreement", "Share of cases on which both say the same.", _NO_VERDICT, percent=True
        ),
        "exact_clopper_pearson": Statistic(
            "Exact agreement, exact interval",
            "The same share with an interval that never covers less often than stated, and is wider for it.",
            _NO_VERDICT,
            percent=True,
        ),
        "within_one": Statistic(
            "Agreement within one level",
            "Share of cases on which both lie at most one level apart.",
            "One level can decide on treatment, so a high share here is no proof that patients are safe.",
            percent=True,
        ),
        "all_sessions": Statistic(
            "Agreement over all sessions",
            "Share of pairs of sessions in which the reader says the same, each case counting as one.",
            "It does not say that the reader is right.",
            percent=True,
        ),
        "kappa": Statistic(
            "Cohen's kappa",
            "Agreement beyond what chance gives: 1 = always the same, 0 = as often as by chance.",
            _MIX,
        ),
        "kappa_linear": Statistic(
            "Cohen's kappa, linear weights",
            "Kappa in which two levels apart count twice as much as one.",
            _MIX,
        ),
        "kappa_quadratic": Statistic(
            "Cohen's kappa, quadratic weights",
            "Kappa in which two levels apart count four times as much as one.",
            "It can be high although neighbouring levels are often exchanged; read it with the matrix.",
        ),
        "ac1": Statistic(
            "Gwet's AC1",
            "Like AC2, every difference counting the same.",
            "It is not comparable with kappa, and is usually larger.",
        ),
        "ac2": Statistic(
            "Gwet's AC2",
            "Agreement beyond chance that stays steady where one level is far more frequent than the others.",
            "It is not comparable with kappa, and is usually larger.",
        ),
        "alpha": Statistic(
            "Krippendorff's alpha (ordinal)",
            "Agreement beyond chance for ordered levels, with any number of readers and missing reads.",
            _MIX,
        ),
        "fleiss": Statistic(
            "Fleiss' kappa",
            "Agreement of several readers at once beyond chance; every difference counts the same.",
            _MIX + " Cases that only some of these readers read count as far as they go.",
        ),
        "software_readers": Statistic(
            "The software with the readers",
            "Mean share of readers who say the same as the software, over the cases of both.",
            "It does not say that software or readers are right.",
            percent=True,
        ),
        "readers_readers": Statistic(
            "The readers with each other",
            "Mean share of pairs of readers who say the same, over cases that two of them read.",
            "Readers who agree may still be wrong together.",
            percent=True,
        ),
        "difference": Statistic(
            "Difference",
            "The first minus the second share on the cases of both alone, ten or more of them; below 0 the "
            "software agrees less with readers than they do.",
            "An interval that holds 0 does not prove that they are equal, only that no difference was shown.",
            difference=True,
        ),
        "overall": Statistic(
            "Overall percent agreement",
            f"Share of cases with the same call; {_OF_ANALYSIS}",
            _NO_VERDICT,
            True,
        ),
        "positive": Statistic(
            "Positive percent agreement",
            "Of the cases that the second called positive, the share that the first called positive too.",
            "It is not sensitivity: a reader is no reference standard, and may be wrong.",
            percent=True,
        ),
        "negative": Statistic(
            "Negative percent agreement",
            "Of the cases that the second called negative, the share that the first called negative too.",
            "It is not specificity: a reader is no reference standard, and may be wrong.",
            percent=True,
        ),
        "sensitivity": Statistic(
            "Sensitivity",
            "Of the cases that are positive by the named reference standard, the share called positive.",
            "It is only as good as the reference standard, and holds for cases such as these.",
            percent=True,
        ),
        "specificity": Statistic(
            "Specificity",
            "Of the cases that are negative by the named reference standard, the share called negative.",
            "It is only as good as the reference standard, and holds for cases such as these.",
            percent=True,
        ),
        "bias": Statistic(
            "Mean factor (first ÷ second)",
            "How many times the second's value the first measures on geometric average; 1 = no difference.",
            "A mean factor of 1 says nothing about single cases; see the limits.",
        ),
        "lower_limit": Statistic(
            "Lower limit of agreement",
            "In about 19 of 20 cases the factor lies between both limits (Bland and Altman).",
            "Whether that is close enough is a clinical question that statistics do not answer.",
        ),
        "upper_limit": Statistic(
            "Upper limit of agreement",
            "In about 19 of 20 cases the factor lies between both limits (Bland and Altman).",
            "Whether that is close enough is a clinical question that statistics do not answer.",
        ),
        "proportional_bias": Statistic(
            "Proportional difference",
            "How steeply the logarithm of the factor changes with that of the mean; 0 = it does not.",
            "Cases of one size only cannot tell.",
        ),
        "deming_slope": Statistic(
            "Deming slope",
            "Steepness of the line when both measure with an error that grows with the size; "
            "1 = no proportional difference.",
            "Large cases weigh less; still, one far-off case can tilt it.",
        ),
        "deming_intercept": Statistic(
            "Deming intercept",
            "Where that line starts; 0 = no constant difference.",
            "No case lies near 0, so it is told from afar.",
        ),
        "passing_bablok_slope": Statistic(
            "Passing-Bablok slope",
            "Median steepness between all pairs of cases; single far-off cases hardly move it.",
            "It asks for a straight relation over the whole range.",
        ),
        "passing_bablok_intercept": Statistic(
            "Passing-Bablok intercept",
            "Where that line starts; 0 = no constant difference.",
            "No case lies near 0, so it is told from afar.",
        ),
        "icc": Statistic(
            "Intraclass correlation",
            "Share of all variation that lies between cases rather than between the two who measured.",
            "It is high wherever cases differ widely, even if both differ at the cut-points.",
        ),
    }
)
CLOPPER_PEARSON = "_clopper_pearson"
"""Ends the name of a share that is given again with its exact interval."""
_NO_BREAK = "\N{NO-BREAK SPACE}"


def statistic(name: str) -> Statistic:
    """Find how a statistic is printed; one that is not known is spelt out and left unexplained.

    Examples
    --------
    >>> statistic("positive_clopper_pearson").title
    'Positive percent agreement, exact interval'
    """
    if name in STATISTICS:
        return STATISTICS[name]
    base = name.removesuffix(CLOPPER_PEARSON)
    if base in STATISTICS:
        known = STATISTICS[base]
        return Statistic(f"{known.title}, exact interval", known.says, known.says_not, known.percent)
    return Statistic(name.replace("_", " ").capitalize(), "", "")


def meanings(names: Iterable[str]) -> Meanings:
    """Explain statistics, each once; the exact interval of one is not explained again."""
    asked = {name.removesuffix(CLOPPER_PEARSON) for name in names}
    known = [one for name, one in STATISTICS.items() if name in asked]
    return Meanings(tuple(Meaning(one.title, one.says, one.says_not) for one in known))


def value_words(name: str, value: float | None) -> str:
    r"""Print the value of a statistic; one that is not 0 or 1 is never rounded to it.

    Examples
    --------
    >>> value_words("exact", 0.9996), value_words("kappa", 0.5)
    ('99.96\xa0%', '0.500')
    """
    if value is None:
        return "–"
    kind = statistic(name)
    if kind.difference:
        return f"{signed_text(100 * float(value), digits=1)}{_NO_BREAK}points"
    if kind.percent:
        return f"{number_text(100 * float(value), digits=1, cuts=(0.0, 100.0))}{_NO_BREAK}%"
    return number_text(float(value), digits=kind.digits, cuts=(0.0, 1.0))


def interval_words(name: str, entry: EstimateEntry) -> str:
    """Print an interval, or why there is none."""
    if entry.low is None or entry.high is None:
        return entry.why
    low, high = value_words(name, entry.low), value_words(name, entry.high)
    unit = next((unit for unit in (f"{_NO_BREAK}%", f"{_NO_BREAK}points") if high.endswith(unit)), "")
    # An interval that breaks over two lines is hard to read down a column.
    return f"{low.removesuffix(unit)}{_NO_BREAK}to{_NO_BREAK}{high}"


def interval_title(estimates: Mapping[str, EstimateEntry]) -> str:
    """Title a column of intervals by their confidence, which is one in all of a document.

    Examples
    --------
    >>> one = EstimateEntry(value=0.9, low=0.8, high=0.95, method="Wilson", confidence=0.9, n=40)
    >>> interval_title({"exact": one})
    '90 % interval'
    """
    confidence = next((one.confidence for one in estimates.values()), CONFIDENCE)
    return f"{100 * confidence:g} % interval"


def statistic_heads(estimates: Mapping[str, EstimateEntry]) -> tuple[Head, ...]:
    """Head the columns of a table that lists statistics, one a row."""
    return (
        Head("Statistic"),
        Head("Value", numeric=True),
        Head(interval_title(estimates)),
        Head("Method"),
        Head("n", numeric=True),
    )


def statistic_rows(estimates: Mapping[str, EstimateEntry]) -> list[tuple[str, ...]]:
    """Print statistics under `statistic_heads`, in the order in which pages list them."""
    return [
        (
            statistic(name).title,
            value_words(name, one.value),
            interval_words(name, one),
            one.method,
            count_text(one.n),
        )
        for name, one in in_words_order(estimates)
    ]


def estimate_words(name: str, entry: EstimateEntry | None) -> str:
    r"""Print a value with its interval, or why there is none.

    Examples
    --------
    >>> one = EstimateEntry(value=0.9, low=0.8, high=0.95, method="Wilson", confidence=0.95, n=40)
    >>> estimate_words("exact", one)
    '90.0\xa0% (80.0\xa0to\xa095.0\xa0%)'
    """
    if entry is None:
        return "–"
    if entry.value is None:
        return f"not computed: {entry.why}"
    if entry.low is None:
        return f"{value_words(name, entry.value)} (no interval: {entry.why})"
    return f"{value_words(name, entry.value)} ({interval_words(name, entry)})"


def in_words_order(estimates: Mapping[str, EstimateEntry]) -> list[tuple[str, EstimateEntry]]:
    """Sort statistics as pages list them; a document keeps them by name."""
    known = list(STATISTICS)

    def place(name: str) -> tuple[int, str]:
        base = name.removesuffix(CLOPPER_PEARSON) if name not in STATISTICS else name
        return (known.index(base) if base in STATISTICS else len(known), name)

    return sorted(estimates.items(), key=lambda item: place(item[0]))
