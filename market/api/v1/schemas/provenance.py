"""What the provenance part of the API takes and gives."""

from typing import Any

from marshmallow import Schema, fields, validate

from market.api.openapi import Strict
from market.api.v1.schemas.countries import Country
from market.provenance.rules.house import TRADE_UNITS
from market.provenance.service.lots import KINDS


class EventsQuery(Strict):
    """Which events: the parameters of the standard's SimpleEventQuery that are served so far."""

    MATCH_anyEPCClass = fields.String(required=True, metadata={"description": "URI of a lot; several joined by |"})
    perPage = fields.Integer(load_default=30, validate=validate.Range(1, 200))
    nextPageToken = fields.String(load_default="")


class LineageQuery(Strict):
    """Which way to look from a lot."""

    direction = fields.String(load_default="up", validate=validate.OneOf(["up", "down"]))


class CaptureJobSchema(Schema):
    """A capture job as EPCIS 2.0 names its parts."""

    captureID = fields.String(required=True)
    createdAt = fields.String(required=True)
    finishedAt = fields.String()
    running = fields.Boolean(required=True)
    success = fields.Boolean(required=True)
    captureErrorBehaviour = fields.String(required=True)
    errors = fields.List(fields.Dict(), required=True)


class EpcisDocumentSchema(Schema):
    """An EPCISDocument or EPCISQueryDocument (EPCIS 2.0 JSON)."""

    context = fields.Raw(required=True, data_key="@context")
    type = fields.String(required=True)
    schemaVersion = fields.String(required=True)
    creationDate = fields.String(required=True)
    epcisBody = fields.Dict(required=True)


class LineageNode(Strict):
    """A lot in a lineage."""

    slug = fields.String(required=True)
    uri = fields.String(required=True)
    label = fields.String(required=True)
    name = fields.String(required=True)
    process = fields.String(required=True)
    produced = fields.String(required=True)
    uom = fields.String(required=True)


class LineageEdgeSchema(Strict):
    """One input of one output."""

    input = fields.String(required=True)
    output = fields.String(required=True)
    input_quantity = fields.String(required=True)
    output_quantity = fields.String(required=True)


class ShareSchema(Strict):
    """An origin's exact share of the lot, and as a whole percentage."""

    slug = fields.String(required=True)
    label = fields.String(required=True)
    who = fields.String(required=True)
    region = fields.String(required=True)
    share = fields.String(required=True)
    percent = fields.Integer(required=True)


class LineageSchema(Strict):
    """A lot's lineage: lots by slug, edges between them, and upward the shares of the origins."""

    lot = fields.String(required=True)
    direction = fields.String(required=True)
    nodes = fields.List(fields.Nested(LineageNode), required=True)
    edges = fields.List(fields.Nested(LineageEdgeSchema), required=True)
    shares = fields.List(fields.Nested(ShareSchema), allow_none=True)


class LotPageSchema(Strict):
    """The public document of a lot: what it is, its journey with grades of evidence, shares, certificates, corrections."""

    v = fields.Integer(required=True)
    slug = fields.String(required=True)
    uri = fields.String(required=True)
    label = fields.String(required=True)
    name = fields.String(required=True)
    language = fields.String(allow_none=True, metadata={"description": "of the name; null: nobody said"})
    names = fields.Dict(
        keys=fields.String(), values=fields.String(), metadata={"description": "its people's translations, by language"}
    )
    variety = fields.String(required=True)
    process = fields.String(required=True)
    uom = fields.String(required=True)
    produced = fields.String(required=True)
    made_from_on = fields.String(required=True, allow_none=True)
    made_on = fields.String(required=True, allow_none=True)
    recorded_at = fields.String(required=True)
    withdrawn = fields.String(required=True, allow_none=True, metadata={"description": "why nothing of it is sold any more"})
    withdrawn_at = fields.String(allow_none=True)
    advice = fields.String(allow_none=True, metadata={"description": "what those do who have it: `discard`, `return` or `keep`"})
    regions = fields.List(fields.Dict(), required=True)
    coop = fields.Dict(required=True)
    producer = fields.Dict(required=True, allow_none=True)
    state = fields.String(required=True)
    journey = fields.List(fields.Dict(), required=True)
    places = fields.List(fields.Dict(), required=True)
    shares = fields.List(fields.Nested(ShareSchema), required=True, allow_none=True)
    certificates = fields.List(fields.Dict(), required=True)
    offers = fields.List(fields.Dict(), required=True)
    checks = fields.List(fields.Dict(), required=True)
    split = fields.List(fields.Dict(), required=True)
    corrections = fields.List(fields.Dict(), required=True)


def _exact(**more: Any) -> fields.Decimal:
    return fields.Decimal(as_string=True, allow_nan=False, **more)


class PlaceIn(Strict):
    """A place to register. `uri` only for a place that events name already; else one is made."""

    name = fields.String(required=True, validate=validate.Length(1, 80))
    region = fields.String(load_default="", validate=validate.Length(max=80))
    country = fields.String(validate=Country())
    latitude = _exact(validate=validate.Range(-90, 90))
    longitude = _exact(validate=validate.Range(-180, 180))
    uri = fields.String()


class PlaceOut(Strict):
    """A place; its point is rounded to 0.1 degrees."""

    id = fields.UUID(required=True)
    uri = fields.String(required=True)
    name = fields.String(required=True)
    region = fields.String(required=True)
    country = fields.String(required=True)
    latitude = _exact(allow_none=True)
    longitude = _exact(allow_none=True)


class PlacesOut(Strict):
    """The places that the caller may name."""

    items = fields.List(fields.Nested(PlaceOut), required=True)


class NewLotIn(Strict):
    """What every new lot has. Quantities are strings, units those of UN/ECE Recommendation 20."""

    name = fields.String(required=True, validate=validate.Length(1, 120))
    quantity = _exact(required=True)
    uom = fields.String(required=True, validate=validate.OneOf(list(TRADE_UNITS)))
    on = fields.Date(required=True)
    from_on = fields.Date()
    label = fields.String(load_default="", validate=validate.Length(max=40))
    variety = fields.String(load_default="", validate=validate.Length(max=80))
    net_kg = _exact()
    place_id = fields.UUID(required=True)
    producer_id = fields.UUID(metadata={"description": "for staff: whose lot it is; without, the co-op's own"})


class LotIn(NewLotIn):
    """A harvest or a craft batch."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))


class InputIn(Strict):
    """How much was taken from a lot."""

    lot_id = fields.UUID(required=True)
    quantity = _exact(required=True)


class TransformationIn(NewLotIn):
    """A lot made from others."""

    process = fields.String(required=True, validate=validate.Regexp(r"^[a-z][a-z_]{0,39}$"))
    inputs = fields.List(fields.Nested(InputIn), required=True, validate=validate.Length(1, 200))


class OwnLotOut(Strict):
    """A lot as its producer sees it."""

    id = fields.UUID(required=True)
    slug = fields.String(required=True)
    uri = fields.String(required=True)
    producer_id = fields.UUID(required=True, allow_none=True)
    label = fields.String(required=True)
    name = fields.String(required=True)
    variety = fields.String(required=True)
    process = fields.String(required=True)
    uom = fields.String(required=True)
    produced = _exact(required=True)
    drawn = _exact(required=True)
    made_on = fields.Date(allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)


class OwnLotsQuery(Strict):
    """Where the next page of own lots begins."""

    cursor = fields.String(load_default="")


class OwnLotsOut(Strict):
    """Own lots, newest first."""

    items = fields.List(fields.Nested(OwnLotOut), required=True)
    next_cursor = fields.String(allow_none=True)
