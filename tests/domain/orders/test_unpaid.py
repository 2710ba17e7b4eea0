"""A transfer that paid the wrong order is taken back: the order waits for its own payment again, or the refusal says why not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import select, text

from market.catalogue import service as stock
from market.catalogue.models import Hold, Listing
from market.invoices import queries as papers
from market.kernel.actor import Actor, system
from market.kernel.audit import AuditEntry
from market.kernel.errors import DomainError
from market.kernel.ids import new_id
from market.ledger import queries as books
from market.ledger import service as ledger
from market.notifications import service as notifications
from market.notifications.models import Notification
from market.orders import queries, service
from market.orders.service import PlacedOrder
from market.payments import queries as payments
from market.payments.rules import State
from market.reports.queries import lot_sales
from market.statements import service as statements
from market.statements.match_models import StatementMatch
from market.statements.models import MoneyAccount, StatementLine
from tests.conftest import NOW
from tests.factories.accounts import make_producer_account
from tests.factories.catalogue import make_listing
from tests.factories.orders import parts_of, place
from tests.factories.payouts import PREPARER
from tests.factories.producers import make_coop, make_producer
from tests.factories.statements import DAY, import_lines, line, make_account
from workers import invoices as tasks

LATER = NOW + timedelta(days=2)
STAFF = Actor(account_id=new_id(), roles=frozenset({"preparer"}))
HELD = ("held:goods", "held:premium", "held:charges", "held:tax")


class Match(NamedTuple):
    """A match by its id and its line's, as whoever takes it back knows it."""

    id: UUID
    line_id: UUID


@dataclass
class Shop:
    """A co-op with a bank account and a lot of ten, and orders of it that wait for transfers."""

    session: object
    listing: object
    account: object
    statements: int = 0
    bank: int = 0

    def order(self, quantity: int = 2) -> PlacedOrder:
        return place(self.session, self.listing, quantity=quantity, method="transfer")

    def transfer(self, placed: PlacedOrder, minor: int | None = None) -> Match:
        """A line comes and a person gives it to an order, whose task takes note of it."""
        minor, self.statements = minor or placed.total.minor, self.statements + 1
        made = line(minor, day=DAY, ref=f"R{self.statements}")
        import_lines(self.session, self.account, [made], number=self.statements, opening=self.bank)
        self.bank += minor
        found = select(StatementLine).where(StatementLine.bank_ref == f"R{self.statements}")
        row = self.session.scalars(found.where(StatementLine.money_account_id == self.account.id)).one()
        return self.match(row.id, placed)

    def match(self, line_id: UUID, placed: PlacedOrder) -> Match:
        reference = payments.payment(self.session, placed.payment_id).reference
        made = statements.match_reference(self.session, line_id=line_id, reference=reference, actor=PREPARER, now=NOW)
        if payments.payment(self.session, placed.payment_id).is_paid:
            service.mark_paid(self.session, order_id=placed.order_id, payment_id=placed.payment_id, now=NOW)
        return Match(made, line_id)

    def undo(self, match: Match, now=LATER) -> None:
        statements.undo_match(self.session, match_id=match.id, reason="somebody else's", actor=PREPARER, now=now)
        self.session.flush()
        self.session.expire_all()

    def balances(self, *codes: str) -> list[int]:
        book = ledger.book_of(self.session, self.account.coop_id)
        return [books.balance(self.session, book, code, "EUR").minor for code in codes]

    def stock(self) -> tuple[int, int]:
        """What lies there and what of it is held."""
        row = self.session.execute(text("SELECT on_hand, held FROM stock WHERE lot_id = :lot"), {"lot": self.listing.lot_id})
        return tuple(int(each) for each in row.one())

    def said(self, topic: str) -> list[dict[str, str]]:
        found = text("SELECT payload FROM outbox WHERE topic = :topic ORDER BY id")
        return list(self.session.execute(found, {"topic": topic}).scalars())


