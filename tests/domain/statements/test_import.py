"""Importing statements: the mirror equals the bank, nothing is half done, no line is there twice (money.md 1.1, 7)."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from market.kernel.errors import DomainError
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.statements import service
from market.statements.models import Statement, StatementFile, StatementLine, StatementLinePart
from tests.conftest import NOW
from tests.factories.statements import CLERK, DAY, import_bytes, import_lines, line, make_account, make_file


def balance(session, account, code: str) -> int:
    return books.balance(session, ledger.book_of(session, account.coop_id), code, account.currency).minor


def lines_of(session, account) -> list[StatementLine]:
    statement = select(StatementLine).where(StatementLine.money_account_id == account.id).order_by(StatementLine.n)
    return list(session.execute(statement).scalars())


def test_lines_are_posted_mirror_against_suspense(session) -> None:
    account = make_account(session)
    result = import_lines(session, account, [line(10_000, ref="A"), line(-6480, ref="B", day=DAY + timedelta(days=1))])
    assert (result.outcome, result.new_lines, result.known_lines) == ("imported", 2, 0)
    assert balance(session, account, "bank:1") == 3520 == balance(session, account, "suspense:1") * -1
    first, second = lines_of(session, account)
    assert (first.amount_minor, second.amount_minor, first.state) == (10_000, -6480, "new")
    assert (
        books.subject_balance(session, ledger.book_of(session, account.coop_id), "suspense", first.id)[0].money.minor == -10_000
    )
    assert books.check(session) == []


def test_an_opening_balance_makes_the_mirror_equal_the_first_closing(session) -> None:
    account = make_account(session, opening=Money(50_000, "EUR"))
    import_lines(session, account, [line(100, ref="A")], opening=50_000)
    assert balance(session, account, "bank:1") == 50_100


def test_the_same_bytes_are_known_and_change_nothing(session) -> None:
    account = make_account(session)
    content = make_file(account, [line(10_000, ref="A")])
    first, second = import_bytes(session, account, content), import_bytes(session, account, content)
    assert (second.outcome, second.file_id) == ("known", first.file_id)
    assert "same bytes" in (second.reason or "")
    assert balance(session, account, "bank:1") == 10_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7", "unknown kind"),
        (b"<Document><BkToCstmrStmt/></Document>", "no statement"),
        (b"<a><b></a>", "not well formed"),
    ],
)
def test_a_refused_file_is_kept_with_its_reason_and_writes_nothing(session, content: bytes, words: str) -> None:
    import zlib

    account = make_account(session)
    result = import_bytes(session, account, content)
    assert result.outcome == "refused"
    assert words in (result.reason or "")
    file = session.get(StatementFile, result.file_id)
    assert zlib.decompress(file.body_zlib) == content
    assert lines_of(session, account) == []
    assert session.scalar(select(func.count()).select_from(Statement)) == 0


def test_a_file_that_breaks_at_its_last_line_leaves_no_line(session) -> None:
    account = make_account(session)
    good = make_file(account, [line(10_000, ref="A"), line(20_000, ref="B")])
    result = import_bytes(session, account, good.replace(b"200.00</Amt>", b"2..00</Amt>"))
    assert result.outcome == "refused"
    assert lines_of(session, account) == []
    assert balance(session, account, "bank:1") == 0


def test_a_file_of_another_account_or_currency_is_refused(session) -> None:
    account = make_account(session)
    other = make_account(session, iban="NL91ABNA0417164300")
    assert "another" not in (import_bytes(session, account, make_file(account, [line(1, ref="A")])).reason or "")
    result = import_bytes(session, account, make_file(other, [line(1, ref="A")]))
    assert result.outcome == "refused"
    assert "NL91ABNA0417164300" in (result.reason or "")


def test_a_statement_that_does_not_close_waits_for_a_person(session) -> None:
    account = make_account(session)
    content = make_file(account, [line(10_000, ref="A"), line(500, ref="B")]).replace(b">105.00<", b">105.01<", 1)
    draft = import_bytes(session, account, content)
    assert draft.outcome == "draft"
    assert {finding["code"] for finding in draft.findings} == {"does_not_close"}
    assert lines_of(session, account) == []
    done = service.confirm_file(session, file_id=draft.file_id, actor=CLERK, now=NOW)
    assert (done.outcome, done.new_lines) == ("imported", 2)
    with pytest.raises(DomainError, match="imported already"):
        service.confirm_file(session, file_id=draft.file_id, actor=CLERK, now=NOW)
    content = make_file(account, [line(700, ref="C")], number=2, opening=1)
    assert import_bytes(session, account, content).outcome == "draft"
    assert import_bytes(session, account, content).outcome == "known"
    again = import_bytes(session, account, content, confirmed=True)  # sent again with the word that it is meant
    assert (again.outcome, again.new_lines) == ("imported", 1)
    assert session.get(StatementFile, again.file_id).decided_by == CLERK.label
    assert import_bytes(session, account, content, confirmed=True).outcome == "known"


def test_a_draft_can_be_laid_aside(session) -> None:
    account = make_account(session)
    draft = import_bytes(session, account, make_file(account, [line(1, ref="A")]).replace(b">0.01<", b">0.02<", 1))
    service.discard_file(session, file_id=draft.file_id, actor=CLERK, now=NOW)
    assert session.get(StatementFile, draft.file_id).outcome == "discarded"
    assert lines_of(session, account) == []


def test_a_file_that_was_laid_aside_too_early_can_be_sent_again(session) -> None:
    """The second month came before the first one, and somebody laid it aside."""
    account = make_account(session)
    later = DAY + timedelta(days=2)
    import_lines(session, account, [line(5, ref="Z")])
    third = make_file(account, [line(7, ref="C", day=later)], number=3, opening=105, on=later)
    early = import_bytes(session, account, third)
    service.discard_file(session, file_id=early.file_id, actor=CLERK, now=NOW)
    assert import_bytes(session, account, third).outcome == "draft"
    service.discard_file(session, file_id=early.file_id, actor=CLERK, now=NOW)
    import_lines(session, account, [line(100, ref="B", day=later)], number=2, opening=5, on=later)
    again = import_bytes(session, account, third)
    assert (again.outcome, again.new_lines) == ("imported", 1)
    assert session.get(StatementFile, again.file_id).decided_by is None


def test_a_gap_to_the_last_statement_is_found(session) -> None:
    account = make_account(session)
    import_lines(session, account, [line(10_000, ref="A")])
    later = DAY + timedelta(days=1)
    result = import_lines(session, account, [line(1, ref="B", day=later)], number=2, opening=9_000, on=later)
    assert (result.outcome, result.findings[0]["code"]) == ("draft", "does_not_continue")


def test_two_coffees_on_one_day_are_kept_and_an_overlap_adds_none(session) -> None:
    account = make_account(session)
    coffee = line(-450, text="CITY COFFEE")
    import_lines(session, account, [coffee, coffee, line(1_000, text="x")])
    again = make_file(account, [coffee, coffee, line(1_000, text="x"), line(-5, text="new")], number=9)
    result = import_bytes(session, account, again, confirmed=True)
    assert (result.new_lines, result.known_lines) == (1, 3)
    assert balance(session, account, "bank:1") == 1_000 - 900 - 5


def test_the_count_runs_on_through_statements_that_continue_each_other(session) -> None:
    account = make_account(session)
    coffee = line(-450, text="CITY COFFEE")
    import_lines(session, account, [coffee])
    result = import_lines(session, account, [coffee], number=2, opening=-450)
    assert (result.outcome, result.new_lines) == ("imported", 1)
    assert sorted(each.occurrence for each in lines_of(session, account)) == [1, 2]


def test_a_known_statement_in_other_bytes_is_that_one(session) -> None:
    account = make_account(session)
    content = make_file(account, [line(-450, text="CITY COFFEE")])
    import_bytes(session, account, content)
    result = import_bytes(session, account, content + b"<!-- sent again -->")
    assert (result.outcome, result.new_lines, result.known_lines) == ("imported", 0, 1)


def test_a_statement_is_a_known_one_by_number_opening_and_closing_and_by_no_two_of_them(session) -> None:
    """Banks count anew each year, and a balance comes again."""
    account = make_account(session)
    import_lines(session, account, [line(100, ref="A")])
    for number, opening, minor in ((1, 50, 50), (1, 0, 70), (2, 0, 100)):
        content = make_file(account, [line(minor, ref=f"{number}-{opening}-{minor}")], number=number, opening=opening)
        result = import_bytes(session, account, content, confirmed=True)
        assert (result.new_lines, result.known_lines) == (1, 0)
        assert "does_not_continue" in {each["code"] for each in result.findings}


MT940 = """:20:X
:25:{iban}
:28C:5/1
:60F:C{day}EUR100,
:61:{day}D50,NTRFNONREF//A2
:86:one
:61:{day}C50,NTRFNONREF//B2
:86:back
:62F:C{day}EUR100,
-
"""


def test_days_that_came_to_nothing_are_not_booked_again_without_a_question(session) -> None:
    """A statement of the same days under another number opens as the one before closed: it looks as if it went on from it."""
    account = make_account(session)
    lines = [line(-5_000, text="one"), line(5_000, text="back")]
    import_lines(session, account, lines, opening=10_000)
    again = import_lines(session, account, lines, opening=10_000, number=2)
    assert (again.outcome, [each["code"] for each in again.findings]) == ("draft", ["days_known"])
    assert service.confirm_file(session, file_id=again.file_id, actor=CLERK, now=NOW).known_lines == 2
    of_another = import_bytes(session, account, MT940.format(iban=account.iban, day="261120").encode())
    assert (of_another.outcome, [each["code"] for each in of_another.findings]) == ("draft", ["days_known", "lines_alike"])
    assert len(lines_of(session, account)) == 2
    later = DAY + timedelta(days=1)
    assert import_lines(session, account, [], opening=10_000, number=3).outcome == "imported"  # a quiet day
    assert import_lines(session, account, [line(1, day=later)], opening=10_000, number=4, on=later).outcome == "imported"


def test_the_same_bookings_under_other_identifiers_wait_for_a_person(session) -> None:
    account = make_account(session)
    import_lines(session, account, [line(100, text="x"), line(100, text="y"), line(7, text="z")])
    entry = "<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261120<TRNAMT>{}<FITID>{}</STMTTRN>"

    def ofx(*entries: tuple[str, int]) -> bytes:
        rows = "".join(entry.format(*each) for each in entries)
        return (
            f"<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>{account.iban}</BANKACCTFROM><BANKTRANLIST>"
            f"{rows}</BANKTRANLIST><LEDGERBAL><BALAMT>2.07<DTASOF>20261120</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
        ).encode()

    again = import_bytes(session, account, ofx(("1.00", 1), ("1.00", 2), ("1.00", 3), ("5.00", 4)))
    assert (again.outcome, [each["code"] for each in again.findings]) == ("draft", ["lines_alike"])
    assert "2 of its 4 entries" in again.findings[0]["text"]
    assert import_bytes(session, account, ofx(("5.00", 4))).outcome == "imported"  # of the same days, and new


def test_of_two_drafts_of_the_same_bookings_the_second_says_so_before_it_is_imported(session) -> None:
    """Both came while something else was missing, so that neither knew of the other's lines."""
    account = make_account(session)
    import_lines(session, account, [line(5, ref="Z", day=DAY - timedelta(days=3))])
    content = MT940.format(iban=account.iban, day="261121")
    one = import_bytes(session, account, content.encode())
    other = import_bytes(session, account, content.replace("//", "//X").replace("EUR100", "EUR90").encode())
    assert (one.outcome, other.outcome) == ("draft", "draft")
    assert service.confirm_file(session, file_id=one.file_id, actor=CLERK, now=NOW).new_lines == 2
    asked = service.confirm_file(session, file_id=other.file_id, actor=CLERK, now=NOW)
    assert (asked.outcome, "lines_alike" in {each["code"] for each in asked.findings}) == ("draft", True)
    assert service.confirm_file(session, file_id=other.file_id, actor=CLERK, now=NOW).outcome == "imported"


