from __future__ import annotations

import json
import shutil
import subprocess

import highdicom as hd
import numpy as np
import pyarrow.parquet as pq
import pydicom
import pytest
import shapely
from pydicom.sr._concepts_dict import concepts

from her2path.cli import step
from her2path.errors import ArtefactError, UnsuitableImageError
from her2path.io.dicom_documents import DicomDoc
from her2path.io.documents import IhcScoreDoc, read_document
from her2path.io.qupath_cells import CellScheme, read_cells
from her2path.io.slides.dicom_series import read_levels
from her2path.reports.dicom_concepts import MEASURES
from tests.support.dicom import write_dicom
from tests.support.dicom_reading import (
    answers_of,
    code_of,
    findings_of,
    groups_of,
    missing_attributes,
    numbers_of,
    read_segments,
    to_pixels,
)
from tests.support.dicom_slide import (
    CONTROL,
    EXCLUDED,
    PLANTED,
    TUMOUR,
    edit_series,
    make_objects,
    measure_series,
    write_series,
)
from tests.support.slides import textured

OBJECTS = ("cells.dcm", "quality.dcm", "regions.dcm", "report.dcm")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dicom")
    return measure_series(write_series(folder / "series"), folder / "s1")


@pytest.fixture(scope="module")
def made(measured, tmp_path_factory):
    return make_objects(measured, tmp_path_factory.mktemp("objects") / "dicom")


@pytest.fixture(scope="module")
def source(measured):
    return read_levels(measured.folder, name="s1")[0]


@pytest.fixture(scope="module")
def score(measured):
    result = read_document(measured.at.score, IhcScoreDoc).result
    assert result is not None
    return result


def cells_of(measured):
    return {cell.cell_id: cell for cell in read_cells(measured.at.cells, measured.at.contours)}


@pytest.mark.parametrize("name", OBJECTS)
def test_the_standards_own_checker_finds_no_error_in_an_object(made, name):
    assert [line for line in findings_of(made / name) if not line.startswith("Warning")] == []


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_has_what_the_standard_demands_and_values_of_the_right_kind(made, name, monkeypatch):
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.RAISE)
    found = pydicom.dcmread(made / name)
    assert sum(1 for _ in found.iterall()) > 100
    assert missing_attributes(found) == []


def test_every_cell_comes_back_with_its_class_outline_and_numbers_of(measured, made, source):
    known = cells_of(measured)
    table = pq.read_table(measured.at.cells)
    annotations = hd.ann.annread(made / "cells.dcm")
    seen = []
    for group in annotations.AnnotationGroupSequence:
        names, values, _ = group.get_measurements()
        ids = values[:, names.index(MEASURES["cell_id"].name)].astype(int)
        outlines = group.get_graphic_data(annotations.AnnotationCoordinateType)
        for cell_id, outline in zip(ids.tolist(), outlines, strict=True):
            cell = known[cell_id]
            assert cell.kind.name == group.label
            assert np.abs(to_pixels(source, outline) - cell.cell_xy).max() < 0.01
        for column, measure in MEASURES.items():
            if column not in table.column_names:
                continue
            stored = table[column].to_numpy()[ids - 1].astype(np.float32)
            if measure.name in names:
                found = values[:, names.index(measure.name)]
                assert np.array_equal(found, stored, equal_nan=True), column
            else:
                assert np.isnan(stored).all(), column
        seen += ids.tolist()
    assert sorted(seen) == sorted(known)


def test_cells_can_be_centres_in_pixels_of_the_finest_level(measured, tmp_path, source):
    folder = make_objects(measured, tmp_path / "dicom", cells_as="centres", coordinates="pixels")
    known = cells_of(measured)
    annotations = hd.ann.annread(folder / "cells.dcm")
    assert annotations.AnnotationCoordinateType == "2D"
    assert annotations.ReferencedImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    for group in annotations.AnnotationGroupSequence:
        names, values, _ = group.get_measurements()
        ids = values[:, names.index(MEASURES["cell_id"].name)].astype(int).tolist()
        for cell_id, point in zip(ids, group.get_graphic_data("2D"), strict=True):
            cell = known[cell_id]
            assert np.abs(point[0] - (cell.x_px0, cell.y_px0)).max() < 0.01


