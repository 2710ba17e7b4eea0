"""A co-op's desk with one of each thing that a line can mean, for random sequences: what stands before a match, and after."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text

from market.ledger import queries as books
from market.ledger import service as ledger
from market.orders import queries as orders
from market.orders import service as order_service
from market.payments import queries as payments
from market.payments import service as payment_service
from market.payouts import queries as payouts
from market.payouts import service as payout_service
from market.statements import service
from market.statements.match_models import StatementMatch
from market.statements.models import StatementLine
from tests.conftest import NOW
from tests.domain.statements.test_matching import awaited_payment, sent_payout
from tests.factories.catalogue import make_listing
from tests.factories.orders import place
from tests.factories.payouts import PREPARER, approved_run, make_run
from tests.factories.producers import make_coop, make_producer
from tests.factories.statements import import_lines, line, make_account

WHO = {"actor": PREPARER, "now": NOW}
_STATES = text(
    "SELECT 'order' AS kind, id, state, 0 AS minor FROM orders UNION ALL SELECT 'part', id, state, 0 FROM seller_order"
    " UNION ALL SELECT 'payment', id, state, received_minor FROM payment UNION ALL SELECT 'payout', id, state, 0 FROM payout"
    " UNION ALL SELECT 'refund', id, state, 0 FROM refund UNION ALL SELECT 'payable', id, state, 0 FROM payable"
    " UNION ALL SELECT 'item', payable_id, (released_at IS NULL)::text, 0 FROM payout_item"
    " UNION ALL SELECT 'stock', lot_id, on_hand::text, held FROM stock"
)
"""Where everything stands that a match can move."""


@dataclass(frozen=True)
class Look:
    """How a co-op stands: its balances by account and currency, and the state of everything that a match can move."""

    balances: dict[tuple[str, str], int]
    states: set[tuple]

    def since(self, before: "Look") -> dict[tuple[str, str], int]:
        """What moved since an earlier look."""
        new, old = self.balances, before.balances
        return {key: gap for key in new.keys() | old.keys() if (gap := new.get(key, 0) - old.get(key, 0))}


@dataclass(frozen=True)
class Made:
    """A match that was made: what it became, what it moved, and how everything stood before it."""

    id: UUID
    kind: str
    moved: dict[tuple[str, str], int]
    before: Look


@dataclass
class Desk:
    """Two orders, a payment that has expired, a paid payout and one on its way, a refund to send; and lines that may be theirs."""

    session: object
    coop_id: UUID
    book: int
    credits: list[UUID] = field(default_factory=list)
    debits: list[UUID] = field(default_factory=list)
    paid_in: list[str] = field(default_factory=list)
    paid_out: list[str] = field(default_factory=list)
    order_ids: dict[UUID, UUID] = field(default_factory=dict)

    @classmethod
    def opened(cls, session) -> "Desk":
        """All of it, once for all sequences."""
        coop = make_coop(session)
        account = make_account(session, coop=coop)
        desk, producer = cls(session, coop.id, ledger.book_of(session, coop.id)), make_producer(session, coop=coop)
        listing = make_listing(session, producer=producer)
        placed = [place(session, listing, method="transfer") for _ in range(2)]
        desk.order_ids = {one.payment_id: one.order_id for one in placed}
        late, given = (awaited_payment(session, coop) for _ in range(2))
        for each in (late, given):
            payment_service.expire(session, payment_id=each.id, now=NOW)
        (first, _), (second, _) = sent_payout(session, coop), sent_payout(session, coop, 5_000)
        price = placed[0].total.minor
        minors = [price, price, 100, first.money.minor - 15, 10_000, -first.money.minor, -5_000, -10_000]
        import_lines(session, account, [line(minor, ref=f"D{n}") for n, minor in enumerate(minors)])
        rows = dict(
            session.execute(select(StatementLine.bank_ref, StatementLine.id).where(StatementLine.coop_id == coop.id)).all()
        )
        ids = [rows[f"D{n}"] for n in range(len(minors))]
        desk.credits, desk.debits = ids[:4], ids[6:]
        service.match_reference(session, line_id=ids[5], reference=first.reference, **WHO)
        service.match_reference(session, line_id=ids[4], reference=given.reference, **WHO)
        refund = payment_service.give_back_credit(session, payment_id=given.id, **WHO)
        references = [payments.payment(session, one.payment_id).reference for one in placed]
        desk.paid_in = [*references, late.reference, first.reference]
        desk.paid_out = [second.reference, refund.reference]
        session.flush()
        return desk

    def look(self) -> Look:
        """All balances of the co-op, and where everything stands."""
        self.session.flush()
        found = books.balances(self.session, self.book)
        balances = {(one.code, one.money.currency): one.money.minor for one in found if one.money}
        return Look(balances, set(map(tuple, self.session.execute(_STATES))))

    def each_kind(self) -> list[tuple[UUID, str]]:
        """A line for each kind of match: an order paid whole and one in part, money too late, a return, a payout, a refund."""
        credit, debit, (one, other, late, back) = self.credits, self.debits, self.paid_in
        paid_in = [(credit[0], one), (credit[2], other), (credit[1], late), (credit[3], back)]
        return [*paid_in, *zip(debit, self.paid_out, strict=True)]

    def match(self, line_id: UUID, reference: str) -> tuple[UUID, str]:
        """Give a line to what a reference names; an order that it pays takes note. Raises the refusals of the desk."""
        made = service.match_reference(self.session, line_id=line_id, reference=reference, **WHO)
        payment = payments.payment_by_reference(self.session, reference)
        if payment is None:
            return made, self.session.get_one(StatementMatch, made).target_kind
        if payment.is_paid and (order_id := self.order_ids.get(payment.id)):
            order_service.mark_paid(self.session, order_id=order_id, payment_id=payment.id, now=NOW)
        return made, payment.state

    def undo(self, match_id: UUID) -> None:
        """Take a match back."""
        service.undo_match(self.session, match_id=match_id, reason="not that one", **WHO)
        self.session.expire_all()

    def ship(self, n: int) -> None:
        """Send the goods of an order: what paid it stays."""
        for part in orders.order(self.session, list(self.order_ids.values())[n]).parts:
            order_service.ship(self.session, actor=PREPARER, seller_order_id=part.id, tracking=None, now=NOW + timedelta(days=1))

    def pay_out(self, approve: bool) -> None:
        """Take what is owed into a run: what came back stays so while it is there."""
        (approved_run if approve else make_run)(self.session, self.coop_id)

    def discard(self) -> None:
        """Throw the run away that waits for approval."""
        found = text("SELECT id FROM payout_run WHERE coop_id = :coop AND state = 'draft'")
        for run_id in self.session.scalars(found, {"coop": self.coop_id}).all():
            payout_service.discard_run(self.session, run_id=run_id, **WHO)

    def differing(self) -> list:
        """Where the desk's rows and books disagree."""
        self.session.flush()
        return [one for one in payouts.check(self.session) if one.place.startswith(f"book {self.book} ")]
