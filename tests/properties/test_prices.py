"""Prices under any numbers: parts sum, conversion is exact, a proposed price passes, refunds come to zero."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from market.pricing.rules import (
    UNITS,
    Charges,
    Deduction,
    Discount,
    Outcome,
    Price,
    Reference,
    breakdown,
    fees,
    replay,
    reversed_by,
    scheme_floor,
    sum_of,
)
from market.pricing.rules.units import in_measure, round_line

MASS = sorted(unit for unit, (kind, _) in UNITS.items() if kind == "mass")
amounts = st.decimals("0.000001", "99999", places=6)
quantities = st.decimals("0.000001", "99999", places=6)
percents = st.decimals("0", "40", places=4)
units = st.sampled_from(MASS)
currencies = st.sampled_from(["USD", "EUR", "XOF", "TND"])


@given(amounts, quantities, units, units, currencies, st.tuples(percents, percents, percents), st.integers(0, 9999), st.data())
def test_the_parts_sum_to_the_price(
    amount: Decimal,
    quantity: Decimal,
    unit: str,
    other: str,
    currency: str,
    rates: tuple[Decimal, Decimal, Decimal],
    transport: int,
    data: st.DataObject,
) -> None:
    price = Price(amount, currency, unit)
    premium = Price(data.draw(amounts), currency, other)
    charges = Charges(rates[0], transport, rates[1], rates[2])
    cut = data.draw(st.integers(0, 500))
    lines = breakdown(
        price=price,
        quantity=quantity,
        charges=charges,
        premium=premium,
        discounts=[Discount("Welcome", cut, "platform")],
        floor=price,
    )
    by_kind = {line.kind: line.money for line in lines}
    goods = round_line(Fraction(amount) * Fraction(quantity), currency)
    assert by_kind["producer_goods"] == goods
    assert sum(line.money.minor for line in lines) == sum_of(lines).minor
    taxes = by_kind["tax"].minor if "tax" in by_kind else 0
    assert sum(line.tax_minor for line in lines) == taxes
    exact = Fraction(goods.decimal) + Fraction(by_kind["premium"].decimal if "premium" in by_kind else 0)
    step = Fraction(1, 10 ** max(0, -int(goods.decimal.as_tuple().exponent)))
    service = exact * Fraction(rates[0]) / 100 + transport * step
    before_tax = exact + service + (exact + service) * Fraction(rates[1]) / 100
    paid = Fraction(sum_of(lines).decimal) + cut * step
    assert abs(paid - before_tax * (1 + Fraction(rates[2]) / 100)) <= 2 * step, "rounded once for charges, once for tax"


@given(amounts, quantities, st.integers(1, 6), st.data())
def test_refunds_in_steps_lose_no_unit(amount: Decimal, quantity: Decimal, steps: int, data: st.DataObject) -> None:
    lines = breakdown(
        price=Price(amount, "EUR", "kg"), quantity=quantity, charges=Charges(Decimal("7.5"), 120, Decimal("2.9"), Decimal(10))
    )
    done = [0] * len(lines)
    for step in sorted(data.draw(st.lists(st.integers(1, 99), min_size=steps, max_size=steps))):
        so_far = [part.money.minor for part in reversed_by(lines, returned=quantity * step / 100, ordered=quantity)]
        assert all(abs(now) >= abs(then) for now, then in zip(so_far, done, strict=True)), "a refund never grows back"
        done = so_far
    everything = reversed_by(lines, returned=quantity, ordered=quantity)
    assert all(line.money + back.money == line.money - line.money for line, back in zip(lines, everything, strict=True))


@given(amounts, units, units)
def test_conversion_there_and_back_is_exact(amount: Decimal, one: str, two: str) -> None:
    price = Price(amount, "USD", one)
    there = in_measure(price, Price(Decimal(0), "USD", two))
    factor = in_measure(Price(Decimal(1), "USD", two), price)
    assert there * factor == Fraction(amount)
    assert there == Fraction(amount) * Fraction(UNITS[two][1]) / Fraction(UNITS[one][1])


def _row(minimum: Decimal, unit: str) -> Reference:
    return Reference(
        UUID(int=1),
        "fairtrade",
        "FMP",
        "coffee",
        "USD",
        unit,
        minimum_price=minimum,
        valid_from=date(2023, 8, 1),
        source_name="a table",
    )


@given(amounts, units, amounts, units, quantities)
def test_the_proposed_price_passes_and_the_next_lower_does_not(
    minimum: Decimal, row_unit: str, amount: Decimal, unit: str, quantity: Decimal
) -> None:
    row = _row(minimum, row_unit)
    check = scheme_floor(price=Price(amount, "USD", unit), quantity=quantity, row=row)
    assert replay(check.inputs) == check
    least = check.floor.passing
    assert (check.outcome is Outcome.OK) == (amount >= least)
    assert scheme_floor(price=Price(least, "USD", unit), quantity=quantity, row=row).outcome is Outcome.OK
    lower = Price(least - Decimal("0.000001"), "USD", unit)
    assert scheme_floor(price=lower, quantity=quantity, row=row).outcome is Outcome.VIOLATION


@given(amounts, quantities, units, units)
def test_a_breakdown_at_the_proposed_price_never_touches_the_floor(
    minimum: Decimal, quantity: Decimal, row_unit: str, unit: str
) -> None:
    floor = Price(minimum, "USD", row_unit)
    least = scheme_floor(price=Price(minimum, "USD", unit), quantity=quantity, row=_row(minimum, row_unit)).floor.passing
    lines = breakdown(
        price=Price(least, "USD", unit), quantity=quantity, charges=Charges(Decimal(5), 90, Decimal(3), Decimal(0)), floor=floor
    )
    assert lines[0].kind == "producer_goods"
    buyer_side = tuple(
        Deduction(line.kind, line.payer, line.money.minor) for line in lines if line.payee not in ("producer", "premium_fund")
    )
    assert fees(price=Price(least, "USD", unit), quantity=quantity, floor=floor, deductions=buyer_side).outcome is Outcome.OK