def test_annotations_hold_the_tally_of_the_score(made, score):
    held = read_document(made / "objects.json", DicomDoc).result.objects[0].holds
    scored = sum(cells for name, cells in held.items() if name.startswith("Tumor: "))
    assert scored == score.scored_cells
    assert held["Ignore*"] + sum(n for name, n in held.items() if name.startswith("Control")) == sum(
        score.excluded_cells.values()
    )


@pytest.mark.parametrize(("label", "ring"), [("Excluded", EXCLUDED), ("Control 1", CONTROL)])
def test_a_drawn_region_comes_back_to_half_a_pixel_of_its_segmentation(made, source, label, ring):
    segments, pixels, centres, edge = read_segments(made / "regions.dcm", source)
    number = segments[label]
    area = shapely.Polygon(ring)
    inside = pixels == number
    shapely.prepare(wide := area.buffer(edge / 2))
    assert shapely.contains_xy(wide, *centres[inside].T).all()
    shapely.prepare(narrow := area.buffer(-edge / 2))
    assert inside[shapely.contains_xy(narrow, *centres.reshape(-1, 2).T).reshape(inside.shape)].all()


def test_tumour_is_what_was_drawn_without_what_was_left_out_and_without_control(made, source):
    segments, pixels, _, edge = read_segments(made / "regions.dcm", source)
    counted = (
        shapely.Polygon(TUMOUR).difference(shapely.Polygon(EXCLUDED)).difference(shapely.Polygon(CONTROL))
    )
    area_px0 = (pixels == segments["Tumour"]).sum() * edge**2
    assert area_px0 == pytest.approx(counted.area, rel=0.005)
    assert list(segments) == ["Tumour", "Control 1", "Excluded"]


def test_the_first_pixel_of_a_segmentation_begins_at_the_corner_of_the_slide(made, source):
    for name in ("regions.dcm", "quality.dcm"):
        _, _, centres, edge = read_segments(made / name, source)
        assert centres[0, 0] == pytest.approx([edge / 2, edge / 2], abs=0.01)


def test_the_report_states_the_score_by_its_loinc_code(made, score):
    found = answers_of(groups_of(made / "report.dcm")["HER2 IHC of the slide"])
    loinc = {"0": "LA6111-4", "1+": "LA11841-6", "2+": "LA11842-4", "3+": "LA11843-2"}
    assert found["85319-2"] == [loinc[score.score]]
    assert found["flag"] == list(score.flags)
    assert found["guideline"] == ["breast_2023"]


def test_the_report_gives_back_every_percentage_with_its_interval(made, score):
    found = numbers_of(groups_of(made / "report.dcm")["HER2 IHC of the slide"])
    assert found["scored_cells"][0] == score.scored_cells
    for name, share in {**score.percentages, **score.compared}.items():
        value, ranges = found[f"pct_{name}"]
        assert value == share.pct
        assert value + ranges["371886008"] == pytest.approx(share.high_pct, abs=1e-9)
        assert value - ranges["371885007"] == pytest.approx(share.low_pct, abs=1e-9)
        assert found[f"cells_{name}"][0] == share.cells
    value, ranges = found["h_score"]
    assert (value, value + ranges["371886008"]) == (score.h_score, pytest.approx(score.h_score_high))


def test_a_hot_spot_lies_where_the_score_says(made, score, source):
    groups = groups_of(made / "report.dcm")
    assert score.hot_spots
    for rank, spot in enumerate(score.hot_spots, start=1):
        group = groups[f"Hot spot {rank}"]
        (outline,) = [item for item in group.ContentSequence if item.ValueType == "SCOORD3D"]
        assert outline.ReferencedFrameOfReferenceUID == source.FrameOfReferenceUID
        corners = to_pixels(source, np.array(outline.GraphicData).reshape(-1, 3))
        assert corners[0] == pytest.approx([spot.x_px0, spot.y_px0], abs=0.05)
        right = min(spot.x_px0 + spot.size_px0, source.TotalPixelMatrixColumns)
        bottom = min(spot.y_px0 + spot.size_px0, source.TotalPixelMatrixRows)
        assert corners[2] == pytest.approx([right, bottom], abs=0.05)
        assert numbers_of(group)["pct_deciding"][0] == spot.pct


