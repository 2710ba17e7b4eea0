"""Recording lots over the API: for producers and staff of one co-op, once per key, refused with the arithmetic."""

import pytest

from tests.factories.accounts import csrf_token, make_account, make_producer_account, make_staff, sign_in
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import HOST, make_lot, make_place

HARVEST = {"kind": "harvest", "name": "Cherries", "quantity": "480", "uom": "KGM", "on": "2026-06-12", "label": "LOT-1"}


@pytest.fixture
def coop(session):
    return make_coop(session, country="CO", time_zone="America/Bogota")


@pytest.fixture
def luz(session, coop):
    return make_producer(session, coop=coop, name="Luz")


@pytest.fixture
def producer(client, session, luz):
    return sign_in(client, session, make_producer_account(session, producer=luz))


def post(client, path: str, body, **headers):
    return client.post(f"/api/v1{path}", json=body, headers={"X-CSRFToken": csrf_token(client)} | headers)


def test_place_lot_transformation_and_the_list(producer, luz) -> None:
    place = post(producer, "/places", {"name": "El Mirador", "region": "Huila", "latitude": "2.5359", "longitude": "-75.5277"})
    assert (place.status_code, place.json["country"], place.json["latitude"]) == (201, "CO", "2.5")
    assert producer.get("/api/v1/places").json["items"][0]["uri"] == place.json["uri"]
    lot = post(producer, "/lots", HARVEST | {"place_id": place.json["id"]})
    assert (lot.status_code, lot.json["produced"], lot.json["producer_id"]) == (201, "480.000000", str(luz.id))
    made = {"process": "washed", "name": "Washed", "quantity": "100.5", "uom": "KGM", "on": "2026-06-20"}
    body = made | {"place_id": place.json["id"], "inputs": [{"lot_id": lot.json["id"], "quantity": "480"}]}
    washed = post(producer, "/lots/transformations", body)
    assert washed.status_code == 201
    again = post(producer, "/lots/transformations", body)
    assert (again.status_code, again.json["code"], again.json["pointer"]) == (422, "epcis.refused", "/inputQuantityList/0")
    assert again.json["facts"]["faults"][0]["code"] == "lineage.overdrawn"
    items = producer.get("/api/v1/lots").json["items"]
    assert [(item["name"], item["drawn"]) for item in items] == [("Washed", "0.000000"), ("Cherries", "480.000000")]
    assert producer.get(f"/api/v1/lots/{washed.json['slug']}").json["shares"][0]["share"] == "1/1"


def test_a_repeated_key_makes_one_lot(producer, session, coop, luz) -> None:
    body = HARVEST | {"place_id": str(make_place(session, coop=coop, producer=luz).id)}
    answers = [post(producer, "/lots", body, **{"Idempotency-Key": "harvest-2026-06"}) for _ in range(2)]
    assert answers[0].json["id"] == answers[1].json["id"]
    assert len(producer.get("/api/v1/lots").json["items"]) == 1


def test_staff_record_for_their_producers_and_for_the_coop(app, session, coop, luz) -> None:
    staff = sign_in(app.test_client(), session, make_staff(session, coop=coop))
    body = HARVEST | {"place_id": str(make_place(session, coop=coop).id)}
    stranger = make_producer(session)
    session.commit()
    assert post(staff, "/lots", body).json["producer_id"] is None
    assert post(staff, "/lots", body | {"producer_id": str(luz.id)}).json["producer_id"] == str(luz.id)
    assert post(staff, "/lots", body | {"producer_id": str(stranger.id)}).status_code == 404
    assert len(staff.get("/api/v1/lots").json["items"]) == 2


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"quantity": "0"}, 422, "provenance.quantity"),
        ({"quantity": 480.5}, 201, None),
        ({"quantity": "NaN"}, 422, "http.422"),
        ({"net_kg": "-1"}, 422, "provenance.quantity"),
        ({"on": "2027-01-01"}, 422, "provenance.dates"),
        ({"surprise": 1}, 422, "http.422"),
        ({"place_id": "01a2148c-7b8c-79bd-bf02-1724923526c1"}, 404, "provenance.lot_missing"),
    ],
)
def test_refusals(producer, session, coop, luz, change, status: int, code: str | None) -> None:
    body = HARVEST | {"place_id": str(make_place(session, coop=coop, producer=luz).id)} | change
    session.commit()
    answer = post(producer, "/lots", body)
    assert (answer.status_code, answer.json.get("code")) == (status, code)


