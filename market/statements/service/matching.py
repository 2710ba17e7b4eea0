"""Run the rules over the open lines of an account: match what is certain, suggest the rest (money.md 8.1).

Months are worked off one after the other, so memory does not grow with the account's age. Lines a week before and after
a month count as rivals: an amount and an account must be unique there, too.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import zip_longest
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from market.kernel import direct, outbox
from market.kernel.actor import Actor
from market.kernel.errors import DomainError
from market.kernel.ids import new_id
from market.statements.events import IMPORTED
from market.statements.models import MoneyAccount, StatementLine, StatementLinePart, StatementMatch, StatementSuggestion
from market.statements.rules.claims import Claim, Proposal, claims_of
from market.statements.rules.matching import WINDOW, Matcher
from market.statements.rules.sweeps import propose_sweeps
from market.statements.service.accounts import account_of
from market.statements.service.applying import Wish, insert_rows, make_matches
from market.statements.service.booking_rules import propose_bookings, rules_of
from market.statements.service.lost import stop_on_unknown_payouts
from market.statements.service.targets import ended_targets, open_sweeps, open_targets

Units = Callable[[], AbstractContextManager[Session]]
SLICE = 2_000
_OPEN = ("new", "suggested", "parked")
_TARGET_KINDS = {"return": "payout_return"}


@dataclass(frozen=True, slots=True)
class Matched:
    """What a run did: lines matched, lines with suggestions, lines without."""

    matched: int
    suggested: int
    left: int


def run_matching(session: Session, *, money_account_id: UUID, actor: Actor, now: datetime) -> Matched:
    """Match and suggest for all open lines of an account in one unit of work. Posts, so call it last."""

    @contextmanager
    def part() -> Iterator[Session]:
        with session.begin_nested():
            yield session

    return match_lines(part, money_account_id=money_account_id, actor=actor, now=now)


def match_lines(units: Units, *, money_account_id: UUID, actor: Actor, now: datetime) -> Matched:
    """Match what is certain and suggest the rest for the open lines of an account, each portion in a unit of its own.

    Month by month, so that memory does not grow with the account's age: what a month holds is made before the next is
    planned. Running it twice changes nothing more.
    """
    matched, left = 0, list[Proposal]()
    for proposals in plan_matching(units, money_account_id=money_account_id):
        for portion in slices(proposals):
            matched += apply_slice(units, money_account_id=money_account_id, proposals=portion, actor=actor, now=now)
        left += (proposal for proposal in proposals if not proposal.automatic)
    with units() as session:
        suggested = keep_suggestions(session, money_account_id=money_account_id, proposals=left)
        stop_on_unknown_payouts(session, money_account_id=money_account_id, now=now)
        of_account = (StatementLine.money_account_id == money_account_id, StatementLine.state == "new")
        unexplained = session.execute(select(func.count()).where(*of_account)).scalar_one()
    return Matched(matched, suggested, unexplained)


def ask_for_matching(session: Session, *, money_account_id: UUID) -> None:
    """Leave the matching of an account to a worker."""
    account = account_of(session, money_account_id)
    outbox.announce(session, IMPORTED, {"money_account_id": account.id}, key=str(account.id))


def plan_matching(units: Units, *, money_account_id: UUID) -> Iterator[list[Proposal]]:
    """Yield proposals for the open lines of an account, a list a month; only reads, each month in a unit of its own.

    Lines of a week before and after a month are their rivals, also when they were matched meanwhile.
    """
    with units() as session:
        account = account_of(session, money_account_id)
        dismissed, rules = _dismissed(session, account), rules_of(session, account)
        matcher = Matcher(open_targets(session, account), known_fees=frozenset(account.known_fees), dismissed=dismissed)
        months = _months(session, account)
        claims = _claims(session, account, *months[0], cheques=matcher.cheque_amounts) if months else []
    before: list[Claim] = []
    for (first, after), coming in zip_longest(months, months[1:]):
        with units() as session:
            following = _claims(session, account, *coming, cheques=matcher.cheque_amounts) if coming else []
            near = [claim for claim in before if claim.booked_on >= first - WINDOW]
            near += [claim for claim in following if claim.booked_on < after + WINDOW]
            matcher.add(ended_targets(session, account, claims, matcher.knows))
            proposals = matcher.propose(claims, near)
            swept = propose_sweeps(claims, proposals, open_sweeps(session, account, first), dismissed)
        certain = {proposal.line_id for proposal in swept if proposal.automatic}
        proposals = [each for each in proposals if each.line_id not in certain] + swept
        booked = propose_bookings(claims, proposals, rules, dismissed)
        by_rule = {proposal.line_id for proposal in booked}
        yield [each for each in proposals if not (each.rule == "bank_code" and each.line_id in by_rule)] + booked
        before, claims = claims, following


def slices(proposals: Iterable[Proposal]) -> Iterator[list[Proposal]]:
    """Yield the automatic ones of proposals in portions for one unit of work each; those of one line stay together."""
    portion: list[Proposal] = []
    for together in _by_line(proposal for proposal in proposals if proposal.automatic):
        portion += together
        if len(portion) >= SLICE:
            yield portion
            portion = []
    if portion:
        yield portion


def _by_line(proposals: Iterable[Proposal]) -> Iterable[list[Proposal]]:
    by_line: dict[UUID, list[Proposal]] = defaultdict(list)
    for proposal in proposals:
        by_line[proposal.line_id].append(proposal)
    return by_line.values()


def apply_slice(units: Units, *, money_account_id: UUID, proposals: Sequence[Proposal], actor: Actor, now: datetime) -> int:
    """Make automatic matches in one unit; return the number of lines.

    Where one is refused because somebody was quicker, the others are still made, the lines one by one: a unit posts once,
    so that its locks are taken in one order.
    """
    lines = list(_by_line(proposals))
    try:
        with units() as session:
            account = account_of(session, money_account_id)
            make_matches(session, account, [_wish(proposal, actor) for proposal in proposals], now=now)
    except DomainError:
        if len(lines) == 1:
            return 0  # a person moved it in the meantime: the line stays in the queue
        return sum(apply_slice(units, money_account_id=money_account_id, proposals=each, actor=actor, now=now) for each in lines)
    return len(lines)


def keep_suggestions(session: Session, *, money_account_id: UUID, proposals: Sequence[Proposal]) -> int:
    """Replace the account's suggestions by those of this run, except dismissed ones; return the lines that have some."""
    account = account_of(session, money_account_id)
    of_account = select(StatementLine.id).where(StatementLine.money_account_id == account.id)
    session.execute(
        delete(StatementSuggestion)
        .where(StatementSuggestion.line_id.in_(of_account), StatementSuggestion.dismissed_at.is_(None))
        .execution_options(synchronize_session=False)
    )
    ranks: dict[UUID, int] = defaultdict(int)
    rows = []
    for proposal in proposals:
        if not proposal.automatic:
            ranks[proposal.line_id] += 1
            rows.append(_suggestion(account, proposal, ranks[proposal.line_id]))
    insert_rows(session, StatementSuggestion, rows, skip_existing=True)  # dismissed ones stay as they are
    explained = of_account.where(StatementLine.state == "matched")  # by somebody, while the rules were thinking
    session.execute(
        delete(StatementSuggestion)
        .where(StatementSuggestion.line_id.in_(explained), StatementSuggestion.dismissed_at.is_(None))
        .execution_options(synchronize_session=False)
    )
    mine = StatementLine.money_account_id == account.id
    listed = StatementLine.id.in_(select(StatementSuggestion.line_id).where(StatementSuggestion.dismissed_at.is_(None)))
    for before, after, where in (("new", "suggested", listed), ("suggested", "new", ~listed)):
        session.execute(
            update(StatementLine)
            .where(mine, StatementLine.state == before, where)
            .values(state=after)
            .execution_options(synchronize_session=False)
        )
    session.expire_all()
    return len(ranks)


