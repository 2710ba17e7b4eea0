"""The card processor's account as one co-op sees it: its share of each line, what the bank has shown, and a report beside it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger.service import book_of
from market.payments import queries as payments
from market.payments.models import ProcessorLine, ProcessorShare
from market.payments.postings import MIRROR, SUSPENSE
from market.reports.queries.lists import Sorting, Source, Viewer, between_days, one_named, one_of
from market.statements.match_models import StatementMatch
from market.statements.rules.readers.stripe import StripeRow
from market.statements.rules.sweeps import RULE, TRANSIT

_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What the books say in one currency: on the account, not explained, on its way from there to the bank."""

    mirror: Money
    suspense: Money
    transit: Money


@dataclass(frozen=True, slots=True)
class Compared:
    """A line of a report beside ours: `said` and `held` are net amounts, None for what is not there."""

    row: StripeRow
    said: Money | None
    held: Money | None

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        return self.said is not None and self.said == self.held


def lines(viewer: Viewer) -> Source:
    """Return the co-op's share of the processor's lines, newest first; of payouts, whether the bank has shown them."""
    matched = select(StatementMatch.id).where(
        StatementMatch.coop_id == viewer.coop_id,
        StatementMatch.rule == RULE,
        StatementMatch.undone_at.is_(None),
        StatementMatch.evidence["bank_payout"].astext == ProcessorLine.bank_payout,
    )
    is_payout = ProcessorLine.kind == "payout"
    statement = (
        select(
            ProcessorLine.id,
            ProcessorLine.booked_at,
            ProcessorLine.kind,
            ProcessorLine.source,
            ProcessorShare.gross_minor,
            ProcessorShare.fee_minor,
            (ProcessorShare.gross_minor - ProcessorShare.fee_minor).label("net_minor"),
            ProcessorLine.currency,
            case((and_(is_payout, matched.exists()), "seen"), (is_payout, "waits")).label("bank"),
        )
        .join(ProcessorShare, ProcessorShare.line_id == ProcessorLine.id)
        .where(ProcessorShare.coop_id == viewer.coop_id)
    )
    shown: dict[str, ColumnElement[bool]] = {
        "seen": and_(is_payout, matched.exists()),
        "waits": and_(is_payout, ~matched.exists()),
    }
    return Source(
        statement,
        {"newest": Sorting(((ProcessorLine.booked_at, datetime.fromisoformat), (ProcessorLine.id, str)), descending=True)},
        {
            "q": lambda text: (ProcessorLine.id == text) | (ProcessorLine.source == text) | (ProcessorLine.bank_payout == text),
            "kind": one_of(ProcessorLine.kind, KINDS),
            "bank": one_named(shown),
            **between_days(viewer, ProcessorLine.booked_at),
        },
        ProcessorShare.gross_minor - ProcessorShare.fee_minor,
        ProcessorLine.currency,
    )


KINDS = (
    "charge", "payment", "refund", "payment_refund", "refund_failure", "payment_failure_refund", "transfer", "transfer_refund",
    "payout", "payout_failure", "payout_cancel", "adjustment",
)  # fmt: skip


def standing(session: Session, coop_id: UUID) -> list[Standing]:
    """Return where the account stands in each currency that it has moved in."""
    found = {(one.code, one.money.currency): one.money for one in books.balances(session, book_of(session, coop_id))}
    currencies = sorted({currency for code, currency in found if code in (MIRROR, SUSPENSE)})
    return [
        Standing(*(found.get((code, currency), Money.zero(currency)) for code in (MIRROR, SUSPENSE, TRANSIT)))
        for currency in currencies
    ]


def compare(session: Session, rows: Iterable[StripeRow], *, coop_id: UUID | None = None) -> Iterator[Compared]:
    """Yield each line of a report beside ours; for a co-op those that are another's alone are left out."""
    waiting = iter(rows)
    while some := list(islice(waiting, _CHUNK)):
        ids = [row.id for row in some]
        known = payments.net_of_lines(session, ids)
        own = known if coop_id is None else payments.net_of_lines(session, ids, coop_id=coop_id)
        for row in some:
            if row.id not in known or row.id in own:
                said = None if row.net_minor is None else Money(row.net_minor, row.currency)
                yield Compared(row, said, own.get(row.id))
