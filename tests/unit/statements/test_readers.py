"""What the readers of MT940, OFX and CSV make of the untidy things that banks write (money.md 7.1)."""

from datetime import date
from io import BytesIO

import pytest

from market.statements.rules.identity import line_key, occurrences
from market.statements.rules.readers.delimited import CsvMapping
from market.statements.rules.readers.recognise import read_statements
from market.statements.rules.references import find_references
from market.statements.rules.shapes import Line, Statement, Unreadable


def read(content: str | bytes, mapping: CsvMapping | None = None) -> tuple[list[Line], list[Statement]]:
    raw = content if isinstance(content, bytes) else content.encode()
    events = list(read_statements(BytesIO(raw), default_currency="EUR", mappings=[mapping] if mapping else []))
    return [e for e in events if isinstance(e, Line)], [e for e in events if isinstance(e, Statement)]


def mt940(*entries: str, closing: str = "C260131EUR100,00") -> str:
    body = "\r\n".join(entries)
    return f":20:X\r\n:25:NL91ABNA0417164300\r\n:28C:1/1\r\n:60F:C260101EUR100,00\r\n{body}\r\n:62F:{closing}\r\n-\r\n"


def test_reversal_marks_turn_the_direction() -> None:
    lines, (statement,) = read(
        mt940(":61:2601020102RC10,00NTRFNONREF", ":61:2601020102RD4,NTRFNONREF", closing="C260131EUR94,00")
    )
    assert [(line.amount_minor, line.reversal, line.returned) for line in lines] == [(-1000, True, False), (400, True, True)]
    assert statement.difference_minor == 0


@pytest.mark.parametrize(
    ("text", "booked_on"),
    [("1401101224", date(2013, 12, 24)), ("1412240102", date(2015, 1, 2)), ("140210", date(2014, 2, 10))],
)
def test_the_year_of_the_entry_day_is_the_nearest(text: str, booked_on: date) -> None:
    (line,), _ = read(mt940(f":61:{text}C1,62NTRFNONREF"))
    assert line.booked_on == booked_on


def test_details_of_german_banks_are_joined_and_taken_apart() -> None:
    (line,), _ = read(
        mt940(
            ":61:2601020102DR64,80NTRFNONREF//BANK1",
            ":86:116?00SEPA CREDIT?109310?20EREF+RF472000000322?21SVWZ+Payout rf47 20",
            "00 0003 22 of the week?30ABNANL2A?31NL91ABNA0417164300?32ANA",
            "?33EXAMPLE",
        )
    )
    assert (line.counterparty_account, line.counterparty_name) == ("NL91ABNA0417164300", "ANA EXAMPLE")
    assert (line.bank_ref, line.bank_code) == ("BANK1", "116")
    assert line.refs == ("RF472000000322",)
    assert "Payout rf47 2000 0003 22 of the week" in line.text


def test_details_with_slashes_are_taken_apart_also_where_a_word_is_cut() -> None:
    (line,), _ = read(
        mt940(
            ":61:2601020102C1,00NTRFNONREF", ":86:/TRTP/SEPA OVERBOEKING/IBAN/NL91ABNA0417164300/NA", "ME/Ana/REMI/rf 18/EREF/X-1"
        )
    )
    assert (line.counterparty_name, line.counterparty_account) == ("Ana", "NL91ABNA0417164300")
    assert (line.text, line.refs) == ("rf 18", ("X-1",))


