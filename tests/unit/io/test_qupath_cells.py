from __future__ import annotations

import json
import math
import tracemalloc
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from shapely.geometry import shape

from her2path.domain.guideline.registry import find_guideline
from her2path.errors import ArtefactError
from her2path.io.documents import Producer
from her2path.io.qupath_cells import (
    CONTROL_CLASSES,
    EXCLUDED,
    SCORE_CLASSES,
    CellScheme,
    QuPathCell,
    read_cells,
    scheme_of,
    write_cells,
)
from her2path.io.tables import IHC_CELLS, IHC_CONTOURS, write_table

SHA = "ab" * 32
MADE_BY = Producer(step="ihc_cells", version="0")


def ring(x: float, y: float, radius: float, points: int = 24) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.c_[x + radius * np.cos(angles), y + radius * np.sin(angles)]


def cell(number: int, **changes: object) -> QuPathCell:
    x, y = 1000.0 + 30 * number, 2000.0
    facts = {
        "cell_id": number,
        "x_px0": x,
        "y_px0": y,
        "cell_xy": ring(x, y, 12),
        "nucleus_xy": ring(x, y, 6),
        "kind": SCORE_CLASSES[number % 4],
        "measurements": {"Membrane: Completeness": 0.75, "Membrane: DAB OD median": None, "x": math.nan},
    }
    return QuPathCell(**(facts | changes))


def test_cells_lie_where_they_were_and_open_with_standard_readers(tmp_path):
    path = tmp_path / "cells.geojson"
    assert write_cells(path, (cell(n) for n in range(5)), image_sha256=SHA) == 5
    data = json.loads(path.read_text(encoding="utf-8"))
    assert data["type"] == "FeatureCollection"
    for number, feature in enumerate(data["features"]):
        outline, nucleus = shape(feature["geometry"]), shape(feature["nucleusGeometry"])
        assert outline.is_valid
        assert outline.contains(nucleus)
        assert outline.centroid.distance(shapely.Point(1000 + 30 * number, 2000)) < 0.1
        assert outline.area == pytest.approx(math.pi * 12**2, rel=0.03)


def test_a_feature_follows_qupaths_spelling(tmp_path):
    write_cells(tmp_path / "c.geojson", [cell(1)], image_sha256=SHA)
    feature = json.loads((tmp_path / "c.geojson").read_text())["features"][0]
    assert list(feature) == ["type", "id", "geometry", "nucleusGeometry", "properties"]
    assert feature["properties"] == {
        "objectType": "cell",
        "classification": {"name": "Tumor: 1+", "color": [255, 215, 0]},
        "measurements": {"Membrane: Completeness": 0.75},
    }
    outline = feature["geometry"]["coordinates"][0]
    assert outline[0] == outline[-1]
    assert all(round(value, 1) == value for point in outline for value in point)


def test_the_same_cells_give_the_same_bytes_and_another_image_other_ids(tmp_path):
    for name, sha in (("a", SHA), ("b", SHA), ("c", "cd" * 32)):
        write_cells(tmp_path / name, [cell(0), cell(1)], image_sha256=sha)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    ids = {f["id"] for name in "ac" for f in json.loads((tmp_path / name).read_text())["features"]}
    assert len(ids) == 4


def test_no_cells_give_an_empty_collection(tmp_path):
    assert write_cells(tmp_path / "c", [], image_sha256=SHA) == 0
    assert json.loads((tmp_path / "c").read_text()) == {"type": "FeatureCollection", "features": []}


def test_a_collapsed_outline_becomes_a_point_and_is_not_lost(tmp_path):
    flat = cell(0, cell_xy=np.array([[5.01, 5.0], [5.02, 5.0], [9.0, 5.0]]), x_px0=6.0, y_px0=5.0)
    write_cells(tmp_path / "c", [flat], image_sha256=SHA)
    feature = json.loads((tmp_path / "c").read_text())["features"][0]
    assert feature["geometry"] == {"type": "Point", "coordinates": [6.0, 5.0]}
    assert feature["properties"]["objectType"] == "detection"
    assert "nucleusGeometry" not in feature


def test_a_cell_without_a_nucleus_has_no_nucleus_geometry(tmp_path):
    write_cells(tmp_path / "c", [cell(0, nucleus_xy=np.empty((0, 2)))], image_sha256=SHA)
    assert "nucleusGeometry" not in json.loads((tmp_path / "c").read_text())["features"][0]


def test_an_interrupted_export_leaves_no_file(tmp_path):
    def broken() -> Iterator[QuPathCell]:
        yield cell(0)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_cells(tmp_path / "c", broken(), image_sha256=SHA)
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_number_of_cells(tmp_path):
    peaks = []
    for count in (200, 4000):
        tracemalloc.start()
        write_cells(tmp_path / "c", (cell(n) for n in range(count)), image_sha256=SHA)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000


