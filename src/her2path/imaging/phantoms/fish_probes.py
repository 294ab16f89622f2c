"""Copies of HER2 and CEP17 in the nuclei of a FISH phantom: how many, where, and how they look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from her2path.domain.ish import Probe
from her2path.imaging.phantoms.fish_detail import MixedClusters
from her2path.imaging.phantoms.fish_layout import NucleusShape, slice_faces
from her2path.imaging.phantoms.fish_spec import FishPhantomSpec
from her2path.imaging.phantoms.fish_truth import NucleusKind, SignalChannel

_DIPLOID_FANO = 0.25
"""Share of the two copies of a normal nucleus that a 4 µm section cuts away."""
_POISSON_LOSS = 0.2
"""Share of copies cut away where counts are Poisson (any value gives Poisson counts in the section)."""
_SMALLEST_CLUSTER = 4
_INSET_UM = 0.35
"""Signals keep this distance from the outline: loci lie under the nuclear membrane, not on it."""
_PEAK_E = {SignalChannel.HER2: 1500.0, SignalChannel.CEP17: 1900.0}
"""Median height of a spot in focus (photoelectrons)."""
_PEAK_SPREAD = 0.35
"""Standard deviation of the logarithm of the heights: hybridisation is uneven."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy in the section, with the one or two spots it shows as (canvas pixels)."""

    nucleus_id: int
    channel: SignalChannel
    spots: tuple[tuple[float, float], ...]
    """(row, col) of each spot, edges at integers."""
    z_um: float
    peak_e: float
    cluster_id: int

    @property
    def centre(self) -> tuple[float, float]:
        """Mean (row, col) of its spots."""
        rows, cols = zip(*self.spots, strict=True)
        return sum(rows) / len(rows), sum(cols) / len(cols)


@dataclass(frozen=True, slots=True)
class NucleusCopies:
    """Copies of one nucleus and how many the whole nucleus had."""

    her2_whole: int
    cep17_whole: int | None
    """None with a single probe."""
    copies: tuple[Copy, ...]


def draw_copies(
    mean: float, fano: float, rng: np.random.Generator, *, poisson_loss: float = _POISSON_LOSS
) -> tuple[int, int]:
    """Draw the copies of a whole nucleus and those its section keeps.

    Parameters
    ----------
    mean : float
        Mean number in the section, >= 0.
    fano : float
        Variance over mean in the section, 0 to 1.  1 is a Poisson count; below 1, n whole copies are
        each lost with probability `fano`, which leaves a binomial count; 0 loses nothing.
    rng : numpy.random.Generator
        Source of all randomness.
    poisson_loss : float
        Share of copies lost in the Poisson case, 0 to 1 (1 excluded).

    Returns
    -------
    whole, section : int
        Copies before and after the cut; whole >= section.
    """
    if fano >= 1:
        section = int(rng.poisson(mean))
        return section + int(rng.poisson(mean * poisson_loss / (1 - poisson_loss))), section
    exact = mean / (1 - fano)
    whole = int(exact) + int(rng.random() < exact - int(exact))
    return whole, int(rng.binomial(whole, 1 - fano))


