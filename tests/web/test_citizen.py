"""What anybody may look up: a lot by its code, the rules, who is behind a co-op, figures; without an account and a cookie."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from market.payouts.models import Payout
from tests.architecture.world import World, routes
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order
from tests.factories.payouts import approved_run, owe
from tests.factories.prices import make_reference
from tests.factories.producers import make_coop, make_payee_account, make_producer
from tests.factories.provenance import make_lot

# Here a visitor begins something of their own: an account, a basket, an order.
BEGINS_SOMETHING = ("security.", "checkout.", "orders.")


def test_reading_sets_no_cookie(app, session):
    world = World(app, session)
    with_cookie = []
    for rule, method, declared in routes(world.app):
        if method == "GET" and "public" in declared.words and not rule.endpoint.startswith(BEGINS_SOMETHING):
            answer = world.call("anonymous", "GET", world.path(rule))
            if "Set-Cookie" in answer.headers:
                with_cookie.append(rule.rule)
    assert not with_cookie


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://localhost"}, 303),
        ({"Referer": "http://localhost/listings/x"}, 303),
        ({"Origin": "https://evil.example"}, 400),
        ({"Origin": "null"}, 400),
        ({}, 400),
    ],
)
def test_a_visitor_without_a_cookie_begins_a_basket_from_a_page_of_ours_alone(client, session, headers, status):
    listing = make_listing(session)
    session.commit()
    page = client.get(f"/listings/{listing.id}")
    assert "Set-Cookie" not in page.headers
    assert "csrf_token" not in page.text
    form = {"listing_id": str(listing.id), "quantity": "1"}
    assert client.post("/basket", data=form, headers=headers).status_code == status


@pytest.fixture
def coop(session):
    return make_coop(session, name="Alto Mayo", slug="alto-mayo", town="Moyobamba")


@pytest.fixture
def ana(session, coop):
    return make_producer(session, coop=coop, name="Ana")


@pytest.mark.parametrize(
    "spelt",
    ["{}", " {} ", "HTTPS://MARKET.EXAMPLE/L/{}", "https://market.example/lots/{}?lang=es", "{dashed}", "{upper}", "{wide}"],
)
def test_a_lot_is_found_however_its_code_is_written(client, session, coop, ana, spelt):
    slug = make_lot(session, coop=coop, producer=ana).slug
    session.commit()
    typed = spelt.format(
        slug,
        dashed=f"{slug[:4]}-{slug[4:8]}-{slug[8:]}",
        upper=slug.upper(),
        wide="".join(chr(ord(sign) + 0xFEE0) for sign in slug),
    )
    answer = client.get("/lots", query_string={"code": typed})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/lots/{slug}")


def test_a_wrong_code_is_told_and_kept(client, session, coop, ana):
    slug = make_lot(session, coop=coop, producer=ana).slug
    session.commit()
    wrong = slug[:-1] + ("a" if slug[-1] != "a" else "b")
    answer = client.get("/lots", query_string={"code": wrong})
    assert answer.status_code == 422
    assert f'value="{wrong}"' in answer.text
    assert "mistyped" in answer.text
    for odd in ("<script>", "http://[abc/", "//["):
        assert client.get("/lots", query_string={"code": odd}).status_code == 422


def test_the_rules_stand_with_the_rows_in_force(client, session):
    make_reference(session)
    make_reference(session, product="tea", valid_from=date(2027, 1, 1))
    session.commit()
    page = " ".join(client.get("/rules").text.split())
    assert "R-01" in page
    assert "Rows of published tables in force on 25 Nov 2026" in page
    assert "Known already, not yet in force" in page
    assert "tea" not in client.get("/rules?product=coffee").text.split("<table", 1)[1]


def test_figures_are_those_of_the_books(client, session, coop, ana):
    session.commit()
    empty = client.get("/figures").text
    assert "No payment to a producer arrived" in empty
    listing = make_listing(session, producer=ana, unit_price=Decimal(10))
    paid_order(session, listing)
    make_payee_account(session, producer=ana)
    owe(session, ana, 6480)
    approved_run(session, coop.id)
    payout = session.query(Payout).one()
    payout.state, payout.settled_on = "settled", date(2026, 11, 24)
    session.commit()
    page = " ".join(client.get("/figures").text.split())
    assert "€64.80" in page
    assert "1 producer, 1 payment" in page
    assert "of what buyers paid" in page
    assert "Paid orders<strong>1</strong>" in page
    assert "November 2026" in page
    assert "€64.80" not in client.get("/figures?month=2026-10").text
    assert client.get("/figures?month=9999-99").status_code == 200
    behind = client.get("/coops/alto-mayo/behind").text
    assert "€64.80" in behind
    assert "Moyobamba" in behind


def test_the_median_counts_from_the_buyers_payment(session, coop, ana):
    from market.http.db import reading
    from market.orders.models import SellerOrder
    from market.reports.queries.public_figures import figures

    make_payee_account(session, producer=ana)
    listing = make_listing(session, producer=ana)
    paid_order(session, listing)
    seller = session.query(SellerOrder).one()
    owe(session, ana, 5000, source_kind="seller_order", source_id=seller.id)
    approved_run(session, coop.id)
    payout = session.query(Payout).one()
    payout.state, payout.settled_on = "settled", seller.paid_on + timedelta(days=3)
    session.commit()
    with reading() as connection:
        found = figures(connection, first=date(2026, 11, 1), after=date(2026, 12, 1), labels={})
    assert [(row.money.minor, row.median_days) for row in found.paid] == [(5000, 3)]
    (split,) = found.splits
    assert sum(part.money.minor for part in split.parts) == split.total.minor
    assert 0 < split.producers_share < 1


def test_what_is_still_to_come_is_said(client):
    assert "It is not running yet" in client.get("/log").text
    assert "still to come" in client.get("/questions").text
