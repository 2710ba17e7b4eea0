"""Capture: all or nothing, never twice, errors declared beside their originals, lots that balance."""

import copy
import json
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from market.kernel.ids import new_id
from market.provenance import queries, service
from market.provenance.errors import CaptureTooLarge, CaptureUnreadable, EventRefused
from market.provenance.models import CaptureJob, EpcisEvent, LineageEdge, Lot
from market.provenance.rules.lineage import shares
from tests.conftest import NOW
from tests.factories.producers import make_coop
from tests.factories.provenance import (
    HOST,
    SAMPLES,
    coffee_chain,
    document,
    make_actor,
    make_chain_places,
    make_lot,
    make_place,
)

needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/data/epcis is absent: nothing to capture")
VALID = sorted((SAMPLES / "valid").glob("*.json"))
PACK, ANA, LUZ = (HOST.uri("class", slug) for slug in ("rf8y2sqmgc8", "h3yfcy7mts7", "szeh0vxkbcs"))


def capture(session, coop, content: dict[str, Any] | bytes, behaviour: str = "rollback") -> CaptureJob:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    job_id = service.accept_document(session, actor=make_actor(coop), coop_id=coop.id, body=body, behaviour=behaviour, now=NOW)
    session.flush()
    service.run_job(session, capture_id=job_id, host=HOST, now=NOW)
    session.flush()
    return session.get_one(CaptureJob, job_id)


def harvest(place, number: int = 1, **fields: Any) -> dict[str, Any]:
    event = {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:01990000-0000-7000-8000-{number:012}",
        "eventTime": "2026-06-12T15:20:00.000-05:00",
        "eventTimeZoneOffset": "-05:00",
        "action": "ADD",
        "bizStep": "commissioning",
        "readPoint": {"id": place.uri},
        "quantityList": [{"epcClass": ANA, "quantity": 480, "uom": "KGM"}],
    } | fields
    return {name: value for name, value in event.items() if value is not None}


def stored(session) -> list[EpcisEvent]:
    return list(session.scalars(select(EpcisEvent).order_by(EpcisEvent.record_seq)))


@needs_samples
def test_the_coffee_chain_is_captured_and_its_shares_are_exact(session) -> None:
    coop = make_coop(session)
    make_chain_places(session, coop)
    job = capture(session, coop, coffee_chain())
    assert (job.success, job.errors, job.running) == (True, [], False)
    assert len(stored(session)) == 18
    pack = session.scalars(select(Lot).where(Lot.uri == PACK)).one()
    edges = queries.lineage(session, pack.id).edges
    lots = {str(lot.id): lot.uri for lot in session.scalars(select(Lot))}
    parts = shares(str(pack.id), edges)
    assert {lots[lot]: part for lot, part in parts.items()} == {ANA: Fraction(12, 25), LUZ: Fraction(13, 25)}
    assert (pack.produced, pack.drawn, pack.label) == (528, 0, "LOT-26-K07")
    assert all(lot.drawn <= lot.produced for lot in session.scalars(select(Lot)))


@needs_samples
def test_the_chain_twice_is_the_chain_once(session) -> None:
    coop = make_coop(session)
    make_chain_places(session, coop)
    capture(session, coop, coffee_chain())
    assert capture(session, coop, coffee_chain()).success
    assert len(stored(session)) == 18
    assert session.scalars(select(Lot).where(Lot.uri == ANA)).one().produced == 480


@needs_samples
@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_every_valid_sample_is_stored_and_read_back_equal(session, path) -> None:
    coop = make_coop(session)
    content = json.loads(path.read_bytes())
    assert capture(session, coop, path.read_bytes()).errors == []
    wanted = [{k: v for k, v in event.items() if k != "recordTime"} for event in content["epcisBody"]["eventList"]]
    session.expire_all()
    found = [dict(row.body) for row in stored(session)]
    for event, row in zip(found, stored(session), strict=True):
        if not row.given_id:
            del event["eventID"]
    assert found == [event for n, event in enumerate(wanted) if event not in wanted[:n]]
    assert all(row.context == content["@context"] for row in stored(session))
    capture(session, coop, path.read_bytes())
    assert len(stored(session)) == len(found)


