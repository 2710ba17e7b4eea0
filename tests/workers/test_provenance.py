"""Tasks of provenance: each does its work, does nothing more when it runs twice, and bears old payloads."""

import json

import pytest
from sqlalchemy import func, select

from market.provenance import queries, service
from market.provenance.models import CaptureJob, EpcisEvent, LotPage
from tests.conftest import NOW
from tests.domain.provenance.test_capture import harvest
from tests.factories.producers import make_coop
from tests.factories.provenance import HOST, document, make_actor, make_lot, make_place
from workers import provenance as tasks


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
