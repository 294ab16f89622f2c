"""`her2path call`: the HER2 call from numbers that a person has, without any image."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from her2path.cli.call_columns import COLUMNS, ignored
from her2path.errors import ConfigError

_OUTPUT = "Output"
_TABLES = "Tables"


def _of(name: str) -> Any:
    column = COLUMNS[name]
    return typer.Option(help=column.help, rich_help_panel=column.panel)


def call(  # noqa: PLR0913  (a command names every option it has)
    *,
    case_id: Annotated[str, _of("case_id")] = "typed",
    guideline: Annotated[str, _of("guideline")] = "",
    specimen: Annotated[str, _of("specimen")] = "",
    tumour_site: Annotated[str, _of("tumour_site")] = "",
    fixation_hours: Annotated[str, _of("fixation_hours")] = "",
    cold_ischaemia_minutes: Annotated[str, _of("cold_ischaemia_minutes")] = "",
    note: Annotated[str, _of("note")] = "",
    ihc: Annotated[str, _of("ihc")] = "",
    pct_complete_intense: Annotated[str, _of("pct_complete_intense")] = "",
    pct_complete_weak_moderate: Annotated[str, _of("pct_complete_weak_moderate")] = "",
    pct_incomplete_moderate_intense: Annotated[str, _of("pct_incomplete_moderate_intense")] = "",
    pct_incomplete_faint: Annotated[str, _of("pct_incomplete_faint")] = "",
    pct_none: Annotated[str, _of("pct_none")] = "",
    incomplete_intensity: Annotated[str, _of("incomplete_intensity")] = "",
    cluster_cells: Annotated[str, _of("cluster_cells")] = "",
    ihc_controls: Annotated[str, _of("ihc_controls")] = "",
    probe: Annotated[str, _of("probe")] = "",
    nuclei: Annotated[str, _of("nuclei")] = "",
    her2_signals: Annotated[str, _of("her2_signals")] = "",
    cep17_signals: Annotated[str, _of("cep17_signals")] = "",
    mean_her2: Annotated[str, _of("mean_her2")] = "",
    mean_cep17: Annotated[str, _of("mean_cep17")] = "",
    ratio: Annotated[str, _of("ratio")] = "",
    areas: Annotated[str, _of("areas")] = "",
    pct_cells_ratio_ge2: Annotated[str, _of("pct_cells_ratio_ge2")] = "",
    ish_controls: Annotated[str, _of("ish_controls")] = "",
    recount_available: Annotated[str, _of("recount_available")] = "",
    recount_nuclei: Annotated[str, _of("recount_nuclei")] = "",
    recount_her2: Annotated[str, _of("recount_her2")] = "",
    recount_cep17: Annotated[str, _of("recount_cep17")] = "",
    recount_mean_her2: Annotated[str, _of("recount_mean_her2")] = "",
    recount_mean_cep17: Annotated[str, _of("recount_mean_cep17")] = "",
    recount_blinded: Annotated[str, _of("recount_blinded")] = "",
    recount_other_observer: Annotated[str, _of("recount_other_observer")] = "",
    recount_other_nuclei: Annotated[str, _of("recount_other_nuclei")] = "",
    recount_pct_cells_ratio_ge2: Annotated[str, _of("recount_pct_cells_ratio_ge2")] = "",
    cluster_cells_strong: Annotated[str, _of("cluster_cells_strong")] = "",
    cluster_cells_weak_moderate: Annotated[str, _of("cluster_cells_weak_moderate")] = "",
    cluster_cells_faint: Annotated[str, _of("cluster_cells_faint")] = "",
    limit_of_blank_pct: Annotated[str, _of("limit_of_blank_pct")] = "",
    ihc_artefact: Annotated[str, _of("ihc_artefact")] = "",
    normal_ducts_stained: Annotated[str, _of("normal_ducts_stained")] = "",
    weak_signals: Annotated[str, _of("weak_signals")] = "",
    cytoplasmic_signals: Annotated[str, _of("cytoplasmic_signals")] = "",
    poor_nuclei: Annotated[str, _of("poor_nuclei")] = "",
    autofluorescence: Annotated[str, _of("autofluorescence")] = "",
    second_population_pct: Annotated[str, _of("second_population_pct")] = "",
    second_nuclei: Annotated[str, _of("second_nuclei")] = "",
    second_her2: Annotated[str, _of("second_her2")] = "",
    second_cep17: Annotated[str, _of("second_cep17")] = "",
    single_probe: Annotated[
        bool, typer.Option("--single-probe", help="The same as --probe single.", rich_help_panel="ISH")
    ] = False,
    nuclei_table: Annotated[
        Path | None,
        typer.Option(help="Single nuclei, one row each: her2, cep17.", rich_help_panel=_TABLES),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            help="Table (.csv, .tsv, .parquet), one row per case; columns are named like the options.",
            rich_help_panel=_TABLES,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where to write --table with its calls (.csv, .tsv, .parquet).", rich_help_panel=_TABLES
        ),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            help="Guidelines to call by besides, as in breast_2013,breast_2018.", rich_help_panel=_OUTPUT
        ),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Say every rule with its numbers.", rich_help_panel=_OUTPUT),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, of a table its summary.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Call HER2 from an IHC score or percentages, from ISH counts, or from both.

    Empty means not measured, never 0. A table with a faulty row still gives the others their result.
    Exit codes: 0 all evaluated, 1 some case not evaluable, 2 options, 3 table or row faulty.
    """
    # locals() is the list of options as typed; the names are those of the table's columns.
    given = locals()
    typed = {name: text.strip() for name in COLUMNS if (text := given[name].strip())}
    if single_probe and typed.setdefault("probe", "single").lower() != "single":
        raise ConfigError((f"--single-probe: contradicts --probe {typed['probe']}",))
    versions = _versions(compare)
    if table is not None or out is not None:
        surplus = [f"--{name}" for name, on in (("nuclei-table", nuclei_table), ("explain", explain)) if on]
        paths = _table_paths(table, out, typed, surplus, versions)
        _call_table(paths, typed.get("guideline", ""), versions, as_json=as_json)
    else:
        # Imported here so that `her2path --help` loads no pydantic and no rich tables.
        from her2path.cli.call_one import Wanted, call_one  # noqa: PLC0415

        call_one(typed, nuclei_table, Wanted(versions, explain=explain, as_json=as_json))


