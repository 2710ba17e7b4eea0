"""Checks over the stored tables: what refuses, what is kept, how many statements it takes."""

from datetime import date
from decimal import Decimal

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from market.kernel.ids import new_id
from market.pricing import queries, service
from market.pricing.errors import ClaimNotProven, PriceBelowFloor
from market.pricing.models import PriceCheck
from market.pricing.rules import Certificate, Goods, Outcome
from tests.conftest import NOW
from tests.factories.prices import APPROVES, make_quote, make_reference
from tests.factories.producers import make_coop

ON = date(2026, 11, 25)
COFFEE = Goods("coffee", "arabica", "washed green", incoterm="FOB")


def check(session, price, *, unit="lb", goods=COFFEE, claims=("fairtrade",), quantity="37500", currency="USD", **more):
    return service.check_price(
        session,
        goods=goods,
        unit_price=Decimal(price),
        unit=unit,
        currency=currency,
        quantity=Decimal(quantity),
        on=ON,
        claims=claims,
        **more,
    )


def test_check_price_finds_row_and_quote_by_the_words_of_the_listing(session):
    make_reference(session)
    make_quote(session)
    said = check(session, "1.80")
    assert (said.outcome, said.claims_carried) == (Outcome.OK, ("fairtrade",))
    assert (said.proposed_price, said.premium_per_unit) == (Decimal("1.800000"), Decimal("0.200000"))


def test_refuse_says_rule_row_shortfall_and_the_price_that_passes(session):
    row = make_reference(session)
    make_quote(session)
    with pytest.raises(PriceBelowFloor) as refusal:
        service.refuse(check(session, "3.9683", unit="kg", quantity="1000"))
    facts = refusal.value.facts
    assert refusal.value.code == "price_below_floor"
    assert (facts["rule"], facts["row_id"], facts["passing_price"]) == ("R-01", str(row.id), "3.968321")
    assert facts["amount_short"] == {"minor": 2, "currency": "USD"}
    assert "3.9683 × 0.45359237 (kg in one lb)" in refusal.value.detail
    assert "A price of 3.968321 USD per kg or more passes." in refusal.value.detail


def test_refuse_lets_a_price_pass_that_nobody_can_check(session):
    make_reference(session)
    said = check(session, "1.85")
    assert (said.outcome, said.claims_carried) == (Outcome.NOT_CHECKABLE, ())
    service.refuse(said)


def test_a_claim_without_a_certificate_is_refused(session):
    make_reference(session)
    make_quote(session)
    coop = make_coop(session)
    with pytest.raises(ClaimNotProven):
        service.refuse(check(session, "1.80", coop_id=coop.id))
    proven = Certificate("fairtrade", "trade", "FLO-1", ("coffee",), date(2026, 1, 1), date(2027, 1, 1))
    service.refuse(check(session, "1.80", coop_id=coop.id, certificates=[proven]))


def test_the_scheme_binds_only_under_its_claim(session):
    make_reference(session)
    assert check(session, "1.00", claims=()).blocking() == ()


def test_many_lines_take_one_statement(session):
    make_reference(session)
    make_quote(session)
    coops = [make_coop(session) for _ in range(3)]
    line = service.PriceLine(COFFEE, Decimal("1.80"), "lb", "USD", Decimal(10), ("fairtrade",))
    lines = [
        service.PriceLine(**{**{n: getattr(line, n) for n in line.__dataclass_fields__}, "coop_id": coop.id}) for coop in coops
    ] * 10
    service.check_prices(session, lines, ON)
    seen = []

    class Watched(psycopg.Cursor):
        def execute(self, query, *args, **values):
            seen.append(query)
            return super().execute(query, *args, **values)

    pooled = session.connection().connection
    pooled.info.pop("cursors", None)  # so that the watched kind is made
    driver = pooled.driver_connection
    driver.cursor_factory, before = Watched, driver.cursor_factory
    verdicts = service.check_prices(session, lines, ON)
    driver.cursor_factory = before
    pooled.info.pop("cursors", None)
    assert [said.outcome for said in verdicts] == [Outcome.OK] * 30
    assert len(seen) == 1, seen