def test_a_statement_with_the_number_and_balances_of_another_year_is_no_known_one(session) -> None:
    account = make_account(session)
    for number, day in enumerate(("250105", "260105"), start=1):
        content = MT940.format(iban=account.iban, day=day).encode()
        result = import_bytes(session, account, content)
        assert (result.outcome, result.new_lines) == ("imported", 2)
        same = import_bytes(session, account, content + b"\n")
        assert (same.new_lines, same.known_lines) == (0, 2)
        assert len(lines_of(session, account)) == 2 * number


def test_a_span_that_was_asked_for_is_not_yet_told_of(session) -> None:
    """A bank repeats the last day that it was asked for, which may be any day to come; a day to come is no booking day."""
    account = make_account(session)
    asked = make_file(account, [line(100, ref="A")]).replace(b"2026-11-20T23:00:00Z</ToDtTm>", b"9999-12-31T00:00:00Z</ToDtTm>")
    assert import_bytes(session, account, asked).outcome == "imported"
    assert session.scalars(select(Statement.to_on)).all() == [DAY]
    later = DAY + timedelta(days=1)
    assert import_lines(session, account, [line(5, ref="B", day=later)], opening=100, number=2, on=later).findings == []
    far = date(2027, 11, 20)
    typed = import_lines(session, account, [line(5, ref="C", day=far)], opening=105, number=3, on=far)
    assert (typed.outcome, [each["code"] for each in typed.findings]) == ("draft", ["day_to_come"])


