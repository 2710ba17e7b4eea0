"""EPCIS over REST: accepted, read by the worker, told by the job; nobody sees more than is theirs."""

import json

import pytest
from marshmallow import RAISE
from sqlalchemy import select

from market.api.v1.schemas.provenance import LotPageSchema
from market.kernel.languages import LANGUAGES
from market.kernel.outbox import OutboxRow
from market.provenance.rules.schema import check_document
from market.provenance.service.capture import MAX_BYTES
from tests.domain.provenance.test_capture import ANA, LUZ, PACK, harvest, ten_with_one_bad, transformation
from tests.factories.accounts import csrf_token, make_producer_account, make_staff, sign_in
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import SAMPLES, coffee_chain, document, make_chain_places, make_lot, make_place
from workers import provenance as tasks

CAPTURE = "/api/v1/epcis/capture"


@pytest.fixture
def coop(session):
    return make_coop(session, name="Cafe del Valle")


@pytest.fixture
def staff(client, session, coop):
    return sign_in(client, session, make_staff(session, coop=coop))


def send(client, content, **headers):
    body = content if isinstance(content, bytes) else json.dumps(content)
    return client.post(
        CAPTURE,
        data=body,
        content_type=headers.pop("type", "application/json"),
        headers={"X-CSRFToken": csrf_token(client)} | headers,
    )


def work(app, session) -> None:
    """Do what the dispatcher would hand to the worker."""
    with app.app_context():
        for row in session.scalars(select(OutboxRow).where(OutboxRow.topic == "provenance.capture_accepted")):
            tasks.capture(**row.payload)


