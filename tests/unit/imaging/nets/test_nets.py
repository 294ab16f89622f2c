from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from her2path.errors import ModelError
from her2path.imaging.nets.architectures import Network, plain_network
from her2path.imaging.nets.inference import Maps, Predictor, network_input, rounded
from her2path.imaging.nets.registry import ARCHITECTURES, architecture
from her2path.imaging.stain import StainAmounts, StainModel, separate
from tests.support.nets import ARCHITECTURE_ID, random_weights

ROOT = Path(__file__).resolve().parents[4]
ARCHITECTURE = ARCHITECTURES[ARCHITECTURE_ID]


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(ARCHITECTURE, random_weights(), model_id="random")


@pytest.fixture(scope="module")
def tissue() -> StainAmounts:
    rgb = np.random.default_rng(1).integers(90, 250, (480, 512, 3), dtype=np.uint8)
    return separate(rgb, StainModel(), with_residual=True)


def cut(stains: StainAmounts, row: int, col: int, height: int, width: int) -> StainAmounts:
    window = np.s_[row : row + height, col : col + width]
    assert stains.residual is not None
    return StainAmounts(stains.hematoxylin[window], stains.dab[window], stains.residual[window])


def inner(maps: Maps, origin: tuple[int, int], box: tuple[int, int, int, int]) -> list[np.ndarray]:
    """Parts of the maps that lie on a box of the slide (row, col, height, width; multiples of eight)."""
    row, col, height, width = box
    top, left = row - origin[0] - maps.top, col - origin[1] - maps.left
    parts = []
    for name in ("nucleus", "expressed", "tumour", "radii_um", "cell_radii_um"):
        size = 2 if name in ("nucleus", "expressed") else 4
        assert top % 8 == left % 8 == 0
        rows = slice(top // size, (top + height) // size)
        columns = slice(left // size, (left + width) // size)
        image = getattr(maps, name)
        parts.append(rounded(image[:, rows, columns]) if name.endswith("radii_um") else image[rows, columns])
    return parts


def test_openvino_gives_the_answers_of_torch(predictor, tissue):
    maps = predictor(tissue, origin=(0, 0))
    with torch.inference_mode():
        fine, coarse = plain_network(ARCHITECTURE, random_weights())(
            torch.from_numpy(network_input(tissue))[None]
        )
    np.testing.assert_allclose(maps.nucleus, fine[0, 0].sigmoid(), atol=1e-4 + 1 / 1024)
    np.testing.assert_allclose(maps.expressed[..., 0], fine[0, 1].sigmoid(), atol=1e-4 + 1 / 1024)
    np.testing.assert_allclose(maps.expressed[..., 1], fine[0, 2], atol=1e-3 + 1 / 1024)
    np.testing.assert_allclose(maps.tumour, coarse[0, 0].sigmoid(), atol=1e-4 + 1 / 1024)
    for radii, channels in ((maps.radii_um, slice(1, 33)), (maps.cell_radii_um, slice(33, 65))):
        np.testing.assert_allclose(radii, coarse[0, channels], atol=1e-3 + 1 / 1024)


def test_folded_normalisation_changes_no_answer():
    torch.manual_seed(3)
    network = Network(ARCHITECTURE, normalised=True)
    for norm in network.norms.values():
        torch.nn.init.uniform_(norm.running_mean, -0.5, 0.5)
        torch.nn.init.uniform_(norm.running_var, 0.5, 2)
        torch.nn.init.uniform_(norm.weight, 0.5, 2)
        torch.nn.init.uniform_(norm.bias, -0.5, 0.5)
    network.eval()
    image = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        for one, other in zip(
            network(image), plain_network(ARCHITECTURE, network.folded())(image), strict=True
        ):
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("row", "col", "height", "width"),
    [
        pytest.param(0, 0, 400, 360, id="from the corner"),
        pytest.param(37, 50, 403, 421, id="off the network's grid"),
        pytest.param(64, 8, 300, 504, id="wide"),
    ],
)
def test_answers_do_not_depend_on_where_a_tile_was_cut(predictor, tissue, row, col, height, width):
    reach = ARCHITECTURE.reach_px
    box = (row + 8 - row % 8 + reach, col + 8 - col % 8 + reach, 128, 128)
    whole = inner(predictor(tissue, origin=(0, 0)), (0, 0), box)
    part = inner(predictor(cut(tissue, row, col, height, width), origin=(row, col)), (row, col), box)
    for one, other in zip(whole, part, strict=True):
        assert one.size
        np.testing.assert_array_equal(one, other)


def test_nothing_beyond_the_stated_reach_changes_an_answer(predictor, tissue):
    assert tissue.residual is not None
    changed = tissue.dab.copy()
    changed[240, 256] += 1
    before = predictor(tissue, origin=(0, 0))
    after = predictor(StainAmounts(tissue.hematoxylin, changed, tissue.residual), origin=(0, 0))
    for one, other, size in (
        (before.nucleus, after.nucleus, 2),
        (before.expressed[..., 0], after.expressed[..., 0], 2),
        (before.tumour, after.tumour, 4),
    ):
        rows, columns = np.nonzero(one != other)
        assert len(rows)
        assert (
            max(np.abs(rows * size - 240).max(), np.abs(columns * size - 256).max()) < ARCHITECTURE.reach_px
        )


def test_an_unknown_architecture_is_refused_by_name():
    with pytest.raises(ModelError, match=r"'her2-x'.*'resnet-9000' is unknown"):
        architecture("resnet-9000", model_id="her2-x")


def test_weights_of_another_network_are_refused():
    weights = random_weights()
    del weights["stem.bias"]
    with pytest.raises(ModelError, match=r"stem\.bias"):
        Predictor(ARCHITECTURE, weights, model_id="her2-x")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is there")
def test_cuda_is_refused_where_there_is_none():
    with pytest.raises(ModelError, match="no CUDA device"):
        Predictor(ARCHITECTURE, random_weights(), model_id="her2-x", device="cuda")


def test_loading_and_running_a_network_contacts_nobody():
    """OpenVINO brings a telemetry package along; only its converters, which nothing here calls, use it."""
    code = """
import sys

def watch(event, details):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise SystemExit(f"contacted {details}")

sys.addaudithook(watch)
import numpy as np
from her2path.imaging.nets.inference import Predictor, rounded
from her2path.imaging.nets.registry import ARCHITECTURES
from her2path.imaging.stain import StainAmounts
from tests.support.nets import ARCHITECTURE_ID, random_weights

blank = np.zeros((64, 64), np.float32)
predictor = Predictor(ARCHITECTURES[ARCHITECTURE_ID], random_weights(), model_id="random")
predictor(StainAmounts(blank, blank, blank), origin=(0, 0))
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
