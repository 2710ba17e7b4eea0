"""A producer records lots on a phone: a refusal keeps what was typed, a double tap makes one lot."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from market.provenance.models import EpcisEvent, Lot, Place
from tests.factories.accounts import csrf_token, make_producer_account, make_staff, sign_in
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import make_lot

HARVEST = {
    "kind": "harvest",
    "name": "Coffee cherries",
    "variety": "Caturra",
    "label": "LOT-1",
    "quantity": "480,5",
    "uom": "KGM",
    "from_on": "2026-06-10",
    "on": "2026-06-12",
    "place_name": "El Mirador",
    "place_region": "Huila",
    "latitude": "2.5359",
    "longitude": "-75.5277",
}


@pytest.fixture
def coop(session):
    return make_coop(session, country="CO", time_zone="America/Bogota")


@pytest.fixture
def luz(session, coop):
    return make_producer(session, coop=coop, name="Luz")


@pytest.fixture
def browser(client, session, luz):
    return sign_in(client, session, make_producer_account(session, producer=luz))


def post(browser, path: str, form: dict[str, str]):
    return browser.post(path, data=form | {"csrf_token": csrf_token(browser)})


def test_a_harvest_becomes_a_lot_with_its_event_and_a_public_page(browser, session) -> None:
    assert "El Mirador" in browser.get("/producer/lots/new").text
    answer = post(browser, "/producer/lots/new", HARVEST)
    assert answer.status_code == 303
    lot = session.scalars(select(Lot)).one()
    assert (lot.produced, lot.label, lot.made_on.isoformat(), lot.process) == (Decimal("480.5"), "LOT-1", "2026-06-12", "harvest")
    place = session.scalars(select(Place)).one()
    assert (place.latitude, place.longitude) == (Decimal("2.5"), Decimal("-75.5"))
    event = session.scalars(select(EpcisEvent)).one()
    assert event.body["ilmd"]["fair:harvestStartDate"] == "2026-06-10"
    assert "2.53" not in str(event.body)
    assert "Coffee cherries" in browser.get(answer.headers["Location"]).text
    assert "Luz" in browser.get(f"/lots/{lot.slug}").text
    assert "LOT-1" in browser.get("/producer/lots").text


def test_the_day_that_the_form_offers_is_the_co_ops(browser, session, coop, luz, clock) -> None:
    make_lot(session, coop=coop, producer=luz)
    clock.instant = datetime(2026, 11, 26, 1, 30, tzinfo=UTC)  # half past eight in the evening of the 25th in Bogotá
    pages = [browser.get(f"/producer/lots/{name}").text for name in ("new", "from")]
    assert [re.findall(r'value="(2026-11-[^"]+)"', page) for page in pages] == [["2026-11-25"]] * 2


def test_a_form_sent_twice_makes_one_lot(browser, session) -> None:
    key = re.search(r'name="key" value="([^"]+)"', browser.get("/producer/lots/new").text)[1]
    answers = [post(browser, "/producer/lots/new", HARVEST | {"key": key}) for _ in range(2)]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert session.scalar(select(func.count()).select_from(Lot)) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"quantity": "many"}, "quantity"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "-3"}, "quantity"),
        ({"quantity": "1.23456"}, "quantity"),
        ({"quantity": "1.5", "uom": "H87"}, "quantity"),
        ({"uom": "TNE"}, "uom"),
        ({"on": "12 June"}, "on"),
        ({"on": "2027-01-01"}, "on"),
        ({"from_on": "2026-06-13"}, "from_on"),
        ({"kind": "gift"}, "kind"),
        ({"place_name": ""}, "place_name"),
        ({"latitude": "91"}, "latitude"),
        ({"longitude": ""}, "longitude"),
        ({"name": "x" * 121}, "name"),
    ],
)
def test_a_refusal_stands_beside_its_field_and_keeps_what_was_typed(browser, session, change, field: str) -> None:
    answer = post(browser, "/producer/lots/new", HARVEST | change)
    assert answer.status_code == 422
    assert f'id="e-{field}"' in answer.text
    assert "Caturra" in answer.text
    assert session.scalars(select(Lot)).all() == []


def test_a_lot_is_made_from_others_and_what_was_taken_is_gone(browser, session, coop, luz) -> None:
    lot = make_lot(session, coop=coop, producer=luz)
    session.commit()
    form = HARVEST | {"process": "washed", "quantity": "100", f"take-{lot.id}": "480", "name": "Washed coffee"}
    assert str(lot.id) in browser.get(f"/producer/lots/from?lot={lot.id}").text
    answer = post(browser, "/producer/lots/from", form)
    assert answer.status_code == 303
    assert "Washed coffee" in browser.get(answer.headers["Location"]).text
    again = post(browser, "/producer/lots/from", form)
    assert again.status_code == 422
    taken = session.scalars(select(Lot).where(Lot.id == lot.id)).one()
    assert (taken.drawn, taken.sealed_at is not None) == (480, True)


def test_too_much_out_or_in_is_refused_beside_its_field(browser, session, coop, luz) -> None:
    lot = make_lot(session, coop=coop, producer=luz)
    session.commit()
    form = HARVEST | {"process": "washed", f"take-{lot.id}": "481", "quantity": "100"}
    answer = post(browser, "/producer/lots/from", form)
    assert f'id="e-take-{lot.id}"' in answer.text
    assert "1 too much" in answer.text
    answer = post(browser, "/producer/lots/from", form | {f"take-{lot.id}": "480", "quantity": "300"})
    assert 'id="e-quantity"' in answer.text
    assert "0.25" in answer.text
    answer = post(browser, "/producer/lots/from", form | {f"take-{lot.id}": ""})
    assert "at least one lot" in answer.text
    answer = post(browser, "/producer/lots/from", form | {"on": "2026-06-11"})
    assert "it cannot be older than that" in answer.text
    assert 'id="e-on"' in answer.text


def test_lots_of_others_are_not_there(browser, session, coop) -> None:
    foreign = make_lot(session, coop=coop, producer=make_producer(session, coop=coop))
    elsewhere = make_lot(session, coop=make_coop(session))
    session.commit()
    for lot in (foreign, elsewhere):
        assert browser.get(f"/producer/lots/{lot.id}").status_code == 404
        answer = post(browser, "/producer/lots/from", HARVEST | {"process": "washed", f"take-{lot.id}": "1"})
        assert answer.status_code == 422
    assert "No lots yet" in browser.get("/producer/lots").text


def test_staff_have_no_lots_of_their_own(app, session, coop) -> None:
    staff = sign_in(app.test_client(), session, make_staff(session, coop=coop))
    assert staff.get("/producer/lots").status_code == 403


def test_the_list_goes_on_behind_a_page(browser, session, coop, luz, monkeypatch) -> None:
    for number in range(3):
        make_lot(session, coop=coop, producer=luz, name=f"Lot {number}")
    session.commit()
    monkeypatch.setattr("market.web.producer_lots.PAGE", 2)
    first = browser.get("/producer/lots").text
    following = re.search(r'href="(/producer/lots\?cursor=[^"]+)"', first)[1]
    assert "Lot 0" in browser.get(following).text
    assert browser.get("/producer/lots?cursor=nonsense").status_code == 422
