"""A line as COPY reads it: what needs no care is written straight, and is what the careful way writes."""

from dataclasses import replace
from datetime import date

import pytest

from market.statements.rules.identity import line_key_hex
from market.statements.rules.shapes import Line
from market.statements.service.preparing import LINE_COLUMNS, copy_row, line_row

LINE = Line(
    statement=0, n=1, source_line=7, booked_on=date(2026, 3, 2), value_on=None, amount_minor=-7200, currency="EUR", status="BOOK",
    bank_ref="A1", refs=("RF712000000001", "B, {2}"), counterparty_name="Ødegård & Söhne", text="rent RF71 2000 0000 01",
)  # fmt: skip
ID = "0" * 31 + "1"


def careful(line: Line, found: tuple[str, ...]) -> bytes:
    made = {"id": ID, "identity": line_key_hex(line), "creditor_refs": found, "parts": len(line.parts)}
    return copy_row([made.get(name, getattr(line, name, None)) for name in LINE_COLUMNS])


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"value_on": date(2026, 3, 3)},
        {"refs": ()},
        {"batch_refs": ("RUN-1", "M-2")},
        {"returned": True, "return_reason": "AC04"},
    ],
)
def test_plain_lines_are_written_as_with_care(changed: dict[str, object]) -> None:
    line = replace(LINE, **changed)  # type: ignore[arg-type]
    assert line_row(line, ID) == careful(line, ())


@pytest.mark.parametrize("sign", ["\t", "\n", "\r", "\\", "\\N", '"'])
@pytest.mark.parametrize(
    "name", ["bank_ref", "counterparty_name", "counterparty_account", "text", "bank_code", "return_reason", "refs"]
)
def test_signs_that_mean_something_to_copy_are_taken_care_of(name: str, sign: str) -> None:
    value = f"a{sign}b"
    line = replace(LINE, **{name: (value,) if name == "refs" else value})  # type: ignore[arg-type]
    row = line_row(line, ID)
    assert row == careful(line, ())
    assert row.count(b"\t") == len(LINE_COLUMNS) - 1
    assert row.count(b"\n") == 1
