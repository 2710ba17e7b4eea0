"""Formats beside camt.053: what posts and what only announces, mappings of CSV, large files read by a worker."""

from contextlib import contextmanager
from io import BytesIO

import pytest
from sqlalchemy import select, update

from market.ledger import queries as books
from market.ledger import service as ledger
from market.reports.queries import desks, lists
from market.reports.queries.lists import Viewer
from market.statements import queries, service
from market.statements.errors import BadMapping
from market.statements.models import InterimLine, StatementFile, StatementLine, StatementLinePart
from market.statements.rules.accounts import same_account
from market.statements.rules.readers.delimited import CsvMapping
from market.statements.service.csv_formats import mappings_of
from tests.conftest import NOW
from tests.factories.statements import CLERK, import_bytes, import_lines, line, make_account, make_file

CSV = b"Date;Text;Amount;Balance\n2026-11-20;Coffee;-2,50;97,50\n2026-11-20;Coffee;-2,50;95,00\n"
MAPPING = CsvMapping({"date": "Date", "text": "Text", "amount": "Amount", "balance": "Balance"}, delimiter=";", decimal=",")


def mirror(session, account) -> int:
    return books.balance(session, ledger.book_of(session, account.coop_id), "bank:1", account.currency).minor


def other_message(content: bytes, message: str, statement: str) -> bytes:
    return (
        content.replace(b"camt.053", message.encode())
        .replace(b"BkToCstmrStmt", {"camt.052": b"BkToCstmrAcctRpt", "camt.054": b"BkToCstmrDbtCdtNtfctn"}[message])
        .replace(b"<Stmt>", f"<{statement}>".encode())
        .replace(b"</Stmt>", f"</{statement}>".encode())
    )


def announced(session, account):
    return lists.page(session, desks.announced(Viewer(account.coop_id, "EUR", "UTC")), {}).items


def test_an_interim_report_never_posts_and_the_statement_books_it_once(session) -> None:
    account = make_account(session)
    booked = make_file(account, [line(10_000, ref="A"), line(-250, ref="B")])
    interim = other_message(booked, "camt.052", "Rpt")
    result = import_bytes(session, account, interim)
    assert (result.outcome, result.new_lines) == ("imported", 0)
    assert mirror(session, account) == 0
    assert [each.amount_minor for each in announced(session, account)] == [10_000, -250]
    assert import_bytes(session, account, interim.replace(b"<GrpHdr>", b"<GrpHdr> ")).outcome == "imported"
    assert len(session.scalars(select(InterimLine)).all()) == 2  # a repeated report announces nothing new
    result = import_bytes(session, account, booked)
    assert (result.outcome, result.new_lines) == ("imported", 2)
    assert mirror(session, account) == 9_750
    assert announced(session, account) == []


@pytest.mark.parametrize("first", ["notification", "statement"])
def test_a_notification_lists_what_the_statement_books_as_one_sum(session, first: str) -> None:
    account = make_account(session)
    statement = make_file(account, [line(-1000, ref="BATCH")])
    details = b"".join(
        f"<TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs><Amt Ccy='EUR'>{n}.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>".encode()
        for n in (4, 6)
    )
    listed = other_message(statement, "camt.054", "Ntfctn")
    start, end = listed.index(b"<NtryDtls>"), listed.index(b"</NtryDtls>")
    listed = listed[:start] + b"<NtryDtls>" + details + listed[end:]
    for content in (listed, statement) if first == "notification" else (statement, listed):
        assert import_bytes(session, account, content).outcome == "imported"
    session.expire_all()
    (row,) = session.scalars(select(StatementLine)).all()
    assert (row.parts, mirror(session, account)) == (2, -1000)
    parts = session.scalars(select(StatementLinePart).order_by(StatementLinePart.n)).all()
    assert [(part.amount_minor, part.refs) for part in parts] == [(-400, ["E4"]), (-600, ["E6"])]


def test_a_csv_waits_for_its_mapping_and_is_then_imported_from_what_was_kept(session) -> None:
    account = make_account(session)
    result = import_bytes(session, account, CSV)
    assert result.outcome == "refused"
    assert session.get(StatementFile, result.file_id).code == "statements.mapping_needed"
    with pytest.raises(BadMapping, match="no column"):
        service.save_mapping(
            session,
            file_id=result.file_id,
            mapping=CsvMapping({"date": "Datum", "amount": "Amount"}, delimiter=";"),
            actor=CLERK,
            now=NOW,
        )
    lines, statement = service.save_mapping(session, file_id=result.file_id, mapping=MAPPING, actor=CLERK, now=NOW)
    assert [each.amount_minor for each in lines] == [-250, -250]
    assert statement.difference_minor == 0
    prepared = service.prepare_file(BytesIO(CSV), name="a.csv", currency="EUR", mappings=mappings_of(session, account.id))
    again = service.import_file(session, money_account_id=account.id, prepared=prepared, actor=CLERK, now=NOW)
    assert (again.outcome, again.new_lines, again.file_id) == ("imported", 2, result.file_id)
    assert queries.file(session, again.file_id).balances[0]["closing_minor"] == 9_500


