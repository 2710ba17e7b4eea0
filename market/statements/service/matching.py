"""Run the rules over the open lines of an account: match what is certain, suggest the rest (money.md 8.1).

Months are worked off one after the other, so memory does not grow with the account's age. Lines a week before and after
a month count as rivals: an amount and an account must be unique there, too.
"""

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import zip_longest
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, union, update
from sqlalchemy.orm import Session

from market.kernel import direct, outbox
from market.kernel.actor import Actor
from market.kernel.errors import DomainError
from market.kernel.ids import new_id
from market.kernel.uow import Units
from market.statements.events import IMPORTED
from market.statements.match_models import StatementSuggestion
from market.statements.models import MoneyAccount, StatementLine
from market.statements.rules.candidates import WINDOW
from market.statements.rules.claims import Claim, Proposal
from market.statements.rules.exact import STALE
from market.statements.rules.matching import Matcher
from market.statements.rules.sweeps import propose_sweeps
from market.statements.service.accounts import account_of
from market.statements.service.applying import Wish, insert_rows, make_matches
from market.statements.service.booking_rules import propose_bookings, rules_of
from market.statements.service.claims import claims_between, dismissed_pairs, months_of
from market.statements.service.exact import PORTION, Portion, plan_exact
from market.statements.service.lost import stop_on_unknown_payouts
from market.statements.service.settling import settle_portion
from market.statements.service.targets import awaited_targets, ended_targets, open_sweeps, payouts_on_their_way

Job = Callable[[], Any]
Start = Callable[[Job], Job]
"""Begin a job, and return what waits for its result."""

SideBySide = Callable[[], AbstractContextManager[Start]]
SLICE = 2_000
ASKED_AHEAD = timedelta(days=62)
PORTIONS_AHEAD = 6
MONTHS_AHEAD = 2
"""So many months may wait to be made while the next one is planned."""

_TARGET_KINDS = {"return": "payout_return"}


@dataclass(frozen=True, slots=True)
class Matched:
    """What a run did: lines matched, lines with suggestions, lines without."""

    matched: int
    suggested: int
    left: int


@contextmanager
def at_once() -> Iterator[Start]:
    """Do each job where it is started."""

    def start(job: Job) -> Job:
        done = job()
        return lambda: done

    yield start


def run_matching(session: Session, *, money_account_id: UUID, actor: Actor, now: datetime) -> Matched:
    """Match and suggest for all open lines of an account in one unit of work. Posts, so call it last. Locks those lines."""
    _hold(session, StatementLine.money_account_id == money_account_id, StatementLine.state.in_(("new", "suggested", "parked")))

    @contextmanager
    def part() -> Iterator[Session]:
        with session.begin_nested():
            yield session

    return match_lines(part, money_account_id=money_account_id, actor=actor, now=now)


def match_lines(
    units: Units, *, money_account_id: UUID, actor: Actor, now: datetime, side_by_side: SideBySide = at_once
) -> Matched:
    """Match what is certain and suggest the rest for the open lines of an account, each portion in a unit of its own.

    What a reference leaves no doubt about comes first, by sets. The rest month by month, so that memory does not grow with
    the account's age. Running it twice changes nothing more. `side_by_side` lets the portions of a large account be made
    two at a time, and a month while the next is planned: their lines and payouts are different ones.
    """
    who: dict[str, Any] = {"money_account_id": money_account_id, "actor": actor, "now": now}
    with units() as session:
        certain = plan_exact(session, account_of(session, money_account_id))
    with (side_by_side if len(certain) > 1 else at_once)() as start:
        first = _First(certain, lambda portion: start(partial(settle, units, portion=portion, **who)))
        matched, left = 0, list[Proposal]()
        under_way: deque[Job] = deque()
        for proposals in plan_matching(units, money_account_id=money_account_id, settled_until=first.until):
            if len(under_way) == MONTHS_AHEAD:
                matched += under_way.popleft()()
            under_way.append(start(partial(apply, units, proposals=[each for each in proposals if each.automatic], **who)))
            left += (proposal for proposal in proposals if not proposal.automatic)
        first.until(date.max)
        matched += first.made + sum(made() for made in under_way)
    with units() as session:
        suggested = keep_suggestions(session, money_account_id=money_account_id, proposals=left)
        stop_on_unknown_payouts(session, money_account_id=money_account_id, now=now)
        of_account = (StatementLine.money_account_id == money_account_id, StatementLine.state == "new")
        unexplained = session.execute(select(func.count()).where(*of_account)).scalar_one()
    return Matched(matched, suggested, unexplained)


