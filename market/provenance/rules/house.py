"""Own rules, which the official schema cannot say (`provenance.md` 3.3).

E is the standard's and always refuses; H is ours and refuses events that name an id of our host;
W only warns: widely published examples of valid events would fail W1. What needs the store (copies
of one event, lots, corrective events) is asked by `service.capture`.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from market.kernel.words import N_, say
from market.provenance.rules.events import (
    CLASS_FIELDS,
    Event,
    amount,
    contexts_in,
    error_reason,
    instant,
    names_our_host,
    parties_of,
    place_of,
    prefixes,
    standard_part,
)
from market.provenance.rules.faults import ROOT, Fault, Path, fault
from market.provenance.rules.identifiers import IdHost
from market.provenance.rules.schema import events_of

STANDARD_PREFIXES = frozenset(["epcis", "cbv", "cbvmda", "gs1", "rdfs", "owl", "xsd", "dcterms"])
TRADE_UNITS = {"KGM": "kg", "GRM": "g", "LTR": "l", "MTR": "m", "H87": "pieces"}
CLOCK_TOLERANCE = timedelta(hours=24)

_VERSION = re.compile(r"2\.0(\.[0-9]+)?")
_ABSOLUTE = re.compile(r"urn:|[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Capturer:
    """Who hands in a document: the party it is and the places it keeps, by URI."""

    parties: frozenset[str]
    places: frozenset[str]


def check_rules(document: dict[str, Any]) -> list[Fault]:
    """Check the rules about a whole document (E2)."""
    faults: list[Fault] = []
    version = document.get("schemaVersion")
    if version is not None and not _VERSION.fullmatch(version):
        detail = say("version %(version)s is not read here; write 2.0", version=version[:20])
        faults.append(fault((ROOT, "schemaVersion"), "E2", detail))
    path, events = events_of(document)
    if not events:
        faults.append(fault(path, "E2", N_("at least one event is needed")))
    return faults


def declared_prefixes(document: dict[str, Any]) -> frozenset[str]:
    """Return the prefixes that may be used in a document: declared at any level, or standard."""
    declared = {name for context in contexts_in(document) for name in prefixes(context)}
    return STANDARD_PREFIXES | declared


def check_event_rules(event: Event, path: Path, declared: frozenset[str]) -> list[Fault]:
    """Check the standard's rules about one event (E2, E3, E5, E7), and what only warns."""
    faults: list[Fault] = []
    _check_prefixes(event, path, declared, faults)
    event = standard_part(event)
    if event["type"] in ("AggregationEvent", "AssociationEvent") and "parentID" not in event and event["action"] != "OBSERVE":
        detail = N_("“parentID” may be absent only with action OBSERVE")
        faults.append(fault(path, "E3", detail))
    declaration = event.get("errorDeclaration", {})
    if error_reason(event) == "did_not_occur" and declaration.get("correctiveEventIDs"):
        detail = N_("an event that did not occur has no corrective events")
        place = ((path, "errorDeclaration"), "correctiveEventIDs")
        faults.append(fault(place, "E5", detail))
    for field in CLASS_FIELDS:
        for index, line in enumerate(event.get(field, ())):
            if line.get("quantity", 0) < 0:
                where = (((path, field), index), "quantity")
                faults.append(fault(where, "E7", N_("a quantity is never negative")))
    return faults + _warnings(event, path)


MOST, FINEST = 10**9, 6
"""What the books of lots hold: quantities below this, with so many decimals; finer ones would be rounded without a word."""


def check_house_rules(event: Event, path: Path, *, host: IdHost, capturer: Capturer, now: datetime) -> list[Fault]:
    """Check our rules for events that name an id of our host (H1, H3, H4)."""
    if not names_our_host(event, host):
        return []
    event = standard_part(event)
    faults = [fault(path, "H1", say("“%(name)s” is missing", name=name)) for name in ("bizStep", "eventID") if name not in event]
    if instant(event["eventTime"]) > now + CLOCK_TOLERANCE:
        faults.append(fault((path, "eventTime"), "H1", N_("is more than 24 hours ahead")))
    for field in CLASS_FIELDS:
        for index, line in enumerate(event.get(field, ())):
            place = ((path, field), index)
            if line.get("quantity", 0) <= 0:
                faults.append(fault(place, "H3", N_("a quantity above zero is needed")))
            elif (quantity := amount(line["quantity"])) >= MOST or quantity != round(quantity, FINEST):
                faults.append(
                    fault((place, "quantity"), "H3", N_("a quantity has at most six decimals and nine digits before them"))
                )
            elif line.get("uom") not in TRADE_UNITS:
                allowed = ", ".join(TRADE_UNITS)
                faults.append(fault((place, "uom"), "H3", say("the unit must be one of %(allowed)s", allowed=allowed)))
    here = {place_of(event), place_of(event, "bizLocation")}
    if not (parties_of(event) & capturer.parties or here & capturer.places):
        detail = N_("you are no party of this event, and the place where it happened is not yours")
        faults.append(fault(path, "H4", detail))
    return faults


def _check_prefixes(value: Any, path: Path, declared: frozenset[str], faults: list[Fault]) -> None:
    if isinstance(value, list):
        for index, inner in enumerate(value):
            if isinstance(inner, dict | list):
                _check_prefixes(inner, (path, index), declared, faults)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name == "@context":
                continue
            prefix, colon, _ = name.partition(":")
            if colon and prefix not in declared and not _ABSOLUTE.match(name):
                detail = say("the prefix of “%(name)s” is declared in no @context of the document", name=name[:80])
                faults.append(fault(path, "E2", detail))
            if isinstance(inner, dict | list):
                _check_prefixes(inner, (path, name), declared, faults)


def _warnings(event: Event, path: Path) -> list[Fault]:
    faults: list[Fault] = []
    written = event["eventTime"].upper()
    offset = "+00:00" if written.endswith("Z") else written[-6:]
    if event["eventTimeZoneOffset"] != offset:
        detail = say("differs from the offset in eventTime (%(offset)s)", offset=offset)
        faults.append(fault((path, "eventTimeZoneOffset"), "W2", detail))
    happened = instant(event["eventTime"])
    for index, element in enumerate(event.get("sensorElementList", ())):
        place = ((path, "sensorElementList"), index)
        metadata = element.get("sensorMetadata", {})
        for report in element["sensorReport"]:
            times = [part["time"] for part in (metadata, report) if "time" in part]
            if any(instant(time) > happened for time in times):
                faults.append(fault(place, "W1", N_("a sensor time lies after the event time")))
            if twice := sorted(metadata.keys() & report.keys()):
                detail = say("given for the device and again in the report: %(twice)s", twice=", ".join(twice))
                faults.append(fault(place, "W1", detail))
    return faults
