"""The event hash against the published vectors, and what must not change it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from market.provenance.rules.balance import effects_of
from market.provenance.rules.eventhash import event_hash, pre_hash
from market.provenance.rules.events import EVENT_TYPES, ids_of
from market.provenance.rules.gs1 import canonical_key
from market.provenance.rules.house import Capturer, check_event_rules, check_house_rules, check_rules, declared_prefixes
from market.provenance.rules.identifiers import IdHost
from market.provenance.rules.public import public_view
from market.provenance.rules.schema import check_document, events_of, is_document
from tests.unit.provenance.test_schema import mutated

VECTORS = Path(__file__).parents[4] / "shared" / "data" / "epcis" / "hash"
if not VECTORS.is_dir():
    pytest.skip("../shared/data/epcis/hash is absent: no published vectors", allow_module_level=True)
HOST = IdHost("https://id.market.example")
DOCUMENTS = sorted(VECTORS.glob("*.jsonld"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_published_vector_is_reproduced(path: Path) -> None:
    document = json.loads(path.read_text())
    wanted = path.with_suffix(".hashes").read_text().split()
    found = [event_hash(event, document["@context"]) for event in events_of(document)[1]]
    assert found == wanted, [pre_hash(event, document["@context"]) for event in events_of(document)[1]]


def test_a_declaration_of_an_error_hashes_like_its_original() -> None:
    events = events_of(json.loads((VECTORS.parent / "coffee_chain.json").read_text()))[1]
    original, declared = events[9], events[10]
    assert "errorDeclaration" in declared
    assert event_hash(declared, {}) == event_hash(original, {}) != event_hash(events[11], {})
    assert event_hash(original | {"recordTime": "2026-01-01T00:00:00Z"}, {}) == event_hash(original, {})


@pytest.mark.parametrize(
    ("uri", "canonical"),
    [
        ("https://shop.example/01/04012345999990/21/XYZ?x=1", "https://id.gs1.org/01/04012345999990/21/XYZ"),
        ("https://shop.example/gtin/04012345999990/lot/A", "https://id.gs1.org/01/04012345999990/10/A"),
        ("https://id.gs1.org/01/04012345999990/22/2A/10/A/21/B", "https://id.gs1.org/01/04012345999990/21/B"),
        ("urn:epc:id:sgln:4012345.00011.0", "https://id.gs1.org/414/4012345000115"),
        ("urn:epc:idpat:sgtin:4054739.099914.*", "https://id.gs1.org/01/04054739999148"),
        ("urn:epc:id:itip:4012345.012345", "urn:epc:id:itip:4012345.012345"),
        ("urn:epc:id:sgtin:4012345.x", "urn:epc:id:sgtin:4012345.x"),
        ("urn:epc:id:imovn:4012345.x", "urn:epc:id:imovn:4012345.x"),
        ("https://id.market.example/id/class/h3yfcy7mts7", "https://id.market.example/id/class/h3yfcy7mts7"),
    ],
)
def test_gs1_keys_have_one_name_and_other_uris_stay(uri: str, canonical: str) -> None:
    assert canonical_key(uri) == canonical


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_whatever_the_schema_accepts_can_be_read_to_the_end(document: Any) -> None:
    if check_document(document) or not is_document(document):
        return
    path, events = events_of(document)
    check_rules(document)
    declared, context = declared_prefixes(document), document["@context"]
    for event in events:
        check_event_rules(event, path, declared)
        check_house_rules(
            event, path, host=HOST, capturer=Capturer(frozenset(), frozenset()), now=datetime(2026, 1, 1, tzinfo=UTC)
        )
        effects_of(event, path, HOST)
        assert ids_of(event) == sorted(ids_of(event))
        assert event_hash(event, context).startswith("ni:///sha-256;")
        shown = public_view(event, context, HOST)
        assert event["type"] not in EVENT_TYPES or check_document({"@context": {}, **shown}) == []