def place_copies(
    shape: NucleusShape, spec: FishPhantomSpec, first_cluster: int, rng: np.random.Generator
) -> NucleusCopies:
    """Draw the copies of one nucleus and where they lie.

    Tumour nuclei follow the spec, stroma and lymphocytes are diploid.  Clusters are numbered from
    `first_cluster`.
    """
    tumour = shape.kind is NucleusKind.TUMOUR
    spec = _of_its_population(shape, spec)
    # A slab loses copies by itself; the plain phantom's diploid nuclei lose them here.
    fano = 0.0 if shape.slab is not None else _DIPLOID_FANO
    normal = 2 * (1 - fano)
    whole: dict[SignalChannel, int] = {}
    copies: list[Copy] = []
    probes = [(SignalChannel.HER2, spec.her2_mean, spec.her2_fano)]
    if spec.probe is Probe.DUAL:
        probes.append((SignalChannel.CEP17, spec.cep17_mean, spec.cep17_fano))
    for channel, mean, spread in probes:
        whole[channel], kept = draw_copies(mean, spread, rng) if tumour else draw_copies(normal, fano, rng)
        if shape.slab is not None:
            # What the spec asks for is the whole nucleus; the section keeps copies by volume.
            whole[channel] = kept
            kept = int(rng.binomial(kept, shape.slab.volume))
        clustered = 0
        if channel is SignalChannel.HER2 and tumour:
            clustered = int(rng.binomial(kept, spec.cluster_fraction))
        clustered = clustered if clustered >= _SMALLEST_CLUSTER else 0
        places = _free_places(shape, kept - clustered, spec, rng)
        placed = [(place, 0) for place in places]
        placed += _clustered_places(shape, clustered, spec, first_cluster, rng)
        if channel is SignalChannel.HER2 and tumour and spec.tissue.clusters is not None:
            regions = _mixed_clusters(shape, spec.tissue.clusters, spec, rng)
            whole[channel] += sum(region.copies for region in regions)
            first = max([first_cluster - 1, *(number for _, number in placed)]) + 1
            placed += [(place, first + i) for i, region in enumerate(regions) for place in region.places]
        copies += [_copy(shape.nucleus_id, channel, place, cluster, spec, rng) for place, cluster in placed]
    return NucleusCopies(whole[SignalChannel.HER2], whole.get(SignalChannel.CEP17), tuple(copies))


Place = tuple[float, float, float]
"""Row and column (canvas px) and height (µm)."""


def _free_places(
    shape: NucleusShape,
    count: int,
    spec: FishPhantomSpec,
    rng: np.random.Generator,
    inset_um: float = _INSET_UM,
) -> list[Place]:
    # `depth` times the radius is about the distance to the outline.
    inside = np.argwhere(shape.depth * shape.radius_px * spec.mpp > inset_um)
    if not len(inside):
        inside = np.argwhere(shape.mask)
    chosen = inside[rng.integers(len(inside), size=count)] + rng.uniform(0, 1, (count, 2))
    heights = rng.uniform(-0.5, 0.5, count) * spec.section_um
    if shape.slab is not None:
        heights = _slice_heights(shape, chosen, heights / spec.section_um + 0.5)
    heights = heights + shape.lift_um
    return [
        (shape.top + float(row), shape.left + float(col), float(z))
        for (row, col), z in zip(chosen, heights, strict=True)
    ]


def _of_its_population(shape: NucleusShape, spec: FishPhantomSpec) -> FishPhantomSpec:
    """Copy numbers of the sort of tumour cells that a nucleus is of."""
    second = spec.tissue.second
    if second is None or shape.population == 1:
        return spec
    return replace(
        spec,
        her2_mean=second.her2_mean,
        cep17_mean=second.cep17_mean,
        her2_fano=second.her2_fano,
        cep17_fano=second.cep17_fano,
        cluster_fraction=second.cluster_fraction,
        tissue=replace(spec.tissue, clusters=second.clusters),
    )


