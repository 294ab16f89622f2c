"""What documents say of the optics of a FISH image: what its own spots and background taught."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt
from pydantic import BaseModel, ConfigDict

from her2path.io.call_entries import Share


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SingleSignalEntry(_Entry):
    """What one signal looks like in a channel."""

    sigma_um: Annotated[float, Gt(0)]
    """Width (standard deviation) of its spot."""
    diameter_um: Annotated[float, Gt(0)]
    """Spots no further apart count as one signal."""
    height: Annotated[float, Gt(0)]
    """Height above its surroundings, in pixel values."""
    light: Annotated[float, Gt(0)] | None = None
    """Sum over its pixels; None = too few lone signals, so no cluster is estimated."""
    light_spread_frac: Annotated[float, Ge(0)] | None = None
    """Spread (standard deviation over mean) of the light of lone signals."""
    snr: Annotated[float, Gt(0)]
    """Height over the noise of a typical nucleus."""


class ChannelOptics(_Entry):
    """Measuring conditions of one probe channel."""

    role: str
    single: SingleSignalEntry | None = None
    """None = too few spots to tell."""
    shift_x_um: float | None = None
    """How far the channel's picture lies to the right of DAPI's (chromatic shift); None = cannot be told."""
    shift_y_um: float | None = None
    """The same downwards."""
    unevenness_frac: Share | None = None
    """By how much a signal at the dimmest place of the field is weaker than at the brightest; None = too few
    signals to tell, so nothing was corrected."""
    false_signals_per_nucleus: Annotated[float, Ge(0)] | None = None
    """Expected number of counted spots of a nucleus without signals, from the depth of its own noise."""


class BleedThrough(_Entry):
    """Light of one channel's dye in another channel, taken away before counting."""

    source: str
    target: str
    share: Share


class FishSignalsResult(_Entry):
    """What the signals of one FISH image taught about its optics."""

    channels: tuple[ChannelOptics, ...]
    bleed_through: tuple[BleedThrough, ...] = ()
