"""Weights, shares and their postings, without a database. The event numbers (E28 to E34) are those of money.md 2.

Account codes: `payable:<producer>`, `advance:<advance>`, `season_pool:<pool>`, `retained_patronage:<producer>`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from market.earnings.errors import AmountRefused, SlipRefused
from market.kernel.money import Money, allocate
from market.kernel.words import say
from market.ledger.rules import Leg, legs

CAP_PERCENT = Decimal(50)
"""How much of one payment may go to old advances unless the co-op's body decided otherwise (solidarity.md 4) [P]."""


def net_weight(gross: Decimal, tare: Decimal, rejected: Decimal) -> Decimal:
    """Return what a slip pays for. Raises SlipRefused when it would not be above zero."""
    net = gross - tare - rejected
    if min(gross, tare, rejected) < 0 or net <= 0:
        raise SlipRefused(
            say(
                "Gross %(gross)s less container %(tare)s less rejected %(rejected)s leaves nothing to pay for.",
                gross=gross,
                tare=tare,
                rejected=rejected,
            ),
            pointer="/gross",
        )
    return net


def slip_value(net: Decimal, price: Decimal, deduction: Decimal, currency: str) -> Money:
    """Return `(price - deduction) * net`, rounded once per slip. Raises SlipRefused when that is not above zero."""
    value = Money.of((price - deduction) * net, currency) if 0 <= deduction < price else Money.zero(currency)
    if not value:
        raise SlipRefused(
            say("A price of %(price)s less %(deduction)s leaves nothing to pay.", price=price, deduction=deduction),
            pointer="/unit_price",
        )
    return value


def slip_least(net: Decimal, price: Decimal, floor: Decimal | None, currency: str) -> Money | None:
    """Return what the floor price gives for a slip's weight; None where none was named. Raises SlipRefused below it (law 2)."""
    if floor is None:
        return None
    if price < floor:
        raise SlipRefused(
            say("A price of %(price)s is below the floor price of %(floor)s.", price=price, floor=floor), pointer="/unit_price"
        )
    return Money.of(floor * net, currency)


@dataclass(frozen=True, slots=True)
class Open:
    """An advance that is not recovered yet: what is left of it, and its place in the order of recovery."""

    id: UUID
    left: Money
    priority: int
    granted_on: date


