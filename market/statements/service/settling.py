"""Settle by sets the payouts that lines show whole: nothing of a portion comes here but its ids.

What `applying` does for one match at a time, for the case of which there are hundreds of thousands: a line, a payout, one
amount. The rows, the postings and the refusals are the same.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Date, Text, Uuid, cast, column, delete, insert, literal, null, select, table, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.kernel.ids import new_ids
from market.ledger import service as ledger
from market.payouts import service as payouts
from market.statements.models import MoneyAccount, StatementLine, StatementMatch, StatementSuggestion
from market.statements.service.applying import MATCH_KEY
from market.statements.service.exact import OPEN, Portion

_STAGE = (
    text("DROP TABLE IF EXISTS pg_temp.settlement"),
    text(
        "CREATE TEMPORARY TABLE settlement (id uuid NOT NULL, line_id uuid NOT NULL, payout_id uuid NOT NULL,"
        " amount_minor bigint NOT NULL, booked_on date NOT NULL, rule text NOT NULL, evidence jsonb NOT NULL) ON COMMIT DROP"
    ),
)
# The lines are locked in the order of their ids, as everywhere; one that somebody has moved meanwhile is left out.
_FILL = text(
    "INSERT INTO settlement SELECT market_nth_id(:first, row_number() OVER (ORDER BY l.id)), l.* FROM ("
    "  SELECT l.id, g.payout_id, abs(l.amount_minor), l.booked_on, g.rule, CAST(g.evidence AS jsonb) FROM statement_line l"
    "  JOIN unnest(CAST(:lines AS uuid[]), CAST(:payouts AS uuid[]), CAST(:rules AS text[]), CAST(:evidence AS text[]))"
    "    g (line_id, payout_id, rule, evidence) ON g.line_id = l.id"
    "  WHERE l.money_account_id = :account AND l.state = ANY (:open) AND l.amount_minor < 0 AND l.matched_minor = 0"
    "  ORDER BY l.id FOR UPDATE OF l) l"
)
_MINE = table(
    "settlement",
    column("id", Uuid()),
    column("line_id", Uuid()),
    column("payout_id", Uuid()),
    column("amount_minor", BigInteger()),
    column("booked_on", Date()),
    column("rule", Text()),
    column("evidence", JSONB()),
)


def settle_portion(session: Session, account: MoneyAccount, portion: Portion, *, actor: Actor, now: datetime) -> int:
    """Match each line of a portion with its payout, settle it and post, all or none; return the number of matches.

    Lines that were moved meanwhile are left out. Posts, so call it last. Locks lines, then payouts, then payables. Raises the
    refusals of `payouts.settle_selected`.
    """
    for statement in _STAGE:
        session.execute(statement)
    given = {"lines": portion.lines, "payouts": portion.payouts, "rules": portion.rules, "evidence": portion.evidence}
    session.execute(_FILL, given | {"first": new_ids(portion.size), "account": account.id, "open": list(OPEN)})
    session.execute(text("ANALYZE settlement"))
    shown = select(_MINE.c.payout_id, _MINE.c.amount_minor, _MINE.c.booked_on)
    legs = payouts.settle_selected(session, shown, currency=account.currency, suspense=account.suspense, now=now).subquery("legs")
    made = _write_matches(session, account, actor, now)
    moves = select(
        literal(MATCH_KEY).concat(cast(_MINE.c.id, Text)), literal(1), legs.c.debit, legs.c.credit, literal(account.currency),
        legs.c.amount_minor, legs.c.payout_id, _MINE.c.booked_on,
    ).join(_MINE, _MINE.c.payout_id == legs.c.payout_id)  # fmt: skip
    book_id = ledger.book_of(session, account.coop_id)
    ledger.post_selected(session, book_id=book_id, kind="statement_match", actor=actor.label, moves=moves, late=True)
    session.expire_all()
    return made


def _write_matches(session: Session, account: MoneyAccount, actor: Actor, now: datetime) -> int:
    """Write the matches, count them on their lines, and take the suggestions of these away."""
    row = {
        "id": _MINE.c.id,
        "coop_id": literal(account.coop_id),
        "line_id": _MINE.c.line_id,
        "part": literal(0),
        "target_kind": literal("payout"),
        "target_id": _MINE.c.payout_id,
        "account_code": null(),
        "line_minor": _MINE.c.amount_minor,
        "fee_minor": literal(0),
        "kind": literal("full"),
        "rule": _MINE.c.rule,
        "automatic": literal(True),
        "evidence": _MINE.c.evidence,
        "reason": null(),
        "matched_by": literal(actor.label),
        "matched_at": literal(now),
    }
    matches = insert(StatementMatch).from_select(list(row), select(*row.values()))
    made = session.execute(matches.execution_options(preserve_rowcount=True))
    unsynchronised = {"synchronize_session": False}
    session.execute(
        update(StatementLine)
        .where(StatementLine.id == _MINE.c.line_id)
        .values(matched_minor=_MINE.c.amount_minor, state="matched")
        .execution_options(**unsynchronised)
    )
    session.execute(
        delete(StatementSuggestion)
        .where(StatementSuggestion.line_id.in_(select(_MINE.c.line_id)), StatementSuggestion.dismissed_at.is_(None))
        .execution_options(**unsynchronised)
    )
    return int(made.rowcount)  # type: ignore[attr-defined]
