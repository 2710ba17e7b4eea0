"""The shape of EPCIS 2.0.1 JSON, written from the standard's rules (`provenance.md` 3.2).

The official schema gives the same verdict on every document (it is the oracle of the tests) and
needs 3 ms per event; this takes a tenth of it. A name that is no field is allowed where the
standard allows extensions, and must be a URI or carry a prefix.
"""

from typing import Any

from market.kernel.words import N_
from market.provenance.rules import vocabulary as words
from market.provenance.rules.checks import (
    Check,
    any_other,
    anything,
    array,
    boolean,
    is_uri,
    no_other,
    number,
    pattern,
    record,
    text,
    time,
    uri,
    word,
)
from market.provenance.rules.faults import ROOT, Fault, Path, fault


def context(value: Any, path: Path, faults: list[Fault]) -> None:
    """Accept a JSON-LD context: a URI, an object, or a list of them without repetition."""
    if isinstance(value, list):
        _contexts(value, path, faults)
    elif not isinstance(value, dict) and not (isinstance(value, str) and is_uri(value)):
        faults.append(fault(path, "S", N_("must be the URI of a context or an object with prefixes")))


def _one_context(value: Any, path: Path, faults: list[Fault]) -> None:
    if not isinstance(value, dict):
        uri(value, path, faults)


_contexts = array(_one_context, unique=True)


def _certification(value: Any, path: Path, faults: list[Fault]) -> None:
    (_certifications if isinstance(value, list) else uri)(value, path, faults)


_certifications = array(uri)

# --- the parts of events ---------------------------------------------------------------------

_OFFSET = pattern(r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)", N_("an offset from UTC, such as -05:00"))
_UOM = pattern(r"[A-Z0-9]{2,3}", N_("a unit code of two or three capitals or digits, such as KGM"))
_HEX = pattern(r"[A-Fa-f0-9]+", N_("hexadecimal digits"))
_VERSION = pattern(r"[0-9]+(?:\.[0-9]+)*", N_("a version, such as 2.0"))

_STEP = word(words.BIZ_STEP)
_DISPOSITION = word(words.DISPOSITION)
_ACTION = pattern(r"ADD|OBSERVE|DELETE", N_("ADD, OBSERVE or DELETE"))

_PERSISTENT = record(
    {
        "set": array(_DISPOSITION, least=1, unique=True),
        "unset": array(_DISPOSITION, least=1, unique=True),
    },
    others=no_other,
    together=lambda value: None if value else N_("“set” or “unset” is missing"),
)
_QUANTITY = record({"epcClass": uri, "quantity": number, "uom": _UOM}, required=("epcClass",), others=no_other)
_TRANSACTION = record(
    {"type": word(words.TRANSACTION_TYPE), "bizTransaction": uri},
    required=("bizTransaction",),
    others=no_other,
)
_SOURCE = record({"type": word(words.PARTY_TYPE), "source": uri}, required=("type", "source"), others=no_other)
_DESTINATION = record(
    {"type": word(words.PARTY_TYPE), "destination": uri},
    required=("type", "destination"),
    others=no_other,
)
_PLACE = record({"id": uri}, required=("id",), others=any_other)
_ERROR = record(
    {
        "declarationTime": time,
        "reason": word(words.ERROR_REASON),
        "correctiveEventIDs": array(uri),
    },
    required=("declarationTime",),
)
_ILMD = record({})

_DEVICE = dict.fromkeys(("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod"), uri)
_METADATA = record({**_DEVICE, "time": time, "startTime": time, "endTime": time, "bizRules": uri})
_REPORT = record(
    {
        **_DEVICE,
        **dict.fromkeys(("value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"), number),
        **dict.fromkeys(("bizRules", "microorganism", "chemicalSubstance", "coordinateReferenceSystem"), uri),
        "type": word(words.MEASUREMENT),
        "exception": word(words.ALERT),
        "time": time,
        "component": word(words.COMPONENT),
        "stringValue": text,
        "booleanValue": boolean,
        "hexBinaryValue": _HEX,
        "uriValue": uri,
        "uom": text,
    },
    required=("type",),
)
_SENSOR = record(
    {"sensorMetadata": _METADATA, "sensorReport": array(_REPORT, least=1)},
    required=("sensorReport",),
)

