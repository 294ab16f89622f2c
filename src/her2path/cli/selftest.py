"""`her2path selftest`: the whole way on images whose truth is known, on this very machine."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from her2path.errors import Her2PathError


class SelfTestError(Her2PathError):
    """The installation does not give the known answers; it must not be used."""

    exit_code = 70


@dataclass(frozen=True, slots=True)
class Known:
    """A synthetic case and what every installation must say of it."""

    name: str
    ihc_preset: str
    ish_group: int | None
    expected: tuple[str, str | None, str | None]
    """State, IHC score, ISH group."""


KNOWN = (
    Known("null", "null", None, ("negative", "0", None)),
    Known("strong", "3+", None, ("positive", "3+", None)),
    Known("equivocal_amplified", "2+", 1, ("positive", "2+", "1")),
)
SEED = 20_26


def selftest(
    keep: Annotated[Path | None, typer.Option("--keep", help="Keep the images and results there.")] = None,
) -> None:
    """Measure synthetic cases with known truth and compare (about half a minute)."""
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if keep is None else keep
        for known in KNOWN:
            found = _call(known, folder / known.name)
            ok = found == known.expected
            wrong += not ok
            typer.echo(f"{'ok    ' if ok else 'WRONG '} {known.name}: {found}, expected {known.expected}")
    if wrong:
        raise SelfTestError(
            f"{wrong} of {len(KNOWN)} known cases came out wrong; do not use this installation"
        )


def _call(known: Known, folder: Path) -> tuple[str, str | None, str | None]:
    # The imaging libraries are loaded only when the test runs.
    from her2path.cli import chain, phantom_fish, phantom_ihc  # noqa: PLC0415
    from her2path.config import Config  # noqa: PLC0415
    from her2path.domain.case import Assay  # noqa: PLC0415
    from her2path.domain.ish import Probe  # noqa: PLC0415
    from her2path.io.case_sheet import ImageRow  # noqa: PLC0415
    from her2path.io.documents import CallDoc, read_document  # noqa: PLC0415

    mix = phantom_ihc.choose_classes(known.ihc_preset, ())
    spec = phantom_ihc.check_spec(seed=SEED, width_px=1536, height_px=1536, mpp=0.5, classes=mix)
    phantom_ihc.write_ihc(folder / "ihc", spec)
    rows = [
        ImageRow(case_id=known.name, image_id="ihc", assay=Assay.IHC, path=(folder / "ihc" / "slide.tif",))
    ]
    if known.ish_group is not None:
        base = phantom_fish.base_spec(SEED, (800, 800), 0.16, 1, Probe.DUAL)
        field = phantom_fish.choose_spec(base, group=known.ish_group, her2=None, cep17=None)
        request = phantom_fish.FishRequest(folder / "fish", "field", "ome", 2)
        rows += [
            ImageRow(
                case_id=known.name, image_id=f"fish_{n}", assay=Assay.FISH, path=(path,), area=f"area{n}"
            )
            for n, path in enumerate(phantom_fish.write_fish(request, field), start=1)
        ]
    call = read_document(chain.run_case(rows, folder / "results", Config(), workers=2), CallDoc)
    return (call.state, call.ihc_score, call.ish_group)