@needs_samples
@pytest.mark.parametrize("path", sorted((SAMPLES / "invalid").glob("*.json")), ids=lambda path: path.stem)
def test_every_invalid_sample_is_refused_and_leaves_nothing(session, path) -> None:
    coop = make_coop(session)
    try:
        job = capture(session, coop, path.read_bytes())
    except EventRefused:
        pass
    else:
        assert not job.success
        assert job.errors[0]["pointer"].startswith("/epcisBody/eventList/")
    assert stored(session) == []


def ten_with_one_bad(place) -> dict[str, Any]:
    events = [
        harvest(
            place, n, quantityList=[{"epcClass": HOST.uri("class", service.places.fresh_slug()), "quantity": 1, "uom": "KGM"}]
        )
        for n in range(10)
    ]
    events[4]["action"] = "MAKE"
    return document(*events)


def test_rollback_stores_nothing_and_proceed_stores_the_rest(session) -> None:
    coop = make_coop(session)
    content = ten_with_one_bad(make_place(session, coop=coop))
    assert not capture(session, coop, content).success
    assert stored(session) == []
    job = capture(session, coop, content, "proceed")
    assert (job.success, len(stored(session)), [e["eventIndex"] for e in job.errors]) == (False, 9, [4])
    assert job.errors[0]["pointer"] == "/epcisBody/eventList/4/action"


def test_events_without_an_id_are_known_again_by_content(session) -> None:
    coop = make_coop(session)
    event = harvest(make_place(session, coop=coop), eventID=None, quantityList=None, readPoint=None, epcList=["urn:a:b"])
    capture(session, coop, document(event))
    capture(session, coop, document(event | {"recordTime": "2026-06-12T20:20:00Z"}))
    (row,) = stored(session)
    assert row.event_id.startswith("urn:uuid:")
    assert row.record_time == NOW
    assert "recordTime" not in row.body


def test_one_id_with_other_content_is_a_conflict(session) -> None:
    coop = make_coop(session)
    place = make_place(session, coop=coop)
    capture(session, coop, document(harvest(place)))
    job = capture(session, coop, document(harvest(place, disposition="active")))
    assert [(error["rule"], error["pointer"]) for error in job.errors] == [("E6", "/epcisBody/eventList/0/eventID")]


def declared(event: dict[str, Any], **declaration: Any) -> dict[str, Any]:
    return copy.deepcopy(event) | {"errorDeclaration": {"declarationTime": "2026-06-13T08:00:00Z"} | declaration}


def test_a_declared_error_stands_beside_its_original_and_its_lot_is_corrected(session) -> None:
    coop = make_coop(session)
    wrong = harvest(make_place(session, coop=coop))
    right = wrong | {"eventID": f"urn:uuid:{new_id()}", "quantityList": [wrong["quantityList"][0] | {"quantity": 470}]}
    capture(session, coop, document(wrong))
    content = document(declared(wrong, reason="incorrect_data", correctiveEventIDs=[right["eventID"]]), right)
    assert capture(session, coop, content).errors == []
    assert [row.error_declared_at is not None for row in stored(session)] == [False, True, False]
    assert session.scalars(select(Lot)).one().produced == 470
    assert capture(session, coop, content).success
    assert session.scalars(select(Lot)).one().produced == 470


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"disposition": "active"}, "E4"),
        ({"eventID": f"urn:uuid:{new_id()}"}, "H2"),
        ({"errorDeclaration": {"declarationTime": "2026-06-13T08:00:00Z", "reason": "incorrect_data"}}, "H2"),
        (
            {
                "errorDeclaration": {
                    "declarationTime": "2026-06-13T08:00:00Z",
                    "reason": "incorrect_data",
                    "correctiveEventIDs": ["urn:uuid:nowhere"],
                }
            },
            "H2",
        ),
        (
            {
                "errorDeclaration": {
                    "declarationTime": "2026-06-13T08:00:00Z",
                    "reason": "did_not_occur",
                    "correctiveEventIDs": ["urn:uuid:1"],
                }
            },
            "E5",
        ),
    ],
)
def test_declarations_that_are_refused(session, change: dict[str, Any], rule: str) -> None:
    coop = make_coop(session)
    event = harvest(make_place(session, coop=coop))
    capture(session, coop, document(event))
    job = capture(session, coop, document(declared(event, reason="did_not_occur") | change))
    assert [error["rule"] for error in job.errors] == [rule]


