"""Read what matters out of an event whose shape is sound: ids, instants, parties, fields of ours."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeAlias

from market.provenance.rules.identifiers import IdHost
from market.provenance.rules.reading import canonical
from market.provenance.rules.vocabulary import ERROR_REASON

Event: TypeAlias = dict[str, Any]

STANDARD_CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
EVENT_TYPES = frozenset(("ObjectEvent", "AggregationEvent", "AssociationEvent", "TransactionEvent", "TransformationEvent"))
COMMON_FIELDS = frozenset(
    ("@context", "type", "eventTime", "recordTime", "eventTimeZoneOffset", "eventID", "certificationInfo", "errorDeclaration")
)
INSTANCE_FIELDS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
CLASS_FIELDS = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
_NOT_CONTENT = ("recordTime", "errorDeclaration")
_FRACTION = re.compile(r"\.([0-9]{6})[0-9]+")


def standard_part(event: Event) -> Event:
    """Return an event of the standard's types as it is; of a type of somebody's own only the fields that every event has.

    The standard gives no shape to the rest of such an event, so nothing may rely on one.
    """
    if event["type"] in EVENT_TYPES:
        return event
    return {name: value for name, value in event.items() if name in COMMON_FIELDS}


def ids_of(event: Event) -> list[str]:
    """Return every instance and class id that the event names, each once, sorted."""
    event = standard_part(event)
    found = {one for field in INSTANCE_FIELDS for one in event.get(field, ())}
    found |= {line["epcClass"] for field in CLASS_FIELDS for line in event.get(field, ())}
    if "parentID" in event:
        found.add(event["parentID"])
    return sorted(found)


def parties_of(event: Event) -> frozenset[str]:
    """Return the parties that the event names as source or destination."""
    event = standard_part(event)
    sources = (line["source"] for line in event.get("sourceList", ()))
    return frozenset([*sources, *(line["destination"] for line in event.get("destinationList", ()))])


def place_of(event: Event, field: str = "readPoint") -> str | None:
    """Return where it happened (`readPoint`) or where things are afterwards (`bizLocation`)."""
    place = standard_part(event).get(field)
    return place["id"] if place else None


def names_our_host(event: Event, host: IdHost) -> bool:
    """Tell whether any thing, place, party or transaction in the event is ours (house rules)."""
    event = standard_part(event)
    transactions = (line["bizTransaction"] for line in event.get("bizTransactionList", ()))
    places = (place_of(event), place_of(event, "bizLocation"))
    everything = [*ids_of(event), *parties_of(event), *transactions, *filter(None, places)]
    return any(map(host.names, everything))


def instant(text: str) -> datetime:
    """Return the instant of a sound time text in UTC; digits beyond microseconds are cut."""
    try:
        return datetime.fromisoformat(_FRACTION.sub(r".\1", text.upper())).astimezone(UTC)
    except OverflowError:  # the last and the first hours of the calendar
        return datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) if text[0] == "9" else datetime(1, 1, 1, tzinfo=UTC)


def amount(value: float) -> Decimal:
    """Return a JSON number as the decimal that was written (`read_json` made sure it is one)."""
    return Decimal(repr(value))


def plain(number: Decimal) -> str:
    """Write a quantity without trailing zeros or exponent."""
    return f"{number.normalize():f}"


def content_of(event: Event) -> Event:
    """Return what two copies of one event must share: all but recordTime and errorDeclaration."""
    return {name: value for name, value in event.items() if name not in _NOT_CONTENT}


def digest_of(event: Event) -> str:
    """Return the SHA-256 of the canonical content without eventID: it knows an event without one."""
    content = content_of(event)
    content.pop("eventID", None)
    return sha256(canonical(content)).hexdigest()


def error_reason(event: Event) -> str | None:
    """Return the bare reason of an error declaration, None where there is none."""
    reason = event.get("errorDeclaration", {}).get("reason")
    return ERROR_REASON.word(reason) if reason else None


def prefixes(context: Any) -> dict[str, str]:
    """Return the prefixes that a JSON-LD context declares; context documents are never fetched."""
    if isinstance(context, dict):
        return {
            name: target["@id"] if isinstance(target, dict) and "@id" in target else str(target)
            for name, target in context.items()
            if not name.startswith("@")
        }
    if isinstance(context, list):
        return {name: uri for part in context for name, uri in prefixes(part).items()}
    return {}


def contexts_in(value: Any) -> Iterator[Any]:
    """Yield every `@context` at any level of a document."""
    if isinstance(value, dict):
        if "@context" in value:
            yield value["@context"]
        for name, inner in value.items():
            if name != "@context":
                yield from contexts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from contexts_in(inner)


def our_fields(event: Event, context: Any, host: IdHost) -> Mapping[str, Any]:
    """Return the master data of the event's lot under our own names (`lotNumber`, `variety`...)."""
    ours = f"{host.base}/ns/"
    known = {**prefixes(context), **prefixes(event.get("@context"))}
    return {
        name.partition(":")[2]: value
        for name, value in standard_part(event).get("ilmd", {}).items()
        if known.get(name.partition(":")[0]) == ours
    }