@pytest.fixture
def shop(session) -> Shop:
    coop = make_coop(session, transfer_hold_days=5)
    producer = make_producer(session, coop=coop)
    make_producer_account(session, producer=producer)
    listing = make_listing(session, producer=producer)
    session.execute(text("UPDATE stock SET on_hand = 10 WHERE lot_id = :lot"), {"lot": listing.lot_id})
    return Shop(session, listing, make_account(session, coop=coop))


def test_the_order_waits_again_and_everything_is_as_before_its_payment(session, shop) -> None:
    placed = shop.order()
    match = shop.transfer(placed)
    assert shop.stock() == (8, 0)
    before = shop.balances("bank:1")
    shop.undo(match)
    order, payment = queries.order(session, placed.order_id), payments.payment(session, placed.payment_id)
    assert (order.state, order.paid_at, order.expires_at) == ("placed", None, LATER + timedelta(days=5))
    assert [part.state for part in order.parts] == ["placed"]
    assert (payment.state, payment.received.minor, payment.expires_at) == (State.AWAITING_TRANSFER, 0, order.expires_at)
    assert shop.balances(*HELD) == [0, 0, 0, 0]
    assert shop.balances("bank:1", "suspense:1") == [*before, -placed.total.minor]
    assert shop.stock() == (10, 2)
    assert session.scalars(select(Hold.expires_at).where(Hold.order_id == placed.order_id)).one() == order.expires_at
    assert lot_sales.split(session, shop.listing.lot_id) == []
    assert queries.transfer_instructions(session, order).amount == placed.total
    told = session.scalars(select(AuditEntry).where(AuditEntry.action == "orders.payment_taken_back")).one()
    assert (told.actor, told.new["reason"]) == (PREPARER.label, "somebody else's")
    assert shop.said("orders.unpaid") == [{"order_id": str(placed.order_id), "times": "1"}]
    assert books.check(session) == []


def test_the_line_then_pays_the_order_that_it_was_meant_for_and_the_first_is_paid_later(session, shop) -> None:
    wrong, right = shop.order(), shop.order()
    match = shop.transfer(wrong)
    shop.undo(match)
    shop.match(match.line_id, right)
    assert [queries.order(session, each.order_id).state for each in (wrong, right)] == ["placed", "paid"]
    shop.transfer(wrong)
    assert queries.order(session, wrong.order_id).state == "paid"
    assert shop.stock() == (6, 0)
    assert shop.balances("suspense:1") == [0]
    assert sum(shop.balances(*HELD)) == wrong.total.minor + right.total.minor
    assert len(shop.said("orders.paid")) == 3
    assert books.check(session) == []


def test_of_a_payment_in_parts_the_first_stays_the_buyers(session, shop) -> None:
    placed = shop.order()
    first = shop.transfer(placed, 100)
    last = shop.transfer(placed, placed.total.minor - 100)
    with pytest.raises(DomainError) as refused:
        shop.undo(first)
    assert refused.value.code == "payments.later_transfer"
    assert f"on {DAY:%Y-%m-%d}" in refused.value.detail, "which line that is"
    shop.undo(last)
    payment = payments.payment(session, placed.payment_id)
    assert (payment.state, payment.received.minor) == (State.PART_PAID, 100)
    assert shop.balances(f"buyer_credit:{placed.payment_id}") == [100]
    assert queries.order(session, placed.order_id).state == "placed"
    shop.undo(first)
    assert payments.payment(session, placed.payment_id).state is State.AWAITING_TRANSFER
    assert books.check(session) == []


def test_a_payment_that_the_order_has_not_noted_yet_is_taken_back_without_a_word(session, shop) -> None:
    placed = shop.order()
    reference = payments.payment(session, placed.payment_id).reference
    import_lines(session, shop.account, [line(placed.total.minor, ref="A", reference=reference)])
    (row,) = session.scalars(select(StatementLine)).all()
    match_id = statements.match_reference(session, line_id=row.id, reference=reference, actor=PREPARER, now=NOW)
    shop.undo(Match(match_id, row.id))
    assert not service.mark_paid(session, order_id=placed.order_id, payment_id=placed.payment_id, now=LATER)
    assert queries.order(session, placed.order_id).expires_at == LATER + timedelta(days=5)
    assert shop.stock() == (10, 2)
    assert shop.said("orders.unpaid") == []


