"""Step ihc_cells with a learned model: tables that do not depend on tiles or threads, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from her2path.errors import ModelError
from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec
from her2path.io.documents import IhcScoreDoc, read_document
from her2path.io.model_store import open_model
from her2path.io.scored_cells import read_model
from her2path.io.tables import IHC_CELLS, facts_of, read_table
from tests.support.ihc_chain import find_cells, prepare, score
from tests.support.slides import write_pyramid
from tests.support.trained_models import trained

MODEL = "her2-star-2"
SIDE = 896


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    spec = IhcPhantomSpec(
        seed=500_007, width_px=SIDE, height_px=SIDE, mpp=0.5, classes=SCORE_PRESETS["2+"], island=True
    )
    return write_pyramid(tmp_path_factory.mktemp("slide") / "slide.tif", render_ihc(spec).rgb, mpp=0.5)


def cells_of(slide, folder, *, tile_px=2048, block_px=1024, workers=1, model=MODEL):
    at, sheet = prepare(slide, folder, tile_px=tile_px)
    find_cells(slide, at, sheet, workers=workers, block_px=block_px, model=model)
    return at, read_table(at.cells, IHC_CELLS)


def test_a_learned_model_finds_the_same_cells_however_the_slide_is_cut(slide, tmp_path):
    whole = cells_of(slide, tmp_path / "whole")[1]
    cut = cells_of(slide, tmp_path / "cut", tile_px=333, block_px=256, workers=2)[1]
    assert whole.num_rows > 200
    tables = []
    for table in (whole, cut):
        order = np.lexsort((table["x_px0"].to_numpy().round(2), table["y_px0"].to_numpy().round(2)))
        tables.append(table.take(order).drop_columns(["cell_id"]))
    assert tables[0].num_rows == tables[1].num_rows
    for name in tables[0].column_names:
        one, other = (table[name].to_pylist() for table in tables)
        if isinstance(one[0], str) or name in ("exclusion", "exclusion_if_drawn", "in_tumour"):
            assert one == other, name
        else:
            numbers = (np.array(values, float) for values in (one, other))
            assert next(numbers) == pytest.approx(next(numbers), abs=1e-4, nan_ok=True), name


def test_cells_of_a_model_carry_the_calibration_of_its_card(slide, tmp_path):
    at, _ = cells_of(slide, tmp_path / "i")
    assert facts_of(at.cells)["calibration"] == "learned-2"
    model = read_model(at.cells)
    assert (model.id, model.origin, model.sha256) == (MODEL, "shipped", open_model(MODEL).card.sha256)


def test_a_slide_measured_by_the_classical_method_names_no_model(slide, tmp_path):
    assert read_model(cells_of(slide, tmp_path / "i", model=None)[0].cells) is None


def test_the_score_and_its_limit_of_blank_are_those_of_the_model_that_was_configured(slide, tmp_path):
    folder = trained(tmp_path / "her2-own-1", noise=0.001)
    card = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))
    card["calibration"]["limit_of_blank_pct"] = 7.3
    (folder / "model.yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    at, _ = cells_of(slide, tmp_path / "i", model=str(folder))
    score(slide, at)
    result = read_document(at.score, IhcScoreDoc).result
    assert result.limit_of_blank_pct == 7.3
    assert (result.model.id, result.model.origin, result.model.parent) == ("her2-own-1", "folder", MODEL)


def test_an_unknown_model_is_refused(slide, tmp_path):
    with pytest.raises(ModelError, match="no-such-model"):
        cells_of(slide, tmp_path / "i", model="no-such-model")