class _First:
    """The portions of what is certain, in the order of their days: begun a few ahead, and made before a month is read."""

    def __init__(self, portions: Iterable[Portion], begin: Callable[[Portion], Job]) -> None:
        self.made = 0
        self._portions = deque(portions)
        self._begin = begin
        self._begun: deque[tuple[date, Job]] = deque()

    def until(self, day: date) -> None:
        """Wait until all lines up to a day are settled; a portion is forgotten as it is made, since thousands are named in it."""
        while self._begun or self._portions:
            while self._portions and (len(self._begun) < PORTIONS_AHEAD or self._portions[0].since <= day):
                portion = self._portions.popleft()
                self._begun.append((portion.since, self._begin(portion)))
            if self._begun[0][0] > day:
                return
            self.made += self._begun.popleft()[1]() or 0


def ask_for_matching(session: Session, *, money_account_id: UUID) -> None:
    """Leave the matching of an account to a worker."""
    account = account_of(session, money_account_id)
    outbox.announce(session, IMPORTED, {"money_account_id": account.id}, key=str(account.id))


def plan_matching(
    units: Units, *, money_account_id: UUID, settled_until: Callable[[date], None] = lambda _: None
) -> Iterator[list[Proposal]]:
    """Yield proposals for the open lines of an account, a list a month; only reads, each month in a unit of its own.

    Lines of a week before and after a month are their rivals, also when they were matched meanwhile. `settled_until` is asked
    before lines and payouts are read that a line up to that day may show.
    """
    with units() as session:
        account = account_of(session, money_account_id)
        dismissed, rules = dismissed_pairs(session, account), rules_of(session, account)
        targets = awaited_targets(session, account)
        fees = frozenset(account.known_fees)
        matcher = Matcher(targets, known_fees=fees, dismissed=dismissed, returns_unmarked=account.is_wallet)
        months = months_of(session, account)
    edge: date | None = None
    before: list[Claim] = []
    claims: list[Claim] = []
    if months:
        settled_until(_edge(edge, months[0]) + STALE)
        with units() as session:
            edge, claims = _next_month(session, account, matcher, edge, months[0])
    for (first, after), coming in zip_longest(months, months[1:]):
        if coming:
            settled_until(_edge(edge, coming) + STALE)
        with units() as session:
            following: list[Claim] = []
            if coming:
                edge, following = _next_month(session, account, matcher, edge, coming)
            near = [claim for claim in before if claim.booked_on >= first - WINDOW]
            near += [claim for claim in following if claim.booked_on < after + WINDOW]
            matcher.begin_span()
            matcher.add(ended_targets(session, account, claims, matcher.knows))
            sweeps = open_sweeps(session, account, first)
        proposals = matcher.propose(claims, near)  # thinking about a large month holds no transaction open
        swept = propose_sweeps(claims, proposals, sweeps, dismissed)
        certain = {proposal.line_id for proposal in swept if proposal.automatic}
        proposals = [each for each in proposals if each.line_id not in certain] + swept
        booked = propose_bookings(claims, proposals, rules, dismissed)
        by_rule = {proposal.line_id for proposal in booked}
        yield [each for each in proposals if not (each.rule == "bank_code" and each.line_id in by_rule)] + booked
        before, claims = claims, following


