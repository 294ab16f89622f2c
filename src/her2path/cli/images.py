"""Commands on single images: `her2path ihc`, `her2path fish`, `her2path slide info|quality`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from her2path.errors import CaseSheetError, Her2PathError, SheetFault, SlideError
from her2path.io.files import sha256_of

if TYPE_CHECKING:
    from her2path.domain.verdict import NotEvaluable
    from her2path.io.case_sheet import ImageRow

slide = typer.Typer(help="What an image is, and whether and where it can be measured.", no_args_is_help=True)

Out = Annotated[Path, typer.Option("--out", help="Folder of the results.")]
Mpp = Annotated[float | None, typer.Option("--mpp", help="Pixel size in µm, if the file states none.")]
GuidelineId = Annotated[str, typer.Option("--guideline", help="Guideline to read the evidence by.")]
Kind = Annotated[
    str, typer.Option("--specimen", help="resection, biopsy or cytology; some guidelines must be told.")
]
Tumour = Annotated[Path | None, typer.Option("--tumour-roi", help="QuPath GeoJSON of tumour regions.")]
Exclude = Annotated[
    Path | None, typer.Option("--exclude-roi", help="QuPath GeoJSON of regions to leave out.")
]
ControlPiece = Annotated[
    str,
    typer.Option(
        "--control-piece", help="Pieces that are control tissue: left, right, top, bottom or a number."
    ),
]
ControlScore = Annotated[str, typer.Option("--control-score", help="Score each should have, as in `0,3+`.")]
Workers = Annotated[int, typer.Option("--cores", min=1, help="Threads to use.")]
Pdf = Annotated[bool, typer.Option("--pdf/--no-pdf", help="Whether to write report.pdf too (needs Pango).")]
ImageId = Annotated[str | None, typer.Option("--id", help="Pseudonym (default: from the content).")]


class _NotMeasuredError(SlideError):
    """Carries the reason of an image to the exit code."""


class _DefectError(Her2PathError):
    """her2path itself failed on the image; please report it."""

    exit_code = 70


def ihc(  # noqa: PLR0913 (a command names every option)
    image: Annotated[Path, typer.Argument(help="Whole-slide image or field.")],
    out: Out,
    *,
    mpp: Mpp = None,
    guideline: GuidelineId = "breast_2023",
    specimen: Kind = "",
    tumour_roi: Tumour = None,
    exclude_roi: Exclude = None,
    control_piece: ControlPiece = "",
    control_score: ControlScore = "",
    image_id: ImageId = None,
    pdf: Pdf = True,
    cores: Workers = 2,
) -> None:
    """Measure and score one IHC image."""
    row = _row(
        assay="ihc",
        path=(image,),
        mpp=mpp,
        guideline=guideline,
        specimen=specimen.strip().lower() or None,
        tumour_roi=tumour_roi,
        exclude_roi=exclude_roi,
        control_piece=_words(control_piece),
        control_score=_words(control_score),
        image_id=image_id or _id_of(image),
    )
    _run([row], out, cores, pdf=pdf)


def fish(  # noqa: PLR0913 (a command names every option)
    image: Annotated[
        list[str],
        typer.Argument(help="Fields of one count; files of one field's channels are joined by `;`."),
    ],
    out: Out,
    *,
    mpp: Mpp = None,
    guideline: GuidelineId = "breast_2023",
    channels: Annotated[str, typer.Option(help="Roles in order, for example `dapi;her2;cep17`.")] = "",
    probe: Annotated[str, typer.Option(help="dual or single.")] = "dual",
    image_id: ImageId = None,
    pdf: Pdf = True,
    cores: Workers = 2,
) -> None:
    """Count the signals of one specimen's FISH fields."""
    roles = tuple(part.strip().lower() for part in channels.split(";") if part.strip())
    name = image_id or _id_of(Path(image[0].split(";")[0]))
    rows = [
        _row(
            assay="fish",
            path=tuple(Path(part) for part in field.split(";")),
            mpp=mpp,
            guideline=guideline,
            channels=roles,
            probe=probe,
            case_id=name,
            image_id=name if len(image) == 1 else f"{name}_{number}",
        )
        for number, field in enumerate(image, start=1)
    ]
    _run(rows, out, cores, pdf=pdf)


