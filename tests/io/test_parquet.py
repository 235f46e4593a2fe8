import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nnbook.errors import MissingFileError, NnbookError
from nnbook.io.parquet import open_parquet, read_parquet, write_groups, write_parquet

TABLE = pd.DataFrame({"panorama": ["a", "a", "b"], "roi": [1, 2, 1], "area_um2": [1.5, 2.25, 3.0]})


def test_no_bit_of_a_table_changes_without_notice(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_parquet(path, TABLE)
    whole = path.read_bytes()
    refused = []
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            found = read_parquet(path, "make it again")
        except NnbookError as error:
            refused.append(str(error))
        else:
            pd.testing.assert_frame_equal(found, TABLE)
    assert len(refused) > len(whole) / 8
    for line in refused:
        assert re.fullmatch(rf"{re.escape(str(path))}: can't be read as Parquet \([^\n]+\); make it again", line)


@pytest.mark.parametrize("table", [TABLE, TABLE.iloc[:0]])
def test_other_readers_read_what_has_checksums(tmp_path: Path, table: pd.DataFrame) -> None:
    path = tmp_path / "t.parquet"
    write_parquet(path, table, row_group_size=2)
    for found in (pd.read_parquet(path), pq.read_table(path, page_checksum_verification=True).to_pandas()):
        pd.testing.assert_frame_equal(found, table)
    with open_parquet(path, "") as file:
        pd.testing.assert_frame_equal(file.read().to_pandas(), table)


def test_tables_of_other_programs_need_no_checksum(tmp_path: Path) -> None:
    for number, rows in enumerate((TABLE, TABLE.iloc[:0])):
        path = tmp_path / f"{number}.parquet"
        rows.to_parquet(path, index=False)
        pd.testing.assert_frame_equal(read_parquet(path, ""), rows)
        pd.testing.assert_frame_equal(read_parquet(path, "", ["roi"]), rows[["roi"]])


def test_what_is_no_such_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    with pytest.raises(MissingFileError, match=r"t\.parquet: no such file; make it$"):
        read_parquet(path, "make it")
    for content in (b"", b"PAR1", b"PAR1PAR1PAR1", b"PAR1\xff\xff\xff\xffPAR1"):
        path.write_bytes(content)
        with pytest.raises(NnbookError, match=r"t\.parquet: can't be read as Parquet \(.+\); make it$"):
            read_parquet(path, "make it")
    write_parquet(path, TABLE)
    with pytest.raises(NnbookError, match=r"t\.parquet: has no column colour, size; make it$"):
        read_parquet(path, "make it", ["size", "roi", "colour"])


def test_many_small_tables_are_not_joined_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    join, joined = pa.concat_tables, 0

    def counted(tables: list[pa.Table], **options: Any) -> pa.Table:
        nonlocal joined
        joined += sum(table.column(0).num_chunks for table in tables)
        return join(tables, **options)

    monkeypatch.setattr(pa, "concat_tables", counted)
    count = 3_500
    schema = pa.schema([("roi", pa.int64())])
    write_groups(tmp_path / "a.parquet", (pa.table({"roi": [n]}) for n in range(count)), schema, 2_400)
    assert joined < 1.1 * count
    file = pq.ParquetFile(tmp_path / "a.parquet")
    assert [file.metadata.row_group(group).num_rows for group in range(2)] == [2_400, 1_100]
    assert file.read()["roi"].to_pylist() == list(range(count))
