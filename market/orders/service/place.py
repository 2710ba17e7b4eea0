"""From wanted lines to an order: prices checked again, parts frozen, stock held, a payment opened. All or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from market.catalogue import queries as catalogue
from market.catalogue import service as stock
from market.catalogue.queries import ListingView
from market.kernel import direct
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.errors import DomainError
from market.kernel.ids import new_id
from market.kernel.money import Money, total
from market.kernel.outbox import announcing
from market.kernel.words import say
from market.orders import events, rules
from market.orders.errors import BasketEmpty, ListingGone, PriceChanged, QuantityFaulty, TwoCurrencies
from market.orders.queries import TransferInstructions, instructions
from market.orders.service.guard import Caller, refuse_too_much
from market.payments import service as payments
from market.payments.rules import COMPONENTS, PaymentPart
from market.pricing import rules as prices
from market.pricing import service as pricing
from market.pricing.rules import PriceVerdict
from market.producers import queries as producers
from market.producers.queries import CoopView


@dataclass(frozen=True, slots=True)
class WantedLine:
    """A quantity of a listing, and the unit price that the buyer saw (None: whatever it is)."""

    listing_id: UUID
    quantity: Decimal
    seen_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who orders and where it goes, each on one line, as envelopes and the headings of letters have it."""

    email: str
    name: str
    street: str
    building: str
    postcode: str
    town: str
    country: str
    locale: str = "en"

    def __post_init__(self) -> None:
        for name in ("name", "street", "building", "town"):
            object.__setattr__(self, name, " ".join(getattr(self, name).split()))


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """What was placed, the payment that is to be made, and how, when it is a bank transfer."""

    order_id: UUID
    number: int
    total: Money
    payment_id: UUID
    transfer: TransferInstructions | None


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """A line as it would be frozen now: the offer, what the rules said, and the parts of its price."""

    offer: ListingView
    quantity: Decimal
    on: date
    verdict: PriceVerdict
    parts: tuple[prices.Component, ...]

    @property
    def total(self) -> Money:
        """The exact sum of the parts."""
        return prices.sum_of(self.parts)


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order would cost now, line by line."""

    lines: tuple[QuotedLine, ...]
    total: Money
    coops: dict[UUID, CoopView]


def quote(session: Session, *, wanted: Sequence[WantedLine], now: datetime) -> Quote:
    """Price wanted lines by today's checks without writing anything. Raises what `place_order` raises for prices."""
    offers = _offers(session, wanted)
    coops = producers.coops_by_id(session, {offer.coop_id for offer in offers.values()})
    days = [day_in(now, coops[offers[line.listing_id].coop_id].time_zone) for line in wanted]
    verdicts = _verdicts(session, wanted, offers, days)
    lines = []
    for index, (line, verdict) in enumerate(zip(wanted, verdicts, strict=True)):
        offer = offers[line.listing_id]
        try:
            pricing.refuse(verdict, gate="G2")
        except DomainError as refusal:
            refusal.pointer = f"/lines/{index}"
            raise
        parts = prices.breakdown(
            price=verdict.goods_price,
            quantity=line.quantity,
            charges=_charges(coops[offer.coop_id]),
            premium=verdict.premium,
            organic_differential=verdict.organic_differential,
        )
        lines.append(QuotedLine(offer, line.quantity, days[index], verdict, tuple(parts)))
    return Quote(tuple(lines), total([line.total for line in lines], lines[0].offer.currency), coops)


