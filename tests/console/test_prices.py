"""Staff pages of prices: two people, forms that keep what was typed, and nobody else."""

import io
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

import market.pricing
from market.pricing.models import CoopFloorRow, ImportBatch, MarketQuote, PriceReference
from tests.factories.accounts import make_account, make_staff
from tests.factories.prices import make_reference
from tests.factories.producers import make_coop

SEED = Path(market.pricing.__file__).parent / "seed" / "fair_price_references.csv"


def upload(desk, person, **more):
    form = {
        "file": (io.BytesIO(SEED.read_bytes()), "t.csv"),
        "profile": "project_seed_v1",
        "scheme": "fairtrade",
        "source_name": "shipped table",
    }
    return desk.post(person, "/console/prices/import", **{**form, **more})


def test_a_table_is_imported_by_one_and_approved_by_another(desk, session):
    answer = upload(desk, desk.preparer)
    assert answer.status_code == 303
    page = desk.get(desk.preparer, answer.location)
    assert "another person must approve it" in page.text
    assert "packaging_unknown" in page.text
    batch = session.execute(select(ImportBatch)).scalar_one()
    assert desk.post(desk.preparer, f"/console/prices/imports/{batch.id}/approve").status_code == 403
    question = desk.post(desk.approver, f"/console/prices/imports/{batch.id}/approve")
    assert (question.status_code, "Rows that count at once" in question.text) == (200, True)
    assert session.execute(select(PriceReference)).first() is None, "nothing counts before somebody is sure"
    assert desk.post(desk.approver, f"/console/prices/imports/{batch.id}/approve", sure="yes").status_code == 303
    listed = desk.get(desk.preparer, "/console/prices")
    assert listed.status_code == 200
    assert "to review" in listed.text
    coffee = desk.get(desk.approver, "/console/prices?status=active&product=coffee").text
    assert "washed green" in coffee
    assert "cocoa, beans" not in coffee


def test_the_importer_cannot_approve_even_with_the_role(desk, session):
    answer = upload(desk, desk.approver)
    refused = desk.post(desk.approver, f"{answer.location}/approve", sure="yes")
    assert refused.status_code == 403
    assert session.execute(select(PriceReference)).first() is None


def test_a_file_that_is_no_table_is_refused_beside_its_field(desk):
    answer = upload(desk, desk.preparer, file=(io.BytesIO(b"a,b\n1,2\n"), "x.csv"))
    assert answer.status_code == 422
    assert "The heads are not those of project_seed_v1" in answer.text
    assert "shipped table" in answer.text, "what was typed is kept"


def test_a_row_is_corrected_by_one_and_approved_by_another(desk, session):
    old = make_reference(session, organic_differential=None, organic_rule="none", relevant_market=None)
    asked = {"organic_rule": "differential", "organic_differential": "0.40", "relevant_market": "ICE C"}
    answer = desk.post(desk.preparer, f"/console/prices/{old.id}/correct", **asked)
    assert answer.status_code == 303
    assert desk.get(desk.preparer, answer.location).status_code == 200
    question = desk.post(desk.approver, f"{answer.location}/approve").text
    assert "<del>–</del> <ins>0.4</ins>" in question, "old and new side by side"
    assert desk.post(desk.approver, f"{answer.location}/approve", sure="no").status_code == 200
    assert desk.post(desk.approver, f"{answer.location}/approve", sure="yes").status_code == 303
    new = session.execute(select(PriceReference).where(PriceReference.supersedes_id == old.id)).scalar_one()
    old = session.get(PriceReference, old.id)
    assert (new.status, new.organic_differential, old.status) == ("active", Decimal("0.40"), "superseded")


def test_an_empty_or_wrong_correction_is_said(desk, session):
    row = make_reference(session)
    assert desk.post(desk.preparer, f"/console/prices/{row.id}/correct").status_code == 422
    answer = desk.post(desk.preparer, f"/console/prices/{row.id}/correct", minimum_price="two", incoterm="EXW")
    assert answer.status_code == 422
    assert 'value="two"' in answer.text


def test_an_unconfirmed_row_is_confirmed_with_its_document(desk, session):
    row = make_reference(session, confidence="low")
    assert desk.post(desk.approver, f"/console/prices/{row.id}/confirm", sure="yes").status_code == 409
    assert desk.post(desk.approver, f"/console/prices/{row.id}/confirm", document_hash="ab" * 32, sure="yes").status_code == 303
    row = session.get(PriceReference, row.id)
    assert (row.confidence, row.confirmed_at is not None) == ("high", True)


