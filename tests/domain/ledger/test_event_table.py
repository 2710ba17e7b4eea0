"""Every row of the event table (money.md 2): its function gives the postings of the worked example, in one set of books.

A posting reads `debit -> credit amount`, minor units, EUR unless a currency follows; `|` separates transactions. Rows are
posted in their order; afterwards what must be zero is, the laws hold, and bean-check accepts the export.
"""

import re
import shutil
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid5

import pytest

from market.earnings import rules as earnings
from market.kernel.money import Money
from market.ledger import exports, queries
from market.ledger.opening import OpeningRow, opening_legs
from market.ledger.rules import Entry, Leg, legs
from market.ledger.service import book_of, post
from market.orders.rules import release_legs, taken_back_legs
from market.payments import postings as payments
from market.payments.rules import Amounts, PaymentPart, State, arrival, paid_moves, shares
from market.payouts.rules import postings as payouts
from market.statements.rules import postings as statements
from market.treasury import rules as treasury
from tests.factories.producers import make_coop

DAY = date(2026, 3, 1)
NAMES = {
    name: uuid5(UUID(int=7), name)
    for name in ("m1", "m2", "m3", "m3-a", "m3-b", "m4", "m5", "m6", "m8", "order", "thing", "coop")
}
PLACEHOLDER = {str(value): name for name, value in NAMES.items()}
IT = NAMES["thing"]


def eur(minor):
    return Money(minor, "EUR")


def rwf(minor):
    return Money(minor, "RWF")


def xcc(minor):
    return Money(minor, "XCC")


def part(goods=7200, premium=800, charges=1500, tax=500):
    return PaymentPart(NAMES["coop"], NAMES["order"], eur(goods), eur(premium), eur(charges), eur(tax))


def moved(moves):
    return tuple(Leg(move.debit, move.credit, move.money, move.subject) for move in moves)


def transfer(minor, *, state=State.AWAITING_TRANSFER, before=0, credit="buyer_credit:b1"):
    return moved(
        arrival(
            [part()], state=state, credit_before=eur(before), amount=eur(minor), suspense="suspense:1", credit=credit, line=IT
        ).moves
    )


def line(mirror, suspense, money):
    return (statements.line_booked(mirror, suspense, money, IT),)


def explained(suspense, account, money):
    return (statements.explained(suspense, account, money, IT),)


def processor(kind, gross, fee=0, part=IT):
    """A line of the processor's statement: as it came, and what it means."""
    return [payments.line_booked(eur(gross - fee), part), payments.line_matched(kind, eur(gross), eur(fee), part)]


def refund(*minors):
    return payments.refund_decided(Amounts.of("EUR", minors), IT)


def settled(rail, money, suspense="suspense:1"):
    return payouts.settled(rail, suspense, money, IT)


SALE = [
    ("producer_goods", eur(7200)),
    ("premium", eur(800)),
    ("coop_service", eur(900)),
    ("inland_transport", eur(400)),
    ("payment_fee", eur(200)),
    ("tax", eur(500)),
]


def taken_back(*, off=0, claim=0):
    amounts, bearer = Amounts.of("EUR", (720, 80, 150, 50)), {"off": eur(off), "claim": eur(claim), "cost": eur(0)}
    return taken_back_legs(amounts, payee=NAMES["m1"], fee=eur(90), subject=IT, **bearer)


def scheduled(who, rail, money, deducted=0):
    return payouts.scheduled(NAMES[who], rail, money, IT, deducted=Money(deducted, money.currency))


