"""Tables as files that spreadsheets open: CSV and XLSX, written row by row, and no cell that is taken for a formula.

A text that begins like a formula would be run by the reader's spreadsheet: in CSV it gets an apostrophe, in XLSX it is
written as what it is, a text (OWASP, CSV injection). Numbers stay numbers.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(value: Any) -> str:
    """Return a cell of a CSV file that no spreadsheet takes for a formula; numbers stay numbers."""
    if isinstance(value, int | Decimal):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_lines(headings: Sequence[str], rows: Iterator[Sequence[Any]]) -> Iterator[str]:
    """Yield a CSV file in pieces; it begins with a byte order mark, by which spreadsheets know that it is UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    text.write("\ufeff")
    writer.writerow(headings)
    for number, row in enumerate(rows, 1):
        writer.writerow([safe(value) for value in row])
        if number % 200 == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


class _Shortest(float):
    """A number that is written by its shortest name, 96.07: the writer's own 16 digits make 96.06999999999999 of it."""

    def __format__(self, spec: str) -> str:
        return repr(float(self)).removesuffix(".0")


def write_workbook(file: Any, headings: Sequence[str], rows: Iterator[Sequence[Any]]) -> int:
    """Write an XLSX file row by row and return how many; texts are written as texts, whatever they begin with."""
    import xlsxwriter  # here, because no start should wait for it

    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet()
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.freeze_panes(1, 0)
    number = 0
    for place, heading in enumerate(headings):
        sheet.write_string(0, place, heading, bold)
        sheet.set_column(place, place, max(12, len(heading) + 2))
    for number, row in enumerate(rows, 1):
        for place, value in enumerate(row):
            if isinstance(value, int | Decimal):
                sheet.write_number(number, place, _Shortest(value))
            elif isinstance(value, datetime):
                sheet.write_string(number, place, value.isoformat(timespec="seconds"))
            elif isinstance(value, date):
                sheet.write_datetime(number, place, value, day)
            else:
                sheet.write_string(number, place, str(value)[:32_000])
    book.close()
    return number