QUOTE = {
    "market": "ICE C",
    "price": "1.62",
    "addition": "0.10",
    "addition_label": "differential",
    "unit": "lb",
    "currency": "usd",
    "quoted_on": "2026-11-24",
    "source_name": "bulletin",
}


def test_market_prices_are_entered_and_checked(desk, session):
    assert desk.post(desk.preparer, "/console/market-prices", **QUOTE).status_code == 303
    row = session.execute(select(MarketQuote)).scalar_one()
    assert desk.post(desk.approver, f"/console/market-prices/{row.id}/check").status_code == 303
    page = desk.get(desk.preparer, "/console/market-prices")
    assert "by a second person" in page.text


@pytest.mark.parametrize(
    "change",
    [{"price": "0"}, {"price": "1..62"}, {"currency": "xx"}, {"unit": "box"}, {"quoted_on": "2027-01-01"}, {"source_name": " "}],
)
def test_a_market_price_that_cannot_be_right_keeps_the_form(desk, session, change):
    answer = desk.post(desk.preparer, "/console/market-prices", **QUOTE | change)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert session.execute(select(MarketQuote)).first() is None


def test_rates_are_entered(desk):
    asked = {"base": "eur", "quote": "usd", "rate": "1.05", "rate_on": "2026-11-24", "rate_source": "central bank"}
    assert desk.post(desk.preparer, "/console/market-prices/rates", **asked).status_code == 303
    assert "EUR → USD" in desk.get(desk.preparer, "/console/exchange-rates").text
    assert desk.post(desk.preparer, "/console/market-prices/rates", **asked | {"quote": "EUR"}).status_code == 422
    assert desk.post(desk.preparer, "/console/market-prices/rates", **asked | {"rate_on": "2026-12-24"}).status_code == 422
    question = desk.post(desk.preparer, "/console/market-prices/rates", **asked | {"rate": "105"})
    assert (question.status_code, "Is this rate right?" in question.text) == (200, True)
    assert desk.post(desk.preparer, "/console/market-prices/rates", **asked | {"rate": "105", "sure": "yes"}).status_code == 303


FLOOR = {
    "sure": "yes", "title": "Wool shawl", "product": "shawl", "currency": "EUR", "unit": "piece", "decided_by_body": "assembly", "decided_on": "2026-03-01",
    "materials": "4.20", "hours_per_piece": "6.5", "living_wage_month": "355.20", "hours_month": "192", "overhead_per_piece": "1.10",
    "reserve_pct": "5", "price_step": "0.05", "wage_source": "a published benchmark",
}  # fmt: skip


def test_a_floor_is_decided_from_its_costs(desk, session, coop):
    assert desk.post(desk.preparer, "/console/floors", **FLOOR).status_code == 403
    question = desk.post(desk.approver, "/console/floors", **FLOOR | {"sure": ""})
    assert (question.status_code, "Let this floor count?" in question.text) == (200, True)
    assert desk.post(desk.approver, "/console/floors", **FLOOR).status_code == 303
    row = session.execute(select(CoopFloorRow)).scalar_one()
    assert (row.coop_id, row.amount) == (coop.id, Decimal("18.20"))
    page = desk.get(desk.preparer, f"/console/floors?open={row.id}")
    assert "labour 6.5 h × 1.85 = 12.025" in page.text
    assert "Living wage of €355.20 a month for 192 hours, by a published benchmark" in page.text


@pytest.mark.parametrize(
    "change", [{"hours_month": ""}, {"price_step": "0"}, {"title": ""}, {"amount": "18.00"}, {"materials": "much"}]
)
def test_a_decision_that_cannot_stand_keeps_the_form(desk, session, change):
    answer = desk.post(desk.approver, "/console/floors", **FLOOR | change)
    assert answer.status_code == 422
    assert session.execute(select(CoopFloorRow)).first() is None


@pytest.mark.parametrize("path", ["/console/prices", "/console/prices/import", "/console/market-prices", "/console/floors"])
def test_only_staff_sees_the_desk(desk, client, session, path):
    assert desk.get(make_account(session), path).status_code == 403
    assert desk.get(None, path).status_code in (303, 401)


def test_a_foreign_co_op_s_floors_are_not_seen(desk, session):
    other = make_coop(session)
    desk.post(make_staff(session, coop=other, role="approver"), "/console/floors", **FLOOR | {"title": "Foreign shawl"})
    assert "Foreign shawl" not in desk.get(desk.preparer, "/console/floors").text


def test_the_list_says_how_many_rows_it_has(desk, session):
    for product in ("cocoa", "honey"):
        make_reference(session, product=product)
    assert ">2 rows" in desk.get(desk.preparer, "/console/prices").text
