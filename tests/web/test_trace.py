"""The public page of a lot: for anybody, light, safe, and honest about what is missing."""

import gzip

import pytest
from sqlalchemy import select, update

from market.provenance.models import Lot
from market.web.map import project, sheet
from tests.domain.provenance.test_capture import PACK, capture
from tests.factories.accounts import make_account, sign_in
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import SAMPLES, coffee_chain, make_chain_places, make_lot

needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/data/epcis is absent: no worked chain")


@pytest.fixture
def pack(session) -> Lot:
    coop = make_coop(session, name="Cafe del Valle")
    make_chain_places(session, coop)
    capture(session, coop, coffee_chain())
    session.commit()
    return session.scalars(select(Lot).where(Lot.uri == PACK)).one()


@needs_samples
def test_the_page_of_the_worked_chain_tells_everything_within_its_weight(client, pack) -> None:
    answer = client.get(f"/lots/{pack.slug}")
    assert answer.status_code == 200
    for words in (
        "LOT-26-K07",
        "Roasted",
        "Sold",
        "12/25",
        "52%",
        "stated by one side",
        "documents",
        "EPCIS 2.0",
        "not been sold",
    ):
        assert words.replace("not been sold", "has been sold here yet") in answer.text
    assert len(gzip.compress(answer.data)) < 40_000
    assert "http://" not in answer.text.replace("http://127.0.0.1:8000", "")
    assert answer.text.count("<script") == 1  # the one of every page
    assert "style=" not in answer.text


@needs_samples
def test_an_unchanged_page_is_not_sent_twice(client, pack) -> None:
    first = client.get(f"/lots/{pack.slug}")
    again = client.get(f"/lots/{pack.slug}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert "public" in first.headers["Cache-Control"]


def test_short_and_mistyped_addresses(client, session) -> None:
    lot = make_lot(session, coop=make_coop(session))
    session.commit()
    for address in (f"/L/{lot.slug.upper()}", f"/l/{lot.slug}", f"/lots/{lot.slug.upper()}"):
        assert client.get(address).headers["Location"] == f"/lots/{lot.slug}"
    assert client.get("/lots/h3yfcy7mts8").status_code == 404
    assert client.get("/L/NONSENSE", follow_redirects=True).status_code == 404
    for accept, where in (("text/html", f"/lots/{lot.slug}"), ("application/json", f"/api/v1/lots/{lot.slug}")):
        answer = client.get(f"/id/class/{lot.slug}", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Location"]) == (303, where)


def test_names_cannot_carry_markup(client, session) -> None:
    coop = make_coop(session)
    producer = make_producer(session, coop=coop, name="<script>alert(1)</script>")
    lot = make_lot(session, coop=coop, producer=producer, name='"><img src=x>', label="</title><b>", variety="{{ 7 * 7 }}")
    text = client.get(f"/lots/{lot.slug}").text
    assert "<script>" not in text
    assert "<img" not in text
    assert "</title><b>" not in text
    assert "{{ 7 * 7 }}" in text


def test_a_signed_in_person_sees_the_same_facts_unshared(client, session) -> None:
    lot = make_lot(session, coop=make_coop(session), label="LOT-1")
    sign_in(client, session, make_account(session))
    answer = client.get(f"/lots/{lot.slug}")
    assert "LOT-1" in answer.text
    assert "public" not in answer.headers["Cache-Control"]


def test_a_withdrawn_lot_is_gone_with_its_reason(client, session) -> None:
    lot = make_lot(session, coop=make_coop(session))
    session.execute(update(Lot).where(Lot.id == lot.id).values(withdrawn_at=lot.recorded_at, withdrawn_reason="Recorded twice"))
    answer = client.get(f"/lots/{lot.slug}")
    assert (answer.status_code, "Recorded twice" in answer.text) == (410, True)


@pytest.mark.parametrize(
    ("place", "point"),
    [((0, 0), (480, 234)), ((180, 0), (960, 234)), ((180, 90), (764.4, 0.4)), ((-180, -90), (195.6, 467.6))],
)
def test_points_lie_where_the_outline_of_the_map_has_them(place, point) -> None:
    assert project(*place) == pytest.approx(point, abs=0.06)


def test_a_sheet_stays_on_the_map_and_leaves_out_the_date_line() -> None:
    assert sheet([]) is None
    world = sheet([(-179, 0), (179, 0)])
    assert world is not None
    assert world.legs == []
    assert world.view_box == "0 0 960 468"


def test_who_got_what_is_shown_part_by_part_to_the_cent(client, session) -> None:
    listing = make_listing(session)
    placed = paid_order(session, listing, quantity=2)
    session.commit()
    text = client.get(f"/lots/{session.get(Lot, listing.lot_id).slug}").text
    assert "From 1 paid order line" in text
    assert "€16.80" in text
    assert f"€{placed.total.decimal}" in text
    assert "Washed coffee" in text
    assert str(placed.order_id) not in text
