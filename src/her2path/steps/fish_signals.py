"""Step `fish_signals`: find the signals of both probes, merge doublets, estimate clusters."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict

from her2path.domain.ish import Probe
from her2path.errors import ChannelError, UnsuitableImageError
from her2path.imaging.fish.clusters import Signals
from her2path.imaging.fish.counting import GLOW
from her2path.imaging.fish.illumination import Illumination
from her2path.imaging.fish.learning import Learnt, ProbeField, SameDyeError, SignalParams, learn_signals
from her2path.imaging.fish.patches import ClusterParams, SingleSignal
from her2path.imaging.fish.signals import ChannelSignals, Glow, count_signals
from her2path.imaging.fish.spots import SpotParams
from her2path.imaging.fish.windows import Window, window_at, windows_in
from her2path.io.documents import (
    FishSignalsDoc,
    QualityDoc,
    SlideDoc,
    SlideResult,
    read_document,
    required,
    write_document,
)
from her2path.io.fields.channels import check_probe
from her2path.io.fields.opening import open_field
from her2path.io.fields.source import FieldSource
from her2path.io.fish_entries import BleedThrough, ChannelOptics, FishSignalsResult, SingleSignalEntry
from her2path.io.label_image import LabelImage
from her2path.io.provenance import digests, producer
from her2path.io.slides.source import WorkingBox
from her2path.io.tables import FISH_OBJECTS, FISH_SIGNALS, TableWriter, read_table, write_table

log = logging.getLogger(__name__)

_LEAST_SNR = 8.0
"""Significance of a typical signal below which, of single signals that scatter by 40 %, one in ten or more
falls short of the least that is counted (`SpotParams.min_snr`)."""
_MARGIN_UM = 25.0
"""Read around a window: the largest nucleus, so that its own noise is known whole."""

_WEAK: Mapping[str, Any] = MappingProxyType(
    {"is_cluster": False, "copies": 0, "copies_low": None, "copies_high": None}
)
"""What is written of a spot too weak to be counted."""


class FishSignalsParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    min_snr: Annotated[float, Ge(3)] = SpotParams().min_snr
    """Least height of a spot over the noise of its own nucleus (unitless)."""
    min_share: Annotated[float, Gt(0), Le(1)] = SignalParams().min_share
    """Least height of a counted signal over that of a typical single one of the image; weaker spots are
    listed with 0 copies."""
    diameter_um: Annotated[float, Gt(0), Le(2)] | None = None
    """Signal diameter (µm) within which two spots are one; null = learnt from the image."""
    min_cluster_copies: Annotated[float, Ge(2)] = ClusterParams().min_copies
    """Least light of a cluster, in single signals of the image."""


def run(
    *,
    image: list[Path],
    slide: Path,
    quality: Path,
    labels: Path,
    objects: Path,
    signals: Path,
    optics: Path,
    params: FishSignalsParams,
) -> None:
    """Detect, merge and assign the signals; write their table and what they teach of the optics."""
    document = read_document(slide, SlideDoc)
    result, sheet = required(document.result, slide), document.sheet
    settings = _settings(params)
    roles = tuple(channel.role for channel in result.channels)
    probes = ("her2",) if sheet.probe is Probe.SINGLE else ("her2", "cep17")
    windows = _windows(quality, result)
    with (
        open_field(image, name=sheet.image_id, channels=roles) as source,
        LabelImage(labels) as nuclei,
        write_table(signals, FISH_SIGNALS, produced_by=producer("fish_signals", params)) as table,
    ):
        check_probe(source.channels, probe=sheet.probe, image=sheet.image_id)
        richest = windows[_richest(windows, objects)]
        try:
            shown = _shown(source, nuclei, richest, probes, mpp=result.mpp, whole=len(windows) == 1)
            learnt = learn_signals(shown, settings)
        except SameDyeError as error:
            raise ChannelError(sheet.image_id, str(error)) from error
        _log_learnt(learnt)
        _refuse_faint(learnt, sheet.image_id)
        for window in windows:
            if len(windows) > 1:
                shown = _shown(source, nuclei, window, probes, mpp=result.mpp, whole=False)
            counted = count_signals(shown, learnt, settings)
            light = {role: channel.illumination for role, channel in counted.channels.items()}
            _append_glow(table, counted.glow, window)
            for role, channel in counted.channels.items():
                index = next(c.index for c in source.channels if c.role == role)
                shift = learnt.shift[role]
                moved = shift.pixels(result.mpp) if shift else (0, 0)
                _append(table, role, _Rows(channel, window, moved, _depth(source, index, window)))
        write_document(
            optics,
            FishSignalsDoc(
                produced_by=producer("fish_signals", params),
                inputs=digests(slide=slide, quality=quality, objects=objects, labels=labels),
                sheet=sheet,
                result=_optics(learnt, light),
            ),
        )
        log.info("%d signals", table.rows)


def _settings(params: FishSignalsParams) -> SignalParams:
    return SignalParams(
        spot=SpotParams(min_snr=params.min_snr),
        cluster=ClusterParams(min_copies=params.min_cluster_copies),
        diameter_um=params.diameter_um,
        min_share=params.min_share,
    )


def _windows(quality: Path, slide: SlideResult) -> list[Window]:
    """Windows over the fields that nuclei were looked for in."""
    found = required(read_document(quality, QualityDoc).result, quality)
    size = {"height": slide.height_px0, "width": slide.width_px0}
    margin = round(_MARGIN_UM / slide.mpp)
    fields = (window_at(*field.place_px0) for field in found.fields)
    return [window for field in fields for window in windows_in(field, margin=margin, **size)]


def _richest(windows: list[Window], objects: Path) -> int:
    """Index of the window that owns most nuclei; the first of equals."""
    table = read_table(objects, FISH_OBJECTS)
    places = list(zip(table["y_px0"].to_pylist(), table["x_px0"].to_pylist(), strict=True))
    owned = [sum(window.owns(row, col) for row, col in places) for window in windows]
    return owned.index(max(owned))


def _shown(
    source: FieldSource,
    nuclei: LabelImage,
    window: Window,
    probes: tuple[str, ...],
    *,
    mpp: float,
    whole: bool,
) -> ProbeField:
    by_role = {channel.role: channel.index for channel in source.channels if channel.role != "other"}
    box = WorkingBox(*window.place)
    dapi = source.plane(by_role["dapi"], box=box).astype(np.float32)
    planes = {role: source.plane(by_role[role], box=box).astype(np.float32) for role in probes}  # type: ignore[index]  # probes are roles
    return ProbeField(dapi, planes, nuclei.read(box), mpp, one_exposure=whole)


def _depth(source: FieldSource, index: int, window: Window) -> npt.NDArray[np.int16] | None:
    return source.depth(index, box=WorkingBox(*window.place)) if source.z_planes > 1 else None


def _refuse_faint(learnt: Learnt, image_id: str) -> None:
    """Refuse an image of which many signals are lost in the noise: a ratio of what is left is wrong."""
    for role, single in learnt.single.items():
        if single is not None and single.snr < _LEAST_SNR:
            raise UnsuitableImageError(
                image_id,
                f"a typical {role.upper()} signal is only {single.snr:.1f} times the noise of the nuclei; "
                f"{_LEAST_SNR:.0f} are needed to see most of them: expose longer, or hybridise again",
                code="faint_signals",
            )


def _log_learnt(learnt: Learnt) -> None:
    for role, single in learnt.single.items():
        if single is None:
            log.warning("%s: too few spots to learn what a single signal looks like", role)
        elif single.flux is None:
            log.warning("%s: too few lone signals, so clusters are not estimated", role)
        else:
            log.info("%s: single signal of %.2f µm", role, single.diameter_um)


def _optics(learnt: Learnt, light: Mapping[str, Illumination | None]) -> FishSignalsResult:
    return FishSignalsResult(
        channels=tuple(_channel_entry(role, learnt, light[role]) for role in learnt.single),
        bleed_through=tuple(
            BleedThrough(source=source, target=target, share=found.share)
            for (target, source), found in learnt.bleed.items()
        ),
    )


def _channel_entry(role: str, learnt: Learnt, light: Illumination | None) -> ChannelOptics:
    single, shift = learnt.single[role], learnt.shift[role]
    return ChannelOptics(
        role=role,
        single=_single_entry(single),
        shift_x_um=shift.right_um if shift else None,
        shift_y_um=shift.down_um if shift else None,
        unevenness_frac=light.unevenness_frac if light else None,
        false_signals_per_nucleus=single.false_per_nucleus if single else None,
    )


def _single_entry(single: SingleSignal | None) -> SingleSignalEntry | None:
    if single is None:
        return None
    return SingleSignalEntry(
        sigma_um=single.sigma_um,
        diameter_um=single.diameter_um,
        height=single.height,
        light=single.flux.mean if single.flux else None,
        light_spread_frac=single.flux.spread_frac if single.flux else None,
        snr=single.snr,
    )


def _append(table: TableWriter, role: str, found: _Rows) -> None:
    """Write what the window owns: signals and clusters, and weak spots with 0 copies."""
    rows = sorted(found.owned(), key=lambda row: (row["nucleus_id"], row["y_px0"], row["x_px0"]))
    columns = {name: [row[name] for row in rows] for name in FISH_SIGNALS.names if name != "channel"}
    table.append({**columns, "channel": [role] * len(rows)})


def _append_glow(table: TableWriter, glow: Sequence[Glow], window: Window) -> None:
    """Write which nuclei autofluorescence lies over, as rows of channel ``glow`` with 0 copies."""
    own = [g for g in glow if window.owns(g.row + window.top, g.col + window.left)]
    table.append(
        {
            "nucleus_id": [g.nucleus for g in own],
            "channel": [GLOW] * len(own),
            "x_px0": [g.col + window.left for g in own],
            "y_px0": [g.row + window.top for g in own],
            "z": [0] * len(own),
            **{name: [None] * len(own) for name in ("snr", "share", "copies_low", "copies_high")},
            "is_cluster": [False] * len(own),
            "copies": [0] * len(own),
        }
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """What was found of one channel in one window."""

    channel: ChannelSignals
    window: Window
    moved: tuple[int, int]
    """Pixels that the channel's picture was moved by onto DAPI's; places are written as in the file."""
    depth: npt.NDArray[np.int16] | None

    def owned(self) -> Iterator[dict[str, Any]]:
        """Rows of what the window owns, without the channel's name."""
        for part in (self.channel.signals, self.channel.weak):
            for i in range(len(part)):
                row, col = float(part.row[i]), float(part.col[i])
                if not self.window.owns(row + self.window.top, col + self.window.left):
                    continue
                row = min(max(row + self.moved[0], 0.5), self.window.height - 0.5)
                col = min(max(col + self.moved[1], 0.5), self.window.width - 0.5)
                found: dict[str, Any] = {
                    "nucleus_id": int(part.nucleus[i]),
                    "x_px0": col + self.window.left,
                    "y_px0": row + self.window.top,
                    "z": 0 if self.depth is None else int(self.depth[int(row), int(col)]),
                    "snr": float(part.snr[i]),
                    "share": float(part.height[i]) / self.channel.single_height,
                }
                yield found | (_copies(part, i) if isinstance(part, Signals) else dict(_WEAK))


def _copies(signals: Signals, i: int) -> dict[str, Any]:
    is_cluster = bool(signals.is_cluster[i])
    return {
        "is_cluster": is_cluster,
        "copies": int(signals.copies[i]),
        "copies_low": int(signals.low[i]) if is_cluster else None,
        "copies_high": int(signals.high[i]) if is_cluster else None,
    }
