"""Settle by sets the payouts that lines show whole: nothing of a portion comes here but its ids.

What `applying` does for one match at a time, for the case of which there are hundreds of thousands: a line, a payout, one
amount. The rows, the postings and the refusals are the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import BigInteger, Date, Subquery, Text, Uuid, cast, column, insert, literal, null, select, table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.kernel.ids import new_ids
from market.ledger import service as ledger
from market.payouts import service as payouts
from market.statements.match_models import StatementMatch
from market.statements.models import MoneyAccount
from market.statements.service.applying import MATCH_KEY
from market.statements.service.exact import OPEN, Portion

_STAGE = (
    text("DROP TABLE IF EXISTS pg_temp.settlement, pg_temp.shown"),
    text("CREATE TEMPORARY TABLE shown (line_id uuid, payout_id uuid, rule text, evidence text) ON COMMIT DROP"),
    text(
        "CREATE TEMPORARY TABLE settlement (id uuid NOT NULL, line_id uuid NOT NULL, payout_id uuid NOT NULL,"
        " amount_minor bigint NOT NULL, booked_on date NOT NULL, rule text NOT NULL, evidence jsonb NOT NULL) ON COMMIT DROP"
    ),
)
_SHOW = text(
    "INSERT INTO shown SELECT * FROM unnest(CAST(:lines AS uuid[]), CAST(:payouts AS uuid[]), CAST(:rules AS text[]),"
    " CAST(:evidence AS text[])) g (line_id, payout_id, rule, evidence) ORDER BY line_id"
)
# The lines are locked, by being changed, in the order of their ids, as everywhere; one that somebody has moved meanwhile is
# left out. The conditions stand in a CASE, through which the planner does not look: without statistics of a table that a file
# has just filled it would take them for rare, and begin with them instead of the keys.
_TAKE = text(
    "WITH taken AS ("
    "  UPDATE statement_line l SET matched_minor = abs(l.amount_minor), state = 'matched'"
    "  FROM (SELECT * FROM shown ORDER BY line_id) g"
    "  WHERE l.id = g.line_id AND CASE WHEN l.money_account_id = :account AND l.state = ANY (:open) AND l.amount_minor < 0"
    "    THEN l.matched_minor = 0 END"
    "  RETURNING l.id AS line_id, g.payout_id, l.matched_minor, l.booked_on, g.rule, CAST(g.evidence AS jsonb) AS evidence)"
    " INSERT INTO settlement SELECT market_nth_id(:first, row_number() OVER ()), * FROM taken"
)
_TAKE_AWAY = text("DELETE FROM statement_suggestion WHERE line_id IN (SELECT line_id FROM settlement) AND dismissed_at IS NULL")
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
    session.execute(_SHOW, portion.arrays())
    session.execute(text("ANALYZE shown (line_id, payout_id)"))
    with _joined_by_row(session):
        session.execute(_TAKE, {"first": new_ids(portion.size), "account": account.id, "open": list(OPEN)})
        session.execute(text("ANALYZE settlement (line_id, payout_id)"))
        facts = select(_MINE.c.payout_id, _MINE.c.amount_minor, _MINE.c.booked_on, _MINE.c.id.label("match_id"))
        legs = payouts.settle_selected(session, facts, currency=account.currency, suspense=account.suspense, now=now)
        made = _write_matches(session, account, actor, now)
    session.execute(_TAKE_AWAY)
    with _joined_by_row(session):
        _post(session, account, legs.subquery("legs"), actor)
    session.expire_all()
    return made


@contextmanager
def _joined_by_row(session: Session) -> Iterator[None]:
    """Look rows up by their keys: joined as sets, a small portion would have tables of a million rows read whole."""
    for how in ("hashjoin", "mergejoin"):
        session.execute(text(f"SET LOCAL enable_{how} = off"))
    yield
    for how in ("hashjoin", "mergejoin"):
        session.execute(text(f"SET LOCAL enable_{how} = on"))


def _post(session: Session, account: MoneyAccount, legs: Subquery, actor: Actor) -> None:
    """Book each match, suspense against what the line meant."""
    key, currency = literal(MATCH_KEY).concat(cast(legs.c.match_id, Text)), literal(account.currency)
    of_leg = (legs.c.debit, legs.c.credit, currency, legs.c.amount_minor, legs.c.payout_id, legs.c.booked_on)
    moves = select(key, literal(1), *of_leg)
    book_id = ledger.book_of(session, account.coop_id)
    ledger.post_selected(session, book_id=book_id, kind="statement_match", actor=actor.label, moves=moves, late=True)


def _write_matches(session: Session, account: MoneyAccount, actor: Actor, now: datetime) -> int:
    """Write the matches; return how many."""
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
    return int(made.rowcount)  # type: ignore[attr-defined]