def test_a_new_mapping_for_the_same_header_replaces_the_old_one(session) -> None:
    account = make_account(session)
    result = import_bytes(session, account, CSV)
    for mapping in (MAPPING, CsvMapping(MAPPING.columns, delimiter=";", decimal=",", currency="EUR")):
        service.save_mapping(session, file_id=result.file_id, mapping=mapping, actor=CLERK, now=NOW)
    assert [each.currency for each in mappings_of(session, account.id)] == ["EUR"]


def test_an_overlapping_csv_adds_only_what_is_new(session) -> None:
    account = make_account(session)
    service.save_mapping(session, file_id=import_bytes(session, account, CSV).file_id, mapping=MAPPING, actor=CLERK, now=NOW)

    def take(content: bytes) -> service.Imported:
        prepared = service.prepare_file(BytesIO(content), name="a.csv", currency="EUR", mappings=mappings_of(session, account.id))
        return service.import_file(session, money_account_id=account.id, prepared=prepared, actor=CLERK, now=NOW, confirmed=True)

    assert take(CSV).new_lines == 2
    longer = take(CSV + b"2026-11-20;Coffee;-2,50;92,50\n")
    assert (longer.new_lines, longer.known_lines) == (1, 2)
    assert mirror(session, account) == -750


def test_a_large_file_is_kept_and_read_later_once(session) -> None:
    account = make_account(session)
    content = make_file(account, [line(100, ref=f"L{n}") for n in range(20)])

    @contextmanager
    def units():
        yield session

    options = {"money_account_id": account.id, "name": "big.xml", "actor": CLERK, "now": NOW}
    file_id = service.receive_file(units, stream=BytesIO(content), **options)
    assert service.receive_file(units, stream=BytesIO(content), **options) == file_id
    assert queries.file(session, file_id).outcome == "waiting"
    result = service.read_file(units, file_id=file_id, now=NOW)
    assert (result.outcome, result.new_lines) == ("imported", 20)
    assert service.read_file(units, file_id=file_id, now=NOW) is None
    assert mirror(session, account) == 2_000
    assert queries.file(session, file_id).read_bytes == len(content)


def test_a_file_that_was_read_sooner_waits_for_the_one_before_it(session, monkeypatch) -> None:
    account = make_account(session)

    @contextmanager
    def units():
        yield session

    options = {"money_account_id": account.id, "actor": CLERK, "now": NOW}
    before, after = (
        service.receive_file(
            units, stream=BytesIO(make_file(account, [line(n)], number=n, opening=n - 1)), name=str(n), **options
        )
        for n in (1, 2)
    )
    session.execute(update(StatementFile).where(StatementFile.id == before).values(read_bytes=1))  # another worker has it in hand
    glances = []

    def come_to_its_end(seconds: float) -> None:
        glances.append(seconds)
        assert service.read_file(units, file_id=before, now=NOW).outcome == "imported"

    monkeypatch.setattr("market.statements.service.taking.time.sleep", come_to_its_end)
    result = service.read_file(units, file_id=after, now=NOW)
    assert (result.outcome, result.findings, len(glances)) == ("imported", [], 1)
    assert queries.file(session, after).outcome == "imported"


def test_an_mt940_books_like_any_statement(session) -> None:
    account = make_account(session)
    content = (
        f":20:X\n:25:{account.iban}\n:28C:1/1\n:60F:C261119EUR0,00\n:61:2611201120C100,00NTRFNONREF//A1\n:86:thank you\n"
        ":61:2611201120RC40,NTRFNONREF//A2\n:62F:C261120EUR60,00\n-\n"
    ).encode()
    result = import_bytes(session, account, content)
    assert (result.outcome, result.new_lines, mirror(session, account)) == ("imported", 2, 6_000)
    import_lines(session, account, [line(5, ref="C")], opening=6_000, number=2)
    assert mirror(session, account) == 6_005


@pytest.mark.parametrize(
    ("named", "ours"),
    [
        ("NL91ABNA0417164300", "NL91ABNA0417164300"),
        ("417164300", "NL91ABNA0417164300"),
        ("1291.99.348EUR", "NL20RABO0129199348"),
        ("37040044/532013000", "DE89370400440532013000"),
        ("", "DE89370400440532013000"),
    ],
)
def test_an_account_is_recognised_in_the_forms_of_banks(named: str, ours: str) -> None:
    assert same_account(named, ours, "EUR")
    assert not named or not same_account(named, "FR1420041010050500013M02606", "EUR")


@pytest.mark.parametrize("named", ["12", "3000", "37040045/532013000", "DE89370400440532013001"])
def test_another_account_is_not(named: str) -> None:
    assert not same_account(named, "DE89370400440532013000", "EUR")
