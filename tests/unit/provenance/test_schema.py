"""Our event schemas against the official one: the same verdict, a pointer at least as good."""

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market.provenance.rules.faults import pointer
from market.provenance.rules.reading import read_json
from market.provenance.rules.schema import check_document

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "epcis"
if not SAMPLES.is_dir():
    pytest.skip(
        "../shared/data/epcis is absent: the official schema cannot be the oracle",
        allow_module_level=True,
    )

VALID = [*sorted((SAMPLES / "valid").glob("*.json")), SAMPLES / "coffee_chain.json"]
INVALID = {
    "EPCISDocument_without_context": "/",
    "ObjectEvent_with_invalid_action": "/epcisBody/eventList/0/action",
    "ObjectEvent_with_quantity_as_text": "/epcisBody/eventList/0/quantityList/0/quantity",
    "ObjectEvent_with_ilmd_field_without_namespace": "/epcisBody/eventList/0/ilmd",
    "ObjectEvent_with_invalid_eventTime_format": "/epcisBody/eventList/0/eventTime",
    "ObjectEvent_with_non_standard_bizStep_in_second_event": "/epcisBody/eventList/1/bizStep",
}
DOCUMENTS = [read_json(path.read_bytes()) for path in [*VALID, *sorted((SAMPLES / "invalid").glob("*.json"))]]


@cache
def oracle() -> Any:
    """Return the validator of others with the official schema; its import builds grammars for seconds, so whoever asks pays for it."""
    from jsonschema import Draft7Validator

    schema = json.loads((SAMPLES / "schema" / "epcis-json-schema.json").read_text())
    return Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER)


def test_the_oracle_checks_formats() -> None:
    assert {"uri", "date-time"} <= set(oracle().format_checker.checkers)


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_accepts_every_valid_sample(path: Path) -> None:
    assert check_document(read_json(path.read_bytes())) == []


def test_knows_every_invalid_sample() -> None:
    assert {path.stem for path in (SAMPLES / "invalid").glob("*.json")} == set(INVALID)


@pytest.mark.parametrize("name", sorted(INVALID))
def test_refuses_every_invalid_sample_with_its_pointer(name: str) -> None:
    document = read_json((SAMPLES / "invalid" / f"{name}.json").read_bytes())
    assert [fault.pointer for fault in check_document(document)] == [INVALID[name]]


