"""Rows of a co-op's bank and books that a path can name: lines and what explains them, closes, opening balances."""

from datetime import date
from typing import Any

from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import opening as former
from market.ledger import service as ledger
from market.ledger.opening import OpeningRow
from market.statements import service as statements
from market.statements.match_models import BookingProposal, StatementSuggestion
from market.statements.models import MoneyAccount, PeriodClose, PeriodReopening, StatementFile, StatementLine
from market.treasury.models import OpeningBalance
from tests.conftest import NOW
from tests.factories.accounts import actor_for
from tests.factories.statements import CLERK, import_lines, line, make_account


def add(world: Any, row: Any) -> Any:
    world.session.add(row)
    world.session.flush()
    return row.id


def money_account(world: Any) -> MoneyAccount:
    found = world.session.query(MoneyAccount).filter_by(coop_id=world.coop.id).first()
    return found or make_account(world.session, coop=world.coop)


def line_or_file(world: Any, wanted: str) -> Any:
    found = world.session.query(StatementLine).filter_by(coop_id=world.coop.id).first()
    if found is None:
        import_lines(world.session, money_account(world), [line(1234, ref="B1", text="unknown")])
        found = world.session.query(StatementLine).filter_by(coop_id=world.coop.id).one()
    return found.id if wanted == "line_id" else world.session.query(StatementFile.id).filter_by(coop_id=world.coop.id).scalar()


def match(world: Any) -> Any:
    booked = {"account_code": "write_off", "reason": "nobody's money", "amount_minor": 34}
    return statements.book_line(world.session, line_id=line_or_file(world, "line_id"), actor=CLERK, now=NOW, **booked)


def booking_rule(world: Any) -> Any:
    line_id = line_or_file(world, "line_id")
    made = {"account_code": "bank_charges", "reason": "a fee each month"}
    return statements.make_rule(world.session, line_id=line_id, actor=CLERK, now=NOW, **made).id


def proposal(world: Any) -> Any:
    asked = {"account_code": "write_off", "amount_minor": 100, "reason": "nobody knows", "state": "proposed"}
    who = {"proposed_by": CLERK.label, "proposed_at": NOW}
    line_id = line_or_file(world, "line_id")
    return add(world, BookingProposal(id=new_id(), coop_id=world.coop.id, line_id=line_id, **asked, **who))


def suggestion(world: Any) -> Any:
    found = {
        "target_kind": "payment",
        "target_id": world.sample("", "payment_id"),
        "kind": "full",
        "rule": "amount",
        "evidence": {},
        "rank": 1,
    }
    amounts = {"line_minor": 100, "fee_minor": 0, "part": 0}
    return add(
        world, StatementSuggestion(id=new_id(), coop_id=world.coop.id, line_id=line_or_file(world, "line_id"), **found, **amounts)
    )


def close(world: Any, state: str = "closed", *, ends_on: date = date(2026, 1, 31), said: str = "") -> Any:
    """Return a close in a state, with what was `said` of opening its days again."""
    missing = {"key": "missing:1", "text": "the statements of Current account are missing", "minor": 0, "currency": "EUR"}
    figures = {
        "items": [missing | {"explainable": True, "explanation": "asked the bank on Friday"}],
        "trial_balance": [{"code": "bank:1", "minor": 5_000, "currency": "EUR"}],
    }
    who = {"prepared_by": "account:somebody", "prepared_at": NOW}
    if state != "prepared":
        who |= {"closed_by": "account:x", "closed_at": NOW}
    days = {"starts_on": ends_on.replace(day=1), "ends_on": ends_on}
    made = add(world, PeriodClose(id=new_id(), coop_id=world.coop.id, state=state, **days, **figures, **who))
    if said:
        ended = {} if said == "proposed" else {"decided_by": "account:y", "decided_at": NOW}
        why = {"close_id": made, "reason": "the rent was booked as wages", "state": said}
        add(
            world,
            PeriodReopening(id=new_id(), coop_id=world.coop.id, proposed_by=preparer(world), proposed_at=NOW, **why, **ended),
        )
    return made


def preparer(world: Any) -> str:
    return actor_for(world.session, world.people["preparer"]).label


def opening(world: Any) -> Any:
    """Return a declined file of balances, in a co-op that was handed others over: both can be proposed."""
    book, rows = ledger.book_of(world.session, world.coop.id), [OpeningRow("bank:1", Money(5_000, "EUR"))]
    former.open_books(world.session, book, rows, on=date(2026, 1, 1), by="Ada", seen_by="Bo")
    file = {"body": "account,currency,amount\ncash,EUR,1.00\n", "balances": 1, "name": "b.csv", "source": "folder 7"}
    ended = {"state": "declined", "decided_by": "account:y", "decided_at": NOW}
    who = {"proposed_by": "account:x", "proposed_at": NOW, **ended}
    return add(world, OpeningBalance(id=new_id(), coop_id=world.coop.id, on_day=date(2026, 1, 1), **file, **who))


def correction_waits(world: Any) -> dict[str, Any]:
    rows = {"body": "account,currency,amount\nbank:1,EUR,49.00\n", "balances": 1, "corrects": True}
    words = {"name": "bank:1: 50.00 EUR → 49.00 EUR", "source": "the folder says otherwise, page 4"}
    who = {"proposed_by": preparer(world), "proposed_at": NOW}
    row = OpeningBalance(id=new_id(), coop_id=world.coop.id, on_day=date(2026, 1, 1), **rows, **words, **who)
    return {"open": add(world, row)}