def _wish(proposal: Proposal, actor: Actor) -> Wish:
    kind = _TARGET_KINDS.get(proposal.kind, proposal.target_kind)
    return Wish(
        line_id=proposal.line_id,
        part=proposal.part,
        target_kind=kind,
        target_id=proposal.target_id,
        line_minor=line_minor(proposal),
        fee_minor=proposal.fee_minor,
        kind=proposal.kind,
        rule=proposal.rule,
        by=actor.label,
        automatic=True,
        evidence=dict(proposal.evidence),
        account_code=proposal.account_code,
    )


def line_minor(proposal: Proposal) -> int:
    """Return how much of the line a proposal uses up: a fee inside a debit counts, what a bank kept of a return does not."""
    return proposal.amount_minor + (proposal.fee_minor if proposal.kind != "return" else 0)


def _suggestion(account: MoneyAccount, proposal: Proposal, rank: int) -> dict[str, object]:
    return {
        "id": new_id(),
        "coop_id": account.coop_id,
        "line_id": proposal.line_id,
        "part": proposal.part,
        "target_kind": _TARGET_KINDS.get(proposal.kind, "account" if proposal.target_kind == "fee" else proposal.target_kind),
        "target_id": proposal.target_id,
        "line_minor": line_minor(proposal),
        "fee_minor": proposal.fee_minor,
        "kind": proposal.kind,
        "rule": proposal.rule,
        "evidence": proposal.evidence,
        "account_code": proposal.account_code,
        "rank": rank,
    }


def _months(session: Session, account: MoneyAccount) -> list[tuple[date, date]]:
    rows = session.execute(
        text(
            "SELECT DISTINCT date_trunc('month', booked_on)::date AS first,"
            " (date_trunc('month', booked_on) + interval '1 month')::date AS after FROM statement_line"
            " WHERE money_account_id = :account AND state IN ('new', 'suggested', 'parked') ORDER BY 1"
        ),
        {"account": account.id},
    )
    return [(row.first, row.after) for row in rows]


def _dismissed(session: Session, account: MoneyAccount) -> frozenset[tuple[UUID, UUID]]:
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


def _claims(
    session: Session, account: MoneyAccount, first: date, after: date, *, cheques: AbstractSet[int] = frozenset()
) -> list[Claim]:
    """Return what is to be explained in a span of days: whole untouched lines, and the unmatched parts of batch lines."""
    rows = direct.run(session, _OPEN_LINES, {"account": account.id, "first": first, "after": after, "open": list(_OPEN)})
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