@pytest.mark.parametrize(("opening", "differs"), [(None, True), (Money(50_000, "EUR"), False)])
def test_a_first_statement_is_compared_with_the_opening_balance_of_the_books(session, opening, differs) -> None:
    account = make_account(session, opening=opening)
    result = import_lines(session, account, [line(100, ref="A")], opening=50_000)
    assert (result.outcome, result.new_lines) == ("imported", 1)  # said, and nothing held back
    assert [each["code"] for each in result.findings] == ["opening_differs"] * differs
    assert not differs or "the bank had 500.00 EUR on the account, and our books have 0.00 EUR" in result.findings[0]["text"]
    later = DAY + timedelta(days=1)
    after = import_lines(session, account, [line(1, ref="B", day=later)], number=2, opening=50_100, on=later)
    assert after.findings == []
    of_another = make_account(session)
    ofx = (
        "OFXHEADER:100\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>"
        f"{of_another.iban}</BANKACCTFROM><BANKTRANLIST><STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261120<TRNAMT>1.00<FITID>1</STMTTRN>"
        "</BANKTRANLIST><LEDGERBAL><BALAMT>4.00<DTASOF>20261120</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    )
    (said,) = import_bytes(session, of_another, ofx.encode()).findings
    assert "the bank had 3.00 EUR" in said["text"]


def test_parts_of_a_batch_are_kept(session) -> None:
    account = make_account(session)
    parts = (line(-400, end_to_end="E1"), line(-600, end_to_end="E2"))
    import_lines(session, account, [line(-1000, ref="A", payment_info_id="RUN-1", parts=parts)])
    (row,) = lines_of(session, account)
    stored = session.execute(select(StatementLinePart).order_by(StatementLinePart.n)).scalars().all()
    assert (row.parts, row.batch_refs, [(p.amount_minor, p.refs) for p in stored]) == (
        2,
        ["RUN-1"],
        [(-400, ["E1"]), (-600, ["E2"])],
    )


def test_texts_of_a_bank_survive_copy(session) -> None:
    account = make_account(session)
    nasty = 'back\\slash "quote" {brace} =SUM(A1) ünïcode \\N'
    import_lines(session, account, [line(100, ref="A", name=nasty, text=nasty, end_to_end='a,"b\\c}')])
    (row,) = lines_of(session, account)
    assert (row.counterparty_name, row.text, row.refs) == (nasty, nasty, ['a,"b\\c}'])


def test_a_line_of_nothing_is_ignored_and_not_posted(session) -> None:
    account = make_account(session)
    import_lines(session, account, [line(0, ref="A")])
    assert [each.state for each in lines_of(session, account)] == ["ignored"]
    assert balance(session, account, "suspense:1") == 0


def test_an_account_is_registered_once_with_a_valid_iban(session) -> None:
    account = make_account(session)
    for iban, code in ((account.iban, "statements.account_exists"), ("DE00370400440532013000", "statements.bad_iban")):
        with pytest.raises(DomainError) as refusal:
            make_account(session, coop=type("C", (), {"id": account.coop_id, "iban": iban, "currency": "EUR"}))
        assert refusal.value.code == code


@pytest.mark.parametrize(
    ("typed", "kept", "named"),
    [
        ("1220 0012-345.678", "12200012345678", "12200 012345678"),
        ("45050050/76198810", "4505005076198810", "45050050/76198810"),
        ("0100123456700", "0100123456700", "0100123456700"),
        ("9100", "9100", "9100"),
    ],
)
def test_an_account_of_a_country_without_ibans_has_the_banks_own_number(session, typed, kept, named) -> None:
    """Kenya, Peru, India, the United States and others have no IBAN; what begins like one must still be one."""
    account = make_account(session, iban=typed)
    assert account.iban == kept
    content = f":20:X\n:25:{named}\n:28C:1\n:60F:C261119EUR0,00\n:61:2611201120C100,NTRFNONREF//A1\n:62F:C261120EUR100,00\n-\n"
    assert import_bytes(session, account, content.encode()).outcome == "imported"


@pytest.mark.parametrize("typed", ["123", "no digits", "9" * 35, "12\u0664\u06654"])
def test_what_is_no_account_number_is_refused(session, typed) -> None:
    with pytest.raises(DomainError) as refusal:
        make_account(session, iban=typed)
    assert refusal.value.code == "statements.bad_iban"


def test_lines_outside_the_books_are_refused_and_the_file_is_kept(session) -> None:
    account = make_account(session)
    old = DAY.replace(year=2013)
    result = import_lines(session, account, [line(100, ref="A", day=old), line(100, ref="B")], on=old)
    file = session.get_one(StatementFile, result.file_id)
    assert (result.outcome, file.code) == ("refused", "statements.outside_the_books")
    assert "2013-11-20" in (file.reason or "")
    assert (file.size_bytes > 0, lines_of(session, account)) == (True, [])