def recoveries(
    payment: Money, advances: Sequence[Open], *, cap_percent: Decimal = CAP_PERCENT, least: Money | None = None
) -> list[tuple[UUID, Money]]:
    """Return what of `payment` goes to which advance (E30, E31): by priority, oldest first, within the cap per payment.

    The rest of the payment, at least `100 - cap_percent` percent of it and never below `least`, which is what the floor price
    gives for the goods (product.md, law 3), stays with the member.
    """
    if not 0 <= cap_percent <= 100:
        raise AmountRefused(say("A cap of %(cap)s %% is not between 0 and 100.", cap=cap_percent), pointer="/cap_percent")
    left = int(payment.minor * cap_percent // 100)  # rounded down: a doubt is the member's
    if least is not None:
        left = min(left, (payment - least).minor)
    taken: list[tuple[UUID, Money]] = []
    for advance in sorted(advances, key=lambda each: (each.priority, each.granted_on, each.id)):
        if advance.left.currency == payment.currency and (minor := min(advance.left.minor, left)) > 0:
            taken.append((advance.id, Money(minor, payment.currency)))
            left -= minor
    return taken


def second_payment(pool: Money, kilos: Mapping[UUID, Decimal]) -> dict[UUID, Money]:
    """Split a season's pool by delivered quantity, losing nothing (E32); members in the order of the mapping."""
    return dict(zip(kilos, allocate(pool, _whole(list(kilos.values()))), strict=True))


@dataclass(frozen=True, slots=True)
class Patronage:
    """A member's part of a surplus: paid in cash, and kept as the member's own equity."""

    cash: Money
    retained: Money


def patronage(surplus: Money, by: Mapping[UUID, Decimal], *, cash_percent: Decimal) -> dict[UUID, Patronage]:
    """Split a surplus by patronage; of each part `cash_percent` is paid and the rest retained (E33)."""
    if not 0 <= cash_percent <= 100:
        raise AmountRefused(say("%(cash)s %% in cash is not between 0 and 100.", cash=cash_percent), pointer="/cash_percent")
    parts = second_payment(surplus, by)
    cash = {member: part.share(cash_percent, Decimal(100)) for member, part in parts.items()}
    return {member: Patronage(cash[member], part - cash[member]) for member, part in parts.items()}


def _whole(weights: Sequence[Decimal]) -> list[int]:
    if not weights or min(weights) < 0 or not any(weights):
        raise AmountRefused("A split needs weights, none below zero and one above it.")
    digits = max(-int(weight.normalize().as_tuple().exponent) for weight in weights)
    return [int(weight.scaleb(max(digits, 0))) for weight in weights]


def delivery_priced(payee: UUID, pool: str, value: Money, slip: UUID) -> tuple[Leg, ...]:
    """E29: goods bought for a pool are owed to the member."""
    return legs((f"purchases:{pool}", f"payable:{payee}", value), subject=slip)


def advance_granted(payee: UUID, advance: UUID, money: Money) -> tuple[Leg, ...]:
    """E28: the member owes the advance, and it goes out through the ordinary payout."""
    return legs((f"advance:{advance}", f"payable:{payee}", money), subject=advance)


def advances_recovered(payee: UUID, taken: Sequence[tuple[UUID, Money]], source: UUID) -> tuple[Leg, ...]:
    """E30, E31: part of a payment goes to advances instead."""
    return legs(*((f"payable:{payee}", f"advance:{advance}", money) for advance, money in taken), subject=source)


def season_closed(pool: str, result: Money, season: UUID) -> tuple[Leg, ...]:
    """E32, first half: the undistributed result of a season's sales becomes the members' pool."""
    return legs(("goods_sales", f"season_pool:{pool}", result), subject=season)


def second_payment_due(pool: str, parts: Mapping[UUID, Money], season: UUID) -> tuple[Leg, ...]:
    """E32, second half: the pool is owed to those who delivered."""
    return legs(*((f"season_pool:{pool}", f"payable:{payee}", money) for payee, money in parts.items()), subject=season)


def patronage_due(parts: Mapping[UUID, Patronage], refund: UUID) -> tuple[Leg, ...]:
    """E33: a surplus is owed to members in cash and kept for them as equity."""
    paid = [("surplus", f"payable:{payee}", part.cash) for payee, part in parts.items()]
    kept = [("surplus", f"retained_patronage:{payee}", part.retained) for payee, part in parts.items()]
    return legs(*paid, *kept, subject=refund)


def offset(payee: UUID, money: Money, sale: UUID) -> tuple[Leg, ...]:
    """E34: the member takes inputs of the co-op instead of money."""
    return legs((f"payable:{payee}", "goods_sales", money), subject=sale)


def held(payee: UUID, money: Money, hold: UUID) -> tuple[Leg, ...]:
    """E25, last part: what is owed stays owed and is not paid for now."""
    return legs((f"payable:{payee}", f"payable_on_hold:{payee}", money), subject=hold)


def hold_ended(payee: UUID, money: Money, hold: UUID) -> tuple[Leg, ...]:
    """E26, last part: what was held can be paid."""
    return legs((f"payable_on_hold:{payee}", f"payable:{payee}", money), subject=hold)


def corrected(payee: UUID, money: Money, correction: UUID) -> tuple[Leg, ...]:
    """A correction by two persons: more is owed at the co-op's cost, or less (then `money` is below zero)."""
    payable, cost = f"payable:{payee}", "purchases:corrections"
    if money.minor > 0:
        return legs((cost, payable, money), subject=correction)
    return legs((payable, cost, -money), subject=correction)