def test_nobody_declares_the_event_of_another_coop_wrong(session) -> None:
    ours, theirs = make_coop(session), make_coop(session)
    event = harvest(make_place(session, coop=theirs))
    capture(session, theirs, document(event))
    job = capture(session, ours, document(declared(event, reason="did_not_occur")))
    assert [error["rule"] for error in job.errors] == ["H4"]
    assert session.scalars(select(Lot)).one().produced == 480


def transformation(place, inputs, outputs, number: int = 50) -> dict[str, Any]:
    lists = {
        name: [{"epcClass": uri, "quantity": quantity, "uom": "KGM"} for uri, quantity in side]
        for name, side in (("inputQuantityList", inputs), ("outputQuantityList", outputs))
    }
    step = {"type": "TransformationEvent", "bizStep": "creating_class_instance", "action": None, "quantityList": None}
    return harvest(place, number, **step, **lists)


def test_a_correction_that_leaves_a_shortage_is_refused(session) -> None:
    coop = make_coop(session)
    place = make_place(session, coop=coop)
    wrong = harvest(place)
    washed = transformation(place, [(ANA, 480)], [(LUZ, 100)])
    capture(session, coop, document(wrong, washed))
    job = capture(session, coop, document(declared(wrong, reason="did_not_occur")), "proceed")
    assert [error["code"] for error in job.errors] == ["lineage.overdrawn"]
    assert len(stored(session)) == 2
    right = wrong | {"eventID": f"urn:uuid:{new_id()}", "quantityList": [wrong["quantityList"][0] | {"quantity": 490}]}
    content = document(declared(wrong, reason="incorrect_data", correctiveEventIDs=[right["eventID"]]), right)
    assert capture(session, coop, content).errors == []
    lot = session.scalars(select(Lot).where(Lot.uri == ANA)).one()
    assert (lot.produced, lot.drawn) == (490, 480)


def test_a_voided_transformation_gives_back_its_inputs(session) -> None:
    coop = make_coop(session)
    place = make_place(session, coop=coop)
    washed = transformation(place, [(ANA, 480)], [(LUZ, 100)])
    capture(session, coop, document(harvest(place), washed))
    assert capture(session, coop, document(declared(washed, reason="did_not_occur"))).errors == []
    assert {lot.uri: (lot.produced, lot.drawn) for lot in session.scalars(select(Lot))} == {ANA: (480, 0), LUZ: (0, 0)}
    assert session.scalars(select(LineageEdge)).one().voided_by is not None


@pytest.mark.parametrize(
    ("inputs", "outputs", "code"),
    [
        ([(ANA, 481)], [(LUZ, 1)], "lineage.overdrawn"),
        ([(PACK, 1)], [(LUZ, 1)], "lineage.unknown_lot"),
        ([(ANA, 1)], [(LUZ, 2)], "lineage.yield"),
        ([(ANA, 1)], [(ANA, 1)], "lineage.cycle"),
        ([(ANA, 1)], [(LUZ[:-1] + "0", 1)], "lineage.identifier"),
    ],
)
def test_lots_that_cannot_be(session, inputs, outputs, code: str) -> None:
    coop = make_coop(session)
    place = make_place(session, coop=coop)
    job = capture(session, coop, document(harvest(place), transformation(place, inputs, outputs)))
    assert code in [error.get("code") for error in job.errors]
    assert stored(session) == []


