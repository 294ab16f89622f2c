"""Clusters from the image to the call: a biopsy is scored by them, a resection by percentages."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from her2path.domain.case import Specimen
from her2path.domain.ihc import IhcScore, Intensity, Pattern, Reactivity
from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import STYLES, ClassShare, IhcPhantomSpec
from her2path.io.documents import IhcScoreDoc, read_document
from tests.support.ihc_chain import find_cells, prepare, score
from tests.support.measured_case import Case
from tests.support.slides import write_pyramid

GUIDELINE = "gastroesophageal_2016"
STRONG, WEAK_MODERATE, FAINT = Reactivity.STRONG, Reactivity.WEAK_MODERATE, Reactivity.FAINT
FEW_STRONG = {(Intensity.STRONG, Pattern.COMPLETE): 20, (Intensity.NONE, Pattern.NONE): 980}
NONE = {(Intensity.NONE, Pattern.NONE): 1000}


def rendered(folder, **spec):
    """A phantom of half a millimetre with 2 % strong cells."""
    classes = (ClassShare(Intensity.STRONG, Pattern.COMPLETE, 0.02),)
    size = {"width_px": 1000, "height_px": 1000, "mpp": 0.5, "style": STYLES["crisp"]}
    phantom = render_ihc(replace(IhcPhantomSpec(classes=classes, **size), **spec))
    return phantom, write_pyramid(folder / "slide.tif", phantom.rgb, mpp=0.5)


def scored(slide, folder, *, specimen):
    at, sheet = prepare(slide, folder, guideline=GUIDELINE, specimen=specimen)
    find_cells(slide, at, sheet)
    score(slide, at)
    return read_document(at.score, IhcScoreDoc).result


@pytest.fixture(scope="module")
def small_cluster(tmp_path_factory):
    """A phantom with one small patch of strong cells, and the same slide read as either specimen."""
    folder = tmp_path_factory.mktemp("cluster")
    phantom, slide = rendered(folder, seed=0, patchiness=1.0)
    return phantom, *(scored(slide, folder / kind, specimen=kind) for kind in ("biopsy", "resection"))


def test_a_biopsy_with_one_small_cluster_of_strong_cells_is_3_whatever_the_percentage(small_cluster):
    phantom, biopsy, _ = small_cluster
    assert biopsy.percentages["stained"].pct < 10
    assert phantom.truth.clusters[STRONG] >= 5
    assert biopsy.clusters is not None
    assert biopsy.clusters[STRONG] >= 5
    assert (biopsy.score, biopsy.rule_id) == (IhcScore.THREE_PLUS, "IHC-3-BIOPSY")


def test_the_same_cells_in_a_resection_are_0(small_cluster):
    _, biopsy, resection = small_cluster
    assert (resection.tally, resection.clusters) == (biopsy.tally, biopsy.clusters)
    assert resection.score is IhcScore.ZERO


def test_clusters_of_an_image_come_near_those_of_its_truth(small_cluster):
    phantom, biopsy, _ = small_cluster
    for level, cells in phantom.truth.clusters.items():
        assert abs(biopsy.clusters[level] - cells) <= 2


def test_as_many_strong_cells_that_lie_apart_are_no_cluster(tmp_path):
    phantom, slide = rendered(tmp_path, seed=2, patchiness=0.0)
    assert max(phantom.truth.clusters.values()) < 5
    result = scored(slide, tmp_path / "image", specimen="biopsy")
    assert result.percentages["stained"].cells > 5
    assert max(result.clusters.values()) < 5
    assert result.score is IhcScore.ZERO


@pytest.fixture
def biopsy(tmp_path):
    case = Case(tmp_path)

    def add(image_id, cells, clusters):
        case.ihc(image_id, cells, clusters=clusters, guideline=GUIDELINE, specimen=Specimen.BIOPSY)

    return case, add


@pytest.mark.parametrize(
    ("cells", "called"),
    [pytest.param(5, "3+", id="five cells: on the cut"), pytest.param(4, "2+", id="four cells")],
)
def test_the_largest_cluster_over_the_images_of_a_case_decides(biopsy, cells, called):
    case, add = biopsy
    add("i1", FEW_STRONG, {STRONG: cells, WEAK_MODERATE: cells, FAINT: cells})
    add("i2", FEW_STRONG, {STRONG: 2, WEAK_MODERATE: 7, FAINT: 9})
    assert case.call().ihc_score == called


def test_clusters_of_two_images_do_not_add_up(biopsy):
    case, add = biopsy
    for name in ("i1", "i2"):
        add(name, FEW_STRONG, {STRONG: 4, WEAK_MODERATE: 4, FAINT: 4})
    assert case.call().ihc_score == "0"


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(None, id="no cluster was measured"),
        pytest.param({WEAK_MODERATE: 2, FAINT: 2}, id="not that of strong cells"),
    ],
)
def test_a_cluster_that_one_image_did_not_measure_is_not_known(biopsy, second):
    case, add = biopsy
    add("i1", FEW_STRONG, {STRONG: 2, WEAK_MODERATE: 2, FAINT: 2})
    add("i2", FEW_STRONG, second)
    call = case.call()
    assert call.status == "not_evaluable"
    assert {reason.code for reason in call.reasons.values()} == {"cluster_not_stated"}


@pytest.mark.parametrize(
    "clusters",
    [
        pytest.param({STRONG: 6, FAINT: 5}, id="strong cells that are not in the cluster of faint ones"),
        pytest.param({FAINT: 1001}, id="more cells than were scored"),
    ],
)
def test_clusters_that_cannot_be_are_no_result(biopsy, clusters):
    _, add = biopsy
    with pytest.raises(ValidationError, match="a cluster is part of"):
        add("i1", FEW_STRONG, clusters)


def test_an_unstained_biopsy_needs_no_cluster(biopsy):
    case, add = biopsy
    add("i1", NONE, None)
    assert (case.call().ihc_score, case.call().state) == ("0", "negative")
