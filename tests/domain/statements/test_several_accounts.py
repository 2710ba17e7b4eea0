"""A file with statements of several accounts: each goes into its own, once, and what belongs to none is said (decision 0105)."""

import re
from contextlib import contextmanager
from io import BytesIO

from sqlalchemy import func, select

from market.kernel import tenancy
from market.ledger import queries as books
from market.producers.models import Coop
from market.statements import queries, service
from market.statements.models import InterimLine, Statement, StatementFile, StatementLinePart
from tests.conftest import NOW
from tests.domain.statements.test_formats import other_message
from tests.domain.statements.test_import import balance, lines_of
from tests.factories.statements import CLERK, DAY, import_bytes, line, make_account, make_file

SECOND, THIRD, FOREIGN = "NL91ABNA0417164300", "FR1420041010050500013M02606", "GB29NWBK60161331926819"


def joined(*files: bytes) -> bytes:
    """Put the statements of several files into one."""
    statements = b"".join(re.search(rb"<Stmt>.*</Stmt>", each, re.DOTALL)[0] for each in files)
    return re.sub(rb"<Stmt>.*</Stmt>", lambda _: statements, files[0], flags=re.DOTALL)


def of(iban: str):
    """Stand in for an account of this number that is registered nowhere."""
    return type("A", (), {"iban": iban, "currency": "EUR"})


def second_of(session, account, iban: str = SECOND):
    return make_account(session, coop=session.get_one(Coop, account.coop_id), iban=iban, name="Savings")


def test_each_account_gets_its_statements_and_what_belongs_to_none_is_said(session) -> None:
    account, foreign = make_account(session), make_account(session, iban=FOREIGN)
    second = second_of(session, account)
    content = joined(
        make_file(account, [line(10_000, ref="A")]),
        make_file(second, [line(10_000, ref="A"), line(-500, ref="B")]),
        make_file(of(THIRD), [line(7, ref="C")]),
        make_file(account, [line(-250, ref="D")], number=2, opening=10_000),
        make_file(of(THIRD), [line(8, ref="E")], number=2, opening=7),
        make_file(foreign, [line(9, ref="F")]),
    )
    result = import_bytes(session, account, content)
    assert (result.outcome, result.new_lines, result.known_lines) == ("imported", 2, 0)
    (other,) = result.others
    assert (other.account_id, other.outcome, other.new_lines, other.known_lines) == (second.id, "imported", 2, 0)
    assert (balance(session, account, "bank:1"), balance(session, second, "bank:2")) == (9_750, 9_500)
    assert [each.continues for each in session.scalars(select(Statement).where(Statement.money_account_id == account.id))] == [
        True,
        True,
    ]
    assert lines_of(session, foreign) == []  # another co-op's account is none that this one knows
    left = [each["text"] for each in queries.file(session, other.file_id).findings]
    assert [each["code"] for each in result.findings] == ["account_unknown"] * 2
    assert left == [each["text"] for each in result.findings]
    assert f"account {THIRD} in EUR" in left[0]
    assert "left out: 2." in left[0]
    assert f"account {FOREIGN} in EUR" in left[1]
    kept = select(func.count(StatementFile.body_zlib)).where(StatementFile.sha256 == queries.file(session, other.file_id).sha256)
    assert session.scalar(kept) == 1
    assert queries.file_body(session, other.file_id) == queries.file_body(session, result.file_id) == content
    assert [each.account for each in queries.same_file(session, result.file_id)] == ["Savings"]

    third = second_of(session, account, THIRD)
    late = import_bytes(session, third, content)
    assert (late.outcome, late.new_lines, late.others) == ("imported", 2, ())
    assert [FOREIGN in each["text"] for each in queries.file(session, result.file_id).findings] == [True]
    assert session.scalar(kept) == 1
    for each in (account, second, third):
        assert import_bytes(session, each, content).outcome == "known"
    alone = import_bytes(session, second, make_file(second, [line(10_000, ref="A"), line(-500, ref="B")]))
    assert (alone.outcome, alone.new_lines, alone.known_lines) == ("imported", 0, 2)
    assert books.check(session) == []


def test_one_account_waits_for_a_person_and_the_others_are_imported(session) -> None:
    account = make_account(session)
    second = second_of(session, account)
    broken = make_file(second, [line(500, ref="B")]).replace(b">5.00</Amt>", b">5.01</Amt>", 1)
    content = joined(make_file(account, [line(100, ref="A")]), broken)
    result = import_bytes(session, account, content, confirmed=True)
    (other,) = result.others
    assert (result.outcome, result.new_lines, other.outcome) == ("imported", 1, "draft")
    assert lines_of(session, second) == []
    done = service.confirm_file(session, file_id=other.file_id, actor=CLERK, now=NOW)
    assert (done.outcome, done.new_lines, done.known_lines) == ("imported", 1, 0)
    assert (len(lines_of(session, account)), len(lines_of(session, second))) == (1, 1)
    old = DAY.replace(year=2013)
    mixed = joined(
        make_file(account, [line(1, ref="O", day=old)], number=2, opening=100, on=old),
        make_file(second, [line(2, ref="P")], number=2, opening=501),
    )
    refused = import_bytes(session, account, mixed)
    assert (refused.outcome, refused.others[0].outcome, refused.others[0].new_lines) == ("refused", "imported", 1)


