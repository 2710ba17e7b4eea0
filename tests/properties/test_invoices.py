"""Invoices under any price: lines and tax come to the total, and so do the credit notes of any refund."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from market.invoices import rules
from market.invoices.rules import Item, Piece
from market.orders.rules import COMPONENT
from market.payments.rules import COMPONENTS
from market.pricing.rules import Charges, Discount, Price, breakdown, sum_of

percents = st.decimals("0", "40", places=4)
lines = st.tuples(st.decimals("0.01", "999", places=6), st.decimals("0.01", "99", places=3), st.integers(0, 50))


@given(st.lists(lines, min_size=1, max_size=4), percents, percents, st.sampled_from(["EUR", "XOF", "TND"]), st.data())
def test_lines_and_tax_sum_to_the_total(
    wanted: list[tuple[Decimal, Decimal, int]], service: Decimal, tax: Decimal, currency: str, data: st.DataObject
) -> None:
    items, total = [], 0
    for price, quantity, cut in wanted:
        discounts = [Discount("Welcome", cut, "coop")] if cut else []
        parts = breakdown(price=Price(price, currency, "kg"), quantity=quantity,
                          charges=Charges(service, 400, Decimal(2), tax), discounts=discounts)  # fmt: skip
        pieces = [Piece(COMPONENT[p.kind], p.amount_minor, p.tax_rate, p.tax_minor) for p in parts if p.kind != "tax"]
        items.append(Item("Coffee", quantity, "kg", tuple(pieces)))
        total += sum_of(parts).minor
    all_pieces = [piece for item in items for piece in item.pieces]
    assert rules.sums_agree(rules.lines_of(items, currency), rules.taxes_of(all_pieces), total)

    net = {name: sum(p.net_minor for p in all_pieces if p.supply == name) for name in COMPONENTS}
    most = {name: max(minor, 0) for name, minor in net.items()} | {"tax": sum(p.tax_minor for p in all_pieces)}
    given_back = {name: data.draw(st.integers(0, minor)) for name, minor in most.items()}
    credited = rules.credited(all_pieces, given_back, currency)
    assert rules.sums_agree(rules.credit_lines(credited), rules.taxes_of(credited), sum(given_back.values()))


def test_tax_that_goes_back_follows_what_was_taxed_at_each_rate() -> None:
    bought = [Piece("goods", 1000, Decimal(20), 200), Piece("goods", 4000, Decimal(5), 200)]
    given_back = {"goods": 5000, "premium": 0, "charges": 0, "tax": 400}
    assert rules.credited(bought, given_back, "EUR") == tuple(bought)
