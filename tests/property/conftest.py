"""Property tests draw the same examples everywhere and know no deadline: a slow machine is no defect."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("her2path", deadline=None, derandomize=True, database=None)
settings.load_profile("her2path")
