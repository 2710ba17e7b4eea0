"""What everybody may see of an event: what happened to which lot, where and when (provenance.md 4).

Left out are business transactions (orders, payment records), whatever extensions others put in, and master data outside our
own short list. Parties stay as identifiers that mean nothing by themselves.
"""

from typing import Any

from market.provenance.rules.events import STANDARD_CONTEXT, Event, our_fields, standard_part
from market.provenance.rules.identifiers import IdHost

_PUBLIC_FIELDS = frozenset(
    {
        "type", "eventID", "eventTime", "eventTimeZoneOffset", "certificationInfo", "errorDeclaration", "action", "bizStep",
        "disposition", "persistentDisposition", "readPoint", "bizLocation", "epcList", "quantityList", "parentID", "childEPCs",
        "childQuantityList", "inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList", "transformationID",
        "sourceList", "destinationList", "sensorElementList",
    }
)  # fmt: skip
_PUBLIC_MASTER_DATA = frozenset(
    {"name", "lotNumber", "variety", "processType", "harvestStartDate", "harvestEndDate", "netContent", "netContentUom"}
)
_OF_A_DECLARATION = frozenset({"declarationTime", "reason", "correctiveEventIDs"})


WITHHELD = "data:,withheld"  # the standard asks for a business transaction in every TransactionEvent; this names none


def public_view(event: Event, context: Any, host: IdHost) -> Event:
    """Return an event without its private fields, our master data under the prefix `fair:`."""
    shown = {name: value for name, value in standard_part(event).items() if name in _PUBLIC_FIELDS}
    if "errorDeclaration" in shown:
        declaration = shown["errorDeclaration"]
        shown["errorDeclaration"] = {name: value for name, value in declaration.items() if name in _OF_A_DECLARATION}
    fields = our_fields(event, context, host)
    if ilmd := {f"fair:{name}": value for name, value in fields.items() if name in _PUBLIC_MASTER_DATA}:
        shown["ilmd"] = ilmd
    if event["type"] == "TransactionEvent":
        shown["bizTransactionList"] = [{"bizTransaction": WITHHELD}]
    return shown


def public_context(host: IdHost) -> list[Any]:
    """Return the context in which public views are written."""
    return [STANDARD_CONTEXT, {"fair": f"{host.base}/ns/"}]