# Values that sit on the edges of the rules: almost times, almost URIs, words in other spellings.
EDGES: list[Any] = [
    None, True, False, 0, -1, 1, 0.5, "", " ", "x", "fair:word", "https://a.example/b", "a b:c",
    "urn:epcglobal:cbv:bizstep:shipping", "https://ns.gs1.org/cbv/BizStep-shipping", "cbv:BizStep-x",
    "http://gs1.org/voc/Temperature", "https://www.gs1.org/voc/x", "gs1:x", "//a/b", "http://[::1]/",
    "http://[::g]/", "http://[v1.a:b]/", "http://[1::2::3]/", "a:%41", "a:%4", "a:b#c#d", "1a:b",
    "a:/b", "a://", "a:?", "a:é", "http://u:p@h:80/p?q=/?#f", "http://h:port/", "http://a@b@c/",
    "2026-07-22T08:30:00Z", "2026-07-22t08:30:00z", "2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z",
    "2026-07-22T08:30:60Z", "2026-07-22T24:00:00Z", "2026-07-22T08:30:00", "2026-07-22 08:30:00Z",
    "2026-07-22T08:30:00.1234567890+14:59", "0000-01-01T00:00:00Z", "2026-13-01T00:00:00Z",
    "2026-07-22T08:30:00+24:00", "+14:00", "+14:01", "-13:59", "05:00", "KGM", "kgm", "K", "KGMX",
    "ADD", "OBSERVE", "DELETE", "add", "shipping", "active", "po", "owning_party", "did_not_occur",
    "Temperature", "ALARM_CONDITION", "latitude", "f0f0", "xyz", "2.0", "2.", "2.0.1", "v2",
    "ObjectEvent", "AggregationEvent", "AssociationEvent", "TransactionEvent",
    "TransformationEvent", "EPCISDocument", "EPCISQueryDocument", "fair:Event", [], {}, [[]],
    [""], ["a:b"], ["a:b", "a:b"], ["a:b", "a:c"], [{"fair": "x"}, {"fair": "x"}], {"id": "a:b"},
    {"id": 1}, {"set": []}, {"set": ["active"]}, {"set": ["active", "active"]}, {"unset": ["x"]},
    {"set": ["active"], "x": 1}, {"declarationTime": "2026-07-22T08:30:00Z"},
    [{"epcClass": "a:b"}], [{"epcClass": "a:b", "quantity": "1"}], [{"epcClass": "a:b", "x:y": 1}],
    [{"type": "po", "bizTransaction": "a:b"}], [{"type": "location", "source": "a:b"}],
    [{"sensorReport": []}], [{"sensorReport": [{"type": "Mass"}]}],
    {"epcisMasterData": {"vocabularyList": [{"type": "a:b", "vocabularyElementList": [
        {"id": "a:b", "attributes": [{"id": "a:b", "attribute": True}]}]}]}},
    {"epcisMasterData": {"vocabularyList": [{"type": "a:b", "vocabularyElementList": [
        {"id": "a:b", "attributes": [{"id": "a:b", "attribute": 1}], "children": ["a:b"]}]}]}},
    {"queryResults": {"queryName": "q", "resultsBody": {"eventList": []}}},
    {"queryResults": {"queryName": "q", "resultsBody": {}}},
]  # fmt: skip
NAMES = [
    "@context", "id", "type", "schemaVersion", "creationDate", "epcisHeader", "epcisBody",
    "eventList", "eventTime", "eventTimeZoneOffset", "eventID", "recordTime", "certificationInfo",
    "errorDeclaration", "declarationTime", "reason", "correctiveEventIDs", "epcList",
    "quantityList", "action", "bizStep", "disposition", "persistentDisposition", "set", "unset",
    "readPoint", "bizLocation", "bizTransactionList", "sourceList", "destinationList",
    "sensorElementList", "sensorReport", "sensorMetadata", "ilmd", "parentID", "childEPCs",
    "childQuantityList", "inputEPCList", "inputQuantityList", "outputEPCList",
    "outputQuantityList", "transformationID", "epcClass", "quantity", "uom", "exception",
    "component", "stringValue", "booleanValue", "hexBinaryValue", "uriValue", "time", "value",
    "microorganism", "bizRules", "fair:x", "plain", "https://a.example/x",
]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return (container, key) of every value inside `value`."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in [(value, key), *places(value[key])]]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """Draw a sample with one to three changes anywhere in it; sometimes a bare event."""
    document = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    if draw(st.integers(0, 9)) == 0:
        context = {} if draw(st.booleans()) else {"@context": {"fair": "a:b"}}
        document = {**draw(st.sampled_from(document["epcisBody"]["eventList"])), **context}
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(places(document)))
        if draw(st.booleans()) and isinstance(container[key], dict):
            container, key = container[key], draw(st.sampled_from(NAMES))
        if draw(st.integers(0, 3)) or (key not in container and isinstance(container, dict)):
            container[key] = copy.deepcopy(draw(st.sampled_from(EDGES)))
        else:
            del container[key]
        if not document:
            break
    return document


def deepest(error: Any) -> set[str]:
    """Return the pointers of an oracle's error: its own place and those of its causes."""
    causes = [cause for inner in error.context for cause in deepest(inner)]
    return {pointer(tuple(error.absolute_path)), *causes}


@settings(max_examples=500, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_gives_the_verdict_of_the_official_schema_on_mutations(document: Any) -> None:
    faults = check_document(document)
    theirs = list(oracle().iter_errors(document))
    assert bool(faults) == bool(theirs), (faults, theirs[:3])
    if any("type" in fault.detail or fault.pointer.endswith("/type") for fault in faults):
        return  # without a type the oracle reports the fields of all five types, we the type alone
    ours = {fault.pointer for fault in faults}
    for error in theirs:
        place = pointer(tuple(error.absolute_path))
        assert any(own.startswith(place) or own in deepest(error) for own in ours), (ours, error)


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_never_raises_whatever_the_value(value: Any) -> None:
    check_document(value)