def place_order(
    session: Session,
    *,
    actor: Actor,
    wanted: Sequence[WantedLine],
    buyer: Buyer,
    method: str,
    now: datetime,
    caller: Caller | None = None,
) -> PlacedOrder:
    """Place an order over any number of producers in one currency, hold its stock and open its payment.

    Prices are checked again today (G2) and each line's parts frozen. The caller lets the transaction plan its statements
    once (`direct.plan_once`). `caller` is held to the limits of the site. Raises BasketEmpty, TwoCurrencies, ListingGone,
    QuantityFaulty, PriceChanged, ListingSoldOut, PriceBelowFloor, TooManyOrders, TooMuchUnpaid.
    """
    priced = quote(session, wanted=wanted, now=now)
    if caller is not None:
        refuse_too_much(
            session, caller, account_id=actor.account_id, email=buyer.email, method=method, total=priced.total, now=now
        )
    order_id = new_id()
    expires_at = now + _held_for(method, priced)
    order: dict[str, object] = {
        "id": order_id,
        "account_id": actor.account_id,
        "email": buyer.email,
        "name": buyer.name,
        "street": buyer.street,
        "building": buyer.building,
        "postcode": buyer.postcode,
        "town": buyer.town,
        "country": buyer.country,
        "locale": buyer.locale,
        "currency": priced.total.currency,
        "total_minor": priced.total.minor,
        "method": method,
        "state": "placed",
        "placed_at": now,
        "expires_at": expires_at,
        "placed_from": caller and caller.address and f"\\x{caller.address.hex()}",
    }
    pieces, parts = _pieces(order, priced, now)
    begun = payments.opening(
        subject_kind="order",
        subject_id=order_id,
        parts=parts,
        method=method,
        title="Fair Market ",
        title_ending="(SELECT number FROM placed)",
        expires_at=expires_at,
        now=now,
        payer_account_id=actor.account_id,
        email=buyer.email,
    )
    wants = [(line.offer.lot_id, catalogue.in_stock_unit(line.offer, line.quantity)) for line in priced.lines]
    pieces += [
        stock.holding(wants=wants, order_id=order_id, expires_at=expires_at),
        begun.piece,
        announcing(events.PLACED, {"order_id": order_id}),
    ]
    written = direct.run_together(session, pieces, _WRITTEN)
    stock.held(session, [row[2:] for row in written])
    number, payment_number = written[0][:2]
    payment = begun.view(payment_number)
    transfer = instructions(priced.coops[parts[0].coop_id], payment) if method == "transfer" else None
    return PlacedOrder(order_id, number, priced.total, payment.id, transfer)


_WRITTEN = f"SELECT placed.number, opened.number, held.* FROM placed, ({payments.OPENED}) AS opened, ({stock.HELD}) AS held"  # noqa: S608


def _held_for(method: str, priced: Quote) -> timedelta:
    if method == "card":
        return timedelta(minutes=rules.CARD_MINUTES)
    return timedelta(days=min(coop.transfer_hold_days for coop in priced.coops.values()))


def _offers(session: Session, wanted: Sequence[WantedLine]) -> dict[UUID, ListingView]:
    if not wanted:
        raise BasketEmpty("The basket is empty. Put something into it first.")
    if len({line.listing_id for line in wanted}) < len(wanted):
        raise QuantityFaulty("Each listing may stand once in an order. Add the quantities together.", pointer="/lines")
    offers = catalogue.listings_by_id(session, [line.listing_id for line in wanted])
    for index, line in enumerate(wanted):
        offer = offers.get(line.listing_id)
        if offer is None or offer.state != "published":
            raise ListingGone(
                "One of the listings is not offered any more. Take it out of the basket.", pointer=f"/lines/{index}"
            )
        if line.quantity <= 0 or line.quantity % offer.order_step:
            step = f"{offer.order_step.normalize():f} {offer.unit}"
            raise QuantityFaulty(
                say("“%(title)s” is sold in steps of %(step)s.", title=offer.title, step=step), pointer=f"/lines/{index}/quantity"
            )
        if line.seen_price is not None and line.seen_price != offer.unit_price:
            raise PriceChanged(
                say(
                    "The price of “%(title)s” is now %(unit_price)s %(currency)s per %(unit)s. Look at it and order again.",
                    title=offer.title,
                    unit_price=offer.unit_price,
                    currency=offer.currency,
                    unit=offer.unit,
                ),
                pointer=f"/lines/{index}",
                unit_price=offer.unit_price,
            )
    currencies = {offer.currency for offer in offers.values()}
    if len(currencies) > 1:
        raise TwoCurrencies(
            say(
                "These goods are sold in %(currencies)s. Order them separately, one order per currency.",
                currencies=sorted(currencies),
            )
        )
    return offers


def _verdicts(
    session: Session, wanted: Sequence[WantedLine], offers: dict[UUID, ListingView], days: list[date]
) -> list[PriceVerdict]:
    """Judge every line on the day it is where its co-op is (R-03); usually one day, so one statement."""
    verdicts: dict[int, PriceVerdict] = {}
    for day in sorted(set(days)):
        at = [index for index, line_day in enumerate(days) if line_day == day]
        asked = [catalogue.price_offer(offers[wanted[index].listing_id], wanted[index].quantity) for index in at]
        verdicts |= dict(zip(at, pricing.check_prices(session, asked, day), strict=True))
    return [verdicts[index] for index in range(len(wanted))]


