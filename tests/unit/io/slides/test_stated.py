from __future__ import annotations

import math

import pytest

from her2path.io.slides.opening import open_slide
from her2path.io.slides.stated import Candidate, from_ome, from_openslide, resolve
from her2path.units import PixelSize
from tests.support.slides import textured, write_pyramid

OME = '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image><Pixels {}/></Image></OME>'


def candidate(x: float, y: float | None = None) -> Candidate:
    return Candidate(x, x if y is None else y, "vendor", "the scanner's header")


@pytest.mark.parametrize("mpp", [0.05, 0.25, 0.499, 5.0])
def test_a_plausible_size_is_taken_with_its_origin(mpp):
    assert resolve([candidate(mpp)]).value == PixelSize(mpp, "vendor")


@pytest.mark.parametrize(
    ("mpp", "words"),
    [
        pytest.param(0.0, "states 0 µm/px", id="zero"),
        pytest.param(-0.25, "states -0.25 µm/px", id="negative"),
        pytest.param(math.nan, "states nan µm/px", id="not a number"),
        pytest.param(math.inf, "states inf µm/px", id="infinite"),
        pytest.param(352.78, "states 352.8 µm/px", id="72 dots per inch"),
        pytest.param(84.667, "states 84.67 µm/px", id="300 dots per inch"),
        pytest.param(0.00025, "states 0.00025 µm/px", id="mm taken for µm"),
    ],
)
def test_a_size_that_no_microscope_makes_is_none_and_the_message_says_what_was_found(mpp, words):
    stated = resolve([candidate(mpp)])
    assert stated.value is None
    assert words in stated.finding


def test_an_unusable_source_falls_through_to_the_next():
    ome = Candidate(0.5, 0.5, "ome_metadata", "the OME metadata")
    assert resolve([candidate(352.8), ome]).value == PixelSize(0.5, "ome_metadata")


@pytest.mark.parametrize(("y", "square"), [(0.2549, True), (0.2556, False), (0.5, False)])
def test_pixels_whose_edges_differ_by_more_than_two_per_cent_are_refused(y, square):
    stated = resolve([candidate(0.25, y)])
    assert (stated.value is not None) is square
    assert square or "not square" in stated.finding


def test_nothing_stated_is_said_so():
    assert resolve([]).finding == "the file states no pixel size"


@pytest.mark.parametrize(("vendor", "origin"), [("aperio", "vendor"), ("generic-tiff", "tiff_resolution")])
def test_a_generic_tiff_states_its_size_as_tiff_resolution(vendor, origin):
    found = from_openslide({"openslide.mpp-x": "0.25", "openslide.mpp-y": "0.25"}, vendor=vendor)
    assert found[0].origin == origin


def test_a_vendor_property_that_is_no_number_is_none():
    found = from_openslide({"openslide.mpp-x": "n/a", "openslide.mpp-y": "n/a"}, vendor="aperio")
    assert resolve(found).value is None


@pytest.mark.parametrize(
    ("attributes", "mpp"),
    [
        pytest.param('PhysicalSizeX="0.25" PhysicalSizeY="0.25"', 0.25, id="µm by default"),
        pytest.param(
            'PhysicalSizeX="250" PhysicalSizeXUnit="nm" PhysicalSizeY="250" PhysicalSizeYUnit="nm"',
            0.25,
            id="nm",
        ),
        pytest.param(
            'PhysicalSizeX="0.25" PhysicalSizeXUnit="μm" PhysicalSizeY="0.25" PhysicalSizeYUnit="µm"',
            0.25,
            id="Greek mu and micro sign",
        ),
        pytest.param('PhysicalSizeX="0.25"', None, id="only one edge"),
        pytest.param(
            'PhysicalSizeX="1" PhysicalSizeXUnit="pixel" PhysicalSizeY="1" PhysicalSizeYUnit="pixel"',
            None,
            id="pixels are no length",
        ),
        pytest.param('PhysicalSizeX="0" PhysicalSizeY="0"', None, id="zero"),
    ],
)
def test_ome_metadata_are_read_in_their_unit(attributes, mpp):
    value = resolve(from_ome(OME.format(attributes))).value
    assert (value.mpp if value else None) == pytest.approx(mpp)


@pytest.mark.parametrize("xml", [None, "", "<OME", "<OME/>"])
def test_broken_or_missing_ome_metadata_state_nothing(xml):
    assert from_ome(xml) == []


@pytest.mark.parametrize(
    ("unit", "pixels_per_unit", "mpp"),
    [
        pytest.param(3, 40_000, 0.25, id="centimetre"),
        pytest.param(2, 101_600, 0.25, id="inch"),
        pytest.param(1, 40_000, None, id="no unit"),
        pytest.param(2, 72, None, id="screen, 72 dpi"),
        pytest.param(2, 96, None, id="screen, 96 dpi"),
        pytest.param(2, 300, None, id="print, 300 dpi"),
        pytest.param(3, 0, None, id="zero"),
    ],
)
@pytest.mark.parametrize("tile", [(256, 256), None], ids=["tiled, by OpenSlide", "strips"])
def test_tiff_resolution_counts_only_with_a_unit_of_length(tmp_path, tile, unit, pixels_per_unit, mpp):
    resolution = {"resolution": (pixels_per_unit, pixels_per_unit), "resolutionunit": unit}
    options = {"compression": "lzw", "photometric": "rgb", "tile": tile} | resolution
    path = write_pyramid(tmp_path / "slide.tif", textured(300, 300), levels=1, mpp=None, **options)
    with open_slide(path, name="i") as slide:
        assert slide.pixel_size == (None if mpp is None else PixelSize(mpp, "tiff_resolution"))
        assert slide.pixel_size or slide.pixel_size_finding
