"""The public price check: the arithmetic in words, and queries that refuse what they do not know."""

from decimal import Decimal

import pytest

from market.kernel.ids import new_id
from market.pricing import service
from market.pricing.rules import Goods, replay
from tests.conftest import NOW
from tests.factories.prices import make_quote, make_reference

ASKED = {
    "product": "coffee", "variety": "arabica", "form": "washed green", "incoterm": "FOB", "price": "3.9683", "currency": "USD",
    "unit": "kg", "quantity": "1000", "claims": "fairtrade",
}  # fmt: skip


@pytest.fixture
def table(session):
    make_quote(session)
    return make_reference(session)


def test_anybody_checks_a_price(client, table):
    answer = client.get("/api/v1/price-check", query_string=ASKED)
    assert answer.status_code == 200
    body = answer.json
    assert (body["outcome"], body["on"], body["passing_price"]) == ("violation", "2026-11-25", "3.968321")
    assert body["amount_short"] == {"minor": 2, "currency": "USD"}
    assert body["floor"] == {
        "kind": "scheme", "label": body["floor"]["label"], "amount": "1.8", "currency": "USD", "unit": "lb", "reference_id": str(table.id),
    }  # fmt: skip
    check = next(check for check in body["checks"] if check["rule"] == "R-01")
    assert check["blocks"] == ["G1", "G2", "G3"]
    assert "3.9683 × 0.45359237 (kg in one lb)" in check["words"]
    assert replay(check["inputs"]).words == check["words"], "anybody can run it again from the answer"


def test_less_than_a_cent_is_said_exactly(client, table):
    body = client.get("/api/v1/price-check", query_string=ASKED | {"quantity": "1"}).json
    check = next(check for check in body["checks"] if check["rule"] == "R-01")
    assert (body["outcome"], body["amount_short"], check["amount_short"]) == ("violation", *[{"minor": 0, "currency": "USD"}] * 2)
    assert check["short_per_unit"]["amount"] in check["words"]
    assert (check["short_per_unit"]["unit"], "0.00 USD" in check["words"]) == ("lb", False)


def test_the_proposed_price_passes(client, table):
    body = client.get("/api/v1/price-check", query_string=ASKED | {"price": "3.968321"}).json
    assert (body["outcome"], body["claims_carried"], body["amount_short"]) == ("ok", ["fairtrade"], None)
    assert body["premium_per_unit"] == "0.440925"


def test_another_day_has_another_answer(client, session, table):
    body = client.get("/api/v1/price-check", query_string=ASKED | {"on": "2020-01-01"}).json
    assert (body["outcome"], body["checks"][0]["reason"]) == ("not_checkable", "no_row")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"prise": "1"}, "/query/prise"),
        ({"price": "1e99999999"}, "/query/price"),
        ({"price": "-1"}, "/query/price"),
        ({"price": "0"}, "/query/price"),
        ({"price": "NaN"}, "/query/price"),
        ({"price": "1.1234567"}, "/query/price"),
        ({"currency": "ZZZ"}, "/query/currency"),
        ({"quality": "good"}, "/query/quality"),
        ({"claims": "fairest"}, "/query/claims/0"),
        ({"on": "yesterday"}, "/query/on"),
        ({"product": ""}, "/query/product"),
    ],
)
def test_what_cannot_be_read_is_refused(client, table, change, pointer):
    answer = client.get("/api/v1/price-check", query_string=ASKED | change)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_an_unknown_unit_is_said_and_not_guessed(client, table):
    body = client.get("/api/v1/price-check", query_string=ASKED | {"unit": "box 43 lb"}).json
    assert (body["outcome"], body["claims_carried"]) == ("not_checkable", [])
    assert "packaging_unknown" in [check["reason"] for check in body["checks"]]


def test_a_stored_check_of_an_offer_runs_again_from_its_own_inputs(client, session, table):
    subject = new_id()
    asked = {"goods": Goods("coffee", "arabica", "washed green"), "unit_price": Decimal("1.75"), "unit": "lb", "currency": "USD"}
    said = service.check_price(session, **asked, quantity=Decimal(37500), on=NOW.date(), claims=["fairtrade"])
    keep = {"verdicts": [(subject, said)], "gate": "G1", "now": NOW, "on": NOW.date()}
    ids = service.store_checks(session, subject_kind="listing", **keep)
    body = client.get(f"/api/v1/price-checks/{ids[-1]}").json
    assert (body["listing_id"], body["rule"], body["outcome"], body["holds"]) == (str(subject), "R-01", "violation", True)
    assert body["again"]["words"] == body["words"]
    assert body["amount_short"] == {"minor": 187500, "currency": "USD"}


def test_checks_of_orders_and_unknown_ones_are_missing_to_the_public(client, session, table):
    said = service.check_price(
        session,
        goods=Goods("coffee"),
        unit_price=Decimal(1),
        unit="lb",
        currency="USD",
        quantity=Decimal(1),
        on=NOW.date(),
        claims=["fairtrade"],
    )
    ids = service.store_checks(session, verdicts=[(new_id(), said)], subject_kind="order_line", gate="G2", now=NOW, on=NOW.date())
    for check_id in (ids[0], new_id()):
        answer = client.get(f"/api/v1/price-checks/{check_id}")
        assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
