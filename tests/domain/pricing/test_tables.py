"""Rows through their life: imported by one, approved by another, corrected, confirmed, never changed."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

import market.pricing
from market.pricing import queries, service
from market.pricing.errors import BatchClosed, ReferenceNotReady, SamePerson
from market.pricing.models import PriceReference
from market.pricing.rules import CostBuildUp, Goods, Material, Outcome
from market.pricing.rules.tables import FileFacts
from tests.conftest import NOW
from tests.factories.prices import APPROVES, ENTERS, make_quote, make_reference
from tests.factories.producers import make_coop

SEED = (Path(market.pricing.__file__).parent / "seed" / "fair_price_references.csv").read_bytes()
FACTS = FileFacts("project_seed_v1", "fairtrade", "shipped table")
ON = date(2026, 11, 25)


def load(session):
    found = service.import_prices(session, data=SEED, facts=FACTS, actor=ENTERS, now=NOW, on=ON)
    service.approve_import(session, batch_id=found.batch_id, actor=APPROVES, now=NOW)
    return found


def row_of(session, **values):
    return session.execute(select(PriceReference).filter_by(**values)).scalar_one()


def washed(session):
    return row_of(session, form="washed_green", quality="conventional", valid_from=date(2023, 8, 1), scheme="fairtrade")


def test_the_shipped_table_is_taken_over_by_a_second_person(session):
    found = service.import_prices(session, data=SEED, facts=FACTS, actor=ENTERS, now=NOW, on=ON)
    assert found.counts == {"needs_review": 34, "accepted": 31, "informs": 14, "could_block": 17}
    with pytest.raises(SamePerson):
        service.approve_import(session, batch_id=found.batch_id, actor=ENTERS, now=NOW)
    assert len(service.approve_import(session, batch_id=found.batch_id, actor=APPROVES, now=NOW)) == 65
    counted = dict(session.execute(select(PriceReference.status, func.count()).group_by(PriceReference.status)).all())
    assert counted == {"needs_review": 34, "active": 31}
    assert sum(row.reference.decides for row in queries.references(session)) == 17 + 8 + 2, (
        "with those of living incomes and statutes, which block nothing"
    )
    with pytest.raises(BatchClosed):
        service.approve_import(session, batch_id=found.batch_id, actor=APPROVES, now=NOW)


def test_importing_the_same_file_again_changes_nothing(session):
    load(session)
    again = service.import_prices(session, data=SEED, facts=FACTS, actor=ENTERS, now=NOW, on=ON)
    assert again.counts == {"unchanged": 65, "informs": 0, "could_block": 0}
    assert service.approve_import(session, batch_id=again.batch_id, actor=APPROVES, now=NOW) == []


def test_a_dry_run_keeps_nothing(session):
    found = service.import_prices(session, data=SEED, facts=FACTS, actor=ENTERS, now=NOW, on=ON, dry_run=True)
    assert (found.batch_id, len(found.rows)) == (None, 65)
    assert queries.batches(session) == []


def test_two_imports_of_one_file_give_the_rows_once(session):
    first, second = (service.import_prices(session, data=SEED, facts=FACTS, actor=ENTERS, now=NOW, on=ON) for _ in range(2))
    assert len(service.approve_import(session, batch_id=first.batch_id, actor=APPROVES, now=NOW)) == 65
    assert service.approve_import(session, batch_id=second.batch_id, actor=APPROVES, now=NOW) == []


def test_a_person_supplies_what_the_file_lacks_and_a_second_one_approves(session):
    load(session)
    make_quote(session)
    organic = Goods("coffee", "arabica", "washed green", quality="organic", incoterm="FOB")
    asked = {"goods": organic, "unit_price": Decimal("2.20"), "unit": "lb", "currency": "USD", "quantity": Decimal(1), "on": ON}
    said = service.check_price(session, **asked, claims=["fairtrade"])
    assert (said.outcome, said.claims_carried) == (Outcome.NOT_CHECKABLE, ())
    old = washed(session)
    changes = {"organic_rule": "differential", "organic_differential": Decimal("0.40"), "relevant_market": "ICE C"}
    new = service.correct_reference(session, reference_id=old.id, changes=changes, actor=ENTERS, now=NOW)
    with pytest.raises(SamePerson):
        service.approve_reference(session, reference_id=new.id, actor=ENTERS, now=NOW)
    service.approve_reference(session, reference_id=new.id, actor=APPROVES, now=NOW)
    assert (old.status, new.status, new.supersedes_id) == ("superseded", "active", old.id)
    said = service.check_price(session, **asked, claims=["fairtrade"])
    assert (said.outcome, said.organic_differential.amount) == (Outcome.OK, Decimal("0.40"))


def test_the_row_of_december_blocks_only_after_somebody_has_seen_the_document(session):
    load(session)
    make_quote(session, quoted_on=date(2026, 11, 25))
    coffee = Goods("coffee", "arabica", "washed green", incoterm="FOB")
    asked = {
        "goods": coffee,
        "unit_price": Decimal("1.85"),
        "unit": "lb",
        "currency": "USD",
        "quantity": Decimal(1),
        "on": date(2026, 12, 2),
    }
    assert service.check_price(session, **asked, claims=["fairtrade"]).outcome is Outcome.WARNING
    coming = row_of(session, valid_from=date(2026, 12, 1))
    with pytest.raises(ReferenceNotReady):
        service.confirm_reference(session, reference_id=coming.id, actor=APPROVES, now=NOW)
    service.confirm_reference(session, reference_id=coming.id, actor=APPROVES, now=NOW, document_hash="ab" * 32)
    said = service.check_price(session, **asked, claims=["fairtrade"])
    assert (said.outcome, said.proposed_price) == (Outcome.VIOLATION, Decimal("2.000000"))
    assert service.check_price(session, **{**asked, "on": date(2026, 11, 30)}, claims=["fairtrade"]).outcome is Outcome.OK


def test_a_file_without_a_market_column_does_not_say_that_none_is_needed(session):
    load(session)
    assert washed(session).relevant_market == "ICE C"
    wanted = queries.wanted_markets(session, ON)
    assert [(row.market, row.fresh) for row in wanted] == [
        (name, False) for name in ("ICE C", "ICE Cocoa", "ICE Robusta", "ICE Sugar 11")
    ]
    make_quote(session)
    assert [row.market for row in queries.wanted_markets(session, ON) if row.fresh] == ["ICE C"]


def test_a_waiting_row_without_a_day_cannot_be_activated(session):
    load(session)
    undated = session.execute(select(PriceReference).where(PriceReference.valid_from.is_(None)).limit(1)).scalar_one()
    with pytest.raises(ReferenceNotReady):
        service.approve_reference(session, reference_id=undated.id, actor=APPROVES, now=NOW)


def test_two_active_rows_of_one_key_are_refused(session):
    make_reference(session)
    waiting = make_reference(session, minimum_price=Decimal("1.90"), status="needs_review", approved_by=None, approved_at=None)
    with pytest.raises(ReferenceNotReady):
        service.approve_reference(session, reference_id=waiting.id, actor=APPROVES, now=NOW)


@pytest.mark.parametrize(
    "act", ["UPDATE price_reference SET minimum_price = 1", "DELETE FROM price_reference", "UPDATE market_quote SET price = 1"]
)
def test_values_never_change(session, act):
    make_reference(session)
    make_quote(session)
    with pytest.raises(DBAPIError):
        session.execute(text(act))


BUILD_UP = CostBuildUp(
    "USD", (Material("wool", Decimal(1), Decimal("4.20")),), Decimal("6.5"), Decimal("355.20"), Decimal(192), Decimal("1.10"), Decimal(5), Decimal("0.05"),
    wage_source="a published benchmark",
)  # fmt: skip


def decide(session, coop, **more):
    given = {
        "coop_id": coop.id, "goods": Goods("shawl"), "title": "Wool shawl", "currency": "USD", "unit": "piece",
        "decided_by_body": "assembly", "decided_on": date(2026, 3, 1), "actor": ENTERS, "now": NOW,
    }  # fmt: skip
    return service.decide_floor(session, **{**given, **more})


def test_a_co_op_floor_is_the_result_of_its_published_costs(session):
    coop, other = make_coop(session), make_coop(session)
    decide(session, coop, build_up=BUILD_UP)
    asked = {"goods": Goods("shawl"), "unit": "piece", "currency": "USD", "quantity": Decimal(1), "on": ON}
    said = service.check_price(session, **asked, unit_price=Decimal("18.00"), coop_id=coop.id)
    assert (said.outcome, said.amount_short.text) == (Outcome.VIOLATION, "0.20 USD")
    assert "labour 6.5 h × 1.85 = 12.025" in said.words
    assert service.check_price(session, **asked, unit_price=Decimal("18.00"), coop_id=other.id).outcome is Outcome.OK
    late = service.check_price(session, **{**asked, "on": date(2027, 3, 2)}, unit_price=Decimal("18.20"), coop_id=coop.id)
    assert late.outcome is Outcome.WARNING


def test_a_new_decision_takes_the_place_of_the_old_one(session):
    coop = make_coop(session)
    decide(session, coop, amount=Decimal("15.00"))
    decide(session, coop, amount=Decimal("16.00"), decided_on=date(2026, 6, 1))
    assert [floor.amount for floor in queries.coop_floors(session, coop.id)] == [Decimal("16.00")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": Decimal("18.00"), "build_up": BUILD_UP},
        {"amount": Decimal(0)},
        {},
        {"amount": Decimal(1), "review_by": date(2028, 1, 1)},
        {"amount": Decimal(1), "decided_by_body": " "},
        {"amount": Decimal(1), "currency": "ZZZ"},
        {"amount": Decimal(1), "decided_on": date(2027, 3, 1)},
        {"amount": Decimal(1), "decided_on": date(9999, 12, 31)},
    ],
)
def test_a_decision_that_cannot_stand_is_refused(session, wrong):
    with pytest.raises(service.FloorRefused):
        decide(session, make_coop(session), **wrong)


def test_changed_rows_are_announced_by_product(session):
    load(session)
    announced = (
        session.execute(text("SELECT payload->>'kind' FROM outbox WHERE topic = 'pricing.rows_changed' ORDER BY 1"))
        .scalars()
        .all()
    )
    assert announced == ["cane_sugar", "cocoa", "coffee", "factory_goods"]