HELD = {"goods": eur(7200), "premium": eur(800), "charges": eur(1503), "tax": eur(500)}
SEASON = {NAMES["m4"]: Decimal(59), NAMES["m5"]: Decimal(41), NAMES["m6"]: Decimal(33)}
SHARED = earnings.second_payment(eur(100_000), SEASON)
PATRONAGE = earnings.patronage(
    eur(30_000), {NAMES["m4"]: Decimal(50), NAMES["m5"]: Decimal(30), NAMES["m6"]: Decimal(20)}, cash_percent=Decimal(60)
)
RECOVERED = earnings.recoveries(
    rwf(100_000),
    [earnings.Open(NAMES["m3-a"], rwf(20_000), 1, DAY), earnings.Open(NAMES["m3-b"], rwf(40_000), 2, DAY)],
)
SPLIT = shares(eur(10000), eur(175), [(NAMES["coop"], 9900), (NAMES["thing"], 100)])
"""E54: two books, here one after the other."""
TABLE: list[tuple[str, str, list[tuple[Leg, ...]]]] = [
    ("E01", "bank:1 -> opening 5000000; cash:1 -> opening 900000 RWF; bank:2 -> opening 3000000 RWF",
     [opening_legs([OpeningRow("bank:1", eur(5000000)), OpeningRow("cash:1", rwf(900000)), OpeningRow("bank:2", rwf(3000000))])]),
    ("E02", "card_clearing -> held:goods 7200; card_clearing -> held:premium 800; card_clearing -> held:charges 1500; "
            "card_clearing -> held:tax 500", [moved(paid_moves(part(), "card_clearing"))]),
    ("E03", "stripe:1 -> suspense:s 9825 | suspense:s -> card_clearing 10000; payment_cost -> suspense:s 175", processor("charge", 10000, 175)),
    ("E04", "suspense:s -> stripe:1 9825 | sweep_transit -> suspense:s 9825 | bank:1 -> suspense:1 9825 | suspense:1 -> sweep_transit 9825",
     [*processor("payout", -9825), line("bank:1", "suspense:1", eur(9825)), explained("suspense:1", "sweep_transit", eur(9825))]),
    ("E05", "bank:1 -> suspense:1 10000 | suspense:1 -> held:goods 7200; suspense:1 -> held:premium 800; "
            "suspense:1 -> held:charges 1500; suspense:1 -> held:tax 500", [line("bank:1", "suspense:1", eur(10000)), transfer(10000)]),
    ("E06", "bank:1 -> suspense:1 9970 | suspense:1 -> held:goods 7200; suspense:1 -> held:premium 800; suspense:1 -> held:charges 1470; "
            "suspense:1 -> held:tax 500; write_off -> held:charges 30", [line("bank:1", "suspense:1", eur(9970)), transfer(9970)]),
    ("E07", "bank:1 -> suspense:1 6000 | suspense:1 -> buyer_credit:b1 6000 | bank:1 -> suspense:1 4000 | "
            "buyer_credit:b1 -> held:goods 6000; suspense:1 -> held:goods 1200; suspense:1 -> held:premium 800; "
            "suspense:1 -> held:charges 1500; suspense:1 -> held:tax 500",
     [line("bank:1", "suspense:1", eur(6000)), transfer(6000), line("bank:1", "suspense:1", eur(4000)),
      transfer(4000, state=State.PART_PAID, before=6000)]),
    ("E08", "bank:1 -> suspense:1 10250 | suspense:1 -> held:goods 7200; suspense:1 -> held:premium 800; suspense:1 -> held:charges 1500; "
            "suspense:1 -> held:tax 500; suspense:1 -> buyer_credit:b2 250",
     [line("bank:1", "suspense:1", eur(10250)), transfer(10250, credit="buyer_credit:b2")]),
    ("E09", "bank:1 -> suspense:1 10000 | suspense:1 -> buyer_credit:b3 10000 | buyer_credit:b3 -> refund_payable 10000",
     [line("bank:1", "suspense:1", eur(10000)), transfer(10000, state=State.CANCELLED, credit="buyer_credit:b3"),
      payments.surplus_given_back(None, "buyer_credit:b3", eur(10000), IT)]),
    ("E10", "card_clearing -> held:goods 7200; card_clearing -> held:premium 800; card_clearing -> held:tax 500; lc:b4 -> lc_held 1500 XCC",
     [(*moved(paid_moves(part(charges=0), "card_clearing")), *treasury.community_paid("b4", xcc(1500), IT))]),
    ("E11", "card_clearing -> held:goods 7200; card_clearing -> held:premium 800; card_clearing -> held:charges 1300; "
            "card_clearing -> held:tax 500", [moved(paid_moves(part(charges=1300), "card_clearing"))]),
    ("E12", "bank:1 -> suspense:1 300 | suspense:1 -> deposit_liability 300 | suspense:1 -> bank:1 300 | deposit_liability -> suspense:1 300",
     [line("bank:1", "suspense:1", eur(300)), explained("suspense:1", "deposit_liability", eur(300)),
      line("bank:1", "suspense:1", eur(-300)), explained("suspense:1", "deposit_liability", eur(-300))]),
    ("E13", "held:goods -> payable:m1 7200; held:premium -> fund_available 800; premium_bank -> bank:1 800; held:tax -> tax_payable 500; "
            "held:charges -> fee_income 900; held:charges -> transport_payable 400; held:charges -> cost_recovered 200",
     [release_legs(SALE, currency="EUR", payee=str(NAMES["m1"]))]),
    ("E14", "lc_held -> lc:coop 1500 XCC", [treasury.community_released("coop", xcc(1500), IT)]),
    ("E15", "held:goods -> refund_payable 7200; held:premium -> refund_payable 800; held:charges -> refund_payable 1500; "
            "held:tax -> refund_payable 500 | suspense:s -> stripe:1 10000 | refund_payable -> suspense:s 10000",
     [refund(7200, 800, 1500, 500), *processor("refund", -10000)]),
    ("E16", "held:goods -> refund_payable 720; held:premium -> refund_payable 80; held:charges -> refund_payable 150; "
            "held:tax -> refund_payable 50", [refund(720, 80, 150, 50)]),
    ("E17", "payable:m1 -> refund_payable 720; fund_available -> refund_payable 80; bank:1 -> premium_bank 80; "
            "fee_income -> refund_payable 90; refund_cost -> refund_payable 60; tax_payable -> refund_payable 50",
     [taken_back(off=720)]),
    ("E18", "payable:m1 -> in_transit:sepa 6480", [scheduled("m1", "sepa", eur(6480))]),
    ("E19", "suspense:1 -> bank:1 6480 | in_transit:sepa -> suspense:1 6480",
     [line("bank:1", "suspense:1", eur(-6480)), settled("sepa", eur(6480))]),
    ("E20", "claim:m1 -> refund_payable 720; fund_available -> refund_payable 80; bank:1 -> premium_bank 80; "
            "fee_income -> refund_payable 90; refund_cost -> refund_payable 60; tax_payable -> refund_payable 50",
     [taken_back(claim=720)]),
    ("E21", "purchases:p1 -> payable:m1 1000 | payable:m1 -> in_transit:sepa 280; payable:m1 -> claim:m1 720",
     [earnings.delivery_priced(NAMES["m1"], "p1", eur(1000), IT), scheduled("m1", "sepa", eur(280), 720)]),
    ("E22", "claim:m1 -> refund_payable 720 | stripe:1 -> suspense:s 720 | suspense:s -> claim:m1 720",
     [legs((f"claim:{NAMES['m1']}", "refund_payable", eur(720))), payments.line_booked(eur(720), IT),
      payments.transfer_reversed("suspense:s", NAMES["m1"], eur(720), IT)]),
    ("E23", "stripe:1 -> suspense:s 1000 | suspense:s -> refund_payable 1000", processor("refund_failure", 1000)),
    ("E24", "suspense:1 -> bank:1 1000 | refund_payable -> suspense:1 1000",
     [line("bank:1", "suspense:1", eur(-1000)), payments.refund_paid("suspense:1", eur(1000), IT)]),
    ("E25", "purchases:p1 -> payable:m5 6480 | suspense:s -> stripe:1 12000 | disputed -> suspense:s 10000; dispute_cost -> suspense:s 2000 | payable:m5 -> payable_on_hold:m5 6480",
     [earnings.delivery_priced(NAMES["m5"], "p1", eur(6480), IT), *processor("adjustment", -10000, 2000), earnings.held(NAMES["m5"], eur(6480), IT)]),
    ("E26", "stripe:1 -> suspense:s 10000 | suspense:s -> disputed 10000 | payable_on_hold:m5 -> payable:m5 6480",
     [*processor("adjustment", 10000), earnings.hold_ended(NAMES["m5"], eur(6480), IT)]),
    ("E27", "suspense:s -> stripe:1 12000 | disputed -> suspense:s 10000; dispute_cost -> suspense:s 2000 | dispute_loss -> disputed 10000",
     [*processor("adjustment", -10000, 2000), payments.dispute_lost(eur(10000), IT)]),
    ("E28", "advance:m2 -> payable:m2 5000 RWF | payable:m2 -> in_transit:cash 5000 RWF",
     [earnings.advance_granted(NAMES["m2"], NAMES["m2"], rwf(5000)), scheduled("m2", "cash", rwf(5000))]),
    ("E29", "purchases:p1 -> payable:m2 23600 RWF", [earnings.delivery_priced(
        NAMES["m2"], "p1", earnings.slip_value(earnings.net_weight(Decimal("62.5"), Decimal("1.5"), Decimal(2)), Decimal(410), Decimal(10), "RWF"), IT)]),
    ("E30", "payable:m2 -> advance:m2 5000 RWF", [earnings.advances_recovered(
        NAMES["m2"], earnings.recoveries(rwf(23600), [earnings.Open(NAMES["m2"], rwf(5000), 1, DAY)]), IT)]),
    ("E31", "advance:m3-a -> payable:m3 20000 RWF; advance:m3-b -> payable:m3 40000 RWF | purchases:p1 -> payable:m3 100000 RWF | "
            "payable:m3 -> advance:m3-a 20000 RWF; payable:m3 -> advance:m3-b 30000 RWF",
     [legs((f"advance:{NAMES['m3-a']}", f"payable:{NAMES['m3']}", rwf(20000)), (f"advance:{NAMES['m3-b']}", f"payable:{NAMES['m3']}", rwf(40000))),
      earnings.delivery_priced(NAMES["m3"], "p1", rwf(100000), IT), earnings.advances_recovered(NAMES["m3"], RECOVERED, IT)]),
    ("E32", "goods_sales -> season_pool:p1 100000 | season_pool:p1 -> payable:m4 44361; season_pool:p1 -> payable:m5 30827; "
            "season_pool:p1 -> payable:m6 24812",
     [earnings.season_closed("p1", eur(100000), IT), earnings.second_payment_due("p1", SHARED, IT)]),
    ("E33", "surplus -> payable:m4 9000; surplus -> payable:m5 5400; surplus -> payable:m6 3600; surplus -> retained_patronage:m4 6000; "
            "surplus -> retained_patronage:m5 3600; surplus -> retained_patronage:m6 2400", [earnings.patronage_due(PATRONAGE, IT)]),
    ("E34", "payable:m4 -> goods_sales 1200", [earnings.offset(NAMES["m4"], eur(1200), IT)]),
    ("E35", "premium_receivable -> held:premium 750000 | bank:1 -> suspense:1 750000 | suspense:1 -> premium_receivable 750000; "
            "held:premium -> fund_available 750000; premium_bank -> bank:1 750000",
     [treasury.premium_invoiced(eur(750000), IT), line("bank:1", "suspense:1", eur(750000)),
      treasury.premium_received("suspense:1", "bank:1", eur(750000), IT)]),
    ("E36", "fund_available -> fund_committed:i1 300000 | fund_committed:i1 -> premium_in_transit 250000",
     [treasury.item_approved("i1", eur(300000), IT), treasury.item_scheduled("i1", eur(250000), IT)]),
    ("E37", "suspense:1 -> bank:1 250000 | premium_in_transit -> suspense:1 250000; bank:1 -> premium_bank 250000 | "
            "fund_committed:i1 -> fund_available 50000",
     [line("bank:1", "suspense:1", eur(-250000)), treasury.item_paid("suspense:1", "bank:1", eur(250000), IT),
      treasury.item_closed("i1", eur(50000), IT)]),
    ("E38", "claim:org -> refund_payable 80", [treasury.premium_owed_back("org", eur(80), IT)]),
    ("E39", "bank:1 -> suspense:1 4950000 | suspense:1 -> prefinance_payable:l1 4950000",
     [line("bank:1", "suspense:1", eur(4950000)), treasury.loan_received("suspense:1", "l1", eur(4950000), IT)]),
    ("E40", "prefinance_payable:l1 -> in_transit:sepa 4950000; interest_cost -> in_transit:sepa 50000 | suspense:1 -> bank:1 5000000 | "
            "in_transit:sepa -> suspense:1 5000000",
     [treasury.loan_repaid("l1", "sepa", eur(4950000), eur(50000), IT), line("bank:1", "suspense:1", eur(-5000000)),
      settled("sepa", eur(5000000))]),
    ("E41", "payable:m4 -> in_transit:sepa 7200; payable:m5 -> in_transit:sepa 5000; payable:m6 -> in_transit:sepa 2800 | "
            "suspense:1 -> bank:1 15015 | in_transit:sepa -> suspense:1 7200; in_transit:sepa -> suspense:1 5000; "
            "in_transit:sepa -> suspense:1 2800; bank_charges -> suspense:1 15",
     [(*scheduled("m4", "sepa", eur(7200)), *scheduled("m5", "sepa", eur(5000)), *scheduled("m6", "sepa", eur(2800))),
      line("bank:1", "suspense:1", eur(-15015)),
      (*settled("sepa", eur(7200)), *settled("sepa", eur(5000)), *settled("sepa", eur(2800)),
       *statements.fee_kept("suspense:1", eur(15), IT))]),
    ("E42", "claim:m6 -> refund_payable 500 | payable:m6 -> in_transit:sepa 7200; payable:m6 -> claim:m6 500 | in_transit:sepa -> payable:m6 7200; claim:m6 -> payable:m6 500",
     [legs((f"claim:{NAMES['m6']}", "refund_payable", eur(500))), scheduled("m6", "sepa", eur(7200), 500), payouts.undone(NAMES["m6"], "sepa", eur(7200), IT, deducted=eur(500))]),
    ("E43", "bank:1 -> suspense:1 7185 | suspense:1 -> payable:m4 7185; bank_charges -> payable:m4 15",
     [line("bank:1", "suspense:1", eur(7185)),
      payouts.returned(NAMES["m4"], "suspense:1", eur(7185), eur(15), IT, deducted=eur(0))]),
    ("E44", "payable:m4 -> in_transit:stripe 5000 | suspense:s -> stripe:1 5000 | in_transit:stripe -> suspense:s 5000",
     [scheduled("m4", "stripe", eur(5000)), payments.line_booked(eur(-5000), IT), settled("stripe", eur(5000), "suspense:s")]),
    ("E45", "payable:m2 -> in_transit:momo 18600 RWF | suspense:w -> wallet:1 18600 RWF | suspense:w -> wallet:1 60 RWF | "
            "in_transit:momo -> suspense:w 18600 RWF; bank_charges -> suspense:w 60 RWF",
     [scheduled("m2", "momo", rwf(18600)), line("wallet:1", "suspense:w", rwf(-18600)), line("wallet:1", "suspense:w", rwf(-60)),
      payouts.wallet_paid("suspense:w", rwf(18600), rwf(60), IT)]),
    ("E46", "cash_bag:9 -> cash:1 500000 RWF | in_transit:cash -> cash_bag:9 420000 RWF | cash:1 -> cash_bag:9 79000 RWF; "
            "claim:cashier1 -> cash_bag:9 1000 RWF",
     [payouts.bag_issued("9", "cash:1", rwf(500000), IT), payouts.paid_from_bag("9", rwf(420000), IT),
      payouts.bag_returned("9", "cash:1", rwf(79000), "cashier1", IT, missing=rwf(1000))]),
    ("E47", "payable:m6 -> fx 10000; fx -> payable:m6 142000 RWF | suspense:1 -> bank:1 10035; bank:2 -> suspense:2 142000 RWF | "
            "fx -> suspense:1 10035; suspense:2 -> fx 142000 RWF; fx_result -> fx 35",
     [treasury.conversion_agreed(NAMES["m6"], eur(10000), rwf(142000), IT),
      (*line("bank:1", "suspense:1", eur(-10035)), *line("bank:2", "suspense:2", rwf(142000))),
      treasury.conversion_settled(eur(10035), "suspense:1", rwf(142000), "suspense:2", eur(10000), IT)]),
    ("E48", "cash:2 -> held:goods 7200; cash:2 -> held:premium 800; cash:2 -> held:charges 1503; cash:2 -> held:tax 500; cash:2 -> rounding 2",
     [payments.cash_sale("cash:2", HELD, eur(10005), IT)]),
    ("E49", "claim:m8 -> refund_payable 40 | write_off -> claim:m8 40",
     [legs(("claim:m8", "refund_payable", eur(40))), payouts.claim_written_off("m8", eur(40), IT)]),
    ("E50", "bank:1 -> suspense:1 3333 | suspense:1 -> unidentified 3333",
     [line("bank:1", "suspense:1", eur(3333)), explained("suspense:1", "unidentified", eur(3333))]),
    ("E51", "suspense:1 -> bank:1 1912 | bank_charges -> suspense:1 12 | tax_payable -> suspense:1 1500 | transport_payable -> suspense:1 400",
     [line("bank:1", "suspense:1", eur(-1912)), explained("suspense:1", "bank_charges", eur(-12)),
      explained("suspense:1", "tax_payable", eur(-1500)), explained("suspense:1", "transport_payable", eur(-400))]),
    ("E52", "suspense:1 -> bank:1 60000 | own_transit -> suspense:1 60000 | bank:3 -> suspense:3 60000 | suspense:3 -> own_transit 60000",
     [line("bank:1", "suspense:1", eur(-60000)), explained("suspense:1", "own_transit", eur(-60000)),
      line("bank:3", "suspense:3", eur(60000)), explained("suspense:3", "own_transit", eur(60000))]),
    ("E53", "lc:b5 -> lc:coop 300 XCC | lc:shared_loss -> lc:b5 300 XCC",
     [legs(("lc:b5", "lc:coop", xcc(300))), treasury.community_loss_shared("b5", xcc(300), IT)]),
    ("E54", "card_clearing -> held:goods 7200; card_clearing -> held:premium 800; card_clearing -> held:charges 1400; card_clearing -> held:tax 500 | "
            "card_clearing -> held:charges 100 | stripe:1 -> suspense:s 9727 | suspense:s -> card_clearing 9900; payment_cost -> suspense:s 173 | "
            "stripe:1 -> suspense:s 98 | suspense:s -> card_clearing 100; payment_cost -> suspense:s 2",
     [moved(paid_moves(part(charges=1400), "card_clearing")), moved(paid_moves(part(0, 0, 100, 0), "card_clearing")),
      *[each for share in SPLIT for each in processor("charge", share.gross.minor, share.fee.minor)]]),
]  # fmt: skip