def _next_month(
    session: Session, account: MoneyAccount, matcher: Matcher, edge: date | None, month: tuple[date, date]
) -> tuple[date, list[Claim]]:
    """Return the lines of a month, once the matcher knows the payouts that they may show, and up to when it knows them.

    It knows those sent before `edge`; a few months of them are asked for at once, for each time reads all that are on their way.
    """
    first, after = month
    if (needed := _edge(edge, month)) != edge:
        matcher.add(payouts_on_their_way(session, account, sent_from=edge, sent_before=needed))
    return needed, claims_between(session, account, first, after, cheques=matcher.cheque_amounts)


def _edge(edge: date | None, month: tuple[date, date]) -> date:
    """Return up to when payouts are to be known for a month, given up to when they are."""
    _, after = month
    return edge if edge and edge >= after + WINDOW else after + WINDOW + ASKED_AHEAD


def settle(units: Units, *, money_account_id: UUID, portion: Portion, actor: Actor, now: datetime) -> int | None:
    """Settle a portion in one unit; None when something in it was refused: its lines are for the rules then, one by one."""
    try:
        with units() as session:
            account = account_of(session, money_account_id)
            return settle_portion(session, account, portion, actor=actor, now=now)
    except DomainError:
        return None


def apply(units: Units, *, money_account_id: UUID, proposals: Sequence[Proposal], actor: Actor, now: datetime) -> int:
    """Make the automatic ones of a month's proposals; return the number of lines. Whole payouts go by sets, and first."""
    lines = [together for together in _by_line(each for each in proposals if each.automatic)]
    whole = [each for each in lines if len(each) == 1 and _is_whole_payout(each[0])]
    rest = [each for each in lines if len(each) > 1 or not _is_whole_payout(each[0])]
    matched = 0
    for start in range(0, len(whole), PORTION):
        chosen = [proposal for (proposal,) in whole[start : start + PORTION]]
        made = settle(units, money_account_id=money_account_id, portion=_portion(chosen), actor=actor, now=now)
        if made is None:
            rest += ([proposal] for proposal in chosen)
        matched += made or 0
    for portion in slices(proposal for together in rest for proposal in together):
        matched += apply_slice(units, money_account_id=money_account_id, proposals=portion, actor=actor, now=now)
    return matched


def _is_whole_payout(proposal: Proposal) -> bool:
    return (proposal.target_kind, proposal.kind, proposal.part, proposal.fee_minor) == ("payout", "full", 0, 0)


def _portion(proposals: Sequence[Proposal]) -> Portion:
    targets = [proposal.target_id for proposal in proposals]
    texts = ([proposal.rule for proposal in proposals], [json.dumps(proposal.evidence) for proposal in proposals])
    ids = (direct.array(proposal.line_id for proposal in proposals), direct.array(targets))
    return Portion.of(len(proposals), date.min, *ids, *(direct.text_array(each) for each in texts))


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
    """Replace the account's suggestions by those of this run, except dismissed ones; return the lines that have some.

    Locks the lines that have suggestions or get some: of a large account a small part of those that are open.
    """
    account = account_of(session, money_account_id)
    mine = StatementLine.money_account_id == account.id
    touched = union(
        select(StatementSuggestion.line_id).where(StatementSuggestion.dismissed_at.is_(None)),
        select(StatementLine.id).where(mine, StatementLine.state == "suggested"),
        select(direct.rows_of({proposal.line_id for proposal in proposals if not proposal.automatic})),
    )
    _hold(session, mine, StatementLine.id.in_(touched))
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


def _hold(session: Session, *which: ColumnElement[bool]) -> None:
    """Lock lines by their ids, as a person does who decides about one, before their suggestions.

    Whoever took them the other way round would wait for a person who waits for them.
    """
    held = select(StatementLine.id).where(*which).order_by(StatementLine.id).with_for_update().subquery()
    session.execute(select(func.count()).select_from(held))


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
