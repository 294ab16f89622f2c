"""Commands `her2path phantom ...`: synthetic images with full known truth."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from her2path.domain.ish import Probe

app = typer.Typer(help="Synthetic images with full known truth.", no_args_is_help=True)


class FishLayout(StrEnum):
    """How the channels of a FISH field are laid out in files."""

    OME = "ome"
    SPLIT = "split"
    RGB = "rgb"


class Architecture(StrEnum):
    """How the tumour cells of an IHC phantom lie together."""

    SOLID = "solid"
    GLANDULAR = "glandular"
    TRABECULAR = "trabecular"
    DISCOHESIVE = "discohesive"


@app.command("ihc")
def ihc(  # noqa: PLR0913 (a command names every option)
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder of the slide and its truth.")],
    score: Annotated[
        str | None, typer.Option(help="Mix of cells of a score: 0, null, ultralow, 1+, 2+, 3+.")
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", help="Share of tumour cells, for example strong:complete=0.15; repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")] = 0,
    width: Annotated[int, typer.Option(help="Pixels.")] = 2048,
    height: Annotated[int, typer.Option(help="Pixels.")] = 2048,
    mpp: Annotated[float, typer.Option(help="Pixel size in µm.")] = 0.5,
    style: Annotated[
        str, typer.Option(help="Stain and scanner: crisp, classic, violet, blue, pale.")
    ] = "crisp",
    architecture: Annotated[Architecture, typer.Option(help="How tumour cells lie together.")] = (
        Architecture.SOLID
    ),
    random_cells: Annotated[
        bool, typer.Option("--random-cells", help="Stained cells at random, not in patches.")
    ] = False,
    lifelike: Annotated[
        bool, typer.Option("--lifelike", help="Stroma, nuclei and vessels as on real slides.")
    ] = False,
    any_tissue: Annotated[
        bool,
        typer.Option("--random", help="Draw style, tissue, cells and artefacts; classes as given, if any."),
    ] = False,
    artefacts: Annotated[
        list[str] | None,
        typer.Option("--artefact", help="Kind of an artefact, for example pen or fold; repeatable."),
    ] = None,
    mosaic: Annotated[int, typer.Option(min=1, help="Repeat the phantom N times in both directions.")] = 1,
    dicom: Annotated[
        bool, typer.Option("--dicom", help="Write the slide as a DICOM series, too (folder `dicom`).")
    ] = False,
) -> None:
    """Render an IHC slide with known cells, membranes, percentages and score."""
    # OpenCV and tifffile would slow down every other command's help.
    from her2path.cli import phantom_ihc  # noqa: PLC0415

    chosen = phantom_ihc.choose_classes(score, classes or [])
    if any_tissue:
        spec = phantom_ihc.any_spec(seed, chosen if score or classes else None, (width, height), mpp)
    else:
        spec = phantom_ihc.check_spec(
            seed=seed,
            classes=chosen,
            style=style,
            architecture=architecture.value,
            patchiness=0.0 if random_cells else 0.75,
            detail=phantom_ihc.LIFELIKE if lifelike else None,
            width_px=width,
            height_px=height,
            mpp=mpp,
        )
    spec = phantom_ihc.with_artefacts(spec, artefacts or [])
    phantom = phantom_ihc.write_ihc(out, spec, mosaic=mosaic)
    typer.echo(str(out / "slide.tif"))
    if dicom:
        typer.echo(str(phantom_ihc.write_series(out / "dicom", phantom, mosaic=mosaic)))


@app.command("fish")
def fish(  # noqa: PLR0913 (a command names every option)
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder of the images and their truth.")],
    group: Annotated[
        int | None, typer.Option(min=1, max=5, help="ISH group whose typical copy numbers to use.")
    ] = None,
    her2: Annotated[float | None, typer.Option(help="Mean HER2 copies per tumour nucleus.")] = None,
    cep17: Annotated[float | None, typer.Option(help="Mean CEP17 copies per tumour nucleus.")] = None,
    clusters: Annotated[
        float | None, typer.Option(help="Share of the HER2 copies that lie in clusters, 0 to 1.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")] = 0,
    fields: Annotated[int, typer.Option(min=1, help="Fields of one specimen (seeds count up).")] = 1,
    name: Annotated[str | None, typer.Option(help="Stem of the files (default fish_<seed>).")] = None,
    width: Annotated[int, typer.Option(help="Pixels.")] = 800,
    height: Annotated[int, typer.Option(help="Pixels.")] = 800,
    mpp: Annotated[float, typer.Option(help="Pixel size in µm.")] = 0.16,
    z_planes: Annotated[int, typer.Option(help="Focal planes.")] = 1,
    probe: Annotated[Probe, typer.Option(help="HER2 beside CEP17, or HER2 alone.")] = Probe.DUAL,
    profile: Annotated[
        list[str] | None,
        typer.Option(help="Tissue, copies or microscope by name, again for more; a wrong name lists them."),
    ] = None,
    random_laboratory: Annotated[
        bool, typer.Option("--random", help="Tissue, copies, microscope and camera drawn from the seed.")
    ] = False,
    layout: Annotated[FishLayout, typer.Option(help="One OME-TIFF, one file a channel, or RGB.")] = (
        FishLayout.OME
    ),
) -> None:
    """Render FISH fields with known nuclei, signals and ISH group."""
    # OpenCV and tifffile would slow down every other command's help.
    from her2path.cli import phantom_fish  # noqa: PLC0415

    spec = phantom_fish.base_spec(seed, (width, height), mpp, z_planes, probe)
    spec = phantom_fish.with_profiles(spec, profile or [], laboratory=random_laboratory)
    spec = phantom_fish.choose_spec(spec, group=group, her2=her2, cep17=cep17, clusters=clusters)
    request = phantom_fish.FishRequest(out, name or f"fish_{seed}", layout.value, fields)
    for path in phantom_fish.write_fish(request, spec):
        typer.echo(str(path))


@app.command("samples")
def samples(
    out: Annotated[Path, typer.Option("--out", help="Folder of the cases, for example sample_data.")],
) -> None:
    """Render the synthetic cases that ship with her2path, with case sheet, truth and reads."""
    # OpenCV and tifffile would slow down every other command's help.
    from her2path.cli import phantom_samples  # noqa: PLC0415

    phantom_samples.write_samples(out)
    typer.echo(str(out / "cases.tsv"))


@app.command("training")
def training(
    out: Annotated[Path, typer.Option("--out", help="Folder, for example sample_data/training.")],
) -> None:
    """Render the labelled images that ship with her2path: cells, tiles and masks, with their sheet."""
    # OpenCV and shapely would slow down every other command's help.
    from her2path.cli import phantom_training  # noqa: PLC0415

    typer.echo(str(phantom_training.write_training_samples(out)))