def shipped(session, part) -> None:
    service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=None, now=NOW)


def settled(session, part) -> None:
    shipped(session, part)
    service.confirm(session, actor=STAFF, seller_order_id=part.id, now=NOW)
    service.settle(session, seller_order_ids=[part.id], now=NOW)


def given_back(session, part) -> None:
    quantities = {part.lines[0].id: Decimal(1)}
    service.refund_lines(
        session, actor=STAFF, seller_order_id=part.id, quantities=quantities, reason="broken", bearer="coop", now=NOW
    )


def disputed(session, part) -> None:
    payment = payments.live_payment(session, subject_kind="order", subject_id=part.order_id)
    row = {"id": new_id(), "payment": payment.id, "at": NOW}
    session.execute(
        text(
            "INSERT INTO payment_dispute (id, payment_id, provider_ref, state, reason, currency, amount_minor, opened_at)"
            " VALUES (:id, :payment, 'dp_1', 'needs_response', 'fraudulent', 'EUR', 1, :at)"
        ),
        row,
    )


@pytest.mark.parametrize(
    ("moved_on", "code"),
    [
        (shipped, "orders.part_sent"),
        (settled, "payments.transfer_earned"),
        (given_back, "payments.transfer_given_back"),
        (disputed, "payments.disputed"),
    ],
)
def test_what_moved_on_keeps_its_payment_and_the_refusal_says_what_to_do(session, shop, moved_on: Callable, code: str) -> None:
    placed = shop.order()
    match = shop.transfer(placed)
    (part,) = parts_of(session, placed.order_id)
    moved_on(session, part)
    before = shop.balances(*HELD), shop.stock()
    with session.begin_nested(), pytest.raises(DomainError) as refused:
        with session.begin_nested():
            shop.undo(match)
    assert refused.value.code == code
    session.expire_all()
    assert queries.order(session, placed.order_id).state == "paid"
    assert (shop.balances(*HELD), shop.stock()) == before


def test_goods_that_are_short_stay_short_and_are_held_when_they_come_back(session, shop) -> None:
    placed = shop.order(quantity=8)
    stock.expire_holds(session, now=NOW + timedelta(days=30))
    other = shop.order(quantity=5)
    match = shop.transfer(placed)
    assert parts_of(session, placed.order_id)[0].problem == "paid_short_of_stock"
    shop.undo(match)
    assert shop.stock() == (10, 5)
    assert parts_of(session, placed.order_id)[0].problem is None
    told = session.scalars(select(AuditEntry).where(AuditEntry.action == "orders.payment_taken_back")).one()
    assert told.new["missing"] == {str(shop.listing.lot_id): "8.000000"}
    service.cancel_order(session, actor=STAFF, order_id=other.order_id, now=NOW)
    until = LATER + timedelta(days=1)
    for _ in range(2):
        assert stock.hold_again(session, order_id=placed.order_id, until=until) == []
        assert shop.stock() == (10, 8), "twice changes nothing"
    shop.transfer(placed)
    assert shop.stock() == (2, 0)


def told(session, topic: str, payload: dict[str, str]) -> list[str]:
    notifications.tell(session, topic=topic, payload=payload, now=NOW)
    return sorted(session.scalars(select(Notification.kind)))


