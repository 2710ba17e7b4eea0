"""What a line and a match name is checked for all rows of an INSERT at once, and nothing they name goes away (migration 0056)."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from market.kernel.ids import new_id
from market.statements import service
from market.statements.models import Statement, StatementLine
from tests.conftest import NOW
from tests.factories.statements import CLERK, import_lines, line, make_account

_LINE = (
    "INSERT INTO statement_line SELECT (jsonb_populate_record(l, jsonb_build_object('id', :id, 'identity', :id, 'n', 99) || {})).*"
    " FROM statement_line l"
)
_MATCH = (
    "INSERT INTO statement_match (id, coop_id, line_id, part, target_kind, account_code, line_minor, fee_minor, kind, rule, automatic,"
    " evidence, matched_by, matched_at) SELECT :id, {}, 0, 'account', 'bank_charges', 1, 0, 'full', 'test', true, '{{}}', 'x', now()"
    " FROM statement_line"
)


@pytest.fixture
def booked(session):
    """A line of a co-op that is booked already, and another co-op's account."""
    account = make_account(session)
    import_lines(session, account, [line(-500, ref="A")])
    line_id = session.scalars(select(StatementLine.id)).one()
    service.book_line(session, line_id=line_id, account_code="bank_charges", reason="monthly fee", actor=CLERK, now=NOW)
    return make_account(session)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (_LINE.format("jsonb_build_object('statement_id', :id)"), "a statement of its account"),
        (_LINE.format("jsonb_build_object('money_account_id', CAST(:other AS text))"), "a statement of its account"),
        (_LINE.format("jsonb_build_object('coop_id', CAST(:coop AS text))"), "a statement of its account"),
        (_MATCH.format("coop_id, :id"), "a line of its co-op"),
        (_MATCH.format("CAST(:coop AS uuid), id"), "a line of its co-op"),
        ("DELETE FROM statement", "refused"),
        ("DELETE FROM statement_line", "refused"),
        ("DELETE FROM statement_match", "refused"),
        ("UPDATE statement SET coop_id = CAST(:coop AS uuid)", "refused"),
        ("UPDATE statement_line SET statement_id = :id", "refused"),
        ("UPDATE statement_match SET line_id = :id", "refused"),
        ("TRUNCATE statement_match", "refused"),
    ],
)
def test_not_even_the_owner_names_what_is_not_there_or_takes_it_away(session, booked, statement, words) -> None:
    assert session.scalar(select(Statement.id))
    session.execute(text("SET ROLE NONE"))
    given = {"id": new_id(), "other": booked.id, "coop": booked.coop_id}
    with pytest.raises(DBAPIError, match=words), session.begin_nested():
        session.execute(text(statement), {name: value for name, value in given.items() if f":{name}" in statement})