def test_a_new_row_is_seen_at_once_and_a_rolled_back_one_never(session):
    make_reference(session)
    make_quote(session)
    assert check(session, "1.80").outcome is Outcome.OK
    with session.begin_nested() as savepoint:
        make_quote(session, "1.90", "0.10")
        assert check(session, "1.80").outcome is Outcome.VIOLATION
        savepoint.rollback()
    assert check(session, "1.80").outcome is Outcome.OK


def test_a_slip_of_the_hand_counts_only_after_a_second_person(session):
    make_reference(session)
    make_quote(session)
    slip = make_quote(session, "162", "0")
    assert check(session, "1.80").outcome is Outcome.OK
    assert slip not in queries.counting_quotes(session)
    service.check_quote(session, quote_id=slip, actor=APPROVES, now=NOW)
    assert check(session, "1.80").outcome is Outcome.VIOLATION


def test_stored_checks_run_again_to_the_same_outcome(session):
    make_reference(session)
    make_quote(session)
    subject = new_id()
    ids = service.store_checks(
        session, verdicts=[(subject, check(session, "1.75"))], subject_kind="listing", gate="G1", now=NOW, on=ON
    )
    assert len(ids) == 2
    stored = {row.rule: row for row in queries.checks_of(session, subject_kind="listing", subject_id=subject)}
    assert (stored["R-01"].outcome, stored["R-01"].amount_short.text) == ("violation", "1875.00 USD")
    again, new = service.run_again(session, check_id=stored["R-01"].id, now=NOW.replace(year=2027))
    assert (again.outcome, again.words) == (Outcome.VIOLATION, stored["R-01"].words)
    latest = {row.rule: row for row in queries.checks_of(session, subject_kind="listing", subject_id=subject)}
    assert latest["R-01"].id == new != stored["R-01"].id
    assert latest["R-01"].inputs == stored["R-01"].inputs


def test_a_round_over_offers_keeps_only_news(session):
    make_reference(session)
    make_quote(session)
    said = check(session, "1.80")
    ids = service.store_checks(session, verdicts=[(new_id(), said)], subject_kind="listing", gate="G1", now=NOW, on=ON)
    tomorrow = service.check_prices(
        session, [service.PriceLine(COFFEE, Decimal("1.80"), "lb", "USD", Decimal("37500"), ("fairtrade",))], date(2026, 11, 26)
    )[0]
    assert service.is_kept(session, check_ids=ids, verdict=tomorrow)
    assert not service.is_kept(session, check_ids=ids, verdict=check(session, "1.81"))
    assert not service.is_kept(session, check_ids=[], verdict=said)
    make_quote(session, "1.65")
    assert not service.is_kept(session, check_ids=ids, verdict=check(session, "1.80"))


@pytest.mark.parametrize("act", ["UPDATE price_check SET outcome = 'ok'", "DELETE FROM price_check", "TRUNCATE price_check"])
def test_stored_checks_cannot_be_changed(session, act):
    make_reference(session)
    service.store_checks(
        session, verdicts=[(new_id(), check(session, "1.75"))], subject_kind="listing", gate="G1", now=NOW, on=ON
    )
    with pytest.raises(DBAPIError):
        session.execute(text(act))


def test_another_currency_needs_a_rate_on_file(session):
    make_reference(session)
    make_quote(session)
    assert [c.reason for c in check(session, "1.70", currency="EUR").checks if c.rule == "R-01"] == ["fx_evidence_missing"]
    from tests.factories.prices import ENTERS

    service.enter_rate(
        session, base="EUR", quote="USD", rate=Decimal("1.05"), rate_on=ON, source_name="central bank", actor=ENTERS, now=NOW
    )
    said = check(session, "1.70", currency="EUR")
    assert said.amount_short.text == "562.50 USD"
    assert said.proposed_price == Decimal("1.714286")
    assert session.execute(select(PriceCheck)).first() is None
