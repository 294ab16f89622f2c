"""`her2path call`: the HER2 call from numbers that a person has, without any image."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from her2path.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from her2path.io.documents import CallDoc

_PCT = "Per cent of the invasive tumour cells:"
_IHC = "IHC"
_ISH = "ISH"


def call(  # noqa: PLR0913  (a command names every option it has)
    *,
    ihc: Annotated[
        str, typer.Option(help="Score as read by a person: 0, 1+, 2+ or 3+.", rich_help_panel=_IHC)
    ] = "",
    pct_complete_intense: Annotated[
        str, typer.Option(help=f"{_PCT} complete, intense.", rich_help_panel=_IHC)
    ] = "",
    pct_complete_weak_moderate: Annotated[
        str, typer.Option(help=f"{_PCT} complete, weak to moderate.", rich_help_panel=_IHC)
    ] = "",
    pct_incomplete_moderate_intense: Annotated[
        str, typer.Option(help=f"{_PCT} incomplete, moderate to intense.", rich_help_panel=_IHC)
    ] = "",
    pct_incomplete_faint: Annotated[
        str, typer.Option(help=f"{_PCT} incomplete, faint.", rich_help_panel=_IHC)
    ] = "",
    pct_none: Annotated[
        str, typer.Option(help="Per cent without staining; all five sum to 100.", rich_help_panel=_IHC)
    ] = "",
    ihc_controls: Annotated[
        str, typer.Option(help="IHC controls: pass, fail or unknown.", rich_help_panel=_IHC)
    ] = "",
    nuclei: Annotated[str, typer.Option(help="Nuclei counted.", rich_help_panel=_ISH)] = "",
    her2_signals: Annotated[
        str, typer.Option(help="HER2 signals, summed over the nuclei.", rich_help_panel=_ISH)
    ] = "",
    cep17_signals: Annotated[
        str, typer.Option(help="CEP17 signals, summed over the nuclei.", rich_help_panel=_ISH)
    ] = "",
    single_probe: Annotated[
        bool, typer.Option("--single-probe", help="HER2 probe alone, no CEP17.", rich_help_panel=_ISH)
    ] = False,
    areas: Annotated[str, typer.Option(help="Tumour areas counted.", rich_help_panel=_ISH)] = "",
    recount_nuclei: Annotated[
        str, typer.Option(help="Nuclei of a second, blinded observer.", rich_help_panel=_ISH)
    ] = "",
    recount_her2: Annotated[
        str, typer.Option(help="HER2 signals of the recount.", rich_help_panel=_ISH)
    ] = "",
    recount_cep17: Annotated[
        str, typer.Option(help="CEP17 signals of the recount.", rich_help_panel=_ISH)
    ] = "",
    ish_controls: Annotated[
        str, typer.Option(help="ISH controls: pass, fail or unknown.", rich_help_panel=_ISH)
    ] = "",
    guideline: Annotated[str, typer.Option(help="Guideline to call by.")] = "breast_2023",
    case_id: Annotated[str, typer.Option(help="Pseudonym of the case.")] = "typed",
    as_json: Annotated[bool, typer.Option("--json", help="Print the call as JSON.")] = False,
    table: Annotated[
        Path | None,
        typer.Option(
            help="Table (.csv, .tsv) with one row per case; its columns are named like the options."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the calls of --table.")] = None,
) -> None:
    """Call HER2 from an IHC score or percentages, from ISH counts, or from both."""
    # locals() is the list of options as typed; the names are those of the table's columns.
    typed = {name: value for name, value in locals().items() if isinstance(value, str) and value}
    if single_probe:
        typed["probe"] = "single"
    if table is not None or out is not None:
        _call_table(table, out, typed, as_json=as_json)
    else:
        _call_one(typed, as_json=as_json)


def _call_one(typed: dict[str, str], *, as_json: bool) -> None:
    # Imported here so that `her2path --help` loads no pydantic and no rich tables.
    from rich.console import Console  # noqa: PLC0415

    from her2path.cli.call_inputs import call_typed, read_options  # noqa: PLC0415
    from her2path.io.documents import document_text  # noqa: PLC0415

    default = typed.pop("guideline")
    document = call_typed(read_options(typed, guideline=default))
    if as_json:
        sys.stdout.write(document_text(document))
    else:
        show_call(document, Console(highlight=False))


def _call_table(table: Path | None, out: Path | None, typed: dict[str, str], *, as_json: bool) -> None:
    # Imported here so that `her2path --help` loads no pydantic and no rich tables.
    from rich.console import Console  # noqa: PLC0415

    from her2path.cli.call_inputs import call_typed, read_table  # noqa: PLC0415
    from her2path.io.files import write_text  # noqa: PLC0415
    from her2path.reports.calls_table import calls_csv  # noqa: PLC0415

    surplus = sorted(set(typed) - {"guideline", "case_id"})
    faults = [f"--{name.replace('_', '-')}: cannot be given with --table" for name in surplus]
    if as_json:
        faults.append("--json: cannot be given with --table; its calls are written as CSV")
    if out is None:
        faults.append("--out: say where to write the calls of --table")
    if table is None:
        faults.append("--table: is missing; --out is for its calls")
    if table is not None and out is not None and out.resolve() == table.resolve():
        faults.append("--out: is the table itself, which would be overwritten; name another file")
    if faults or table is None or out is None:
        raise ConfigError(tuple(faults))
    documents = [call_typed(case) for case in read_table(table, guideline=typed["guideline"])]
    write_text(out, calls_csv(documents))
    Console(highlight=False).print(f"{len(documents)} calls written to {out}", markup=False)


def show_call(document: CallDoc, console: Console) -> None:
    """Print a call for people: the state, what it rests on, and who acts next."""
    # Imported here so that `her2path --help` loads no rich tables.
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from her2path.domain.flags import FLAG_TEXT, Flag  # noqa: PLC0415
    from her2path.reports.wording import STATE_WORDS, headline  # noqa: PLC0415

    console.print(headline(document), style="bold", markup=False)
    console.print(f"  guideline: {document.guideline}", markup=False)
    console.print(f"  who acts: {STATE_WORDS[document.state].who}", markup=False)
    for name, value in (
        ("IHC", document.ihc_score),
        ("ISH", document.ish_group),
        ("overlay", document.her2_category),
    ):
        if value is not None:
            basis = f"  ({document.her2_category_basis})" if name == "overlay" else ""
            console.print(f"  {name}: {value}{basis}", markup=False)
    trail = Table("rule", "says", "source", title="Rules", title_justify="left", box=None)
    for entry in document.rule_trail:
        trail.add_row(escape(entry.rule_id), escape(entry.conclusion), escape(entry.source))
    console.print(trail)
    if document.distance_to_cut:
        cuts = Table("number", "value", "cut", "distance", "unit", title="Cut-points", box=None)
        cuts.title_justify = "left"
        for d in document.distance_to_cut:
            cuts.add_row(d.quantity, f"{d.value:.6g}", f"{d.cut:g}", f"{d.distance:+.3g}", d.unit)
        console.print(cuts)
    for comment in document.comments:
        console.print(f"{comment.code}: {comment.text}", markup=False)
    for flag in document.flags:
        text = FLAG_TEXT[Flag(flag)] if flag in tuple(Flag) else ""
        console.print(f"flag {flag}: {text}", markup=False, style="dim")
