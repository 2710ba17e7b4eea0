"""The pattern of the staff's lists, on the desk of orders: filters, pages, files, saved views, the open record."""

import csv
import dataclasses
import io
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import openpyxl
import pytest
from sqlalchemy import select

from market.desks.models import SavedView
from market.kernel import sheets
from market.kernel.actor import GUEST
from market.orders import service
from market.orders.models import Order, SellerOrder
from market.orders.service import WantedLine
from market.reports.queries import lists
from tests.conftest import NOW
from tests.factories.accounts import csrf_token, make_admin, make_staff, sign_in
from tests.factories.catalogue import make_listing
from tests.factories.orders import BUYER, parts_of, pay
from tests.factories.producers import make_coop, make_producer

BASE = "/console/orders"


class Person(NamedTuple):
    """Enough of an account to sign in with; plain, whatever happens to the session."""

    id: UUID


@pytest.fixture
def colleague(session, coop):
    return Person(make_staff(session, coop=coop, role="approver").id)


@pytest.fixture
def stranger(session):
    return Person(make_staff(session, coop=make_coop(session), role="preparer").id)


@pytest.fixture
def staff(client, session, coop, colleague, stranger):
    return sign_in(client, session, make_staff(session, coop=coop, role="preparer"))


def sell(session, listing, name, email, now):
    """An order of two of a listing by a buyer of that name."""
    buyer = dataclasses.replace(BUYER, name=name, email=email)
    wanted = [WantedLine(listing.id, Decimal(2))]
    placed = service.place_order(session, actor=GUEST, wanted=wanted, buyer=buyer, method="card", now=now)
    return placed


@pytest.fixture
def sold(session, coop):
    """Three orders, an hour apart; the first is paid, the buyer of the last has a name that a spreadsheet would run."""
    listing = make_listing(session, producer=make_producer(session, coop=coop))
    people = (("Ana Weber", "ana@example.org"), ("Ben Okoro", "ben@example.org"), ("=2+5", "x@example.org"))
    placed = [sell(session, listing, *who, NOW + timedelta(hours=hour)) for hour, who in enumerate(people)]
    pay(session, placed[0])
    return [parts_of(session, each.order_id)[0] for each in placed]


def rows_of(answer):
    return list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))[1:]


def test_the_newest_stand_first_with_their_sum(staff, sold):
    text = staff.get(BASE).text
    assert text.index("Ben Okoro") < text.index("Ana Weber")
    assert "3 rows" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=weber", ["Ana Weber"]),
        ("q=we", ["Ana Weber"]),
        ("state=shipped", []),
        ("state=paid", ["Ana Weber"]),
        ("state=placed&q=ben", ["Ben Okoro"]),
    ],
)
def test_filters_stand_in_the_address(staff, sold, query, found):
    assert [row[2] for row in rows_of(staff.get(f"{BASE}?{query}&format=csv"))] == found


def test_a_number_and_an_amount_find_an_order(staff, session, sold):
    number = session.get(Order, sold[0].order_id).number
    assert [row[0] for row in rows_of(staff.get(f"{BASE}?q={number}&format=csv"))] == [f"{number}-1"]
    heads, first = list(csv.reader(io.StringIO(staff.get(f"{BASE}?format=csv").text.lstrip("\ufeff"))))[:2]
    amount = first[4]
    assert (heads[-1], first[-1]) == ("Currency", "EUR")  # an amount without it is no amount
    assert len(rows_of(staff.get(f"{BASE}?amount={amount}&format=csv"))) == 3
    assert rows_of(staff.get(f"{BASE}?amount=0.01&format=csv")) == []


def test_what_cannot_be_read_is_said_beside_its_field_and_the_list_stays(staff, sold):
    text = staff.get(f"{BASE}?from=yesterday&state=paid").text
    assert "Please enter a day" in text
    assert 'value="yesterday"' in text
    assert staff.get(f"{BASE}?state=nonsense&q=%27%29%3A").status_code == 200
    assert staff.get(f"{BASE}?cursor=nonsense").status_code == 422


def test_pages_follow_the_last_row_seen(staff, sold, monkeypatch):
    monkeypatch.setitem(lists.page.__kwdefaults__, "limit", 2)
    first = staff.get(BASE).text
    assert "Ana Weber" not in first
    link = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = staff.get(link).text
    assert "Ana Weber" in second
    assert "Ben Okoro" not in second


