"""What leaves the house as a file for spreadsheets."""

import csv
import io
import re
import tempfile
import tracemalloc
import zipfile
from decimal import Decimal

import pytest

from market.kernel.sheets import csv_lines, write_workbook
from tests.conftest import ROOT


@pytest.mark.parametrize("text", ["=1+1", "+49", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")'])
def test_an_exported_cell_is_never_run_by_a_spreadsheet(text):
    file = "".join(csv_lines(["a", "b"], iter([[text, "beside"]]))).removeprefix("\ufeff")
    assert list(csv.reader(io.StringIO(file, newline="")))[1] == ["'" + text, "beside"]


def test_a_workbook_has_the_amounts_as_they_are_written():
    with tempfile.TemporaryFile() as file:
        write_workbook(file, ["a"], iter([[Decimal("96.07")], [Decimal("-0.10")], [7], [Decimal("12345678901.23")]]))
        sheet = zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml").decode()
    assert re.findall(r"<v>([^<]*)</v></c></row>", sheet) == ["96.07", "-0.1", "7", "12345678901.23"]


def test_every_writer_of_csv_guards_its_cells():
    writers = [path for path in (ROOT / "market").rglob("*.py") if "csv.writer(" in path.read_text()]
    assert len(writers) >= 3
    assert not [path.name for path in writers if "safe" not in path.read_text()]


def test_a_workbook_of_any_length_is_written_in_the_same_memory():
    def peak(count: int) -> int:
        tracemalloc.start()
        with tempfile.TemporaryFile() as file:
            assert write_workbook(file, ["a", "b"], ([number, f"row {number}"] for number in range(count))) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)  # loads the writer itself
    assert peak(8_000) < peak(2_000) + 200_000