def test_a_returned_transfer_says_why() -> None:
    (line,), _ = read(mt940(":61:2601020102C5,00NRTINONREF", ":86:159?00RETURN?20SVWZ+RETURN AC04 account closed"))
    assert (line.returned, line.return_reason) == (True, "AC04")


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (":61:2622020102C5,00NTRFNONREF", "bad_day"),
        (":61:260102C5,00,1NTRF", "bad_line"),
        (":61:hello", "bad_line"),
        (":61:260102C5,005NTRFNONREF", "bad_amount"),
    ],
)
def test_an_entry_that_must_be_guessed_refuses_the_file(entry: str, code: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        read(mt940(entry))
    assert refusal.value.code == f"statements.{code}"


def test_a_reference_is_found_in_any_field_of_any_format() -> None:
    (line,), _ = read(mt940(":61:2601020102C5,00NTRFNONREF", ":86:from Ana rf47-2000-", "000322"))
    assert len(find_references(*line.refs, line.text)) <= 1


OFX = (
    "OFXHEADER:100\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>123456789</BANKACCTFROM><BANKTRANLIST>"
    "{}</BANKTRANLIST><LEDGERBAL><BALAMT>7,50<DTASOF>20260131</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
)
COFFEE = "<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260102<TRNAMT>-2,50<FITID>{}<NAME>Caf&eacute; &amp; Co</STMTTRN>"


def test_two_equal_coffees_are_two_lines_in_ofx_too() -> None:
    lines, (statement,) = read(OFX.format(COFFEE.format("1") + COFFEE.format("2")))
    assert [line.amount_minor for line in lines] == [-250, -250]
    assert len({line_key(line) for line in lines}) == 2
    assert lines[0].counterparty_name == "Café & Co"
    assert statement.closing is not None
    assert (statement.closing.minor, statement.opening) == (750, None)
    assert not statement.findings


def test_a_repeated_or_missing_fitid_is_told() -> None:
    lines, (statement,) = read(OFX.format(COFFEE.format("1") + COFFEE.format("1") + COFFEE.format("")))
    assert [each.code for each in statement.findings if each.hold] == ["line_id_repeated", "no_line_id"]
    keys = [line_key(line) for line in lines]
    assert list(occurrences(keys, {})) == [1, 2, 1]


def test_an_ofx_file_that_does_not_say_that_it_ends_waits_for_a_person() -> None:
    whole = OFX.format(COFFEE.format("1"))
    _, (statement,) = read(whole)
    assert statement.findings == []
    _, (statement,) = read(whole.removesuffix("</BANKMSGSRSV1></OFX>"))  # another statement may have stood there
    assert [(each.code, each.hold) for each in statement.findings] == [("no_end", True)]


def test_an_unclosed_entry_is_not_lost() -> None:
    lines, _ = read(OFX.format(COFFEE.replace("</STMTTRN>", "").format("1") + COFFEE.format("2")))
    assert len(lines) == 2


HEAD = "Day;Text;Amount;Balance\n"
DEUTSCH = CsvMapping(
    {"date": "Day", "text": "Text", "amount": "Amount", "balance": "Balance"},
    delimiter=";", decimal=",", thousands=".", date_format="%d.%m.%Y",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("-1.234,56", -123456),
        ("(1.234,50)", -123450),
        ("500 DR", -50000),
        ("Ksh 2 000", 200000),
        ("1 234,56-", -123456),
        ("\u22121.234.567,8", -123456780),
        ("EUR 12", 1200),
        ("+3,00 CR", 300),
    ],
)
def test_amounts_are_read_as_banks_write_them(text: str, minor: int) -> None:
    (line,), _ = read(f"{HEAD}02.01.2026;x;{text};\n", DEUTSCH)
    assert line.amount_minor == minor


@pytest.mark.parametrize("text", ["1,234.56", "1.23", "12,3,4", "1e3", "", "١٢", "1.2345,00", "--1"])
def test_an_amount_in_another_style_refuses_the_file(text: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        read(f"{HEAD}02.01.2026;x;{text};\n", DEUTSCH)
    assert refusal.value.code == "statements.bad_amount"


@pytest.mark.parametrize("text", ["1,230", "-150,000"])
def test_an_amount_that_may_be_a_thousand_times_as_much_waits_for_a_person(text: str) -> None:
    for clear in ("1,23", "0,230", "1.001,230", "1,2300", "1.230"):
        _, (statement,) = read(f"{HEAD}02.01.2026;x;{clear};\n", DEUTSCH)
        assert "decimals_unclear" not in {each.code for each in statement.findings}
    _, (statement,) = read(f"{HEAD}02.01.2026;x;{text};\n", DEUTSCH)
    assert ("decimals_unclear", True) in {(each.code, each.hold) for each in statement.findings}


def test_the_running_balance_is_checked_row_by_row() -> None:
    good = "02.01.2026;a;1,00;11,00\n03.01.2026;b;2,00;13,00\n"
    _, (statement,) = read(HEAD + good, DEUTSCH)
    assert statement.opening is not None
    assert (statement.opening.minor, statement.difference_minor, statement.findings) == (1000, 0, [])
    _, (statement,) = read(HEAD + good.replace("13,00", "14,00"), DEUTSCH)
    assert {each.code for each in statement.findings} == {"running_balance", "does_not_close"}


def test_equal_rows_are_told_apart_by_their_running_balance() -> None:
    rows = "02.01.2026;coffee;-2,50;97,50\n02.01.2026;coffee;-2,50;95,00\n"
    lines, _ = read(HEAD + rows, DEUTSCH)
    assert len({line_key(line) for line in lines}) == 2


def test_a_csv_without_a_mapping_asks_for_one() -> None:
    for mapping in (None, CsvMapping({"date": "Datum", "amount": "Betrag"}, delimiter=";")):
        with pytest.raises(Unreadable) as refusal:
            read(f"{HEAD}02.01.2026;x;1,00;\n", mapping)
        assert refusal.value.code == "statements.mapping_needed"


def test_a_csv_in_another_encoding_is_read_by_its_mapping() -> None:
    mapping = CsvMapping({"date": "Day", "text": "Text", "amount": "Amount"}, encoding="utf-16", delimiter=";")
    (line,), _ = read("\ufeffDay;Text;Amount\n2026-01-02;Café;1.00\n".encode("utf-16-le"), mapping)
    assert line.text == "Café"
    with pytest.raises(Unreadable) as refusal:
        read(
            "Day;Text;Amount\n2026-01-02;Caf\xe9;1.00\n".encode("latin-1"),
            CsvMapping(mapping.columns, encoding="utf-8", delimiter=";"),
        )
    assert refusal.value.code == "statements.wrong_encoding"
