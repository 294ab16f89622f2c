"""A table of single nuclei, one row each, as somebody counted them at the microscope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from her2path.cli.typed_cells import TypedCells
from her2path.domain.ish import NucleusSignals, Probe
from her2path.errors import CaseSheetError, SheetFault
from her2path.io.count_table import read_count_table

NAMES = {"her2": "her2", "her2_signals": "her2", "cep17": "cep17", "cep17_signals": "cep17"}
"""Columns of the table; further ones are not looked at."""
_EMPTY = {
    Probe.DUAL: "is empty; a nucleus without both colours is not scored, so take the row out",
    Probe.SINGLE: "is empty; write 0 for a nucleus without a signal, or take the row out",
}


@dataclass(frozen=True, slots=True)
class CountedNuclei:
    """The nuclei of a table."""

    nuclei: tuple[NucleusSignals, ...]
    ignored: tuple[str, ...]
    """Columns that were not looked at."""


def read_nuclei(path: Path, probe: Probe) -> CountedNuclei:
    """Read a table of nuclei: CSV, TSV or Parquet with `her2` and, for a dual probe, `cep17`.

    Raises
    ------
    CaseSheetError
        With every fault, each with its row and column.
    """
    table = read_count_table(path)
    wanted = ("her2",) if probe is Probe.SINGLE else ("her2", "cep17")
    places = {NAMES[name]: n for n, name in enumerate(table.header) if name in NAMES}
    faults = _header_faults(table.header, wanted)
    if faults:
        raise CaseSheetError(tuple(faults), "table of nuclei")
    found = []
    for number, record in table.rows:
        if misfit := table.misfits.get(number):
            faults.append(SheetFault(number, "", misfit))
            continue
        cells = TypedCells({name: text for name in wanted if (text := record[places[name]].strip())})
        signals = {name: cells.integer(name) for name in wanted}
        for name in wanted:
            if name not in cells.texts:
                cells.fault(name, _EMPTY[probe])
            elif probe is Probe.DUAL and signals[name] == 0:
                cells.fault(name, "is 0; a nucleus without both colours is not scored, so take the row out")
        faults += [SheetFault(number, table.header[places[name]], text) for name, text in cells.faults]
        if (her2 := signals["her2"]) is not None and not cells.faults:
            found.append(NucleusSignals(her2, signals.get("cep17")))
    if faults:
        raise CaseSheetError(tuple(faults), "table of nuclei")
    return CountedNuclei(tuple(found), tuple(name for name in table.header if name not in NAMES))


def _header_faults(header: Sequence[str], wanted: Sequence[str]) -> list[SheetFault]:
    faults = []
    given = [NAMES[name] for name in header if name in NAMES]
    for name in ("her2", "cep17"):
        if given.count(name) > 1:
            faults.append(SheetFault(1, name, "is there twice; keep one of the columns"))
        if name in wanted and name not in given:
            remedy = "; for a HER2 probe alone set the probe to single" if name == "cep17" else ""
            faults.append(SheetFault(1, name, f"column is missing{remedy}"))
        if name in given and name not in wanted:
            faults.append(SheetFault(1, name, "a single probe has no CEP17 signals"))
    return faults
