"""The event hash of CBV 2.0 (8.9): a name for what an event says, the same for everybody who says it.

Beside the event, never a key: a declaration of an error hashes like its original. Where the text of the standard and the
published vectors differ, the vectors decide (`provenance.md` 4.1).
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from market.provenance.rules import vocabulary as words
from market.provenance.rules.events import Event, prefixes, standard_part
from market.provenance.rules.gs1 import canonical_key

VERSION = "CBV2.0"
_STANDARD = {"cbv": words.CBV, "gs1": words.VOC, "cbvmda": "urn:epcglobal:cbv:mda:"}
_OLD_WORDS = {"bizstep": "BizStep", "disp": "Disp", "btt": "BTT", "sdt": "SDT", "er": "ER"}
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")
_SILENT = frozenset({"recordTime", "eventID", "type", "errorDeclaration", "@context", "rdfs:comment", "comment"})
_QUANTITY = ("epcClass", "quantity", "uom")
_METADATA = ("time", "startTime", "endTime", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules")
_REPORT = (
    "type", "exception", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "time", "microorganism",
    "chemicalSubstance", "value", "component", "stringValue", "booleanValue", "hexBinaryValue", "uriValue", "minValue",
    "maxValue", "meanValue", "sDev", "percRank", "percValue", "uom", "coordinateReferenceSystem",
)  # fmt: skip
_TIMES = frozenset({"eventTime", "time", "startTime", "endTime"})
_EPCS = ("epcList", "inputEPCList", "childEPCs", "outputEPCList")
_QUANTITIES = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
_PAIRS = {"bizTransactionList": "bizTransaction", "sourceList": "source", "destinationList": "destination"}
_ORDER = (
    "eventTime", "eventTimeZoneOffset", "certificationInfo", "epcList", "parentID", "inputEPCList", "childEPCs", "quantityList",
    "childQuantityList", "inputQuantityList", "outputEPCList", "outputQuantityList", "action", "transformationID", "bizStep",
    "disposition", "persistentDisposition", "readPoint", "bizLocation", "bizTransactionList", "sourceList", "destinationList",
    "sensorElementList", "ilmd",
)  # fmt: skip
_VOCABULARY = {
    "bizStep": words.BIZ_STEP,
    "disposition": words.DISPOSITION,
    "set": words.DISPOSITION,
    "unset": words.DISPOSITION,
    "component": words.COMPONENT,
}
_TYPES = {
    "bizTransactionList": words.TRANSACTION_TYPE,
    "sourceList": words.PARTY_TYPE,
    "destinationList": words.PARTY_TYPE,
}


def event_hash(event: Event, context: Any) -> str:
    """Return the event's hash as an `ni` URI (RFC 6920) with the version of its rules."""
    digest = sha256(pre_hash(event, context).encode()).hexdigest()
    return f"ni:///sha-256;{digest}?ver={VERSION}"


def pre_hash(event: Event, context: Any) -> str:
    """Return the text that is hashed: `key=value` pairs in a fixed order without separators."""
    names = {**_STANDARD, **prefixes(context), **prefixes(event.get("@context"))}
    writer = _Writer(names)
    known = standard_part(event)
    parts = [writer.field(name, known[name]) for name in _ORDER if name in known]
    extensions = {
        name: value for name, value in event.items() if name not in _SILENT and (name not in _ORDER or name not in known)
    }
    return f"eventType={writer.value(event['type'])}" + "".join(parts) + writer.extensions(extensions)


