from __future__ import annotations

import numpy as np
import pytest
from pydicom import Dataset

from her2path.reports.dicom_source import Named, origin_of, placement_of


def header(**more) -> Dataset:
    level = Dataset()
    level.SOPInstanceUID = "1.2.3"
    level.FrameOfReferenceUID = "1.2.4"
    level.ImageOrientationSlide = [0, -1, 0, -1, 0, 0]
    for keyword, value in more.items():
        setattr(level, keyword, value)
    return level


def coded(scheme: str, value: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, "of Jane Doe"
    return item


def origin(level: Dataset, **made_of: str):
    return origin_of([level], Named("c1", "i1"), made_of=made_of, version="1")


def test_codes_of_a_laboratorys_own_scheme_stay_behind():
    specimen = Dataset()
    specimen.SpecimenUID = "1.2.5"
    specimen.SpecimenTypeCodeSequence = [coded("99LAB", "7")]
    specimen.PrimaryAnatomicStructureSequence = [coded("SCT", "76752008")]
    (kept,) = origin(header(SpecimenDescriptionSequence=[specimen])).finest.SpecimenDescriptionSequence
    assert "SpecimenTypeCodeSequence" not in kept
    assert kept.PrimaryAnatomicStructureSequence[0].CodeValue == "76752008"
    assert (kept.SpecimenUID, kept.SpecimenIdentifier) == ("1.2.5", "c1")


def test_several_specimens_of_a_slide_are_told_apart_by_number():
    both = [Dataset(), Dataset()]
    for number, specimen in enumerate(both):
        specimen.SpecimenUID = f"1.2.{number}"
    found = origin(header(SpecimenDescriptionSequence=both)).finest.SpecimenDescriptionSequence
    assert [one.SpecimenIdentifier for one in found] == ["c1", "c1-2"]


def test_a_slide_that_states_no_specimen_gets_one_uid_for_good():
    uids = {origin(header()).finest.SpecimenDescriptionSequence[0].SpecimenUID for _ in range(2)}
    assert len(uids) == 1


def test_other_content_is_another_object():
    one, same, other = (origin(header(), score=digest) for digest in ("aa", "aa", "bb"))
    assert one.uid("report") == same.uid("report") != other.uid("report")
    assert one.uid("report") != one.uid("cells")


@pytest.mark.parametrize(
    "turned", [[0, -1, 0, -1, 0, 0], [1, 0, 0, 0, 1, 0], [0, 1, 0, 1, 0, 0], [0.8, 0.6, 0, -0.6, 0.8, 0]]
)
def test_pixels_come_back_from_the_glass_however_the_slide_lies(turned):
    corner, measures, shared = Dataset(), Dataset(), Dataset()
    corner.XOffsetInSlideCoordinateSystem, corner.YOffsetInSlideCoordinateSystem = "20.25", "40.5"
    measures.PixelSpacing = ["0.00025", "0.00025"]
    shared.PixelMeasuresSequence = [measures]
    level = header(TotalPixelMatrixOriginSequence=[corner], SharedFunctionalGroupsSequence=[shared])
    level.ImageOrientationSlide = turned
    places = np.array([[0.0, 0.0], [100_000.5, 3.25], [7.0, 80_000.0]])
    placement = placement_of(level)
    assert placement.mm(np.array([[0.5, 0.5]]))[0].tolist() == [20.25, 40.5]
    on_glass = placement.mm(places).astype(np.float32).astype(np.float64)
    assert np.abs(placement.px0(on_glass) - places).max() < 0.02