# --- the events ------------------------------------------------------------------------------

_COMMON: dict[str, Check] = {
    "@context": context,
    "type": text,
    "eventTime": time,
    "recordTime": time,
    "eventTimeZoneOffset": _OFFSET,
    "eventID": uri,
    "certificationInfo": _certification,
    "errorDeclaration": _ERROR,
}
_WHERE_AND_WHY: dict[str, Check] = {
    **_COMMON,
    "bizStep": _STEP,
    "disposition": _DISPOSITION,
    "readPoint": _PLACE,
    "bizLocation": _PLACE,
    "bizTransactionList": array(_TRANSACTION),
    "sourceList": array(_SOURCE),
    "destinationList": array(_DESTINATION),
    "sensorElementList": array(_SENSOR),
}
_ALWAYS = ("type", "eventTime", "eventTimeZoneOffset")
_EPCS, _UNIQUE_EPCS, _QUANTITIES = array(uri), array(uri, unique=True), array(_QUANTITY)


def _object_fits(event: dict[str, Any]) -> str | None:
    if "ilmd" in event and event.get("action") != "ADD":
        return N_("“ilmd” belongs to the birth of a thing: only with action ADD")
    sensed = event.get("sensorElementList") and "readPoint" in event
    if "epcList" in event or event.get("quantityList") or sensed:
        return None
    return N_("no object: “epcList”, “quantityList”, or “sensorElementList” with “readPoint” is needed")


def _children_fit(event: dict[str, Any]) -> str | None:
    if event.get("childEPCs") or event.get("childQuantityList") or event.get("action") == "DELETE":
        return None
    return N_("“childEPCs” or “childQuantityList” is needed, except with action DELETE")


def _transaction_fits(event: dict[str, Any]) -> str | None:
    if "epcList" in event or event.get("quantityList") or event.get("action") == "DELETE":
        return None
    return N_("“epcList” or “quantityList” is needed, except with action DELETE")


def _transformation_fits(event: dict[str, Any]) -> str | None:
    inputs = event.get("inputEPCList") or event.get("inputQuantityList")
    outputs = event.get("outputEPCList") or event.get("outputQuantityList")
    if (inputs and outputs) or ((inputs or outputs) and "transformationID" in event):
        return None
    return N_("inputs and outputs are needed; one side is enough only with a “transformationID”")


_FAMILY: dict[str, Check] = {
    **_WHERE_AND_WHY,
    "parentID": uri,
    "childEPCs": _EPCS,
    "childQuantityList": _QUANTITIES,
    "action": _ACTION,
    "persistentDisposition": anything,  # named here by the schema, but left without a shape
}
_EVENTS: dict[str, Check] = {
    "ObjectEvent": record(
        {
            **_WHERE_AND_WHY,
            "epcList": _UNIQUE_EPCS,
            "quantityList": _QUANTITIES,
            "action": _ACTION,
            "persistentDisposition": _PERSISTENT,
            "ilmd": _ILMD,
        },
        required=(*_ALWAYS, "action"),
        together=_object_fits,
    ),
    "AggregationEvent": record(_FAMILY, required=(*_ALWAYS, "action"), together=_children_fit),
    "AssociationEvent": record(_FAMILY, required=(*_ALWAYS, "action", "parentID"), together=_children_fit),
    "TransactionEvent": record(
        {
            **_WHERE_AND_WHY,
            "bizTransactionList": array(_TRANSACTION, least=1),
            "parentID": uri,
            "epcList": _EPCS,
            "quantityList": _QUANTITIES,
            "action": _ACTION,
            "persistentDisposition": anything,
        },
        required=(*_ALWAYS, "action", "bizTransactionList"),
        together=_transaction_fits,
    ),
    "TransformationEvent": record(
        {
            **_WHERE_AND_WHY,
            "inputEPCList": _UNIQUE_EPCS,
            "inputQuantityList": _QUANTITIES,
            "outputEPCList": _UNIQUE_EPCS,
            "outputQuantityList": _QUANTITIES,
            "transformationID": uri,
            "persistentDisposition": _PERSISTENT,
            "ilmd": _ILMD,
        },
        required=_ALWAYS,
        together=_transformation_fits,
    ),
}
_EXTENDED = record({**_COMMON, "type": uri}, required=_ALWAYS, others=any_other)