def tables(
    folder: Path,
    count: int,
    *,
    chunk: int = 7,
    contour_ids: list[int] | None = None,
    stainings: tuple[tuple[str, str], ...] = (("none", "none"),),
) -> tuple[Path, Path]:
    ids = list(range(count))
    with write_table(folder / "cells", IHC_CELLS, produced_by=MADE_BY) as table:
        for start in range(0, count, chunk):
            part = ids[start : start + chunk]
            n = len(part)
            table.append(
                {
                    "cell_id": part,
                    "x_px0": [30.0 * i for i in part],
                    "y_px0": [40.0] * n,
                    "nucleus_area_um2": [30.0] * n,
                    "cell_area_um2": [80.0] * n,
                    "membrane_completeness": [0.5] * n,
                    "membrane_connectivity": [0.25] * n,
                    "membrane_od": [None] * n,
                    "membrane_contrast_od": [None] * n,
                    "membrane_excess_od_um": [None] * n,
                    "membrane_thickness_um": [None] * n,
                    "membrane_certainty": [None] * n,
                    "membrane_mean_od": [0.125] * n,
                    "cytoplasm_od": [0.1] * n,
                    "nucleus_od": [0.2] * n,
                    "intensity": [stainings[i % len(stainings)][0] for i in part],
                    "pattern": [stainings[i % len(stainings)][1] for i in part],
                    "cell_score": [i % 4 for i in part],
                    "in_tumour": [True] * n,
                    "piece": [1] * n,
                    "control": [1 if i % 5 == 3 else None for i in part],
                    "exclusion": [{4: "not_tumour", 3: "control_tissue"}.get(i % 5) for i in part],
                    "exclusion_if_drawn": ["not_tumour" if i % 5 == 4 else None for i in part],
                }
            )
    with write_table(folder / "contours", IHC_CONTOURS, produced_by=MADE_BY) as table:
        table.append(
            {
                "cell_id": contour_ids or ids,
                "cell_xy_px0": [ring(30.0 * i, 40, 10).ravel().tolist() for i in ids],
                "nucleus_xy_px0": [ring(30.0 * i, 40, 5).ravel().tolist() for i in ids],
            }
        )
    return folder / "cells", folder / "contours"


def test_cells_and_contours_are_joined_however_the_tables_are_chunked(tmp_path):
    got = list(read_cells(*tables(tmp_path, 40)))
    assert [c.cell_id for c in got] == list(range(40))
    for c in got:
        np.testing.assert_allclose(c.cell_xy.mean(axis=0), [30.0 * c.cell_id, 40], atol=1e-3)
        kinds = CONTROL_CLASSES if c.cell_id % 5 == 3 else SCORE_CLASSES
        assert c.kind == (EXCLUDED if c.cell_id % 5 == 4 else kinds[c.cell_id % 4])
        assert c.measurements["Membrane: Completeness"] == 0.5
        assert c.measurements["Membrane: DAB OD mean"] == 0.125
        assert c.measurements["Membrane: DAB OD median"] is None


def test_guidelines_outside_the_breast_get_cells_by_level_of_staining_and_no_score(tmp_path):
    stainings = (
        ("none", "none"),
        ("weak", "incomplete"),
        ("weak", "basolateral"),
        ("strong", "basolateral"),
    )
    scheme = scheme_of(find_guideline("gastroesophageal_2016"))
    got = list(read_cells(*tables(tmp_path, 40, stainings=stainings), scheme=scheme))
    names = ["Negative", "Faint", "Weak to moderate", "Strong"]
    for c in got:
        tissue = "Control" if c.cell_id % 5 == 3 else "Tumor"
        wanted = "Ignore*" if c.cell_id % 5 == 4 else f"{tissue}: {names[c.cell_id % 4]}"
        assert c.kind.name == wanted
        assert c.rank == (None if c.cell_id % 5 in {3, 4} else c.cell_id % 4)


def test_the_two_schemes_share_no_class_but_that_of_unstained_cells():
    scores, levels = ({kind.name for kind in scheme.scored} for scheme in CellScheme)
    assert scores & levels == {"Tumor: Negative"}
    assert scheme_of(find_guideline("breast_2023")) is CellScheme.SCORES


def test_excluded_cells_may_be_left_out(tmp_path):
    got = list(read_cells(*tables(tmp_path, 10), with_excluded=False))
    assert [c.cell_id for c in got] == [0, 1, 2, 5, 6, 7]


def test_cells_of_a_table_without_the_membranes_mean_come_without_it(tmp_path):
    cells, contours = tables(tmp_path, 3)
    older = pq.read_table(cells).drop_columns(["membrane_mean_od", "exclusion_if_drawn"])
    pq.write_table(older, cells)
    got = list(read_cells(cells, contours))
    assert len(got) == 3
    assert all("Membrane: DAB OD mean" not in c.measurements for c in got)


def test_tables_of_different_cells_are_refused(tmp_path):
    with pytest.raises(ArtefactError, match="other cells"):
        list(read_cells(*tables(tmp_path, 3, contour_ids=[0, 2, 1])))
    (tmp_path / "more").mkdir()
    with pytest.raises(ArtefactError, match="other cells"):
        list(read_cells(tables(tmp_path / "more", 4)[0], tmp_path / "contours"))


@pytest.mark.parametrize(
    "value", [0.00005, 0.00015, 0.30005, 2.675, -0.00001, 123456.5, 1e300, 7.0, 0.00128173828125, 0.03125]
)
def test_measurements_are_rounded_to_four_digits_whatever_their_size(tmp_path, value):
    measured = {"number": value, "none": None, "after": 0.5}
    write_cells(tmp_path / "c", [cell(0, measurements=measured), cell(1)], image_sha256=SHA)
    features = json.loads((tmp_path / "c").read_text(encoding="utf-8"))["features"]
    assert features[0]["properties"]["measurements"] == {"number": round(value, 4), "after": 0.5}
    assert features[1]["properties"]["measurements"] == {"Membrane: Completeness": 0.75}


def test_identifiers_are_uuids_of_version_5(tmp_path):
    write_cells(tmp_path / "c", (cell(n) for n in range(50)), image_sha256=SHA)
    for number, feature in enumerate(json.loads((tmp_path / "c").read_text(encoding="utf-8"))["features"]):
        namespace = uuid.UUID("6f0b1b0e-6f0e-5c55-9d3c-8a1f5c2f7d10")
        assert feature["id"] == str(uuid.uuid5(namespace, f"{SHA}/{number}"))