@slide.command()
def info(image: Annotated[Path, typer.Argument()], mpp: Mpp = None) -> None:
    """Print what an IHC image is (format, size, pixel size and its origin) as JSON."""
    _show(image, mpp, ("slide_intake",), "slide.json")


@slide.command()
def quality(image: Annotated[Path, typer.Argument()], mpp: Mpp = None) -> None:
    """Print tissue, stain and quality findings of an IHC image as JSON."""
    _show(image, mpp, ("slide_intake", "slide_quality"), "quality.json")


def _show(image: Path, mpp: float | None, steps: Sequence[str], file: str) -> None:
    # Imaging libraries are loaded only when an image is opened.
    from her2path.cli import chain  # noqa: PLC0415
    from her2path.config import Config  # noqa: PLC0415

    row = _row(assay="ihc", path=(image,), mpp=mpp, image_id=_id_of(image))
    with tempfile.TemporaryDirectory() as name:
        why = chain.run_image(row, Path(name), Config(), workers=1, steps=steps)
        _raise_for(why)
        typer.echo((Path(name) / "images" / row.image_id / file).read_text(encoding="utf-8"), nl=False)


def _run(rows: Sequence[ImageRow], out: Path, cores: int, *, pdf: bool) -> None:
    # Imaging libraries are loaded only when an image is opened.
    from her2path.cli import chain, summary  # noqa: PLC0415
    from her2path.config import Config  # noqa: PLC0415
    from her2path.io.documents import CallDoc, read_document  # noqa: PLC0415
    from her2path.reports.html.pdf import load_weasyprint  # noqa: PLC0415

    if pdf:
        # Missing libraries are told before anything is measured.
        load_weasyprint()
    call = read_document(chain.run_case(rows, out, Config(pdf=pdf), workers=cores), CallDoc)
    summary.show_calls([call])
    typer.echo(f"report: {out / 'cases' / call.case_id / 'report.html'}")
    for reason in call.reasons.values():
        _raise_for(reason.value())


def _raise_for(why: NotEvaluable | None) -> None:
    # Where a reason was found, the step runner is loaded already.
    from her2path.cli.step import DEFECT  # noqa: PLC0415

    if why is not None:
        raise _DefectError(why.reason) if why.code == DEFECT else _NotMeasuredError(why.reason)


def _row(**cells: Any) -> ImageRow:
    # pydantic is loaded only when an image is opened.
    from pydantic import ValidationError  # noqa: PLC0415

    from her2path.domain.guideline.registry import guideline_ids  # noqa: PLC0415
    from her2path.io.case_sheet import ImageRow, control_faults  # noqa: PLC0415

    cells.setdefault("case_id", cells["image_id"])
    try:
        row = ImageRow.model_validate(cells)
    except ValidationError as error:
        faults = [SheetFault(0, str(item["loc"][0]), item["msg"]) for item in error.errors()]
        raise CaseSheetError(tuple(faults), "command line") from error
    if unfit := control_faults(0, row):
        raise CaseSheetError(tuple(unfit), "command line")
    if row.guideline not in guideline_ids():
        known = ", ".join(guideline_ids())
        fault = SheetFault(0, "guideline", f"unknown {row.guideline!r}; known are {known}")
        raise CaseSheetError((fault,), "command line")
    return row


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in text.split(",")) if text.strip() else ()


def _id_of(path: Path) -> str:
    """Name an image by its content: a file's own name may be that of a person."""
    # A series of DICOM files, or a missing file, has no digest of its own.
    return f"image-{sha256_of(path)[:8]}" if path.is_file() else "image"