def _slice_heights(
    shape: NucleusShape, places: npt.NDArray[np.float64], share: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Heights (µm over the section's middle) at a share of the way between the faces of a cut nucleus."""
    slab = shape.slab
    if slab is None:
        raise ValueError("the nucleus is not cut")
    low, high = slice_faces(shape, slab)
    rows, cols = (np.clip(places[:, i].astype(int), 0, low.shape[i] - 1) for i in (0, 1))
    height = low[rows, cols] + share * (high[rows, cols] - low[rows, cols])
    return np.asarray((height - slab.middle) * slab.half_height_um, np.float64)


@dataclass(frozen=True, slots=True)
class _Region:
    """A homogeneously staining region: copies in the whole nucleus, and places of those in the section."""

    copies: int
    places: list[Place]


def _mixed_clusters(
    shape: NucleusShape, clusters: MixedClusters, spec: FishPhantomSpec, rng: np.random.Generator
) -> list[_Region]:
    if rng.random() >= clusters.share:
        return []
    regions = []
    for _ in range(int(rng.integers(1, clusters.most + 1))):
        low, high = np.log(clusters.copies)
        copies = round(float(np.exp(rng.uniform(low, high))))
        # A region is one piece of a chromosome: the knife takes all of it or nothing.
        kept = shape.slab is None or rng.random() < shape.slab.volume
        spread = float(np.exp(rng.uniform(*np.log(clusters.spread_um)))) * np.sqrt(copies) / spec.mpp
        centre = _free_places(shape, 1, spec, rng, inset_um=1.2)[0]
        regions.append(_Region(copies, _around(shape, centre, copies, spread, rng) if kept else []))
    return regions


def _around(
    shape: NucleusShape, centre: Place, copies: int, spread: float, rng: np.random.Generator
) -> list[Place]:
    """Places of the copies of a region, longer than wide, all within the nucleus."""
    row, col, z = centre
    tilt = rng.uniform(0, np.pi)
    along, across = rng.normal(0, spread, copies), rng.normal(0, 0.6 * spread, copies)
    places = []
    for i in range(copies):
        place = (
            row + float(along[i] * np.sin(tilt) + across[i] * np.cos(tilt)),
            col + float(along[i] * np.cos(tilt) - across[i] * np.sin(tilt)),
            z + float(rng.normal(0, 0.3)),
        )
        places.append(_pulled_inside(shape, place, (row, col)))
    return places


def _clustered_places(
    shape: NucleusShape, count: int, spec: FishPhantomSpec, first_cluster: int, rng: np.random.Generator
) -> list[tuple[Place, int]]:
    placed: list[tuple[Place, int]] = []
    for index, size in enumerate(_cluster_sizes(count, spec.cluster_copies)):
        row, col, z = _free_places(shape, 1, spec, rng, inset_um=1.2)[0]
        # A homogeneously staining region grows with its copies and is longer than wide.
        spread = float(np.exp(rng.normal(np.log(0.24), 0.35))) * np.sqrt(size) / spec.mpp
        places = _around(shape, (row, col, z), size, spread, rng)
        placed += [(place, first_cluster + index) for place in places]
    return placed


def _cluster_sizes(count: int, full: int) -> Iterator[int]:
    while count >= full + _SMALLEST_CLUSTER:
        yield full
        count -= full
    if count:
        yield count


def _pulled_inside(shape: NucleusShape, place: Place, centre: tuple[float, float]) -> Place:
    """Move a place towards a centre inside the nucleus until it lies inside as well."""
    row, col, z = place
    for _ in range(8):
        r, c = int(row) - shape.top, int(col) - shape.left
        if 0 <= r < shape.depth.shape[0] and 0 <= c < shape.depth.shape[1] and shape.depth[r, c] > 0:
            return row, col, z
        row, col = (row + centre[0]) / 2, (col + centre[1]) / 2
    return centre[0], centre[1], z


def _copy(
    nucleus_id: int,
    channel: SignalChannel,
    place: Place,
    cluster_id: int,
    spec: FishPhantomSpec,
    rng: np.random.Generator,
) -> Copy:
    row, col, z = place
    peak = _PEAK_E[channel] * spec.signal_level * float(np.exp(rng.normal(0, _PEAK_SPREAD)))
    spots: tuple[tuple[float, float], ...] = ((row, col),)
    if not cluster_id and rng.random() < spec.doublet_fraction:
        half = rng.uniform(0.5, 0.95) * spec.signal_diameter_um / spec.mpp / 2
        tilt = rng.uniform(0, np.pi)
        d_row, d_col = float(half * np.sin(tilt)), float(half * np.cos(tilt))
        spots = ((row - d_row, col - d_col), (row + d_row, col + d_col))
        peak *= 0.65
    return Copy(nucleus_id, channel, spots, z, peak, cluster_id)
