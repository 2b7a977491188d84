"""Tables of features."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from tests.sources.made import left, written

COUNT = 40
FIGURES = np.random.default_rng(0).normal(size=(COUNT, 3))


def frame() -> pd.DataFrame:
    table = pd.DataFrame(FIGURES, columns=["x", "y", "größe"])
    table.insert(1, "label", np.arange(COUNT) % 4)
    return table


def read(path: Path, label: str = "label") -> tuple[Labelled, Labelled]:
    changes = {"source": "table", "path": str(path), "size": "auto", "channels": "auto"}
    return written(path.parent / "out", label=label, **changes)


def refused(tmp_path: Path, table: pd.DataFrame | str, problem: str, name: str = "t.csv") -> None:
    if isinstance(table, str):
        (tmp_path / name).write_text(table)
    else:
        table.to_csv(tmp_path / name, index=False)
    with pytest.raises(InputError, match=problem) as error:
        read(tmp_path / name)
    assert "\n" not in str(error.value)
    assert left(tmp_path / "out") == [] if (tmp_path / "out").exists() else True


@pytest.mark.parametrize("name", ["t.csv", "T.CSV", "ein Tisch.csv.gz"])
def test_share_of_every_class_is_held_out(tmp_path: Path, name: str) -> None:
    frame().to_csv(tmp_path / name, index=False)
    train, test = read(tmp_path / name)
    assert train.inputs.dtype == np.float32
    assert train.inputs.shape == (30, 3)
    assert sorted(np.bincount(test.labels)) == [2, 2, 3, 3]
    assert train.classes == ["0", "1", "2", "3"]
    assert train.advice["trunk"] == "identity"
    expected = dict(zip(FIGURES[:, 0].astype(np.float32), np.arange(COUNT) % 4, strict=True))
    for part in (train, test):
        assert [expected[x] for x in part.inputs[:, 0]] == part.labels.tolist()


def test_official_parts_may_order_their_columns_differently(tmp_path: Path) -> None:
    table = frame()
    table.to_csv(tmp_path / "train.csv", index=False)
    table.iloc[:8, ::-1].to_csv(tmp_path / "test.csv", index=False)
    train, test = read(tmp_path)
    assert np.array_equal(train.inputs[:8], test.inputs)
    assert np.array_equal(train.labels[:8], test.labels)


def test_long_table_is_read_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame().to_csv(tmp_path / "t.csv", index=False)
    whole = read(tmp_path / "t.csv")
    monkeypatch.setattr("pipeline.sources.frames.ROWS", 7)
    for one, other in zip(whole, read(tmp_path / "t.csv"), strict=True):
        assert np.array_equal(one.inputs, other.inputs)
        assert np.array_equal(one.labels, other.labels)


def test_names_of_classes_are_text(tmp_path: Path) -> None:
    table = frame()
    table["kind"] = np.array(["no", "NA", "01", "1.0"])[table.pop("label")]
    table.to_csv(tmp_path / "t.csv", index=False)
    train, _ = read(tmp_path / "t.csv", label="kind")
    assert train.classes == ["01", "1.0", "NA", "no"]


def test_copies_of_a_row_are_on_one_side(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.concat([frame(), frame()]).to_csv(tmp_path / "t.csv", index=False)
    train, test = read(tmp_path / "t.csv")
    assert not {row.tobytes() for row in train.inputs} & {row.tobytes() for row in test.inputs}
    assert "40 copies of a row: copies are on the same side" in capsys.readouterr().err


def test_column_of_the_classes_must_be_there(tmp_path: Path) -> None:
    problem = "no column label, which data.label names; did you mean lable?"
    refused(tmp_path, frame().rename(columns={"label": "lable"}), problem)


def test_bad_tables_are_refused(tmp_path: Path) -> None:
    text = frame().assign(colour="red", name="x")
    refused(tmp_path, text, r"no numbers in the column colour \('red'\), name \('x'\)")
    refused(tmp_path, frame().assign(y=True), r"no numbers in the column y \('True'\)")
    hole = frame()
    hole.loc[[4, 9], "y"] = np.nan
    refused(tmp_path, hole, "no finite number in row 5, column y; .* row 10, column y$")
    hole.loc[:, "y"] = np.nan
    refused(tmp_path, hole, "row 5, column y; and 35 more$")
    hole.loc[:, "y"] = 1e39
    refused(tmp_path, hole, "no finite number in row 1, column y")
    refused(tmp_path, frame()[["label"]], "no column of numbers beside label")
    refused(tmp_path, frame().iloc[:0], "no row")
    refused(tmp_path, "", "cannot be read as a table: No columns")
    longer = "label,x\n" + "a,2\nb,1\n" * 3
    refused(tmp_path, longer + "a,2,3\n", "cannot be read as a table: .*line 8")
    shifted = longer.replace("\na", "\na,a").replace("\nb", "\na,b")
    refused(tmp_path, shifted, "cannot be read as a table: .*more values than there are columns")
    refused(tmp_path, frame().iloc[:10], r"class 2 has 2 rows, at least 3 needed")
    nameless = frame().astype({"label": object})
    nameless.loc[[2, 3], "label"] = ["", " "]
    refused(tmp_path, nameless, "no class in the column label in row 3, 4")
    index = frame().to_csv()
    refused(tmp_path, index, r"column 1 has no name; every column needs one \(pandas")
    refused(tmp_path, "x", "name ends in .parquet, .csv, .csv.gz", name="t.xlsx")
    refused(tmp_path, "x", r"t\.csv\.gz: cannot be read as a table: .*gzip", name="t.csv.gz")


def test_text_of_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("label,größe\n1,2\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"cannot be read as a table: .*utf-8"):
        read(tmp_path / "t.csv")


def test_folder_needs_two_tables(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "train.csv", index=False)
    with pytest.raises(InputError, match="a folder with one named train and one named test"):
        read(tmp_path)
    frame().drop(columns="y").assign(z=1.0).to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(InputError, match=r"train\.csv or test\.csv lacks the columns y, z"):
        read(tmp_path)


def test_parquet_needs_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    for package in ("pyarrow", "fastparquet"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match="Parquet needs pyarrow, which is not installed; `uv pip"):
        read(tmp_path / "t.parquet")


def test_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    frame().assign(label=frame()["label"].astype(float)).to_parquet(tmp_path / "t.parquet")
    frame().to_csv(tmp_path / "t.csv", index=False)
    for one, other in zip(read(tmp_path / "t.parquet"), read(tmp_path / "t.csv"), strict=True):
        assert np.array_equal(one.inputs, other.inputs)
        assert np.array_equal(one.labels, other.labels)
        assert one.classes == other.classes
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="cannot be read as a table: "):
        read(tmp_path / "t.parquet")