def _versions(compare: str | None) -> tuple[str, ...]:
    if compare is None:
        return ()
    from her2path.domain.guideline.registry import find_guideline  # noqa: PLC0415  (loads numpy)

    names = tuple(name.strip() for name in compare.split(",") if name.strip())
    if not names:
        raise ConfigError(("--compare: names no guideline; name them, or leave it out",))
    faults = [f"--compare: {name!r} is named twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    for name in names:
        try:
            find_guideline(name)
        except ConfigError as error:
            faults += [f"--compare: {message}" for message in error.faults]
    if faults:
        raise ConfigError(tuple(faults))
    return names


def _table_paths(
    table: Path | None, out: Path | None, typed: dict[str, str], surplus: list[str], versions: Sequence[str]
) -> tuple[Path, Path]:
    """Check the options of a table all at once."""
    from her2path.domain.guideline.registry import (  # noqa: PLC0415  (loads numpy)
        DEFAULT_GUIDELINE,
        find_guideline,
    )
    from her2path.io.count_table import table_suffix_fault  # noqa: PLC0415  (see below)

    named = [f"--{name.replace('_', '-')}" for name in sorted(set(typed) - {"guideline", "case_id"})]
    faults = [f"{name}: cannot be given with --table" for name in (*named, *surplus)]
    try:
        find_guideline(typed.get("guideline", DEFAULT_GUIDELINE))
    except ConfigError as error:
        faults += [f"--guideline: {message}" for message in error.faults]
    if len(versions) == 1:
        faults.append("--compare: name two guidelines or more, separated by commas")
    if out is None:
        faults.append("--out: say where to write the calls of --table")
    elif fault := table_suffix_fault(out):
        faults.append(f"--out: {fault}")
    if table is None:
        faults.append("--table: is missing; --out is for its calls")
    if table is not None and out is not None and out.resolve() == table.resolve():
        faults.append("--out: is the table itself, which would be overwritten; name another file")
    if faults or table is None or out is None:
        raise ConfigError(tuple(faults))
    return table, out


def _call_table(paths: tuple[Path, Path], guideline: str, versions: Sequence[str], *, as_json: bool) -> None:
    # Imported here so that `her2path --help` loads no numpy and no rich tables.
    import json  # noqa: PLC0415

    from rich.console import Console  # noqa: PLC0415

    from her2path.cli.call_table import call_table  # noqa: PLC0415
    from her2path.cli.call_view import fault_lines, show_table, table_summary  # noqa: PLC0415
    from her2path.io.count_table import read_count_table, write_count_table  # noqa: PLC0415

    source, out = paths
    called = call_table(read_count_table(source), guideline=guideline, compare=versions)
    write_count_table(out, called.table, called.added)
    if kept := ignored(called.table.header):
        sys.stderr.write(f"columns kept and not looked at: {', '.join(kept)}\n")
    for line in fault_lines(called):
        sys.stderr.write(f"{line}\n")
    if as_json:
        sys.stdout.write(json.dumps(table_summary(called), indent=2, ensure_ascii=False) + "\n")
    else:
        console = Console(highlight=False)
        console.print(f"{len(called.results)} rows written to {out}", markup=False, soft_wrap=True)
        show_table(called, console)
    if called.exit_code:
        raise typer.Exit(called.exit_code)
