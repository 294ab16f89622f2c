"""Who is compared with whom, and everything that comes of it: the result of `qa/agreement.json`.

The cases are those with a call of the software and a read by a person; all others are listed as left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from her2path.domain.read_matrix import ReadColumn, ReadMatrix
from her2path.domain.reads import LEVELS, SOFTWARE, Endpoint
from her2path.domain.stats.bayesian_bootstrap import Drawing
from her2path.domain.stats.intra_reader import intra_reader
from her2path.errors import ConfigError
from her2path.io.agreement_entries import (
    Compared,
    Within,
    among_entry,
    days_between,
    effect_entries,
    estimates_of,
    multi_rater_entry,
    pair_entry,
)
from her2path.io.agreement_methods import QUANTITIES, Counted, method_entry
from her2path.io.agreement_study import checks_of, left_out_entries, notes_of, reader_entries
from her2path.io.qa_documents import (
    MAJORITY,
    AgreementResult,
    AmongReadersEntry,
    CategoryEffectEntry,
    Kind,
    MethodEntry,
    MultiRaterEntry,
    PairEntry,
)
from her2path.io.read_arrays import ReadArrays, read_arrays
from her2path.io.reads_mapping import STRATA
from her2path.io.tables import facts_of

MOST_STRATUM_VALUES = 30
"""Values of one stratum that agreement is worked out by: those with most cases."""
MOST_READERS = 24
"""Readers up to which every two of them are compared by all statistics, and on what they counted."""
_MOST_READER_STRATA = 240
"""Readers times values of strata up to which each reader is compared within each of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """The reads, and how they are to be compared."""

    arrays: ReadArrays
    facts: dict[str, str]
    reference: str
    """Empty = none."""
    drawing: Drawing

    @classmethod
    def read(cls, path: Path, *, reference: str, seed: int, draws: int, confidence: float) -> Study:
        """Read the table; ConfigError where the reference is none of its readers."""
        arrays = read_arrays(path)
        persons = arrays.readers[1:]
        if reference and reference not in persons:
            known = ", ".join(persons) or "none"
            raise ConfigError((f"--reference: {reference!r} is no reader of these reads; known are {known}",))
        drawing = Drawing(draws=draws, seed=seed, confidence=confidence)
        return cls(arrays, facts_of(path), reference, drawing)

    @property
    def everything(self) -> Within:
        """All cases."""
        return Within(np.ones(len(self.arrays.case_ids), dtype=np.bool_))

    @property
    def has_many_readers(self) -> bool:
        """Whether there are too many persons for every statistic of every two of them."""
        return len(self.arrays.readers) - 1 > MOST_READERS

    def strata(self) -> Iterator[Within]:
        """Cases by the values of each stratum, those with most cases first where there are many."""
        for name in STRATA:
            values, places, stated = self.arrays.stratum(name)
            sizes = np.bincount(places[stated], minlength=len(values))
            largest = np.argsort(-sizes, kind="stable")[:MOST_STRATUM_VALUES]
            for place in sorted(largest.tolist()):
                if sizes[place]:
                    yield Within(stated & (places == place), name, values[place])


def agreement_result(study: Study) -> AgreementResult:
    """Compare everybody with everybody."""
    arrays = study.arrays
    within = list(study.strata())
    matrices = {endpoint: arrays.matrix(endpoint) for endpoint in Endpoint}
    pairs = [
        *(entry for endpoint in Endpoint for entry in _pairs(study, endpoint, matrices[endpoint])),
        *(entry for endpoint in Endpoint for entry in _repeated(study, endpoint)),
        *_pairs_in_strata(study, matrices, within),
    ]
    return AgreementResult(
        guidelines=tuple(sorted(set(arrays.table.column("guideline").to_pylist()))),
        reference=study.reference or None,
        cases=len(arrays.case_ids),
        reads=int(arrays.read[:, :, 1:].sum()),
        readers=reader_entries(arrays),
        seed=study.drawing.seed,
        draws=study.drawing.draws,
        confidence=study.drawing.confidence,
        strata=_stratum_sizes(study),
        pairs=tuple(pairs),
        among_readers=tuple(_among(study, matrices, within)),
        multi_rater=tuple(_multi_rater(study, matrices, within)),
        category_effects=tuple(_effects(study, matrices)),
        methods=tuple(_methods(study)),
        study_checks=checks_of(pairs, study.reference),
        left_out=left_out_entries(arrays, study.facts),
        notes=(*notes_of(arrays, pairs, study.reference), *_limits(study, within)),
    )