def check_event(value: Any, path: Path, faults: list[Fault]) -> None:
    """Check one event of a list; a type outside the standard's five must be a URI."""
    if not isinstance(value, dict):
        faults.append(fault(path, "S", N_("must be an object")))
        return
    kind = value.get("type")
    known = _EVENTS.get(kind) if isinstance(kind, str) else None
    (known or _EXTENDED)(value, path, faults)


# --- the documents ---------------------------------------------------------------------------


def _attribute_value(value: Any, path: Path, faults: list[Fault]) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | dict):
        faults.append(fault(path, "S", N_("must be a number, a text or an object")))


_ATTRIBUTE = record({"id": uri, "attribute": _attribute_value}, required=("id",), others=any_other)
_ELEMENT = record(
    {"id": uri, "attributes": array(_ATTRIBUTE), "children": array(uri)},
    required=("id",),
    others=any_other,
)
_VOCABULARIES = array(
    record(
        {"type": uri, "vocabularyElementList": array(_ELEMENT)},
        required=("type",),
        others=any_other,
    )
)
_HEADER = record({"epcisMasterData": record({"vocabularyList": _VOCABULARIES}, others=any_other)})
_UNREAD_EVENTS = array(anything)
_ENVELOPE: dict[str, Check] = {
    "@context": context,
    "id": uri,
    "type": text,
    "schemaVersion": _VERSION,
    "creationDate": time,
}
_DOCUMENT = record(
    {
        **_ENVELOPE,
        "instanceIdentifier": text,
        "sender": text,
        "receiver": text,
        "epcisHeader": _HEADER,
        "epcisBody": record({"eventList": _UNREAD_EVENTS}, required=("eventList",), others=any_other),
    },
    required=("@context", "type", "schemaVersion", "creationDate", "epcisBody"),
)
_RESULTS = record({"eventList": _UNREAD_EVENTS, "vocabularyList": _VOCABULARIES}, required=("eventList",))
_QUERY_DOCUMENT = record(
    {
        **_ENVELOPE,
        "epcisBody": record(
            {
                "queryResults": record(
                    {"queryName": text, "subscriptionID": text, "resultsBody": _RESULTS},
                    required=("queryName", "resultsBody"),
                )
            },
            required=("queryResults",),
        ),
    },
    required=("@context", "type", "epcisBody"),
)
_ENVELOPES = {
    "EPCISDocument": (_DOCUMENT, ("epcisBody", "eventList")),
    "EPCISQueryDocument": (
        _QUERY_DOCUMENT,
        ("epcisBody", "queryResults", "resultsBody", "eventList"),
    ),
}


def is_document(document: Any) -> bool:
    """Tell whether a value claims to be a capture or query document."""
    return isinstance(document, dict) and document.get("type") in ("EPCISDocument", "EPCISQueryDocument")


def check_envelope(document: Any) -> list[Fault]:
    """Check everything of a capture document but its events (for a bare event: only its context)."""
    faults: list[Fault] = []
    if not isinstance(document, dict):
        return [fault(ROOT, "S", N_("must be an object"))]
    if not isinstance(kind := document.get("type"), str):
        return [fault(ROOT, "S", N_("“type” is missing or not a text"))]
    if kind in _ENVELOPES:
        _ENVELOPES[kind][0](document, ROOT, faults)
    elif "@context" not in document:
        faults.append(fault(ROOT, "S", N_("“@context” is missing")))
    return faults


def events_of(document: dict[str, Any]) -> tuple[Path, list[Any]]:
    """Return the list of events of a document, as far as there is one, and its path."""
    path: Path = ROOT
    value: Any = document
    for key in _ENVELOPES[document["type"]][1]:
        if not isinstance(value, dict) or key not in value:
            return path, []
        path, value = (path, key), value[key]
    return path, value if isinstance(value, list) else []


def check_document(document: Any) -> list[Fault]:
    """Give the verdict of the official schema on a whole document or a bare event."""
    faults = check_envelope(document)
    if not isinstance(document, dict) or not isinstance(document.get("type"), str):
        return faults
    if document["type"] not in _ENVELOPES:
        check_event(document, ROOT, faults)
        return faults
    path, events = events_of(document)
    for index, event in enumerate(events):
        check_event(event, (path, index), faults)
    return faults