class _Writer:
    """Writes the parts of one event; `names` are the prefixes that hold in it."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def field(self, name: str, value: Any) -> str:
        """Write a field of the standard with what is below it."""
        if name in _EPCS:
            return self._list(name, value, lambda one: f"epc={self.value(one)}")
        if name in _QUANTITIES:
            return self._list(name, value, lambda one: "quantityElement" + self._fields(one, _QUANTITY))
        if name in _PAIRS:
            return self._list(name, value, lambda one: self._pair(name, one))
        if name == "sensorElementList":
            return self._list(name, value, self._sensor)
        if name in ("readPoint", "bizLocation"):
            others = {key: inner for key, inner in value.items() if key != "id"}
            return f"{name}id={self.value(value['id'])}{self.extensions(others)}"
        if name == "persistentDisposition":
            return name + "".join(self._repeated(key, value[key]) for key in ("set", "unset") if key in value)
        if name == "ilmd":
            return name + self.extensions(value)
        return self._repeated(name, value)

    def value(self, value: Any, vocabulary: words.Vocabulary | None = None) -> str:
        """Write one value: words as full URIs, GS1 keys as canonical links, numbers without trailing zeros."""
        if isinstance(value, bool):
            return str(value).lower()
        text = str(value).strip()
        if vocabulary is not None and (bare := vocabulary.word(text)) in vocabulary.words:
            space = words.VOC if not vocabulary.prefix else f"{words.CBV}{vocabulary.prefix}-"
            return space + bare
        prefix, colon, rest = text.partition(":")
        if colon and prefix in self.names and not rest.startswith("//"):
            text = self.names[prefix] + rest
        if text.startswith("urn:epcglobal:cbv:"):
            kind, _, word = text.removeprefix("urn:epcglobal:cbv:").partition(":")
            text = f"{words.CBV}{_OLD_WORDS[kind]}-{word}" if kind in _OLD_WORDS else text
        if _NUMBER.fullmatch(text):
            number = float(text)
            return str(int(number)) if number.is_integer() else repr(number)
        return canonical_key(text)

    def extensions(self, fields: Mapping[str, Any]) -> str:
        """Write fields outside the standard under the full name of their space, sorted."""
        return "".join(sorted(self._extension(name, inner) for name, inner in fields.items() if name not in _SILENT))

    def _extension(self, name: str, value: Any) -> str:
        prefix, colon, rest = name.partition(":")
        full = f"{{{self.names[prefix]}}}{rest}" if colon and prefix in self.names else name
        if isinstance(value, list):
            return "".join(sorted(self._extension(name, inner) for inner in value))
        if isinstance(value, dict):
            return full + self.extensions(value)
        return f"{full}={self.value(value)}" if value not in (None, "") else full

    def _list(self, name: str, value: list[Any], write: Callable[[Any], str]) -> str:
        return name + "".join(sorted(map(write, value))) if value else ""

    def _repeated(self, name: str, value: Any) -> str:
        values = value if isinstance(value, list) else [value]
        return "".join(sorted(f"{name}={self._plain(name, one)}" for one in values))

    def _plain(self, name: str, value: Any) -> str:
        return _milliseconds(value) if name in _TIMES else self.value(value, _VOCABULARY.get(name))

    def _fields(self, fields: Mapping[str, Any], order: tuple[str, ...], **own: words.Vocabulary) -> str:
        known = "".join(
            f"{name}={self.value(fields[name], own[name]) if name in own else self._plain(name, fields[name])}"
            for name in order
            if name in fields
        )
        return known + self.extensions({name: value for name, value in fields.items() if name not in order})

    def _pair(self, name: str, pair: Mapping[str, Any]) -> str:
        kind = f"type={self.value(pair['type'], _TYPES[name])}" if "type" in pair else ""
        return f"{kind}{_PAIRS[name]}={self.value(pair[_PAIRS[name]])}"

    def _sensor(self, element: Mapping[str, Any]) -> str:
        metadata = self._fields(element.get("sensorMetadata", {}), _METADATA)
        vocabularies = {"type": words.MEASUREMENT, "exception": words.ALERT}
        reports = sorted("sensorReport" + self._fields(report, _REPORT, **vocabularies) for report in element["sensorReport"])
        others = {name: value for name, value in element.items() if name not in ("sensorMetadata", "sensorReport")}
        head = f"sensorMetadata{metadata}" if metadata else ""
        return "sensorElement" + head + "".join(reports) + self.extensions(others)


def _milliseconds(text: str) -> str:
    """Write an instant in UTC with milliseconds, half rounded up."""
    whole, point, fraction = text.upper().partition(".")
    offset = ""
    if point:
        digits = re.match(r"[0-9]+", fraction)
        assert digits is not None  # the shape of a time was checked
        offset, fraction = fraction[digits.end() :], digits[0]
    thousandths = int((fraction + "0000")[:4]) if point else 0
    try:
        instant = datetime.fromisoformat(whole + offset).astimezone(UTC) + timedelta(milliseconds=(thousandths + 5) // 10)
    except OverflowError:  # the last and the first hours of the calendar
        return text
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