def test_a_file_that_has_nothing_for_the_chosen_account_is_refused_whole(session) -> None:
    account, second = (first := make_account(session)), second_of(session, first)
    third = second_of(session, account, THIRD)
    content = joined(make_file(second, [line(1, ref="A")]), make_file(of(FOREIGN), [line(1, ref="B")]))
    result = import_bytes(session, third, content)
    assert (result.outcome, result.others, lines_of(session, second)) == ("refused", (), [])
    assert f"accounts {SECOND}, {FOREIGN}, not about {THIRD}" in (result.reason or "")


def test_a_currency_of_the_same_number_and_a_number_that_fits_two_are_not_guessed(session) -> None:
    account = make_account(session, iban="4505005076198810")
    alike = second_of(session, account, "9905005076198810")
    content = "".join(
        f":20:X\n:25:{named}\n:28C:1\n:60F:C261119{currency}{opening},00\n:61:2611201120C1,NTRFNONREF//{named}\n"
        f":62F:C261120{currency}{opening + 1},00\n-\n"
        for named, currency, opening in (("4505005076198810", "EUR", 0), ("4505005076198810", "USD", 0), ("5076198810", "EUR", 1))
    ).encode()
    chosen = import_bytes(session, account, content)
    assert (chosen.outcome, chosen.new_lines, chosen.others) == ("imported", 2, ())  # who chose it says what the short number is
    assert [(each["code"], "in USD" in each["text"]) for each in chosen.findings] == [("account_unknown", True)]
    third = second_of(session, account, THIRD)
    short = content.replace(b":25:4505005076198810\n:28C:1\n:60F:C261119EUR", f":25:{THIRD}\n:28C:1\n:60F:C261119EUR".encode())
    unclear = import_bytes(session, third, short)
    assert (unclear.new_lines, unclear.others) == (1, ())
    assert [each["code"] for each in unclear.findings] == ["account_unknown", "account_unclear"]
    assert lines_of(session, alike) == []


def test_a_notification_of_several_accounts_announces_each_line_where_it_comes(session) -> None:
    account = make_account(session)
    second = second_of(session, account)
    files = (make_file(each, [line(10_000, ref="A")]) for each in (account, second))
    result = import_bytes(session, account, other_message(joined(*files), "camt.054", "Ntfctn"))
    assert [each.outcome for each in (result, *result.others)] == ["imported", "imported"]
    found = session.execute(select(InterimLine.money_account_id, InterimLine.occurrence)).all()
    assert sorted(found) == sorted([(account.id, 1), (second.id, 1)])


def test_a_large_file_is_read_again_for_an_account_registered_since(session) -> None:
    account = make_account(session)
    content = joined(make_file(account, [line(1, ref="A")]), make_file(of(SECOND), [line(2, ref="B")]))

    @contextmanager
    def units():
        yield session

    options = {"money_account_id": account.id, "name": "big.xml", "actor": CLERK, "now": NOW}
    with tenancy.scoped(tenancy.EVERYTHING):
        file_id = service.receive_file(units, stream=BytesIO(content), **options)
        assert service.read_file(units, file_id=file_id, now=NOW).new_lines == 1
        second = second_of(session, account)
        assert service.receive_file(units, stream=BytesIO(content), **options) == file_id
        again = service.read_file(units, file_id=file_id, now=NOW)
        assert (again.outcome, [each.new_lines for each in again.others]) == ("known", [1])
        assert service.read_file(units, file_id=file_id, now=NOW) is None
        assert (queries.file(session, file_id).findings, len(lines_of(session, second))) == ([], 1)


def test_batches_of_each_account_keep_what_is_in_them(session) -> None:
    """What a file says of the parts of lines is staged once, and each account takes its own lines' parts."""
    account = make_account(session)
    second = second_of(session, account)
    batches = [line(300, ref=f"{each.id}", parts=(line(100, ref="a"), line(200, ref="b"))) for each in (account, second)]
    import_bytes(session, account, joined(make_file(account, batches[:1]), make_file(second, batches[1:])))
    for each in (account, second):
        (row,) = lines_of(session, each)
        held = select(StatementLinePart.amount_minor).where(StatementLinePart.line_id == row.id)
        assert session.scalars(held.order_by(StatementLinePart.n)).all() == [100, 200]
