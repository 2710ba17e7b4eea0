"""Find the lines that rule 1 leaves no doubt about by one statement over all open lines of an account.

`rules.exact` is the rule; a test holds this answer against it on random lines.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from sqlalchemy import CTE, ColumnElement, Integer, Select, Text, and_, case, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import Session

from market.payouts import queries as payouts
from market.statements.match_models import StatementSuggestion
from market.statements.models import MoneyAccount, StatementLine, StatementLinePart
from market.statements.rules.exact import RULE, STALE

OPEN = ("new", "suggested", "parked")
PORTION = 20_000
"""So many payouts are settled in one unit of work."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Lines and the payouts that they show whole, side by side; they only pass through."""

    size: int
    since: date
    """The day of the first of its lines."""

    packed: tuple[bytes, ...]
    """Texts of PostgreSQL's arrays, compressed: there are fifty portions in a million lines, and most of it repeats itself."""

    @classmethod
    def of(cls, size: int, since: date, *arrays: str) -> Self:
        """Return a portion of so many lines, their payouts, rules and evidence."""
        return cls(size, since, tuple(zlib.compress(array.encode(), 1) for array in arrays))

    def arrays(self) -> dict[str, str]:
        """Return lines, payouts, rules and evidence again."""
        names = ("lines", "payouts", "rules", "evidence")
        return {name: zlib.decompress(each).decode() for name, each in zip(names, self.packed, strict=True)}


def plan_exact(session: Session, account: MoneyAccount) -> Sequence[Portion]:
    """Return what is certain by its reference alone, oldest first, in portions; only reads."""
    pair = _pairs(account).cte("pair")
    number = (func.row_number().over(order_by=(pair.c.booked_on, pair.c.line_id)) - 1).label("number")
    numbered = select(pair, number).subquery("numbered")
    portion = (numbered.c.number // PORTION).label("portion")

    wanted: tuple[ColumnElement[Any], ...] = (numbered.c.line_id, numbered.c.payout_id, literal(RULE), numbered.c.evidence)
    arrays = [cast(func.array_agg(aggregate_order_by(each, numbered.c.number)), Text) for each in wanted]
    statement: Select[*tuple[Any, ...]] = (
        select(func.count(), func.min(numbered.c.booked_on), *arrays).group_by(portion).order_by(portion)
    )
    # Sets against sets: the statistics of a table that a file has just filled would promise a handful of rows instead.
    session.execute(text("SET LOCAL enable_nestloop = off"))
    one_by_one = {"stream_results": True, "max_row_buffer": 1}  # else the driver holds all of them a second time
    found = [Portion.of(*row) for row in session.execute(statement, execution_options=one_by_one)]
    session.execute(text("SET LOCAL enable_nestloop = on"))
    return found


def _pairs(account: MoneyAccount) -> Select[*tuple[Any, ...]]:
    """Select line_id, payout_id, booked_on and evidence of each pair."""
    line, target = StatementLine, _targets(account)
    named, dismissed = _named(account), StatementSuggestion
    evidence = func.jsonb_build_object("days", line.booked_on - target.c.sent_on, "reference", "equal", "amount", "equal")
    account_too = and_(line.counterparty_account != "", line.counterparty_account == target.c.iban)
    rejected = select(dismissed.id).where(
        dismissed.line_id == line.id, dismissed.target_id == target.c.payout_id, dismissed.dismissed_at.is_not(None)
    )
    return (
        select(
            line.id.label("line_id"),
            target.c.payout_id,
            line.booked_on,
            case((account_too, evidence.op("||")(cast({"account": "equal"}, JSONB))), else_=evidence).label("evidence"),
        )
        .join(target, and_(target.c.reference == line.creditor_refs[1], target.c.amount_minor == -line.amount_minor))
        .join(named, named.c.reference == line.creditor_refs[1])
        .where(
            line.money_account_id == account.id,
            line.state.in_(OPEN),
            line.amount_minor < 0,
            line.matched_minor == 0,
            line.parts == 0,
            ~line.returned,
            func.cardinality(line.creditor_refs) == 1,
            line.booked_on <= target.c.sent_on + cast(literal(STALE.days), Integer),
            named.c.lines == 1,
            ~rejected.exists(),
        )
    )


def _targets(account: MoneyAccount) -> CTE:
    return payouts.in_transit_selected(coop_id=account.coop_id, rails=account.rails, currency=account.currency).cte("target")


def _named(account: MoneyAccount) -> CTE:
    """How many open debits, or transactions inside them, name a reference."""
    open_debit = and_(StatementLine.money_account_id == account.id, StatementLine.state.in_(OPEN), StatementLine.amount_minor < 0)
    whole = select(func.unnest(StatementLine.creditor_refs).label("reference")).where(open_debit)
    inside = (
        select(func.unnest(StatementLinePart.creditor_refs))
        .join(StatementLine, StatementLine.id == StatementLinePart.line_id)
        .where(open_debit)
    )
    each = whole.union_all(inside).subquery("each")
    return select(each.c.reference, func.count().label("lines")).group_by(each.c.reference).cte("named")
