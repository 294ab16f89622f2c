"""What a lifelike IHC phantom shows beyond the plain one: details of tissue, and artefacts.

Optical densities are decadic; lengths are in µm.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from her2path.imaging.artefacts import ArtefactKind


@dataclass(frozen=True, slots=True)
class TissueDetail:
    """Nuclei, stroma, structures and unspecific stain of lifelike tissue."""

    relief: float = 0.8
    """Grey lines and halos at edges that refract light, in units of the density at the edge."""
    nuclear_scale: float = 1.0
    """Size of tumour nuclei; 1 = half axes of about 2.9 to 4.6 µm before crowding."""
    vesicular: float = 0.6
    """Mean openness of the chromatin, 0 to 1."""
    pleomorphism: float = 0.3
    """0 = all nuclei alike, 1 = their sizes differ threefold and outlines are irregular."""
    crowding: float = 0.3
    """0 = nuclei keep off the membrane, 1 = they touch and overlap their neighbours."""
    stroma_cells_per_mm2: float = 1200.0
    """Fibroblasts, macrophages and endothelium."""
    looseness: float = 0.5
    """Share of the stroma that is open: holes and clefts."""
    vacuoles: float = 0.2
    """Share of the cytoplasm's places that are empty."""
    granularity: float = 0.4
    """Contrast of the cytoplasm's grain, 0 to 1."""
    stratified: bool = False
    """Glands have several layers of polygonal cells instead of one row of columns."""
    epithelium_um: float = 26.0
    """Height of the epithelium of glands, at least 8."""
    nucleoli: float = 1.0
    """Darkness of nucleoli, relative."""
    gaps: float = 0.2
    """How pale the seams between tumour cells are, 0 to 1."""
    retraction_um: float = 0.0
    """Widest cleft between nests and stroma."""
    basophilia: float = 1.0
    """Hematoxylin of the cytoplasm, relative."""
    oblique: float = 0.25
    """Share of the membranes that are cut obliquely and show as smears."""
    dab_spread: float = 0.13
    """DAB of the membrane found again in the cytoplasm, as a share of the class density."""
    cytoplasm_dab_od: float = 0.0
    """Granular DAB in the cytoplasm of tumour cells: not membrane, whatever its density."""
    nuclear_dab_od: float = 0.0
    """Unspecific DAB in nuclei of tumour cells."""
    stroma_dab_od: float = 0.0
    """DAB that tints the stroma."""
    edge_dab_od: float = 0.0
    """DAB along the rim of the tissue, within about 30 µm of glass."""
    ducts_per_mm2: float = 0.0
    """Benign two-layered ducts."""
    vessels_per_mm2: float = 0.0
    """Vessels with endothelium and red cells."""
    red_cells_per_mm2: float = 0.0
    """Red cells that lie loose in the stroma."""
    aggregates_per_mm2: float = 0.0
    """Dense clusters of lymphocytes."""
    necrosis_fraction: float = 0.0
    """Share of the tumour that is necrotic."""
    fat_fraction: float = 0.0
    """Share of the image that is adipose tissue."""
    lumen_content: float = 0.0
    """Mucus and strands in the lumens of glands, 0 = empty."""
    mitoses: float = 0.004
    """Share of tumour nuclei in mitosis; as many again are apoptotic."""

    def __post_init__(self) -> None:
        for item in fields(self):
            if getattr(self, item.name) < 0:
                raise ValueError(f"{item.name} must be >= 0, got {getattr(self, item.name)}")
        for name in (
            "vesicular",
            "pleomorphism",
            "crowding",
            "looseness",
            "vacuoles",
            "granularity",
            "oblique",
        ):
            if getattr(self, name) > 1:
                raise ValueError(f"{name} must lie between 0 and 1, got {getattr(self, name)}")
        if self.epithelium_um < 8:
            raise ValueError(f"an epithelium is at least 8 µm high, got {self.epithelium_um}")
        if max(self.necrosis_fraction, self.fat_fraction) > 0.9 or self.mitoses > 0.4:
            raise ValueError("fractions of necrosis and fat are at most 0.9 and mitoses at most 0.4")


@dataclass(frozen=True, slots=True)
class ArtefactSpec:
    """One artefact and where it lies; what is drawn at random comes from the phantom's seed."""

    kind: ArtefactKind
    x_frac: float = 0.5
    """Place in the image, 0 to 1 from the left; of lines, a point on them."""
    y_frac: float = 0.5
    size_um: float = 120.0
    """Width of a pen stroke or a fold, radius of anything round."""
    angle_rad: float = 0.6
    """Direction of a stroke, a fold or an edge, from the column axis towards the row axis."""
    strength: float = 1.0
    """Density or blur, relative to a typical artefact of the kind."""
    variant: int = 0
    """Ink of a pen (black, blue, green, red, brown); debris as dust, threads, chromogen
    precipitate or hematoxylin precipitate; pigment as anthracosis or hemosiderin."""

    def __post_init__(self) -> None:
        if not self.size_um > 0 or not self.strength > 0:
            raise ValueError("an artefact has a size and a strength above 0")
        if self.variant < 0:
            raise ValueError(f"a variant is a place >= 0 in its list, got {self.variant}")
