from __future__ import annotations

import os

from her2path.io.files import state_of


def test_a_folder_has_changed_where_one_of_its_files_has(tmp_path):
    slide = tmp_path / "series"
    slide.mkdir()
    (slide / "Jane Doe.dcm").write_bytes(b"level 0")
    before = state_of(slide)
    assert state_of(slide) == before
    assert "Jane" not in before
    folder_time = slide.stat().st_mtime_ns
    os.utime(slide / "Jane Doe.dcm", ns=(1, 1))
    assert slide.stat().st_mtime_ns == folder_time
    assert state_of(slide) != before