def _limits(study: Study, strata: list[Within]) -> Iterator[str]:
    """Say what was not worked out because there is very much of it."""
    readers = len(study.arrays.readers)
    if study.has_many_readers:
        yield (
            f"With more than {MOST_READERS} readers two of them are compared by exact agreement and "
            "quadratic kappa alone, and not on what they counted."
        )
    if readers * len(strata) > _MOST_READER_STRATA:
        yield "Within strata the software is compared with majority and reference alone, for they are many."
    largest = {name for name, sizes in _stratum_sizes(study).items() if len(sizes) > MOST_STRATUM_VALUES}
    if largest:
        names = ", ".join(sorted(largest))
        yield f"Of {names} the {MOST_STRATUM_VALUES} values with most cases are compared."


def _stratum_sizes(study: Study) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name in STRATA:
        values, places, stated = study.arrays.stratum(name)
        sizes = np.bincount(places[stated], minlength=len(values))
        if values:
            found[name] = {value: int(n) for value, n in zip(values, sizes, strict=True)}
    return found


def _comparisons(study: Study) -> Iterator[tuple[Compared, int, int]]:
    """Name two readers each, with their columns: software and readers, then readers with each other."""
    names, reference = study.arrays.readers, study.reference
    for j, name in enumerate(names[1:], start=1):
        kind: Kind = "software_reference" if name == reference else "software_reader"
        yield Compared(kind, SOFTWARE, name), 0, j
    for i, j in combinations(range(1, len(names)), 2):
        if names[i] == reference:
            i, j = j, i  # noqa: PLW2901  (the reference is what others are held against)
        of_readers: Kind = "reader_reference" if names[j] == reference else "readers"
        yield Compared(of_readers, names[i], names[j]), i, j


def _pairs(study: Study, endpoint: Endpoint, matrix: ReadMatrix) -> Iterator[PairEntry]:
    for compared, i, j in _comparisons(study):
        columns = matrix.reader(i), matrix.reader(j)
        brief = compared.kind == "readers" and study.has_many_readers
        yield pair_entry(compared, endpoint, columns, study.everything, study.drawing, brief=brief)
    for compared, i, majority in _against_majority(study, endpoint, matrix):
        columns = matrix.reader(i), majority
        yield pair_entry(compared, endpoint, columns, study.everything, study.drawing)


def _against_majority(
    study: Study, endpoint: Endpoint, matrix: ReadMatrix
) -> Iterator[tuple[Compared, int, ReadColumn]]:
    """Hold the software against the majority of the readers, and each reader against that of the others."""
    persons = list(range(1, len(study.arrays.readers)))
    categories = len(LEVELS[endpoint])
    if len(persons) < 2:
        return
    yield (
        Compared("software_majority", SOFTWARE, MAJORITY),
        0,
        matrix.majority(persons, categories=categories),
    )
    if len(persons) < 3:
        return
    for i in persons:
        others = matrix.majority([j for j in persons if j != i], categories=categories)
        yield Compared("reader_majority", study.arrays.readers[i], MAJORITY), i, others


def _repeated(study: Study, endpoint: Endpoint) -> Iterator[PairEntry]:
    """Compare each reader's sessions, one with the next."""
    arrays = study.arrays
    matrices = [arrays.matrix(endpoint, session) for session in range(arrays.sessions)]
    for i, name in enumerate(arrays.readers[1:], start=1):
        columns = [matrix.reader(i) for matrix in matrices]
        for session in range(1, arrays.sessions):
            before, after = columns[session - 1], columns[session]
            if not (arrays.read[session - 1, :, i] & arrays.read[session, :, i]).any():
                continue
            dates = [arrays.days(place) for place in (session - 1, session)]
            first, second = ((days[:, i], known[:, i]) for days, known in dates)
            compared = Compared("intra_reader", name, name, session, session + 1)
            entry = pair_entry(
                compared,
                endpoint,
                (before, after),
                study.everything,
                study.drawing,
                days=days_between(first, second, before.has & after.has),
            )
            if session == 1 and arrays.read[2:, :, i].any():
                entry = _with_all_sessions(entry, columns, endpoint, study.drawing)
            yield entry