def test_a_capture_is_accepted_read_and_told(app, staff, session, coop) -> None:
    place = make_place(session, coop=coop)
    answer = send(staff, document(harvest(place)))
    assert (answer.status_code, answer.headers["GS1-EPCIS-Version"]) == (202, "2.0.0")
    job = staff.get(answer.headers["Location"]).json
    assert (job["running"], job["success"], "finishedAt" in job) == (True, True, False)
    work(app, session)
    job = staff.get(answer.headers["Location"]).json
    assert (job["running"], job["success"], job["errors"]) == (False, True, [])
    assert [row["captureID"] for row in staff.get(CAPTURE).json] == [job["captureID"]]
    found = staff.get(f"/api/v1/epcis/events?MATCH_anyEPCClass={ANA}").json
    assert found["type"] == "EPCISQueryDocument"
    (event,) = found["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert (event["recordTime"], event["bizStep"]) == ("2026-11-25T12:00:00.000+00:00", "commissioning")
    assert check_document(found) == []


def test_proceed_names_the_event_that_was_left_out(app, staff, session, coop) -> None:
    answer = send(staff, ten_with_one_bad(make_place(session, coop=coop)), **{"GS1-Capture-Error-Behaviour": "proceed"})
    work(app, session)
    job = staff.get(answer.headers["Location"]).json
    assert (job["success"], job["captureErrorBehaviour"]) == (False, "proceed")
    assert [(error["eventIndex"], error["pointer"]) for error in job["errors"]] == [(4, "/epcisBody/eventList/4/action")]


def test_what_a_worker_found_is_told_in_the_language_of_who_asks(app, staff, session, coop) -> None:
    bad = harvest(make_place(session, coop=coop))
    bad |= {"eventTimeZoneOffset": "five", "bizStep": "growing"}
    bad["quantityList"] = [{**line, "quantity": -1} for line in bad["quantityList"]]
    where = send(staff, document(bad)).headers["Location"]
    work(app, session)
    told = {lang: [entry["detail"] for entry in staff.get(f"{where}?lang={lang}").json["errors"]] for lang in LANGUAGES}
    assert len(told["en"]) >= 2
    for lang in set(LANGUAGES) - {"en"}:
        assert not set(told[lang]) & set(told["en"]), lang
    assert staff.get(f"{where}?lang=es").json["errors"][0]["title"] == "El evento rompe una regla"


@pytest.mark.parametrize(
    ("content", "headers", "status", "kind"),
    [
        (b"{}", {"type": "text/plain"}, 415, "UnsupportedMediaTypeException"),
        (b"{", {}, 400, "ValidationException"),
        (b'{"type":"EPCISDocument"}', {"type": "application/ld+json"}, 400, "ValidationException"),
        (b"[" + b" " * MAX_BYTES, {}, 413, "CaptureLimitExceededException"),
        (document(*[{}] * 1001), {}, 413, "CaptureLimitExceededException"),
        (document({}), {"GS1-Capture-Error-Behaviour": "perhaps"}, 400, "ValidationException"),
    ],
)
def test_refusals_speak_the_standards_words(staff, content, headers, status: int, kind: str) -> None:
    answer = send(staff, content, **headers)
    assert (answer.status_code, answer.json["type"]) == (status, f"epcisException:{kind}")
    assert answer.content_type == "application/problem+json"
    assert ("GS1-EPCIS-Capture-Limit" in answer.headers) == (status == 413)


def test_nobody_captures_without_a_coop_and_jobs_of_others_are_not_there(app, client, staff, session, coop) -> None:
    answer = send(staff, document(harvest(make_place(session, coop=coop))))
    other = sign_in(app.test_client(), session, make_staff(session, coop=make_coop(session)))
    assert other.get(answer.headers["Location"]).json["type"] == "epcisException:NoSuchResourceException"
    assert other.get(f"{CAPTURE}/nonsense").status_code == 404
    assert app.test_client().get(answer.headers["Location"]).status_code == 401
    assert app.test_client().post(CAPTURE, json={}).json["type"] == "epcisException:SecurityException"


def test_a_producer_captures_too(app, client, session, coop) -> None:
    producer = make_producer(session, coop=coop)
    place = make_place(session, coop=coop, producer=producer)
    maria = sign_in(client, session, make_producer_account(session, producer=producer))
    answer = send(maria, document(harvest(place)))
    work(app, session)
    assert maria.get(answer.headers["Location"]).json["success"]


@pytest.mark.parametrize(
    "query", ["", "?MATCH_anyEPCClass=a&perPage=0", "?MATCH_anyEPCClass=a&EQ_bizStep=b", "?MATCH_anyEPCClass=a&nextPageToken=x"]
)
def test_queries_are_checked(client, query: str) -> None:
    answer = client.get(f"/api/v1/epcis/events{query}")
    assert (answer.status_code, answer.json["type"]) == (400, "epcisException:QueryParameterException")


def test_pages_have_a_next_link_except_the_last(app, staff, session, coop) -> None:
    place = make_place(session, coop=coop)
    send(staff, document(harvest(place), transformation(place, [(ANA, 100)], [(LUZ, 50)])))
    work(app, session)
    first = staff.get(f"/api/v1/epcis/events?MATCH_anyEPCClass={ANA}&perPage=1")
    second = staff.get(first.headers["Link"].partition(">")[0][1:])
    kinds = [page.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"][0]["type"] for page in (first, second)]
    assert kinds == ["ObjectEvent", "TransformationEvent"]
    assert "Link" not in second.headers


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/data/epcis is absent: no worked chain")
def test_the_worked_chain_end_to_end(app, staff, session, coop) -> None:
    make_chain_places(session, coop)
    answer = send(staff, coffee_chain())
    work(app, session)
    assert staff.get(answer.headers["Location"]).json["errors"] == []
    slug = PACK.rpartition("/")[2]
    anybody = app.test_client()
    page = anybody.get(f"/api/v1/lots/{slug.upper()}")
    assert page.json["label"] == "LOT-26-K07"
    assert anybody.get(f"/api/v1/lots/{slug}", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304
    up = anybody.get(f"/api/v1/lots/{slug}/lineage").json
    assert {part["share"] for part in up["shares"]} == {"12/25", "13/25"}
    assert (len(up["nodes"]), len(up["edges"])) == (6, 5)
    down = anybody.get("/api/v1/lots/h3yfcy7mts7/lineage?direction=down").json
    assert (len(down["edges"]), down["shares"]) == (4, None)
    events = anybody.get(f"/api/v1/lots/{slug}/events")
    assert check_document(events.json) == []
    assert "/id/bt/" not in events.text
    assert "attachment" in events.headers["Content-Disposition"]
    seen = anybody.get(f"/api/v1/epcis/events?MATCH_anyEPCClass={PACK}").text
    assert "/id/bt/" not in seen
    assert "/id/bt/" in staff.get(f"/api/v1/epcis/events?MATCH_anyEPCClass={PACK}").text


def test_a_lot_is_known_by_its_sound_slug_alone(client, session, coop) -> None:
    lot = make_lot(session, coop=coop)
    assert client.get(f"/api/v1/lots/{lot.slug}").json["uri"] == lot.uri
    wrong = lot.slug[:-1] + ("0" if lot.slug[-1] != "0" else "1")
    assert client.get(f"/api/v1/lots/{wrong}").json["code"] == "provenance.lot_missing"
    assert client.get("/api/v1/lots/x/lineage").status_code == 404


def test_the_ready_made_document_fits_its_schema(client, session, coop) -> None:
    lot = make_lot(session, coop=coop, producer=make_producer(session, coop=coop))
    LotPageSchema(unknown=RAISE).load(client.get(f"/api/v1/lots/{lot.slug}").json)
