"""The document behind a lot's page: complete, ordered, without anything private."""

import json

import pytest
from sqlalchemy import select

from market.provenance import queries, service
from market.provenance.models import Lot
from market.provenance.rules.schema import check_document
from market.reports.queries.lot_page import lot_page, page_bytes, public_events
from tests.conftest import NOW
from tests.domain.provenance.test_capture import PACK, capture
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order, pay, place
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import HOST, SAMPLES, coffee_chain, make_actor, make_chain_places, make_lot, make_place
from workers import provenance as tasks

needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/data/epcis is absent: no worked chain")


@pytest.fixture
def pack(session) -> Lot:
    coop = make_coop(session, name="Cafe del Valle")
    make_chain_places(session, coop)
    capture(session, coop, coffee_chain())
    return session.scalars(select(Lot).where(Lot.uri == PACK)).one()


@needs_samples
def test_the_journey_of_the_worked_chain_is_told_in_order(session, pack) -> None:
    page = lot_page(session, pack.id)
    steps = [stop["step"] for stop in page["journey"]]
    assert steps[:5] == ["commissioning", "commissioning", "accepting", "accepting", "creating_class_instance"]
    assert steps[-1] == "retail_selling"
    assert [stop["process"] for stop in page["journey"] if stop["process"]] == [
        "harvest", "harvest", "washed", "hulled", "roasted", "packed",
    ]  # fmt: skip
    assert "shipping" in steps
    assert steps.index("shipping") < steps.index("receiving")
    assert steps.count("shipping") == 1  # the wrong one is told under corrections
    assert (page["state"], page["label"], page["produced"]) == ("complete", "LOT-26-K07", "528")
    assert [(part["share"], part["percent"]) for part in page["shares"]] == [("13/25", 52), ("12/25", 48)]
    assert page["corrections"][0]["changed"] == ["bizTransactionList"]
    assert page["places"]


@needs_samples
def test_the_download_is_valid_epcis_without_orders_and_payments(session, pack) -> None:
    document = json.loads(json.dumps(public_events(session, pack.id, HOST)))
    assert check_document(document) == []
    assert len(document["epcisBody"]["eventList"]) == 18
    assert "/id/bt/" not in json.dumps(document)
    assert "/id/bt/" not in json.dumps(lot_page(session, pack.id))


def test_a_lot_of_one_producer_names_them_and_a_missing_step_is_a_gap(session) -> None:
    coop = make_coop(session)
    producer = make_producer(session, coop=coop, name="Luz Marina")
    lot = make_lot(session, coop=coop, producer=producer)
    page = lot_page(session, lot.id)
    assert page["producer"]["name"] == "Luz Marina"
    assert [stop["step"] for stop in page["journey"]] == ["commissioning"]
    assert page["journey"][0]["place"]["region"] == "Huila"
    assert page["shares"][0]["percent"] == 100


@needs_samples
def test_the_stored_page_equals_the_fresh_one(app, session, pack) -> None:
    with app.app_context():
        tasks.refresh_pages(lot_ids=str(pack.id))
    body, etag = queries.stored_page(session.connection(), pack.slug)
    assert body == page_bytes(lot_page(session, pack.id))
    assert etag == service.store_page(session, lot_id=pack.id, slug=pack.slug, body=body, now=NOW)


def test_offers_and_the_checks_they_rest_on_are_shown(session) -> None:
    listing = make_listing(session, title="Washed coffee")
    page = lot_page(session, listing.lot_id)
    assert [(offer["title"], offer["unit_price"], offer["currency"]) for offer in page["offers"]] == [
        ("Washed coffee", "8.4", "EUR")
    ]
    assert page["split"] == []


def test_who_got_what_sums_to_what_was_paid(session) -> None:
    listing = make_listing(session)
    before = place(session, listing)
    assert lot_page(session, listing.lot_id)["split"] == []
    pay(session, before)
    paid_order(session, listing, quantity=3)
    session.flush()
    (sold,) = lot_page(session, listing.lot_id)["split"]
    assert (sold["currency"], sold["lines"]) == ("EUR", 2)
    assert sum(part["minor"] for part in sold["parts"]) == sold["total_minor"]
    goods = {part["kind"]: part["minor"] for part in sold["parts"]}
    assert goods["producer_goods"] == 5 * 840


def test_a_paid_order_refreshes_the_page(app, session) -> None:
    listing = make_listing(session)
    placed = paid_order(session, listing)
    session.commit()
    with app.app_context():
        tasks.refresh_sold(order_id=str(placed.order_id))
        tasks.refresh_sold()
    slug = session.scalars(select(Lot.slug).where(Lot.id == listing.lot_id)).one()
    body, _ = queries.stored_page(session.connection(), slug)
    assert json.loads(body)["split"][0]["lines"] == 1


@pytest.mark.parametrize(("by_coop", "steps"), [(False, ["harvest", "washed"]), (True, ["harvest", None, "washed"])])
def test_a_handover_is_missed_only_where_the_coop_works_on_a_members_harvest(session, by_coop: bool, steps) -> None:
    coop = make_coop(session)
    producer = make_producer(session, coop=coop)
    place = make_place(session, coop=coop)
    cherries = make_lot(session, coop=coop, producer=producer, place=place)
    washed = service.record_transformation(
        session,
        actor=make_actor(coop),
        host=HOST,
        coop_id=coop.id,
        producer_id=None if by_coop else producer.id,
        process="washed",
        inputs=[(cherries.id, cherries.produced)],
        new=service.NewLot(name="Washed", quantity=cherries.produced / 5, uom="KGM", on=NOW.date()),
        place_id=place.id,
        zone="UTC",
        now=NOW,
    )
    page = lot_page(session, washed.id)
    assert [stop.get("process") for stop in page["journey"]] == steps
    assert page["state"] == ("gaps" if by_coop else "complete")