def test_control_tissue_is_reported_with_its_segment(made, score):
    (control,) = score.control
    group = groups_of(made / "report.dcm")["Control 1"]
    segmentation = pydicom.dcmread(made / "regions.dcm", stop_before_pixels=True)
    (segment,) = [item for item in group.ContentSequence if item.ValueType == "IMAGE"]
    referred = segment.ReferencedSOPSequence[0]
    assert referred.ReferencedSOPInstanceUID == segmentation.SOPInstanceUID
    assert referred.ReferencedSegmentNumber == 2
    assert numbers_of(group)["scored_cells"][0] == control.cells
    assert answers_of(group)["control_verdict"] == [f"control_{control.verdict}"]


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_refers_to_the_slide_and_keeps_study_and_specimen(made, source, name):
    made_of = pydicom.dcmread(made / name, stop_before_pixels=True)
    assert made_of.StudyInstanceUID == source.StudyInstanceUID
    assert made_of.SeriesInstanceUID != source.SeriesInstanceUID
    specimen = source.SpecimenDescriptionSequence[0].SpecimenUID
    assert str(source.SOPInstanceUID) in str(made_of)
    assert str(source.FrameOfReferenceUID) in str(made_of)
    assert specimen in str(made_of)


def test_an_object_names_nobody_but_the_pseudonyms_of_the_sheet(made):
    for path in sorted(made.iterdir()):
        data = path.read_bytes()
        for planted in PLANTED:
            assert planted.encode() not in data, (path.name, planted)
            assert planted.encode("latin-1") not in data, (path.name, planted)
    patient = pydicom.dcmread(made / "report.dcm")
    assert (str(patient.PatientName), patient.PatientID, patient.PatientBirthDate) == ("case^", "case", "")


def test_an_operator_may_ask_for_the_names_that_the_slide_itself_states(measured, tmp_path):
    folder = make_objects(measured, tmp_path / "dicom", identity="source")
    for name in OBJECTS:
        made = pydicom.dcmread(folder / name, stop_before_pixels=True)
        assert (str(made.PatientName), made.PatientID) == ("Grüneberg^Roswitha", "P-4711")
    assert "S24-1234-A1" in str(pydicom.dcmread(folder / "report.dcm"))
    beside = [folder / name for name in OBJECTS] + [measured.folder / "level_0.dcm"]
    done = subprocess.run(["dcentvfy", *beside], capture_output=True, text=True)
    assert "Error" not in done.stderr + done.stdout


def test_objects_are_the_same_bytes_again_and_others_where_content_differs(measured, made, tmp_path):
    again = make_objects(measured, tmp_path / "again" / "dicom")
    for path in made.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name
    other = make_objects(measured, tmp_path / "other" / "dicom", region_mpp=4.0)
    uids = [
        pydicom.dcmread(folder / "regions.dcm", stop_before_pixels=True).SOPInstanceUID
        for folder in (made, other)
    ]
    assert uids[0] != uids[1]


def test_objects_of_a_run_replace_those_of_the_last(measured, tmp_path):
    folder = make_objects(measured, tmp_path / "dicom")
    (folder / "stale.dcm").write_bytes(b"x")
    make_objects(measured, tmp_path / "dicom")
    assert {path.name for path in folder.iterdir()} == {*OBJECTS, "objects.json"}


def test_every_code_of_the_standard_is_one_of_the_standard(made):
    """SCT and DCM codes must be such as PS3.16 lists (pydicom ships them); others are LOINC or our own."""
    known = {(scheme, value) for scheme, words in concepts.items() for one in words.values() for value in one}
    for name in OBJECTS:
        for scheme, value in coded(pydicom.dcmread(made / name, stop_before_pixels=True)):
            assert scheme in {"SCT", "DCM", "UCUM", "NCIt", "LN", "99HER2PATH", "RFC5646"}, (scheme, value)
            if scheme in {"SCT", "DCM", "NCIt"}:
                assert (scheme, value) in known, (scheme, value)


def coded(dataset):
    for item in items(dataset):
        if "CodingSchemeDesignator" in item and "CodeMeaning" in item:
            yield item.CodingSchemeDesignator, code_of(item)


def items(dataset):
    yield dataset
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from items(item)