def test_a_place_that_events_name_already_keeps_its_identifier(producer, session) -> None:
    uri = HOST.uri("loc", "vh73jnxm23a")
    assert post(producer, "/places", {"name": "Station", "uri": uri}).json["uri"] == uri
    assert post(producer, "/places", {"name": "Station", "uri": uri}).json["code"] == "provenance.place_unfit"
    assert post(producer, "/places", {"name": "Station", "uri": uri[:-1] + "b"}).json["pointer"] == "/uri"


def test_lots_and_places_of_others_are_not_there(app, producer, session, coop) -> None:
    make_lot(session, coop=coop, producer=make_producer(session, coop=coop))
    make_lot(session, coop=make_coop(session))
    session.commit()
    assert producer.get("/api/v1/lots").json["items"] == []
    assert producer.get("/api/v1/places").json["items"] == []
    buyer = sign_in(app.test_client(), session, make_account(session))
    assert buyer.get("/api/v1/lots").status_code == 403
    assert app.test_client().get("/api/v1/places").status_code == 401


def test_the_list_goes_on_behind_a_page(producer, session, coop, luz, monkeypatch) -> None:
    for number in range(3):
        make_lot(session, coop=coop, producer=luz, name=f"Lot {number}")
    session.commit()
    monkeypatch.setattr("market.api.v1.lot_records.PAGE", 2)
    first = producer.get("/api/v1/lots").json
    second = producer.get(f"/api/v1/lots?cursor={first['next_cursor']}").json
    assert [item["name"] for item in (*first["items"], *second["items"])] == ["Lot 2", "Lot 1", "Lot 0"]
    assert second["next_cursor"] is None
    assert producer.get("/api/v1/lots?cursor=x").json["code"] == "paging.bad_cursor"


def test_staff_withdraw_a_lot_and_take_it_back_and_nobody_else_does(app, session, coop, luz) -> None:
    lot = make_lot(session, coop=coop, producer=luz)
    path, slug = f"/lots/{lot.id}/withdrawal", lot.slug
    others = [make_staff(session, coop=make_coop(session)), make_producer_account(session, producer=luz)]
    staff = sign_in(app.test_client(), session, make_staff(session, coop=coop))
    said = {"reason": "Mould", "advice": "keep"}
    assert [post(sign_in(app.test_client(), session, one), path, said).status_code for one in others] == [404, 403]
    assert post(staff, path, {"reason": "", "advice": "eat"}).status_code == 422
    standing = staff.get(f"/api/v1{path}").json
    assert (standing["withdrawals"], standing["at_stake"]["offers"]) == ([], 0)
    made = [post(staff, path, said, **{"Idempotency-Key": "withdraw-1"}) for _ in range(2)]
    assert [one.status_code for one in made] == [201, 201]
    assert made[0].json["id"] == made[1].json["id"]
    assert post(staff, path, said).json["code"] == "provenance.lot_withdrawn"
    assert staff.get(f"/api/v1/lots/{slug}").json["withdrawn"] == "Mould"
    assert post(staff, f"{path}/end", {"reason": "Wrong sack"}).json["ended_reason"] == "Wrong sack"
    assert staff.get(f"/api/v1/lots/{slug}").json["withdrawn"] is None
    assert post(staff, f"{path}/end", {"reason": "Wrong sack"}).json["code"] == "provenance.lot_not_withdrawn"
