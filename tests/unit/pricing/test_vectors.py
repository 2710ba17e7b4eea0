"""The test vectors of fair-prices.md 12 for the rules that exist; each is replayed from its stored inputs (T35)."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest

from market.kernel.clock import day_in
from market.kernel.money import Money, allocate
from market.pricing.rules import (
    Book,
    Certificate,
    Charges,
    Check,
    CoopFloor,
    CostBuildUp,
    Deduction,
    Discount,
    FxEvidence,
    Goods,
    Material,
    Offer,
    Outcome,
    Packaging,
    PremiumLine,
    Price,
    breakdown,
    certified_organic,
    coop_floor,
    default_premium,
    fees,
    judge,
    organic_floor,
    premium_due,
    premium_paid,
    regulated_difference,
    replay,
    scheme_floor,
    stated_price,
    sum_of,
)
from market.pricing.rules.market_prices import trusted
from market.pricing.rules.verdict import to_json

from .conftest import COFFEE, HIGH, LOT, LOW, ORGANIC_COFFEE, ROW_2026, cocoa, market, price, row

SIGNED = date(2026, 11, 25)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def same_again(check: Check) -> Check:
    """T35: the stored inputs alone give the same check, through JSON and back."""
    assert replay(check.inputs) == check
    assert to_json(replay(check.inputs).inputs) == check.inputs
    return check


def parts(goods_price: Price, *, differential: str | None = None) -> dict[str, Money]:
    lines = breakdown(
        price=goods_price,
        quantity=LOT,
        charges=Charges(),
        premium=price("0.20"),
        organic_differential=price(differential) if differential else None,
    )
    return {line.kind: line.money for line in lines}


def test_t01_conventional_at_the_minimum_is_ok() -> None:
    check = same_again(scheme_floor(price=price("1.80"), quantity=LOT, row=row(), market=LOW))
    assert check.outcome is Outcome.OK
    assert parts(price("1.80")) == {"producer_goods": usd("67500.00"), "premium": usd("7500.00")}


def test_t02_organic_at_the_minimum_has_three_parts() -> None:
    check = same_again(organic_floor(price=price("2.20"), quantity=LOT, row=row(), differential=Decimal("0.40"), market=LOW))
    assert check.outcome is Outcome.OK
    shares = parts(price("2.20"), differential="0.40")
    assert shares == {"producer_goods": usd("67500.00"), "organic_differential": usd("15000.00"), "premium": usd("7500.00")}
    assert shares["producer_goods"] + shares["organic_differential"] == usd("82500.00")


def test_t03_organic_in_a_high_market() -> None:
    check = same_again(organic_floor(price=price("3.30"), quantity=LOT, row=row(), differential=Decimal("0.40"), market=HIGH))
    assert (check.outcome, check.floor.price.amount) == (Outcome.OK, Decimal("3.30"))
    assert parts(price("3.30"))["producer_goods"] == usd("123750.00")


def test_t04_below_the_minimum_names_the_shortfall() -> None:
    check = same_again(scheme_floor(price=price("1.75"), quantity=LOT, row=row(), market=LOW))
    assert (check.rule, check.outcome, check.amount_short) == ("R-01", Outcome.VIOLATION, usd("1875.00"))
    assert "C 1.62 + differential 0.10 = 1.72 USD per lb" in check.words
    assert "0.05 USD per lb too low: 1,875.00 USD for 37,500 lb. A price of 1.80 USD per lb or more passes." in check.words


@pytest.mark.parametrize(("stated", "outcome"), [("1.75", Outcome.VIOLATION), ("1.85", Outcome.NOT_CHECKABLE)])
def test_t05_a_missing_market_price_never_passes(stated: str, outcome: Outcome) -> None:
    assert same_again(scheme_floor(price=price(stated), quantity=LOT, row=row())).outcome is outcome


@pytest.mark.parametrize(("signed", "floor"), [(date(2026, 11, 30), "1.80"), (date(2026, 12, 1), "2.00")])
def test_t06_the_row_of_the_signing_day_decides(signed: date, floor: str) -> None:
    quote = market(("C", "1.72"), on=signed)
    said = judge(Book((row(), row(**ROW_2026)), (quote,)), Offer(COFFEE, price("2.00"), LOT, signed, ("fairtrade",)))
    assert said.floor is not None
    assert said.floor.price.amount == Decimal(floor)
    assert said.outcome is Outcome.OK


@pytest.mark.parametrize(
    ("stated", "outcome", "short"),
    [("1.85", Outcome.WARNING, "0.15"), ("2.05", Outcome.WARNING, "0"), ("1.75", Outcome.VIOLATION, None)],
)
def test_t07_an_unconfirmed_newer_row_warns(stated: str, outcome: Outcome, short: str | None) -> None:
    signed = date(2026, 12, 2)
    book = Book((row(), row(**ROW_2026, confidence="low")), (market(("C", "1.72"), on=signed),))
    said = judge(book, Offer(COFFEE, price(stated), LOT, signed, ("fairtrade",)))
    assert said.outcome is outcome
    check = next(same_again(check) for check in said.checks if check.rule == "R-01")
    assert (check.facts or {}).get("short_of_newer_row") == short


def test_t08_a_contract_signed_late_in_new_york_keeps_its_day() -> None:
    signed = day_in(datetime(2026, 12, 1, 4, 30, tzinfo=UTC), "America/New_York")
    said = judge(Book((row(), row(**ROW_2026)), (LOW,)), Offer(COFFEE, price("1.80"), LOT, signed, ("fairtrade",)))
    assert [applied.valid_from for applied in said.rows] == [date(2023, 8, 1)]


def test_t09_sugar_has_no_minimum_and_follows_the_market() -> None:
    sugar = row(
        product="cane_sugar", variety="", form="", unit="MT", price_kind="COMMERCIAL", minimum_price=None, premium=Decimal(60),
        organic_rule="none", organic_differential=None, relevant_market="ICE 11",
    )  # fmt: skip
    quote = market(("ICE 11", "520"), name="ICE 11", unit="MT")
    check = same_again(scheme_floor(price=price("520", "MT"), quantity=Decimal(100), row=sugar, market=quote))
    assert (check.outcome, check.floor.price.amount) == (Outcome.OK, Decimal(520))
    assert premium_due(sugar, price("520", "MT"), Decimal(100)) == usd("6000.00")
    assert scheme_floor(price=price("519", "MT"), quantity=Decimal(100), row=sugar, market=quote).amount_short == usd("100.00")


def test_t10_organic_cocoa_adds_the_differential() -> None:
    quote = market(("London", "2124"), name="ICE London", unit="MT")
    check = organic_floor(price=price("2700", "MT"), quantity=Decimal(1), row=cocoa(), differential=Decimal(300), market=quote)
    assert (check.outcome, check.floor.price.amount) == (Outcome.OK, Decimal(2700))
    assert premium_due(cocoa(), price("2700", "MT"), Decimal(1)) == usd("240.00")


@pytest.mark.parametrize(
    ("state", "due"), [((("state reference", "2124"),), "276.00"), ((("state reference", "2000"), ("LID", "400")), "0.00")]
)
def test_t11_the_living_income_differential_is_part_of_the_market_price(state: tuple[tuple[str, str], ...], due: str) -> None:
    check = regulated_difference(quantity=Decimal(1), row=cocoa(), market=market(*state, unit="MT"))
    assert (check.facts or {})["difference_due"] == usd(due)
    assert same_again(check).outcome is (Outcome.OK if due == "0.00" else Outcome.VIOLATION)


def test_t12_gold_follows_a_share_of_the_fix() -> None:
    gold = row(
        product="gold", variety="", form="metal", incoterm="", unit="kg", price_kind="PCT_INDEX", minimum_basis="pct_index",
        index_name="LBMA", minimum_price=Decimal(95), premium=Decimal(2000), relevant_market=None, organic_rule="none",
    )  # fmt: skip
    fix = market(("LBMA", "130000"), name="LBMA", unit="kg")
    check = same_again(scheme_floor(price=price("123500", "kg"), quantity=Decimal(1), row=gold, market=fix))
    assert (check.outcome, check.floor.price.amount) == (Outcome.OK, Decimal(123500))
    assert premium_due(gold, price("123500", "kg"), Decimal(1)) == usd("2000.00")
    assert scheme_floor(price=price("123500", "kg"), quantity=Decimal(1), row=gold).outcome is Outcome.NOT_CHECKABLE


def test_t13_spices_pay_the_default_premium() -> None:
    check = same_again(default_premium(amount=Decimal("12340.55"), currency="EUR"))
    assert (check.facts or {})["premium_due"] == Money.parse("1851.08", "EUR")
    assert "1,851.0825 EUR, rounded 1,851.08 EUR" in check.words


@pytest.mark.parametrize(("stated", "outcome"), [("3.9683", Outcome.VIOLATION), ("3.9684", Outcome.OK)])
def test_t14_units_are_multiplied_across(stated: str, outcome: Outcome) -> None:
    check = same_again(scheme_floor(price=price(stated, "kg"), quantity=Decimal(1), row=row(), market=LOW))
    assert check.outcome is outcome
    assert check.floor.passing == Decimal("3.968321")
    assert f"{stated} × 0.45359237 (kg in one lb)" in check.words


def test_t15_a_box_without_declared_weight_is_not_converted() -> None:
    boxes = cocoa(product="bananas", form="fresh", unit="box_18", packaging=Packaging("box_18", Decimal("18.14"), "kg"))
    bare = Price(Decimal("9.00"), "USD", "box_43_lb", packaging=Packaging("box_43_lb"))
    check = same_again(scheme_floor(price=bare, quantity=Decimal(10), row=boxes))
    assert (check.outcome, check.reason) == (Outcome.NOT_CHECKABLE, "packaging_unknown")
    declared = Price(Decimal("2600"), "USD", "box_43_lb", packaging=Packaging("box_43_lb", Decimal(43), "lb"))
    assert scheme_floor(price=declared, quantity=Decimal(10), row=boxes).reason != "packaging_unknown"


def test_t17_a_stated_price_says_whether_the_premium_is_in_it() -> None:
    split = same_again(stated_price(price=price("2.00"), row=row(), includes_premium=True))
    assert (split.facts or {}) == {"goods": Decimal("1.80"), "premium": Decimal("0.20")}
    assert scheme_floor(price=price("1.80"), quantity=LOT, row=row(), market=LOW).outcome is Outcome.OK
    bare = same_again(premium_paid(price=price("2.00"), quantity=LOT, row=row(), lines=(PremiumLine("premium", 0),)))
    assert (bare.rule, bare.outcome, bare.amount_short) == ("R-02", Outcome.VIOLATION, usd("7500.00"))
    assert stated_price(price=price("2.00"), row=row()).outcome is Outcome.NOT_CHECKABLE


def test_t18_a_charge_on_the_premium_is_a_violation() -> None:
    check = same_again(premium_paid(price=price("1.80"), quantity=LOT, row=row(), lines=(PremiumLine("premium", 735000),)))
    assert (check.outcome, check.amount_short) == (Outcome.VIOLATION, usd("150.00"))
    netted = premium_paid(
        price=price("1.80"),
        quantity=LOT,
        row=row(),
        lines=(PremiumLine("premium", 750000),),
        deductions=(Deduction("bank", "fund", 15000),),
    )
    assert (netted.outcome, netted.amount_short) == (Outcome.VIOLATION, usd("150.00"))


def test_t19_a_fee_of_the_producer_at_the_floor_is_a_violation() -> None:
    charged = fees(
        price=price("1.80"), quantity=LOT, floor=price("1.80"), deductions=(Deduction("commission", "producer", 75000),)
    )
    assert (same_again(charged).rule, charged.outcome, charged.amount_short) == ("R-16", Outcome.VIOLATION, usd("750.00"))
    buyers = fees(price=price("1.80"), quantity=LOT, floor=price("1.80"), deductions=(Deduction("commission", "buyer", 75000),))
    assert buyers.outcome is Outcome.OK


def test_t20_another_delivery_level_without_documents_is_not_checkable() -> None:
    check = same_again(scheme_floor(price=price("1.62"), quantity=LOT, row=row(), market=LOW, incoterm="EXW"))
    assert (check.outcome, check.reason) == (Outcome.NOT_CHECKABLE, "incoterm_level")
    later = scheme_floor(price=price("1.62"), quantity=LOT, row=row(), market=LOW, incoterm="CIF")
    assert later.outcome is Outcome.VIOLATION, "a CIF price below the FOB floor cannot be saved by any cost"


def test_t26_an_organic_claim_needs_a_certificate_on_the_harvest_day() -> None:
    ended = Certificate("eu_organic", "organic", "B-1", (), date(2024, 1, 1), date(2026, 8, 31))
    check = same_again(certified_organic(certificates=(ended,), product="coffee", on=date(2026, 9, 15)))
    assert (check.rule, check.outcome) == ("R-04", Outcome.VIOLATION)
    assert "2026-08-31" in check.words
    offer = Offer(ORGANIC_COFFEE, price("3"), LOT, SIGNED, ("organic",), certificates=(ended,), certified_on=date(2026, 8, 20))
    assert judge(Book(), offer).claims_carried == ("organic",)


@pytest.mark.parametrize(("quote", "floor"), [(HIGH, "3.30"), (LOW, "2.20")])
def test_t27_the_printed_organic_minimum_is_display_only(quote: object, floor: str) -> None:
    printed = row(
        id=UUID(int=5), quality="organic", minimum_price=Decimal("2.20"), organic_rule="none", organic_differential=None
    )
    said = judge(Book((row(), printed), (quote,)), Offer(ORGANIC_COFFEE, price("3.30"), LOT, SIGNED, ("fairtrade",)))  # type: ignore[arg-type]
    assert said.floor is not None
    assert said.floor.price.amount == Decimal(floor)
    assert said.organic_differential == price("0.40")


def test_t28_special_terms_refuse_the_general_formula() -> None:
    liquor = cocoa(form="liquor", special_terms=True, minimum_price=None)
    check = same_again(scheme_floor(price=price("9000", "MT"), quantity=Decimal(1), row=liquor))
    assert (check.outcome, check.reason) == (Outcome.NOT_CHECKABLE, "special_terms")


BUILD_UP = CostBuildUp(
    currency="USD",
    materials=(Material("wool", Decimal(1), Decimal("4.20")),),
    hours_per_piece=Decimal("6.5"),
    living_wage_month=Decimal("355.20"),
    hours_month=Decimal(192),
    overhead_per_piece=Decimal("1.10"),
    reserve_pct=Decimal(5),
    price_step=Decimal("0.05"),
    wage_source="a published benchmark",
)


@pytest.mark.parametrize(("stated", "outcome", "short"), [("18.20", Outcome.OK, None), ("18.00", Outcome.VIOLATION, "0.20")])
def test_t29_the_cost_build_up_is_a_floor(stated: str, outcome: Outcome, short: str | None) -> None:
    floor = CoopFloor(
        UUID(int=9), UUID(int=1), "shawl", BUILD_UP.floor, "USD", "piece", "assembly", date(2026, 3, 1), date(2026, 3, 1),
        date(2027, 3, 1), build_up=BUILD_UP,
    )  # fmt: skip
    assert BUILD_UP.cost == Fraction(Decimal("18.19125"))
    assert floor.amount == Decimal("18.20")
    check = same_again(coop_floor(price=price(stated, "piece"), quantity=Decimal(1), floor=floor, on=SIGNED))
    assert (check.outcome, check.amount_short) == (outcome, usd(short) if short else None)
    late = coop_floor(price=price("18.20", "piece"), quantity=Decimal(1), floor=floor, on=date(2027, 3, 2))
    assert (late.outcome, late.reason) == (Outcome.WARNING, "stale")


def test_t30_a_split_loses_no_cent() -> None:
    assert [share.minor for share in allocate(usd("1000.00"), [1, 1, 1])] == [33334, 33333, 33333]


def test_t31_a_discount_borne_by_the_platform_leaves_the_producer_alone() -> None:
    lines = breakdown(
        price=price("1.80"), quantity=LOT, charges=Charges(), premium=price("0.20"), floor=price("1.80"),
        discounts=[Discount("Welcome", 500, "platform")],
    )  # fmt: skip
    assert sum_of(lines) == usd("74995.00")
    assert [(line.kind, line.money) for line in lines] == [
        ("producer_goods", usd("67500.00")), ("premium", usd("7500.00")), ("discount", usd("-5.00")),
    ]  # fmt: skip


def test_t33_another_currency_needs_evidence_of_the_rate() -> None:
    euros = price("1.70", currency="EUR")
    bare = same_again(scheme_floor(price=euros, quantity=LOT, row=row(), market=LOW))
    assert (bare.outcome, bare.reason) == (Outcome.NOT_CHECKABLE, "fx_evidence_missing")
    fx = FxEvidence("EUR", "USD", Decimal("1.0500"), "2026-11-24", "central bank")
    check = same_again(scheme_floor(price=euros, quantity=LOT, row=row(), market=LOW, fx=fx))
    assert (check.outcome, check.amount_short) == (Outcome.VIOLATION, usd("562.50"))
    assert scheme_floor(
        price=euros, quantity=LOT, row=row(), market=LOW, fx=FxEvidence("EUR", "USD", Decimal("1.0650"), "2026-11-24", "central bank")
    ).outcome is Outcome.OK  # fmt: skip


def test_the_clock_trap_opens_no_hole(today: date) -> None:
    """Section 10: under each clock the row in force that day decides, and an unconfirmed one only warns."""
    quote = market(("C", "1.72"), on=today)
    offer = Offer(COFFEE, price("1.85"), LOT, today, ("fairtrade",))
    confirmed = judge(Book((row(), row(**ROW_2026)), (quote,)), offer)
    waiting = judge(Book((row(), row(**ROW_2026, confidence="low")), (quote,)), offer)
    before = today < date(2026, 12, 1)
    assert confirmed.outcome is (Outcome.OK if before else Outcome.VIOLATION)
    assert waiting.outcome is (Outcome.OK if before else Outcome.WARNING)


def test_a_row_change_ahead_warns_with_both_floors() -> None:
    offer = Offer(COFFEE, price("2.10"), LOT, date(2026, 11, 25), ("fairtrade",), until=date(2026, 12, 10))
    said = judge(Book((row(), row(**ROW_2026)), (LOW,)), offer)
    check = next(same_again(check) for check in said.checks if check.rule == "R-03")
    assert (check.outcome, check.reason) == (Outcome.WARNING, "row_change_ahead")
    assert "1.80 USD per lb becomes 2.00 USD per lb" in check.words


def test_floors_of_two_schemes_are_a_set() -> None:
    """R-21: sold as Fairtrade organic and SPP at 2.30, Fairtrade holds and SPP is short 8,250.00."""
    spp = row(
        id=UUID(int=6), scheme="spp", price_kind="SPP_MIN", quality="organic", minimum_price=Decimal("2.52"), premium=None,
        organic_rule="none", organic_differential=None, relevant_market=None, valid_from=date(2025, 1, 1),
    )  # fmt: skip
    said = judge(Book((row(), spp), (LOW,)), Offer(ORGANIC_COFFEE, price("2.30"), LOT, SIGNED, ("fairtrade", "spp")))
    assert (said.outcome, said.amount_short, said.proposed_price) == (Outcome.VIOLATION, usd("8250.00"), Decimal("2.520000"))
    assert said.claims_carried == ("fairtrade",)
    assert [check.rule for check in said.blocking("G1")] == ["R-01"]


def test_goods_without_a_row_cannot_carry_the_claim() -> None:
    said = judge(Book((row(),)), Offer(Goods("honey"), price("9", "kg"), Decimal(1), SIGNED, ("fairtrade",)))
    assert (said.outcome, said.claims_carried, said.blocking()) == (Outcome.NOT_CHECKABLE, (), ())


def test_goods_with_a_share_as_premium_have_no_floor() -> None:
    spices = row(
        product="herbs_and_spices", variety="", form="", incoterm="", unit=None, currency=None, price_kind="COMMERCIAL", minimum_price=None,
        premium=Decimal(15), premium_kind="pct_commercial", organic_rule="none", organic_differential=None, relevant_market=None,
    )  # fmt: skip
    offer = Offer(Goods("herbs_and_spices"), price("12340.55", "kg", "EUR"), Decimal(1), SIGNED, ("fairtrade",))
    said = judge(Book((spices,)), offer)
    assert (said.outcome, said.floor, said.claims_carried) == (Outcome.OK, None, ("fairtrade",))
    assert said.premium_per_unit == Decimal("1851.082500")
    check = next(same_again(check) for check in said.checks if check.rule == "R-07")
    assert "1,851.0825 EUR, rounded 1,851.08 EUR" in check.words


def test_a_market_price_far_from_the_former_one_waits_for_a_second_person() -> None:
    day = date(2026, 11, 20)
    good, typo, next_day = (
        market(("C", amount), on=day.replace(day=at)) for amount, at in (("1.62", 20), ("162", 20), ("1.65", 21))
    )
    assert trusted([(good, False), (typo, False), (next_day, False)]) == [good, next_day]
    assert trusted([(good, False), (typo, True), (next_day, False)]) == [typo], (
        "a checked one counts, and its neighbours are held to it"
    )
    assert trusted([(good, False), (market(("C", "1.70"), on=day), False)])[0].price.amount == Decimal("1.70"), (
        "the newest of a day"
    )
    assert trusted([(good, False), (market(("C", "1600"), on=next_day.quoted_on, unit="MT"), False)]) == [good]
    assert len(trusted([(good, False), (market(("C", "3700"), on=next_day.quoted_on, unit="MT"), False)])) == 2, "1.68 per lb"


def test_an_old_quote_is_not_trusted() -> None:
    stale = market(("C", "1.72"), on=date(2026, 11, 1))
    said = judge(Book((row(),), (stale,)), Offer(COFFEE, price("1.85"), LOT, SIGNED, ("fairtrade",)))
    assert [check.reason for check in said.checks if check.rule == "R-01"] == ["market_price_missing"]
