"""Runtimes for the learned network: seconds per mm² of tissue on two cores, and how far answers differ.

Weights are random: speed does not depend on them.  Torch, ONNX Runtime and OpenVINO get the same
tiles of 1024 x 1024 pixels at 0.5 µm/px.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import openvino as ov
import torch

from her2path.imaging.nets.architectures import plain_network
from her2path.imaging.nets.graph import build
from her2path.imaging.nets.registry import ARCHITECTURES
from tests.support.nets import ARCHITECTURE_ID, random_weights

SIDE = 1024
MM2 = (SIDE * 0.5e-3) ** 2
REPEATS = 5
THREADS = 2
Answer = tuple[np.ndarray, np.ndarray]
Run = Callable[[np.ndarray], Answer]


def torch_eager(*, channels_last: bool, bfloat16: bool = False, compiled: bool = False) -> Run:
    torch.set_num_threads(THREADS)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network = plain_network(ARCHITECTURES[ARCHITECTURE_ID], random_weights()).to(memory_format=layout)
    call = torch.compile(network) if compiled else network

    def run(image: np.ndarray) -> Answer:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            fine, coarse = call(torch.from_numpy(image).contiguous(memory_format=layout))
        return fine.float().numpy(), coarse.float().numpy()

    return run


def onnx_runtime(folder: Path) -> Run:
    network = plain_network(ARCHITECTURES[ARCHITECTURE_ID], random_weights())
    path = folder / "network.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (torch.zeros(1, 3, SIDE, SIDE),), str(path), dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(image: np.ndarray) -> Answer:
        fine, coarse = session.run(None, {name: image})
        return fine, coarse

    return run


def openvino(precision: str, streams: int) -> Run:
    compiled = ov.Core().compile_model(
        build(ARCHITECTURES[ARCHITECTURE_ID], random_weights()),
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": THREADS,
        },
    )
    if streams == 1:
        request = compiled.create_infer_request()

        def run(image: np.ndarray) -> Answer:
            found = request.infer([image])
            return np.array(found[0]), np.array(found[1])

        return run
    requests = [compiled.create_infer_request() for _ in range(streams)]

    def several(image: np.ndarray) -> Answer:
        for request in requests:
            request.start_async([image])
        for request in requests:
            request.wait()
        return np.array(requests[0].results[0]), np.array(requests[0].results[1])

    return several


def seconds(run: Run, image: np.ndarray) -> float:
    """Best of some calls: other work on the machine only adds."""
    run(image)
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        run(image)
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    """Print a line per runtime: seconds per mm², and the farthest answer from torch in float32."""
    image = np.random.default_rng(0).random((1, 3, SIDE, SIDE), dtype=np.float32)
    parameters = sum(values.size for values in random_weights().values())
    sys.stdout.write(f"{ARCHITECTURE_ID}: {parameters} parameters, {THREADS} threads\n")
    with tempfile.TemporaryDirectory() as folder:
        runs: list[tuple[str, Callable[[], Run], int]] = [
            ("torch, eager", lambda: torch_eager(channels_last=False), 1),
            ("torch, channels last", lambda: torch_eager(channels_last=True), 1),
            ("torch, channels last, bfloat16", lambda: torch_eager(channels_last=True, bfloat16=True), 1),
            ("torch, compiled", lambda: torch_eager(channels_last=True, compiled=True), 1),
            ("ONNX Runtime", lambda: onnx_runtime(Path(folder)), 1),
            ("OpenVINO, float32", lambda: openvino("f32", 1), 1),
            ("OpenVINO, float32, 2 streams", lambda: openvino("f32", 2), 2),
            ("OpenVINO, bfloat16", lambda: openvino("bf16", 1), 1),
            ("OpenVINO, bfloat16, 2 streams", lambda: openvino("bf16", 2), 2),
        ]
        reference = torch_eager(channels_last=False)(image)
        for name, make, tiles in runs:
            try:
                run = make()
                spent = seconds(run, image)
            except Exception as error:  # noqa: BLE001  (a machine without a compiler lacks one runtime of nine)
                sys.stdout.write(f"{name:<32} not here: {str(error).splitlines()[0][:70]}\n")
                continue
            apart = max(float(np.abs(a - b).max()) for a, b in zip(run(image), reference, strict=True))
            sys.stdout.write(f"{name:<32} {spent / tiles / MM2:5.2f} s/mm²  apart {apart:.1e}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
