"""What the provenance part of the API takes and gives."""

from marshmallow import Schema, fields, validate

from market.api.openapi import Strict


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
    variety = fields.String(required=True)
    process = fields.String(required=True)
    uom = fields.String(required=True)
    produced = fields.String(required=True)
    made_from_on = fields.String(required=True, allow_none=True)
    made_on = fields.String(required=True, allow_none=True)
    recorded_at = fields.String(required=True)
    withdrawn = fields.String(required=True, allow_none=True)
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