def words(transaction):
    """Return legs in the notation of the table."""
    text = "; ".join(
        f"{leg.debit} -> {leg.credit} {leg.money.minor}" + ("" if leg.money.currency == "EUR" else f" {leg.money.currency}")
        for leg in transaction
    )
    return re.sub("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", lambda found: PLACEHOLDER[found[0]], text)


@pytest.mark.parametrize(("expected", "made"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_function_of_an_event_gives_its_worked_example(expected, made):
    assert " | ".join(map(words, made)) == re.sub(r"\s+", " ", expected)


def test_every_event_has_a_row():
    assert [row[0] for row in TABLE] == [f"E{number:02d}" for number in range(1, 55)]


def test_two_books_share_a_fee_by_largest_remainder():
    """E54."""
    assert [(one.gross.minor, one.fee.minor, one.net.minor) for one in SPLIT] == [(9900, 173, 9727), (100, 2, 98)]


def test_all_rows_in_one_set_of_books_keep_the_laws_and_a_foreign_checker_agrees(session, tmp_path: Path):
    book = book_of(session, make_coop(session).id)
    entries = [
        Entry(book, row, f"table:{row}:{number}", DAY + timedelta(days=place), "system", transaction)
        for place, (row, _, made) in enumerate(TABLE)
        for number, transaction in enumerate(made)
    ]
    # What the set-up rows of other examples would bring: sales that E15 to E20 give back from, surplus and sales to share out.
    more = [
        Entry(
            book,
            "set_up",
            f"table:set_up:{number}",
            DAY - timedelta(days=1),
            "system",
            moved(paid_moves(part(), "card_clearing")),
        )
        for number in range(3)
    ]
    post(session, more)
    for entry in entries:
        post(session, [entry])
    zero = ("suspense:1", "suspense:s", "suspense:w", "suspense:2", "sweep_transit", "own_transit", "fx", "season_pool:p1", "disputed",
            "premium_in_transit", "fund_committed:i1", "cash_bag:9", "claim:m8", "buyer_credit:b1", "buyer_credit:b3", "lc_held", "lc:b5")  # fmt: skip
    standing = {(one.code, one.money.currency): one.money.minor for one in queries.balances(session, book)}
    assert {code: minor for code, minor in standing.items() if code[0] in zero and minor} == {}
    assert queries.check(session) == []
    checker = shutil.which("bean-check", path=str(Path(sys.executable).parent))
    assert checker, "bean-check is a test requirement"
    file = tmp_path / "books.beancount"
    file.write_text("".join(exports.export(session, "beancount", book_ids=[book], since=None, until=None)))
    result = subprocess.run([checker, str(file)], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_mirrored_rows_bring_the_books_back_to_nothing(session):
    """The reverse of each event, as its full mirror: after all of them no account stands anywhere."""
    book = book_of(session, make_coop(session).id)
    made = [transaction for _, _, rows in TABLE for transaction in rows]
    post(
        session,
        [
            Entry(
                book,
                "set_up",
                "table:set_up",
                DAY,
                "system",
                tuple(leg for _ in range(3) for leg in moved(paid_moves(part(), "card_clearing"))),
            )
        ],
    )
    ids = [post(session, [Entry(book, "row", f"row:{n}", DAY, "system", each)])[0] for n, each in enumerate(made)]
    before = {one.code for one in queries.balances(session, book) if one.money}
    assert before
    for number, (transaction, each) in reversed(list(enumerate(zip(ids, made, strict=True)))):
        mirror = tuple(leg.mirrored() for leg in each)
        post(session, [Entry(book, "reversed", f"row:{number}:reversed", DAY, "system", mirror, reverses=transaction)])
    left = {one.code for one in queries.balances(session, book) if one.money}
    assert left == {"card_clearing", "held:goods", "held:premium", "held:charges", "held:tax"}
    assert queries.check(session) == []


AGAIN = eur(500)


@pytest.mark.parametrize(
    ("event", "reverse"),
    [
        (moved(paid_moves(part(), "card_clearing")), refund(7200, 800, 1500, 500)),
        (release_legs(SALE, currency="EUR", payee=str(NAMES["m1"])), taken_back_legs(
            Amounts.of("EUR", (7200, 800, 1500, 500)), payee=NAMES["m1"], off=eur(7200), claim=eur(0), cost=eur(0), fee=eur(900),
            subject=IT)),
        (scheduled("m1", "sepa", eur(6480), 500), payouts.undone(NAMES["m1"], "sepa", eur(6480), IT, deducted=AGAIN)),
        ((*scheduled("m1", "sepa", eur(6480), 500), *settled("sepa", eur(6480))),
         payouts.returned(NAMES["m1"], "suspense:1", eur(6480), eur(0), IT, deducted=AGAIN)),
        (processor("refund", -1000)[1], processor("refund_failure", 1000)[1]),
        (processor("payout", -9825)[1], processor("payout_failure", 9825)[1]),
        (processor("adjustment", -10000, 2000)[1], processor("adjustment", 10000, -2000)[1]),
        (earnings.held(NAMES["m1"], eur(6480), IT), earnings.hold_ended(NAMES["m1"], eur(6480), IT)),
        (treasury.item_approved("i1", eur(300), IT), treasury.item_closed("i1", eur(300), IT)),
        (payouts.bag_issued("9", "cash:1", rwf(500), IT), payouts.bag_returned("9", "cash:1", rwf(500), "c", IT, missing=rwf(0))),
        (statements.explained("suspense:1", "bank_charges", eur(-12), IT), statements.explained("suspense:1", "bank_charges", eur(12), IT)),
    ],
    ids=["E02-E15", "E13-E17", "E18-E42", "E19-E43", "E15-E23", "E04-failed", "E25-E26", "E25-hold", "E36-E37", "E46", "E51"],
)  # fmt: skip
def test_an_event_and_its_own_reverse_leave_the_co_op_as_it_was(event, reverse):
    """What the buyer, payee, fund and co-op have is as before; a sale's money moves on to the refund, and carriers keep theirs."""
    net = {}
    for leg in (*(event if isinstance(event, tuple) else (event,)), *(reverse if isinstance(reverse, tuple) else (reverse,))):
        for code, sign in ((leg.debit, 1), (leg.credit, -1)):
            net[code] = net.get(code, 0) + sign * leg.money.minor
    left = {code: minor for code, minor in net.items() if minor}
    assert left.keys() <= {"card_clearing", "refund_payable", *KEPT}
    assert sum(left.values()) == 0


KEPT = {"held:goods", "held:premium", "held:charges", "held:tax", "transport_payable", "cost_recovered", "refund_cost"}