def _with_all_sessions(
    entry: PairEntry, columns: list[ReadColumn], endpoint: Endpoint, drawing: Drawing
) -> PairEntry:
    codes = np.stack([column.codes for column in columns], axis=1)
    has = np.stack([column.has for column in columns], axis=1)
    found = intra_reader(codes, has, categories=len(LEVELS[endpoint]), drawing=drawing)
    more = estimates_of({"all_sessions": found.exact})
    return entry.model_copy(update={"estimates": entry.estimates | more})


def _pairs_in_strata(
    study: Study, matrices: dict[Endpoint, ReadMatrix], strata: list[Within]
) -> Iterator[PairEntry]:
    many = len(study.arrays.readers) * len(strata) > _MOST_READER_STRATA
    with_software = [found for found in _comparisons(study) if found[0].first == SOFTWARE]
    kept = [c for c in with_software if not many or c[0].kind == "software_reference"]
    for endpoint, matrix in matrices.items():
        majority = [found for found in _against_majority(study, endpoint, matrix) if found[1] == 0]
        for within in strata:
            for compared, i, j in kept:
                columns = matrix.reader(i), matrix.reader(j)
                yield pair_entry(compared, endpoint, columns, within, study.drawing, brief=True)
            for compared, i, column in majority:
                columns = matrix.reader(i), column
                yield pair_entry(compared, endpoint, columns, within, study.drawing, brief=True)


def _among(
    study: Study, matrices: dict[Endpoint, ReadMatrix], strata: list[Within]
) -> Iterator[AmongReadersEntry]:
    if len(study.arrays.readers) < 3:
        return
    for endpoint, matrix in matrices.items():
        for within in (study.everything, *strata):
            yield among_entry(endpoint, matrix, within, study.drawing)


def _multi_rater(
    study: Study, matrices: dict[Endpoint, ReadMatrix], strata: list[Within]
) -> Iterator[MultiRaterEntry]:
    names = study.arrays.readers
    if len(names) < 3:
        return
    for endpoint, matrix in matrices.items():
        persons = ReadMatrix(matrix.codes[:, 1:], matrix.status[:, 1:])
        yield multi_rater_entry(endpoint, persons, names[1:], study.everything, study.drawing)
        yield multi_rater_entry(endpoint, matrix, names, study.everything, study.drawing)
        for within in strata:
            yield multi_rater_entry(endpoint, persons, names[1:], within, study.drawing)


def _effects(study: Study, matrices: dict[Endpoint, ReadMatrix]) -> Iterator[CategoryEffectEntry]:
    scores, categories = matrices[Endpoint.SCORE], matrices[Endpoint.CATEGORY]
    for compared, i, j in _comparisons(study):
        if compared.first == SOFTWARE:
            yield from effect_entries(
                (compared.first, compared.second),
                (scores.reader(i), scores.reader(j)),
                (categories.reader(i), categories.reader(j)),
                study.arrays.case_ids,
            )


def _methods(study: Study) -> Iterator[MethodEntry]:
    arrays = study.arrays
    counted = [_counted(arrays, session) for session in range(arrays.sessions)]
    many = study.has_many_readers
    compared = [
        (one, counted[0][i], counted[0][j])
        for one, i, j in _comparisons(study)
        if one.kind != "readers" or not many
    ]
    for i, name in enumerate(arrays.readers[1:], start=1):
        for session in range(1, arrays.sessions):
            again = Compared("intra_reader", name, name, session, session + 1)
            compared.append((again, counted[session - 1][i], counted[session][i]))
    for quantity in QUANTITIES:
        for one, first, second in compared:
            # Lines take time with the square of the cases, and readers among each other are many.
            entry = method_entry(
                one, quantity, (first, second), arrays.case_ids, study.drawing, plotted=one.first == SOFTWARE
            )
            if entry is not None:
                yield entry


def _counted(arrays: ReadArrays, session: int) -> list[Counted]:
    """Take the counts of every reader in one session."""
    columns = [arrays.counts(name, session) for name in ("her2_signals", "cep17_signals", "nuclei")]
    return [
        Counted(arrays.read[session, :, i], *((values[:, i], known[:, i]) for values, known in columns))
        for i in range(len(arrays.readers))
    ]