def test_a_correction_cannot_close_a_circle(session) -> None:
    coop = make_coop(session)
    place = make_place(session, coop=coop)
    wrong, washed = harvest(place), transformation(place, [(ANA, 480)], [(LUZ, 100)])
    capture(session, coop, document(wrong, washed))
    right = transformation(place, [(LUZ, 90)], [(ANA, 480)], 51)
    content = document(declared(wrong, reason="incorrect_data", correctiveEventIDs=[right["eventID"]]), right)
    assert "lineage.cycle" in [error.get("code") for error in capture(session, coop, content).errors]
    own = transformation(place, [(LUZ, 1)], [(PACK, 1)], 52)
    right = transformation(place, [(PACK, 1)], [(ANA, 480)], 53)
    content = document(own, declared(wrong, reason="incorrect_data", correctiveEventIDs=[right["eventID"]]), right)
    assert "lineage.cycle" in [error.get("code") for error in capture(session, coop, content).errors]


def test_nothing_is_added_to_a_lot_from_which_something_was_taken(session) -> None:
    coop = make_coop(session)
    place = make_place(session, coop=coop)
    more = harvest(place, 2)
    job = capture(session, coop, document(harvest(place), transformation(place, [(ANA, 1)], [(LUZ, 1)]), more))
    assert [error["code"] for error in job.errors] == ["lineage.sealed"]


def test_another_coops_lot_is_unknown_and_its_place_refused(session) -> None:
    ours, theirs = make_coop(session), make_coop(session)
    lot = make_lot(session, coop=theirs)
    place = make_place(session, coop=ours)
    job = capture(session, ours, document(transformation(place, [(lot.uri, 1)], [(LUZ, 1)])))
    assert [error["code"] for error in job.errors] == ["lineage.unknown_lot"]
    foreign = make_place(session, coop=theirs)
    assert [error["rule"] for error in capture(session, ours, document(harvest(foreign))).errors] == ["H4"]


def test_events_cannot_be_changed_or_removed(session) -> None:
    coop = make_coop(session)
    capture(session, coop, document(harvest(make_place(session, coop=coop))))
    for statement in ("UPDATE epcis_event SET event_type = 'x'", "DELETE FROM epcis_event"):
        with pytest.raises(IntegrityError, match="refused"), session.begin_nested():
            session.execute(text(statement))


def test_a_document_is_refused_at_the_door(session) -> None:
    coop = make_coop(session)
    many = document(*[{"type": "ObjectEvent"}] * 1001)
    for body, error in (
        (b"{", CaptureUnreadable),
        (b"[]", CaptureUnreadable),
        (json.dumps(document()).encode(), EventRefused),
        (json.dumps(document({}, schemaVersion="1.2")).encode(), EventRefused),
        (json.dumps(many).encode(), CaptureTooLarge),
    ):
        with pytest.raises(error):
            service.accept_document(session, actor=make_actor(coop), coop_id=coop.id, body=body, now=NOW)


def test_a_job_runs_once(session) -> None:
    coop = make_coop(session)
    job = capture(session, coop, document(harvest(make_place(session, coop=coop))))
    service.run_job(session, capture_id=job.id, host=HOST, now=datetime.max.replace(tzinfo=NOW.tzinfo))
    assert job.finished_at == NOW


def test_decimal_quantities_survive(session) -> None:
    coop = make_coop(session)
    event = harvest(make_place(session, coop=coop), quantityList=[{"epcClass": ANA, "quantity": 0.1, "uom": "KGM"}])
    capture(session, coop, document(event))
    session.expire_all()
    assert session.scalars(select(Lot)).one().produced == Decimal("0.1")