def test_buyer_and_producer_are_told_once_each_time(session, shop) -> None:
    placed = shop.order()
    match = shop.transfer(placed)
    paid, first = shop.said("orders.paid")[0], ["packing_note", "receipt"]
    assert told(session, "orders.paid", paid) == first
    shop.undo(match)
    (unpaid,) = shop.said("orders.unpaid")
    assert told(session, "orders.paid", paid) == first, "what was true then is not said now"
    for _ in range(2):
        assert told(session, "orders.unpaid", unpaid) == sorted([*first, "order_unpaid", "packing_taken_back"])
    mail = session.scalars(select(Notification).where(Notification.kind == "order_unpaid")).one()
    assert mail.facts["facts"]["reference"] == payments.payment(session, placed.payment_id).reference
    assert mail.facts["facts"]["until"] == {"instant": (LATER + timedelta(days=5)).isoformat()}
    again = shop.match(match.line_id, placed)
    for _ in range(2):
        assert told(session, "orders.paid", paid).count("packing_note") == 2, "paid a second time is told a second time"
    shop.undo(again)
    assert told(session, "orders.unpaid", unpaid).count("order_unpaid") == 1, "the first time is over"
    assert told(session, "orders.unpaid", shop.said("orders.unpaid")[1]).count("order_unpaid") == 2


def invoiced(session, shop: Shop, placed: PlacedOrder) -> list[str]:
    account_id, listing_id = shop.account.id, shop.listing.id
    session.commit()
    for _ in range(2):
        tasks.issue(order_id=str(placed.order_id))
        tasks.credit_ended(order_id=str(placed.order_id))
    shop.account, shop.listing = session.get(MoneyAccount, account_id), session.get(Listing, listing_id)
    return [one.number for one in papers.invoices_of(session, placed.order_id)]


def test_paid_again_it_has_one_invoice_and_ended_unpaid_a_credit_note_of_all_of_it(session, shop) -> None:
    again, ended, never = shop.order(), shop.order(), shop.order()
    lines = {placed.order_id: shop.transfer(placed) for placed in (again, ended, never)}
    assert [invoiced(session, shop, placed) for placed in (again, ended)] == [["INV-2026-000001"], ["INV-2026-000002"]]
    for placed in (again, ended, never):
        shop.undo(lines[placed.order_id])
        assert not [number for number in invoiced(session, shop, placed) if number.startswith("CN")], "it may still be paid"
    shop.transfer(again)
    over = queries.order(session, ended.order_id).expires_at
    assert set(service.expire_orders(session, now=over)) == {ended.order_id, never.order_id}
    assert shop.stock() == (8, 0)
    assert invoiced(session, shop, again) == ["INV-2026-000001"]
    assert invoiced(session, shop, ended) == ["INV-2026-000002", "CN-2026-000001"]
    assert invoiced(session, shop, never) == []
    invoice, note = papers.invoices_of(session, ended.order_id)
    paper = papers.paper(session, note.id)
    assert (note.total, paper.corrects, paper.lines) == (invoice.total, invoice.number, papers.paper(session, invoice.id).lines)
    assert papers.check(session) == []
    assert books.check(session) == []
    (cancelled,) = [one for one in shop.said("orders.cancelled") if one["order_id"] == str(ended.order_id)]
    told(session, "orders.cancelled", cancelled)
    mail = session.scalars(select(Notification).where(Notification.kind == "order_cancelled")).one()
    assert mail.facts["facts"]["attach_ended"] == str(ended.order_id)


def test_the_actor_of_a_rule_is_named_too(session, shop) -> None:
    placed = shop.order()
    reference = payments.payment(session, placed.payment_id).reference
    import_lines(session, shop.account, [line(placed.total.minor, ref="A", reference=reference)])
    assert statements.run_matching(session, money_account_id=shop.account.id, actor=system("t"), now=NOW).matched == 1
    service.mark_paid(session, order_id=placed.order_id, payment_id=placed.payment_id, now=NOW)
    (match,) = session.scalars(select(StatementMatch)).all()
    shop.undo(Match(match.id, match.line_id))
    assert queries.order(session, placed.order_id).state == "placed"
    assert statements.run_matching(session, money_account_id=shop.account.id, actor=system("t"), now=NOW).matched == 0
