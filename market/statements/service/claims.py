"""Read what the rules compare: the open lines of an account as claims, and what a person has rejected."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from market.kernel import direct
from market.statements.match_models import StatementMatch, StatementSuggestion
from market.statements.models import MoneyAccount, StatementLine, StatementLinePart
from market.statements.rules.claims import Claim, claims_of
from market.statements.service.exact import OPEN


def months_of(session: Session, account: MoneyAccount) -> list[tuple[date, date]]:
    """Return the months that have open lines, each with the first day after it."""
    rows = session.execute(
        text(
            "SELECT DISTINCT date_trunc('month', booked_on)::date AS first,"
            " (date_trunc('month', booked_on) + interval '1 month')::date AS after FROM statement_line"
            " WHERE money_account_id = :account AND state IN ('new', 'suggested', 'parked') ORDER BY 1"
        ),
        {"account": account.id},
    )
    return [(row.first, row.after) for row in rows]


def dismissed_pairs(session: Session, account: MoneyAccount) -> frozenset[tuple[UUID, UUID]]:
    """Return what a person has rejected: lines with what they do not mean."""
    rows = session.execute(
        select(StatementSuggestion.line_id, StatementSuggestion.target_id)
        .join(StatementLine, StatementLine.id == StatementSuggestion.line_id)
        .where(
            StatementLine.money_account_id == account.id,
            StatementSuggestion.dismissed_at.is_not(None),
            StatementSuggestion.target_id.is_not(None),
        )
    )
    return frozenset((line_id, target_id) for line_id, target_id in rows if target_id is not None)


def claims_between(
    session: Session, account: MoneyAccount, first: date, after: date, *, cheques: AbstractSet[int] = frozenset()
) -> list[Claim]:
    """Return what is to be explained in a span of days: whole untouched lines, and the unmatched parts of batch lines."""
    rows = direct.run(session, _OPEN_LINES, {"account": account.id, "first": first, "after": after, "open": list(OPEN)})
    parts = _parts(session, {line_id: booked_on for line_id, booked_on, *_, count, _matched in rows if count})
    touched = _touched(session, [row[0] for row in rows if row[-1]])
    found: list[Claim] = []
    for *values, count, matched_minor in rows:
        values[_REFS], values[_BATCHES] = tuple(values[_REFS]), tuple(values[_BATCHES])
        whole = Claim(*values)
        if not count and not matched_minor:
            found.append(whole)
            continue
        claims = claims_of(whole, parts.get(whole.line_id, ()))
        if matched_minor:
            claims = [claim for claim in claims if claim.part and claim.part not in touched[whole.line_id]]
        found += claims
    return _naming_cheques(session, found, cheques)


def _naming_cheques(session: Session, claims: list[Claim], amounts: AbstractSet[int]) -> list[Claim]:
    """Let lines of the amount of a cheque say their references in their text too: there banks put its number."""
    meant = [claim.line_id for claim in claims if claim.amount_minor < 0 and -claim.amount_minor in amounts]
    if not meant:
        return claims
    rows = session.execute(select(StatementLine.id, StatementLine.refs).where(StatementLine.id == direct.any_of(meant)))
    refs = {line_id: " ".join(found) for line_id, found in rows}
    return [replace(one, text=f"{one.text} {refs[one.line_id]}") if one.line_id in refs else one for one in claims]


_REFS, _BATCHES = 4, 5
_OPEN_LINES = """
    SELECT id, booked_on, amount_minor, 0, creditor_refs, batch_refs, batch_count, counterparty_account, counterparty_name, text,
        bank_code, returned, return_reason, charges_minor, parts, matched_minor
    FROM statement_line
    WHERE money_account_id = %(account)s AND booked_on >= %(first)s AND booked_on < %(after)s AND state = ANY(%(open)s)
    ORDER BY booked_on, statement_id, n
"""
"""Columns in the order of a Claim, then how many parts the line has and how much of it is matched."""


def _parts(session: Session, days: Mapping[UUID, date]) -> dict[UUID, list[Claim]]:
    """Return the transactions of batch lines, given with their days, by line."""
    found: dict[UUID, list[Claim]] = defaultdict(list)
    line_ids = list(days)
    for start in range(0, len(line_ids), 5_000):
        chosen = line_ids[start : start + 5_000]
        statement = select(StatementLinePart).where(StatementLinePart.line_id.in_(chosen)).order_by(StatementLinePart.n)
        for part in session.execute(statement).scalars():
            found[part.line_id].append(_part_claim(part, days[part.line_id]))
    return found


def _part_claim(part: StatementLinePart, booked_on: date) -> Claim:
    return Claim(
        line_id=part.line_id,
        booked_on=booked_on,
        amount_minor=part.amount_minor or 0,
        part=part.n,
        references=tuple(part.creditor_refs),
        batches=tuple(part.batch_refs),
        account=part.counterparty_account,
        name=part.counterparty_name,
        text=part.text,
        returned=part.returned,
        return_reason=part.return_reason,
        charges_minor=part.charges_minor,
    )


def _touched(session: Session, line_ids: Sequence[UUID]) -> dict[UUID, set[int]]:
    found: dict[UUID, set[int]] = {line_id: set() for line_id in line_ids}
    if not line_ids:
        return found
    rows = session.execute(
        select(StatementMatch.line_id, StatementMatch.part).where(
            StatementMatch.line_id.in_(line_ids), StatementMatch.undone_at.is_(None)
        )
    )
    for line_id, part in rows:
        found[line_id].add(part)
    return found