def _charges(coop: CoopView) -> prices.Charges:
    return prices.Charges(
        service_pct=coop.service_pct,
        transport_minor=coop.transport_minor_per_line,
        payment_pct=coop.payment_pct,
        tax_pct=coop.tax_pct,
    )


def _pieces(order: dict[str, object], priced: Quote, now: datetime) -> tuple[list[direct.Piece], list[PaymentPart]]:
    """Return what is written of the order itself and of the checks that allowed it, and what each producer is paid."""
    currency = priced.total.currency
    by_producer: dict[UUID, list[tuple[UUID, QuotedLine]]] = {}
    for line in priced.lines:
        by_producer.setdefault(line.offer.producer_id, []).append((new_id(), line))
    judged = [(line_id, line.verdict, line.on) for own in by_producer.values() for line_id, line in own]
    check_ids, checks = pricing.storing(judged, now=now)
    sellers, lines, parts, payment_parts = [], [], [], []
    for position, (producer_id, own) in enumerate(sorted(by_producer.items()), start=1):
        seller_id, coop_id = new_id(), own[0][1].offer.coop_id
        sums = rules.by_component([(part.kind, part.money) for _, line in own for part in line.parts], currency)
        sellers.append(
            {"id": seller_id, "coop_id": coop_id, "order_id": order["id"], "producer_id": producer_id, "position": position}
            | {"currency": currency, "state": "placed", "placed_at": now}
            | {f"{name}_minor": money.minor for name, money in sums.items()}
        )
        payment_parts.append(PaymentPart(coop_id=coop_id, subject=seller_id, **sums))
        for line_id, line in own:
            lines.append(line_row(line_id, line, check_ids[line_id]) | {"order_id": order["id"], "seller_order_id": seller_id})
            parts += [part_row(line_id, part) for part in line.parts]
    given = {"orders": [order], "sellers": sellers, "lines": lines, "parts": parts}
    return [checks, direct.Piece(_WRITE, {name: direct.as_rows(rows) for name, rows in given.items()})], payment_parts


_ORDER = (
    *("id", "account_id", "email", "name", "street", "building", "postcode", "town", "country", "locale", "currency"),
    *("total_minor", "method", "state", "placed_at", "expires_at", "placed_from"),
)
_SELLER = (
    *("id", "coop_id", "order_id", "producer_id", "position", "currency", "state", "placed_at"),
    *(f"{name}_minor" for name in COMPONENTS),
)
_LINE = (
    *("id", "coop_id", "order_id", "seller_order_id", "listing_id", "lot_id", "title", "unit", "quantity", "unit_price"),
    *("currency", "total_minor", "stock_quantity", "check_ids"),
)
_PART = (
    *("order_line_id", "seq", "kind", "label", "amount_minor", "currency", "payer", "payee", "bearer", "tax_rate", "tax_minor"),
    "rule_version",
)
_WRITE = f"""
placed AS ({direct.insert_of("orders", _ORDER, "orders")} RETURNING number),
sellers AS ({direct.insert_of("seller_order", _SELLER, "sellers")}),
lines AS ({direct.insert_of("order_line", _LINE, "lines")}),
parts AS ({direct.insert_of("price_component", _PART, "parts")})
"""


def line_row(line_id: UUID, line: QuotedLine, check_ids: Sequence[UUID]) -> dict[str, object]:
    """Return the columns of an order line as it is frozen, without its order."""
    return {
        "id": line_id,
        "coop_id": line.offer.coop_id,
        "listing_id": line.offer.id,
        "lot_id": line.offer.lot_id,
        "title": line.offer.title,
        "unit": line.offer.unit,
        "quantity": line.quantity,
        "unit_price": line.offer.unit_price,
        "currency": line.offer.currency,
        "total_minor": line.total.minor,
        "stock_quantity": catalogue.in_stock_unit(line.offer, line.quantity),
        "check_ids": list(check_ids),
    }


def part_row(line_id: UUID, part: prices.Component) -> dict[str, object]:
    """Return the columns of one part of a line's price."""
    return {
        "order_line_id": line_id,
        "seq": part.seq,
        "kind": part.kind,
        "label": part.label,
        "amount_minor": part.money.minor,
        "currency": part.money.currency,
        "payer": part.payer,
        "payee": part.payee,
        "bearer": part.bearer,
        "tax_rate": part.tax_rate,
        "tax_minor": part.tax_minor,
        "rule_version": part.rule_version,
    }
