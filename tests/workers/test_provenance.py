"""Tasks of provenance: each does its work, does nothing more when it runs twice, and bears old payloads."""

import json
from datetime import date
from importlib import import_module

import pytest
from sqlalchemy import func, select

from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.outbox import OutboxRow
from market.producers import service as people
from market.producers.models import Coop
from market.provenance import queries, service
from market.provenance.models import CaptureJob, EpcisEvent, LotPage
from tests.conftest import NOW
from tests.domain.provenance.test_capture import harvest
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import HOST, document, make_actor, make_lot, make_place
from workers import provenance as tasks
from workers.outbox import TOPICS


def accepted(session) -> str:
    coop = make_coop(session)
    body = json.dumps(document(harvest(make_place(session, coop=coop)))).encode()
    job_id = service.accept_document(session, actor=make_actor(coop), coop_id=coop.id, body=body, now=NOW)
    session.commit()
    return str(job_id)


def test_a_document_is_read_once_however_often_the_task_runs(app, session) -> None:
    job_id = accepted(session)
    with app.app_context():
        for _ in range(2):
            tasks.capture(capture_id=job_id, from_a_newer_release="ignored")
    job = session.scalars(select(CaptureJob)).one()
    assert (job.running, job.success, job.document) == (False, True, None)
    assert session.scalar(select(func.count()).select_from(EpcisEvent)) == 1


def test_pages_of_a_lot_and_of_what_was_made_from_it_are_built_anew(app, session) -> None:
    coop = make_coop(session)
    place = make_place(session, coop=coop)
    cherries = make_lot(session, coop=coop, place=place)
    washed = service.record_transformation(
        session,
        actor=make_actor(coop),
        host=HOST,
        coop_id=coop.id,
        producer_id=None,
        process="washed",
        inputs=[(cherries.id, cherries.produced)],
        new=service.NewLot(name="Washed", quantity=cherries.produced / 5, uom="KGM", on=NOW.date()),
        place_id=place.id,
        zone="UTC",
        now=NOW,
    )
    session.commit()
    with app.app_context():
        for _ in range(2):
            tasks.refresh_pages(lot_ids=str(cherries.id))
    assert set(session.scalars(select(LotPage.lot_id))) == {cherries.id, washed.id}
    stored = queries.stored_page(session.connection(), washed.slug)
    assert stored is not None
    assert [stop["process"] for stop in json.loads(stored[0])["journey"]] == ["harvest", "washed"]


def test_a_defect_of_ours_ends_the_job_in_words(app, session, monkeypatch) -> None:
    job_id = accepted(session)

    def broken(*_, **__):
        raise RuntimeError("a defect")

    monkeypatch.setattr("market.provenance.service.run_job", broken)
    with app.app_context(), pytest.raises(RuntimeError):
        tasks.capture(capture_id=job_id)
    job = session.scalars(select(CaptureJob)).one()
    assert (job.running, job.success, job.errors[0]["status"]) == (False, False, 500)


def dispatch(session, *topics: str) -> None:
    """Do what the dispatcher does with the latest fact of each topic."""
    for topic in topics:
        fact = session.scalars(select(OutboxRow).where(OutboxRow.topic == topic).order_by(OutboxRow.id.desc())).first()
        for name in TOPICS[topic]:
            module, task = name.split(".")
            getattr(import_module(f"workers.{module}"), task)(**fact.payload)


def test_a_withdrawn_certificate_is_gone_from_the_pages_of_the_co_ops_lots(app, session) -> None:
    coop = make_coop(session)
    lot, staff = make_lot(session, coop=coop), Actor(account_id=new_id(), coop_id=coop.id, roles=frozenset({"preparer"}))
    days = {"valid_from": date(2026, 1, 1), "valid_to": date(2026, 12, 31)}
    paper = {"scheme": "organic", "kind": "organic", "number": "BIO-1", "issuer": "Bio", "product_scope": [], **days}
    certificate_id = people.enter_certificate(session, actor=staff, now=NOW, **paper)
    session.commit()
    tasks.refresh_pages(lot_ids=str(lot.id))
    seen = []
    for status in ("active", "withdrawn"):
        what = {"certificate_id": certificate_id, "status": status, "reason": "seen"}
        people.set_certificate_status(session, actor=staff, now=NOW, **what)
        session.commit()
        dispatch(session, "producers.certificate_changed", "provenance.lots_changed")
        seen.append([row["number"] for row in json.loads(queries.stored_page(session.connection(), lot.slug)[0])["certificates"]])
    assert seen == [["BIO-1"], []]


def test_whoever_is_called_otherwise_is_so_on_the_pages_of_their_lots(app, session) -> None:
    producer = make_producer(session, name="Ana")
    lot = make_lot(session, coop=session.get_one(Coop, producer.coop_id), producer=producer)
    session.commit()
    tasks.refresh_pages(lot_ids=str(lot.id))
    own = Actor(account_id=new_id(), coop_id=producer.coop_id, producer_id=producer.id, roles=frozenset({"producer"}))
    said = {"name": "Ana María", "region": "Huila", "story": "", "language": "es", "sms_phone": None}
    people.update_producer(session, actor=own, producer_id=producer.id, now=NOW, **said)
    session.commit()
    dispatch(session, "producers.shown_changed", "provenance.lots_changed")
    page = json.loads(queries.stored_page(session.connection(), lot.slug)[0])
    assert page["producer"]["name"] == "Ana María"