def test_what_a_person_edited_is_what_the_objects_show_and_they_say_so(measured, tmp_path):
    known = cells_of(measured)
    cell_id = next(number for number, cell in known.items() if cell.kind.name == "Tumor: 2+")
    edited = edit_series(measured, tmp_path / "edited", cell_id=cell_id, given="Tumor: 3+")
    folder = make_objects(edited, tmp_path / "dicom")
    annotations = hd.ann.annread(folder / "cells.dcm")
    kinds = {group.AnnotationGroupGenerationType for group in annotations.AnnotationGroupSequence}
    assert kinds == {"SEMIAUTOMATIC"}
    (strong,) = annotations.get_annotation_groups(label="Tumor: 3+")
    names, values, _ = strong.get_measurements()
    assert cell_id in values[:, names.index(MEASURES["cell_id"].name)]
    score = read_document(edited.at.score, IhcScoreDoc).result
    held = read_document(folder / "objects.json", DicomDoc).result.objects[0].holds
    assert sum(n for name, n in held.items() if name.startswith("Tumor: ")) == score.scored_cells
    found = answers_of(groups_of(folder / "report.dcm")["HER2 IHC of the slide"])
    assert found["edited_by_person"] == ["373066001"]
    assert len(found["score_before_edits"]) == 1


def test_levels_of_staining_are_named_where_the_guideline_reads_them(measured, tmp_path):
    sheet = json.loads(measured.at.slide.read_text())
    sheet["sheet"]["guideline"] = "gastroesophageal_2016"
    elsewhere = measured.at.slide.with_name("stomach.json")
    elsewhere.write_text(json.dumps(sheet))
    at = type(measured.at)(**{**vars(measured.at), "slide": elsewhere})
    folder = make_objects(type(measured)(measured.folder, at, measured.sheet), tmp_path / "dicom")
    labels = {
        str(g.AnnotationGroupLabel) for g in hd.ann.annread(folder / "cells.dcm").AnnotationGroupSequence
    }
    known = {kind.name for kind in (*CellScheme.LEVELS.scored, *CellScheme.LEVELS.control)} | {"Ignore*"}
    assert labels <= known
    assert "18474-7" in answers_of(groups_of(folder / "report.dcm")["HER2 IHC of the slide"])


def test_a_slide_whose_header_says_too_little_has_a_reason_instead_of_objects(measured, tmp_path):
    write_dicom(tmp_path / "a.dcm", textured(1200, 1300), mpp=0.5)
    poor = type(measured)(tmp_path / "a.dcm", measured.at, measured.sheet)
    with pytest.raises(UnsuitableImageError, match="FrameOfReferenceUID") as caught:
        make_objects(poor, tmp_path / "dicom")
    assert caught.value.code == "dicom_source"
    assert not (tmp_path / "dicom").exists()


def test_a_series_of_another_size_than_was_measured_is_refused(measured, tmp_path):
    other = type(measured)(write_series(tmp_path / "other", size=(600, 600)), measured.at, measured.sheet)
    with pytest.raises(ArtefactError, match="another slide"):
        make_objects(other, tmp_path / "dicom")


def test_a_slide_that_moved_to_another_study_since_it_was_measured_gets_no_objects_there(measured, tmp_path):
    shutil.copytree(measured.folder, tmp_path / "series")
    level = tmp_path / "series" / "level_0.dcm"
    header = pydicom.dcmread(level)
    header.StudyInstanceUID = "2.25.4711"
    header.save_as(level)
    moved = type(measured)(tmp_path / "series", measured.at, measured.sheet)
    with pytest.raises(ArtefactError, match=r"other files than the DICOM series has now.*run the case again"):
        make_objects(moved, tmp_path / "dicom")
    assert not (tmp_path / "dicom").exists()


def test_an_image_that_cannot_be_measured_has_a_folder_that_says_why(measured, tmp_path):
    slide = tmp_path / "slide.json"
    document = json.loads(measured.at.slide.read_text())
    slide.write_text(
        json.dumps(document | {"result": None, "not_evaluable": {"code": "no_tissue", "reason": "bare"}})
    )
    loaded = step.load_step("slide_dicom")
    known = vars(measured.at) | {"image": [measured.folder], "slide": slide, "dicom": tmp_path / "dicom"}
    arguments = {name: known.get(name) for name in loaded.arguments}
    why = step.execute(loaded, arguments, loaded.params())
    assert why is not None
    index = read_document(tmp_path / "dicom" / "objects.json", DicomDoc)
    assert index.not_evaluable is not None
    assert index.not_evaluable.code == "no_tissue"
