"""Command `her2path train dataset`: check labelled images, split them by patient, show samples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from her2path.domain.number_words import counted
from her2path.errors import ConfigError

if TYPE_CHECKING:
    from her2path.io.dataset_folders import Stated


def dataset_command(  # noqa: PLR0913, PLR0917  (one parameter an option)
    out: Annotated[Path, typer.Option("--out", help="Folder of manifest.json and dataset.html.")],
    sheet: Annotated[Path | None, typer.Argument(help="dataset.tsv, one row a labelled image.")] = None,
    tiles: Annotated[
        Path | None, typer.Option("--tiles", help="Instead: folder of tiles, scores in names or folders.")
    ] = None,
    masks: Annotated[
        Path | None, typer.Option("--masks", help="Instead: folder of images with a mask each.")
    ] = None,
    mpp: Annotated[
        float | None, typer.Option("--mpp", help="Pixel size in µm of the images of such a folder.")
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="Where they come from.")] = None,
    licence: Annotated[str | None, typer.Option("--licence", help="Their licence, or a permission.")] = None,
    patient: Annotated[
        str | None,
        typer.Option(
            "--patient", help="Regular expression; its first group in a file's path is the patient."
        ),
    ] = None,
    mask_of: Annotated[
        str | None, typer.Option("--mask-of", help="What the masks show: nuclei, cells, Tumor, ...")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the dataset (default: of its folder).")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another number, another split.")] = 0,
    val: Annotated[float, typer.Option("--val", help="Share of the patients that choose the model.")] = 0.15,
    test: Annotated[float, typer.Option("--test", help="Share that is kept for the evaluation.")] = 0.15,
    classes: Annotated[
        Path | None, typer.Option("--classes", help="YAML `name in your labels: class`, for other names.")
    ] = None,
    earlier: Annotated[
        Path | None, typer.Option("--earlier", help="Earlier manifest; its patients keep their splits.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Images read at a time.")] = 2,
) -> None:
    """Write the manifest of a labelled dataset, and a page with samples of each class.

    Give a sheet with one row a labelled image, a folder of tiles (`00001_train_2+.png`, or folders named
    after a score), or a folder of images with masks. Of a folder a sheet is written to --out first: fill in
    there what the folder does not say, and give the sheet instead.
    """
    # These libraries would slow down every other command's help.
    from pydantic import ValidationError  # noqa: PLC0415

    from her2path.io.dataset_documents import read_dataset  # noqa: PLC0415
    from her2path.io.dataset_folders import UNKNOWN_PATIENT  # noqa: PLC0415
    from her2path.steps.train_dataset import TrainDatasetParams, run  # noqa: PLC0415

    given = [path for path in (sheet, tiles, masks) if path is not None]
    if len(given) != 1:
        raise ConfigError(("give one of dataset.tsv, --tiles FOLDER and --masks FOLDER",))
    out = out.resolve()
    named = name or (given[0].resolve().parent if sheet else given[0].resolve()).name
    stated = {"name": named, "seed": seed, "val": val, "test": test, "classes": _read_classes(classes)}
    try:
        params = TrainDatasetParams.model_validate(stated)
    except ValidationError as error:
        faults = (f"--{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise ConfigError(tuple(fault.removeprefix("--: Value error, ") for fault in faults)) from error
    if sheet is None:
        sheet = _write_sheet(out, tiles, masks, _stated(mpp, source, licence, patient, mask_of))
        typer.echo(str(sheet))
    elif any(option is not None for option in (mpp, source, licence, patient, mask_of)):
        detail = "--mpp, --source, --licence, --patient and --mask-of are for folders; a sheet has columns"
        raise ConfigError((detail,))
    manifest, page = out / "manifest.json", out / "dataset.html"
    run(sheet=sheet, earlier=earlier, manifest=manifest, page=page, workers=workers, params=params)
    dataset = read_dataset(manifest)
    for split, n in dataset.patients.items():
        unknown = {i.patient_id for i in dataset.of_split(split) if i.patient_id.startswith(UNKNOWN_PATIENT)}
        typer.echo(
            f"{split}: {counted(len(dataset.of_split(split)), 'labelled image')}{_of(n, len(unknown))}"
        )
    for words in dataset.warnings:
        typer.echo(f"note: {words}")
    typer.echo(f"{manifest}\n{page}")


def _of(patients: int, unknown: int) -> str:
    """Say of how many patients the images are; an unknown one is an image of its own and no person."""
    if not unknown:
        return f" of {counted(patients, 'patient')}"
    if unknown == patients:
        return ", patients not known"
    return f" of {counted(patients - unknown, 'patient')}, and {unknown} of patients not known"


def _stated(
    mpp: float | None, source: str | None, licence: str | None, patient: str | None, mask_of: str | None
) -> Stated:
    from her2path.io.dataset_folders import Stated  # noqa: PLC0415  (as above)

    missing = [name for name, words in (("--source", source), ("--licence", licence)) if not words]
    if missing:
        raise ConfigError(tuple(f"{name} is missing; a folder does not say it" for name in missing))
    if patient is not None:
        try:
            groups = re.compile(patient).groups
        except re.error as error:
            raise ConfigError((f"--patient {patient!r} is no regular expression: {error}",)) from error
        if not groups:
            raise ConfigError((f"--patient {patient!r} has no group; write for example `^(p\\d+)_`",))
    return Stated(mpp, source, licence, patient, mask_of)


def _write_sheet(out: Path, tiles: Path | None, masks: Path | None, stated: Stated) -> Path:
    from her2path.io.dataset_folders import (  # noqa: PLC0415  (as above)
        rows_of_masks,
        rows_of_tiles,
        sheet_text,
        without_he,
    )
    from her2path.io.files import write_text  # noqa: PLC0415

    sheet = out / "dataset.tsv"
    if tiles is not None:
        rows = rows_of_tiles(tiles, stated, sheet=sheet)
        if left_out := without_he(tiles)[1]:
            typer.echo(
                f"note: {left_out} of the images, those in folders `HE`, are left out; IHC is in `IHC`"
            )
    else:
        assert masks is not None  # noqa: S101  (one of both is given)
        rows = rows_of_masks(masks, stated, sheet=sheet)
    text = sheet_text(rows)
    if sheet.exists() and sheet.read_text(encoding="utf-8") != text:
        raise ConfigError((f"{sheet} is there and differs; give it instead of the folder, or another --out",))
    write_text(sheet, text)
    return sheet


def _read_classes(path: Path | None) -> dict[str, str]:
    import yaml  # noqa: PLC0415  (as above)

    from her2path.io.yaml_text import parse_yaml  # noqa: PLC0415  (as above)

    if path is None:
        return {}
    try:
        data = parse_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError((f"{path.name} cannot be read: {error}",)) from error
    if not isinstance(data, dict) or not all(isinstance(part, str) for pair in data.items() for part in pair):
        raise ConfigError((f"{path.name} must hold lines like `Tumour cell 3: 'Tumor: 3+'`",))
    return data
