from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError
from her2path.io.documents import Producer
from her2path.io.tables import FISH_SIGNALS, not_evaluable_of, open_table, produced_by_of, write_table

MAKER = Producer(step="fish_signals", version="0.1.0", params={"min_snr": 3.5, "names": ["a", "µ"]})


def test_a_table_says_which_step_made_it_with_which_parameters(tmp_path):
    path = tmp_path / "t.parquet"
    with write_table(path, FISH_SIGNALS, produced_by=MAKER):
        pass
    assert produced_by_of(path) == MAKER
    with open_table(path, FISH_SIGNALS) as table:
        assert table.metadata.num_rows == 0


def test_a_table_can_say_both_who_made_it_and_why_it_is_empty(tmp_path):
    path, why = tmp_path / "t.parquet", NotEvaluable("no_tissue", "no tissue")
    with write_table(path, FISH_SIGNALS, not_evaluable=why, produced_by=MAKER):
        pass
    assert (not_evaluable_of(path), produced_by_of(path)) == (why, MAKER)


def test_a_table_without_a_maker_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(FISH_SIGNALS.empty_table(), path)
    with pytest.raises(ArtefactError, match="which step made it"):
        produced_by_of(path)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"no table")
    with pytest.raises(ArtefactError, match=r"t\.parquet"):
        produced_by_of(path)