def test_a_file_runs_no_formula(staff, sold):
    answer = staff.get(f"{BASE}?format=csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="orders.csv"'
    assert rows_of(answer)[0][2] == "'=2+5"
    book = openpyxl.load_workbook(io.BytesIO(staff.get(f"{BASE}?format=xlsx").data))
    cell = book.active["C2"]
    assert (cell.value, cell.data_type) == ("=2+5", "s")
    assert book.active["E2"].data_type == "n"


@pytest.mark.parametrize(("value", "written"), [("-5", "'-5"), (-5, "-5"), ("@x", "'@x"), ("a=b", "a=b"), ("\t=1", "'\t=1")])
def test_cells_are_safe(value, written):
    assert sheets.safe(value) == written


def test_a_view_is_saved_shown_and_forgotten_and_is_ones_own(staff, client, session, colleague, sold):
    def post(path, **form):
        return client.post(path, data={"csrf_token": csrf_token(client), **form})

    answer = post("/console/desk/views", desk="orders", name="To pack", query="state=paid", back=f"{BASE}?state=paid")
    assert answer.location == f"{BASE}?state=paid"
    view_id = session.scalar(select(SavedView.id))
    assert f'href="{BASE}?state=paid" aria-current="true">To pack' in staff.get(f"{BASE}?state=paid").text
    sign_in(client, session, colleague)
    assert "To pack" not in client.get(BASE).text
    assert post(f"/console/desk/views/{view_id}/forget").status_code == 404
    assert session.get(SavedView, view_id) is not None


def test_an_administrator_keeps_views_of_the_lists_of_the_site(client, session):
    first, second = (make_admin(session) for _ in range(2))
    sign_in(client, session, first)
    form = {"desk": "coops", "name": "Coffee", "query": "q=coffee", "back": "/admin?q=coffee"}
    for _ in range(2):  # the same name again is the same view
        answer = client.post("/console/desk/views", data={"csrf_token": csrf_token(client), **form})
        assert answer.location == "/admin?q=coffee"
    assert client.get("/admin?q=coffee").text.count('href="/admin?q=coffee" aria-current="true">Coffee') == 1
    sign_in(client, session, second)
    assert ">Coffee<" not in client.get("/admin").text


@pytest.mark.parametrize("back", ["https://evil.example/console", "//evil.example/console", "/shop", "/\\evil/console"])
def test_a_form_leads_back_to_the_desk_alone(staff, client, back):
    form = {"csrf_token": csrf_token(client), "desk": "orders", "name": "x", "query": "", "back": back}
    assert client.post("/console/desk/views", data=form).location == "/console"


def test_the_open_record_stands_beside_the_list(staff, session, stranger, sold):
    text = staff.get(f"{BASE}?state=paid&open={sold[0].id}").text
    assert "Open the order" in text
    assert "Ben Okoro" not in text
    assert f'href="{BASE}?state=paid"' in text  # closing keeps the list
    assert staff.get(f"{BASE}?open=nonsense").status_code == 200
    sign_in(staff, session, stranger)
    assert staff.get(f"{BASE}?open={sold[0].id}").status_code == 404


def test_a_file_has_only_ones_own(staff, session, stranger, sold):
    sign_in(staff, session, stranger)
    assert rows_of(staff.get(f"{BASE}?format=csv")) == []


def test_what_waits_is_listed_and_taken_on(staff, client, session, colleague, sold):
    row = session.get(SellerOrder, sold[0].id)
    row.problem = "paid_short_of_stock"
    session.flush()
    assert "Paid orders without goods" in staff.get("/console").text
    form = {"csrf_token": csrf_token(client), "back": "/console?owner=mine"}
    assert client.post(f"/console/desk/take/order_problem/{sold[0].id}", data=form).location == "/console?owner=mine"
    assert "Ana Weber" in staff.get("/console?owner=mine").text
    assert "Ana Weber" not in staff.get("/console?owner=free").text
    sign_in(client, session, colleague)
    form = {"csrf_token": csrf_token(client)}
    assert (
        "A colleague has taken this"
        in client.post(f"/console/desk/take/order_problem/{sold[0].id}", data=form, follow_redirects=True).text
    )
    assert "Ana Weber" not in client.get("/console?owner=mine").text
    client.post(f"/console/desk/give-up/order_problem/{sold[0].id}", data=form)
    assert "Ana Weber" in client.get("/console?owner=free").text


@pytest.mark.parametrize("text", ["weber", "ANA", "ana@example.org"])
def test_one_hit_is_opened_at_once_and_several_are_shown(staff, session, sold, text):
    assert staff.get(f"/console/search?q={text}").location == f"{BASE}/{sold[0].id}"


def test_search_finds_numbers_references_amounts_and_names(staff, session, coop, sold):
    number = session.get(Order, sold[1].order_id).number
    assert staff.get(f"/console/search?q=%23{number}").location == f"{BASE}/{sold[1].id}"
    amount = sold[0].total.decimal
    found = staff.get(f"/console/search?q={amount}").text
    assert found.count(BASE + "/") >= 3
    assert "Nothing found" in staff.get("/console/search?q=zebra").text
    for odd in ("%27%22", "%26%7C%21", "0", "-", "RF00", "%00"):
        assert staff.get(f"/console/search?q={odd}").status_code in (200, 303, 422)
