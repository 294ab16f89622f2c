"""Step fish_counts: sums, exclusions, gallery, and the same bytes every time."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from her2path.domain.ish import IshGroup, Probe, SignalSummary
from her2path.errors import ArtefactError, UnsuitableImageError
from her2path.imaging.phantoms.fish import FishPhantomSpec, capture_rgb, group_of, render_fish, spec_for_group
from her2path.io.tables import (
    FISH_NUCLEI,
    FISH_OBJECTS,
    FISH_SIGNALS,
    produced_by_of,
    read_table,
    write_table,
)
from her2path.steps import fish_counts
from tests.support.fish_fields import Disc, Dot, draw_field, run_chain, write_ome


@pytest.fixture(scope="module")
def phantom():
    return render_fish(spec_for_group(IshGroup.GROUP_1, FishPhantomSpec(seed=9101)))


def test_sums_are_those_of_the_counted_nuclei(tmp_path):
    discs = [Disc(64, 64), Disc(64, 190), Disc(190, 64), Disc(190, 190), Disc(128, 254)]
    dots = [
        *[Dot(1, d.row + r, d.col) for d in discs[:3] for r in (-12, 0, 12)],
        *[Dot(2, d.row + r, d.col - 8) for d in (discs[0], discs[1], discs[3]) for r in (-9, 9)],
    ]
    result = run_chain([write_ome(tmp_path / "field.ome.tif", draw_field(discs, dots))], tmp_path / "out")
    assert result.nuclei == ((3, 2), (3, 2))
    assert (result.her2_signals, result.cep17_signals) == (6, 4)
    assert result.excluded_nuclei == {"cut_off": 1, "no_cep17_signal": 1, "no_her2_signal": 1}
    assert result.flags == ()
    nuclei = read_table(tmp_path / "out" / "fish_nuclei.parquet", FISH_NUCLEI).to_pylist()
    assert sum(n["evaluable"] for n in nuclei) == 2
    assert all((n["exclusion"] is None) == n["evaluable"] for n in nuclei)


def test_a_field_of_a_few_nuclei_is_counted_and_says_what_it_lacks(tmp_path):
    field = draw_field([Disc(128, 128)], [Dot(1, 128, 120), Dot(1, 140, 128), Dot(2, 120, 140)])
    result = run_chain([write_ome(tmp_path / "field.ome.tif", field)], tmp_path / "out")
    assert [reason.code for reason in result.not_sufficient] == ["too_few_nuclei", "one_area"]
    assert result.no_second_population.code == "too_few_nuclei"
    assert result.her2.bootstrap.not_evaluable.code == "too_few_nuclei"
    assert (result.her2.minimum, result.her2.maximum, result.her2.sd) == (2, 2, None)
    assert result.quality.poor_nuclei is None


def test_signals_over_cytoplasm_are_set_against_those_of_all_nuclei(tmp_path):
    # The second nucleus is cut off: its signals and its surroundings belong to the same whole.
    dots = [
        *[Dot(1, 128 + r, 120) for r in (-12, 0, 12)],
        Dot(2, 120, 140),
        Dot(1, 128, 238),
        Dot(1, 166, 128),
    ]
    field = draw_field([Disc(128, 128), Disc(128, 254)], dots)
    quality = run_chain([write_ome(tmp_path / "field.ome.tif", field)], tmp_path / "out").quality
    assert (quality.cytoplasmic.number, quality.cytoplasmic.total) == (1, 6)
    assert (quality.weak.number, quality.weak.total) == (0, 4)


def test_signals_of_another_run_are_refused(tmp_path):
    path = write_ome(
        tmp_path / "field.ome.tif", draw_field([Disc(128, 128)], [Dot(1, 128, 120), Dot(2, 120, 140)])
    )
    out = tmp_path / "out"
    run_chain([path], out)
    with write_table(
        out / "alien.parquet", FISH_SIGNALS, produced_by=produced_by_of(out / "fish_signals.parquet")
    ) as writer:
        row = read_table(out / "fish_signals.parquet", FISH_SIGNALS).to_pylist()[0]
        writer.append({name: [value] for name, value in {**row, "nucleus_id": 9}.items()})
    with pytest.raises(ArtefactError, match=r"alien\.parquet.*does not fit fish_objects\.parquet.*nucleus 9"):
        fish_counts.run(
            image=[path],
            slide=out / "slide.json",
            quality=out / "quality.json",
            objects=out / "fish_objects.parquet",
            labels=out / "fish_labels.tif",
            signals=out / "alien.parquet",
            optics=out / "fish_signals.json",
            nuclei=out / "nuclei.parquet",
            counts=out / "counts.json",
            gallery=out / "gallery2.png",
            overview=out / "overview2.png",
            heterogeneity=out / "map2.png",
            params=fish_counts.FishCountsParams(),
        )
    assert not (out / "counts.json").exists()


def test_a_field_of_few_lone_signals_says_that_clusters_are_not_estimated(tmp_path):
    field = draw_field([Disc(128, 128)], [Dot(1, 128, 120), Dot(1, 140, 128), Dot(2, 120, 140)])
    result = run_chain([write_ome(tmp_path / "field.ome.tif", field)], tmp_path / "out")
    assert result.nuclei == ((2, 1),)
    assert result.flags == ("clusters_not_estimated",)


def phantom_file(tmp_path, **spec):
    drawn = render_fish(spec_for_group(IshGroup.GROUP_5, FishPhantomSpec(seed=9103, **spec)))
    return write_ome(tmp_path / "field.ome.tif", drawn.planes)


@pytest.mark.parametrize(("level", "flags"), [(1.0, ()), (0.35, ("faint_signals",))])
def test_signals_that_hardly_stand_out_are_flagged(tmp_path, level, flags):
    path = phantom_file(tmp_path, noise=2.0, signal_level=level)
    assert run_chain([path], tmp_path / "out").flags == flags


def test_signals_lost_in_the_noise_are_no_count(tmp_path):
    path = phantom_file(tmp_path, noise=3.0, background=1.5, signal_level=0.4)
    with pytest.raises(UnsuitableImageError, match=r"times the noise.*: expose longer"):
        run_chain([path], tmp_path / "out")


def test_far_more_cep17_than_her2_asks_whether_probes_were_exchanged(tmp_path):
    amplified = FishPhantomSpec(seed=9104, her2_mean=12, cep17_mean=2, her2_fano=0.4, cep17_fano=0.3)
    path = write_ome(tmp_path / "field.ome.tif", render_fish(amplified).planes[[0, 2, 1]])
    assert "probes_may_be_exchanged" in run_chain([path], tmp_path / "out").flags


def test_a_probe_that_failed_is_named_where_too_few_nuclei_are_left(tmp_path):
    discs = [Disc(r, c) for r in (64, 190) for c in (64, 190)]
    orange = [Dot(1, d.row + r, d.col) for d in discs for r in (-12, 0, 12)]
    speck = [Dot(2, discs[0].row, discs[0].col - 10)]
    path = write_ome(tmp_path / "field.ome.tif", draw_field(discs, orange + speck))
    reason = run_chain([path], tmp_path / "out").not_sufficient[0].reason
    assert reason.startswith("0 nuclei were counted")
    assert reason.endswith("4 have no CEP17 signal: did that probe fail?")


def test_a_single_probe_has_no_cep17_anywhere(tmp_path):
    phantom = render_fish(FishPhantomSpec(seed=9102, probe=Probe.SINGLE))
    path = write_ome(tmp_path / "field.ome.tif", phantom.planes)
    result = run_chain([path], tmp_path / "out", probe="single")
    assert result.cep17_signals is None
    assert (result.cep17, result.ratio, result.amplified, result.chromosome_17) == (None, None, None, None)
    assert result.her2.mean > 0
    assert all(cep17 is None for _, cep17 in result.nuclei)
    nuclei = read_table(tmp_path / "out" / "fish_nuclei.parquet", FISH_NUCLEI)
    assert nuclei["cep17_signals"].null_count == nuclei.num_rows


def test_the_same_image_gives_the_same_bytes(tmp_path, phantom):
    path = write_ome(tmp_path / "field.ome.tif", phantom.planes)
    for name in ("one", "two"):
        run_chain([path], tmp_path / name)
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes(), file.name


def write_variant(layout, folder, planes):
    """Write `planes` in a layout; return its files and what the sheet must say."""
    match layout:
        case "one file a channel":
            files = [folder / f"case_{word}.tif" for word in ("SpectrumGreen", "DAPI", "SpectrumOrange")]
            for file, index in zip(files, (2, 0, 1), strict=True):
                tifffile.imwrite(file, planes[index])
            return files, {"mpp": 0.16}
        case "plain pages":
            path = folder / "pages.tif"
            tifffile.imwrite(path, planes[::-1], photometric="minisblack", metadata=None)
            return [path], {"mpp": 0.16, "channels": ("cep17", "her2", "dapi")}
        case "imagej":
            path = folder / "imagej.tif"
            metadata = {"axes": "CYX", "unit": "um"}
            tifffile.imwrite(path, planes, imagej=True, resolution=(6.25, 6.25), metadata=metadata)
            return [path], {"channels": ("dapi", "her2", "cep17")}
    raise AssertionError(layout)


@pytest.mark.parametrize("layout", ["one file a channel", "plain pages", "imagej"])
def test_every_layout_gives_the_same_counts(tmp_path, phantom, layout):
    expected = run_chain([write_ome(tmp_path / "field.ome.tif", phantom.planes)], tmp_path / "ome")
    files, sheet = write_variant(layout, tmp_path, phantom.planes)
    assert run_chain(files, tmp_path / "out", **sheet) == expected


@pytest.mark.parametrize("group", list(IshGroup))
def test_a_phantom_falls_into_its_group(tmp_path, group):
    phantom = render_fish(spec_for_group(group, FishPhantomSpec(seed=9200 + int(group))))
    result = run_chain([write_ome(tmp_path / "field.ome.tif", phantom.planes)], tmp_path / "out")
    counted = SignalSummary(len(result.nuclei), result.her2_signals, result.cep17_signals)
    truth = phantom.truth.summary
    assert group_of(counted) is group
    assert counted.her2_cep17_ratio == pytest.approx(truth.her2_cep17_ratio, rel=0.15)
    assert counted.her2_mean == pytest.approx(truth.her2_mean, rel=0.15)


def test_an_rgb_capture_falls_into_the_same_group(tmp_path, phantom):
    path = tmp_path / "capture.png"
    cv2.imwrite(str(path), capture_rgb(phantom.planes)[..., ::-1])
    result = run_chain([path], tmp_path / "out", mpp=0.16)
    counted = SignalSummary(len(result.nuclei), result.her2_signals, result.cep17_signals)
    assert group_of(counted) is IshGroup.GROUP_1


def test_the_map_is_filled_by_ratio_and_copies_and_the_overview_outlines(tmp_path, phantom):
    run_chain([write_ome(tmp_path / "field.ome.tif", phantom.planes)], tmp_path / "out")
    overview, filled = (
        cv2.imread(str(tmp_path / "out" / name)).astype(int)[..., ::-1]
        for name in ("fish_overview.png", "fish_heterogeneity.png")
    )
    is_blue = (overview[..., 2] > 200) & (overview[..., 0] < 130)
    assert is_blue.sum() > 500
    # Two panels: an amplified tumour is yellow to red by its ratio and by its copies.
    is_warm = (filled[..., 0] > 150) & (filled[..., 2] < 120)
    half = filled.shape[1] // 2
    assert is_warm[:, :half].sum() > 2000
    assert is_warm[:, half:].sum() > 2000


def test_the_gallery_shows_signals_in_their_colours(tmp_path, phantom):
    run_chain([write_ome(tmp_path / "field.ome.tif", phantom.planes)], tmp_path / "out")
    page = cv2.imread(str(tmp_path / "out" / "gallery.png")).astype(int)[..., ::-1]
    assert page.shape[1] > 1000
    red, green, blue = np.moveaxis(page, 2, 0)
    assert ((red > 200) & (green < 190) & (blue < 130)).sum() > 200
    assert ((green > 180) & (red < 190) & (blue < 190)).sum() > 200


@pytest.mark.real
def test_the_ndpi_pair_holds_no_gene_signals_and_is_no_count(tmp_path, real_data: Path):
    pair = [real_data / "slides" / f"fluorescence_{name}.ndpi" for name in ("dapi", "tritc")]
    with pytest.raises(UnsuitableImageError, match="times the noise"):
        run_chain(pair, tmp_path / "out", probe="single")
    objects = read_table(tmp_path / "out" / "fish_objects.parquet", FISH_OBJECTS)
    assert objects.num_rows > 1000


@pytest.mark.real
def test_nuclear_foci_are_no_gene_signals_but_run_through(tmp_path, real_data: Path):
    pair = [real_data / "speckles" / f"{name}.tif" for name in ("hoechst", "h2ax")]
    sheet = {"probe": "single", "mpp": 0.16, "channels": ("dapi", "her2")}
    result = run_chain(pair, tmp_path / "out", **sheet)
    assert sum(result.excluded_nuclei.values()) + len(result.nuclei) >= 8


def test_the_gallery_can_show_every_channel_alone(tmp_path, phantom):
    path = write_ome(tmp_path / "field.ome.tif", phantom.planes)
    out = tmp_path / "out"
    run_chain([path], out)
    fish_counts.run(
        image=[path],
        slide=out / "slide.json",
        quality=out / "quality.json",
        objects=out / "fish_objects.parquet",
        labels=out / "fish_labels.tif",
        signals=out / "fish_signals.parquet",
        optics=out / "fish_signals.json",
        nuclei=out / "fish_nuclei.parquet",
        counts=out / "fish_counts.json",
        gallery=out / "separate.png",
        overview=out / "fish_overview.png",
        heterogeneity=out / "fish_heterogeneity.png",
        params=fish_counts.FishCountsParams(gallery_nuclei=6, gallery_excluded=0, gallery_channels=True),
    )
    page = cv2.imread(str(out / "separate.png")).astype(int)
    # Nine crops a row: all channels, HER2 alone, CEP17 alone of three nuclei.
    assert page.shape[1] == 9 * 206 + 6
    tiles = [page[60:250, 6 + 206 * i : 206 + 206 * i] for i in range(3)]
    coloured = [(np.ptp(tile, axis=2) > 40).mean() for tile in tiles]
    assert coloured[0] > 3 * max(coloured[1:])
    assert read_table(out / "fish_nuclei.parquet", FISH_NUCLEI)["rank"].null_count > 0
