"""Own rules: each refuses what it says, and nothing that foreign data may contain."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from market.provenance.rules.faults import ROOT
from market.provenance.rules.house import (
    Capturer,
    check_event_rules,
    check_house_rules,
    check_rules,
    declared_prefixes,
)
from market.provenance.rules.identifiers import IdHost

HOST = IdHost("https://id.market.example")
NOW = datetime(2026, 11, 25, tzinfo=UTC)
HERE = HOST.uri("loc", "vh73jnxm23a")
US = Capturer(frozenset(), frozenset({HERE}))
HARVEST: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventID": "urn:uuid:01990000-0000-7000-8000-000000000001",
    "eventTime": "2026-06-12T15:20:00.000-05:00",
    "eventTimeZoneOffset": "-05:00",
    "action": "ADD",
    "bizStep": "commissioning",
    "readPoint": {"id": HERE},
    "quantityList": [{"epcClass": HOST.uri("class", "h3yfcy7mts7"), "quantity": 480, "uom": "KGM"}],
}


def changed(**fields: Any) -> dict[str, Any]:
    event = copy.deepcopy(HARVEST) | fields
    return {name: value for name, value in event.items() if value is not None}


def found(event: dict[str, Any], declared: set[str] | None = None) -> list[tuple[str, str]]:
    faults = check_event_rules(event, ROOT, frozenset(declared or {"fair"}))
    faults += check_house_rules(event, ROOT, host=HOST, capturer=US, now=NOW)
    return [(fault.rule, fault.pointer) for fault in faults]


def test_a_harvest_of_ours_passes() -> None:
    assert found(HARVEST) == []


@pytest.mark.parametrize(
    ("event", "rule", "pointer"),
    [
        (changed(bizStep=None), "H1", "/"),
        (changed(eventID=None), "H1", "/"),
        (changed(eventTime="2026-11-26T00:00:01-00:00"), "H1", "/eventTime"),
        (changed(eventTimeZoneOffset="-06:00"), "W2", "/eventTimeZoneOffset"),
        (changed(readPoint=None), "H4", "/"),
        (changed(readPoint={"id": HOST.uri("loc", "zab5rrb146j")}), "H4", "/"),
        (changed(ilmd={"coop:lot": "1"}), "E2", "/ilmd"),
        (changed(ilmd={"fair:a": [{"other:b": 1}]}), "E2", "/ilmd/fair:a/0"),
    ],
)
def test_rules_about_an_event(event: dict[str, Any], rule: str, pointer: str) -> None:
    assert (rule, pointer) in found(event)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ({"quantity": 0, "uom": "KGM"}, "H3"),
        ({"quantity": -1, "uom": "KGM"}, "E7"),
        ({"quantity": 1e-9, "uom": "KGM"}, "H3"),
        ({"quantity": 10**9, "uom": "KGM"}, "H3"),
        ({"quantity": 1}, "H3"),
        ({"quantity": 1, "uom": "TNE"}, "H3"),
    ],
)
def test_rules_about_quantities(line: dict[str, Any], rule: str) -> None:
    event = changed(quantityList=[HARVEST["quantityList"][0] | {"uom": None} | line])
    event["quantityList"][0] = {k: v for k, v in event["quantityList"][0].items() if v is not None}
    assert rule in [name for name, _ in found(event)]


def test_a_parent_may_be_absent_only_when_observing() -> None:
    event = changed(type="AggregationEvent", action="ADD")
    assert ("E3", "/") in found(event)
    assert ("E3", "/") not in found(event | {"action": "OBSERVE"})


def test_what_did_not_occur_has_no_corrections() -> None:
    for reason in ("did_not_occur", "cbv:ER-did_not_occur"):
        declaration = {"reason": reason, "correctiveEventIDs": ["urn:uuid:1"]}
        assert ("E5", "/errorDeclaration/correctiveEventIDs") in found(changed(errorDeclaration=declaration))


def test_sensor_oddities_only_warn() -> None:
    element = {
        "sensorMetadata": {"time": "2026-06-13T00:00:00Z", "deviceID": "a:b"},
        "sensorReport": [{"type": "Mass", "deviceID": "a:b"}],
    }
    assert found(changed(sensorElementList=[element])) == [("W1", "/sensorElementList/0")] * 2


def test_foreign_events_are_spared_the_house_rules() -> None:
    event = changed(
        quantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.012345.9"}],
        readPoint=None,
        bizStep=None,
        eventID=None,
    )
    assert found(event) == []


def test_prefixes_are_found_at_any_level_and_documents_need_events() -> None:
    body = {"eventList": [HARVEST | {"@context": {"deep": "https://d.example/"}}]}
    document = {"type": "EPCISDocument", "@context": ["https://x.example/", {"fair": "a:b"}]}
    document |= {"epcisBody": body, "schemaVersion": "2.0.1"}
    assert {"fair", "deep", "cbv"} <= declared_prefixes(document)
    assert check_rules(document) == []
    empty = document | {"epcisBody": {"eventList": []}, "schemaVersion": "1.2"}
    assert [fault.pointer for fault in check_rules(empty)] == [
        "/schemaVersion",
        "/epcisBody/eventList",
    ]
