"""What calls about invoices and credit notes give."""

from marshmallow import fields

from market.api.openapi import MoneySchema, Strict


class InvoiceOut(Strict):
    """An issued document; `pdf` is the path of the document as it was printed."""

    id = fields.UUID()
    kind = fields.String()
    number = fields.String()
    order_id = fields.UUID()
    coop_id = fields.UUID()
    issued_on = fields.Date()
    total = fields.Nested(MoneySchema)
    pdf = fields.String()


class InvoicesOut(Strict):
    """What was issued for an order, oldest first."""

    items = fields.List(fields.Nested(InvoiceOut))


class InvoiceLineOut(Strict):
    """A line: amounts in minor units of the document's currency, `net_minor` without tax."""

    title = fields.String()
    supply = fields.String()
    quantity = fields.String()
    unit = fields.String()
    unit_net = fields.String()
    net_minor = fields.Integer()
    tax_minor = fields.Integer()


class InvoiceTaxOut(Strict):
    """Tax at one rate (percent) on one kind of supply."""

    rate = fields.String()
    supply = fields.String()
    net_minor = fields.Integer()
    tax_minor = fields.Integer()


class InvoiceFactsOut(Strict):
    """All that is printed on a document, frozen when it was issued. `corrects` names the invoice of a credit note."""

    language = fields.String()
    corrects = fields.String()
    reason = fields.String()
    issuer = fields.String()
    issuer_address = fields.List(fields.String())
    buyer = fields.String()
    buyer_address = fields.List(fields.String())
    currency = fields.String()
    net_minor = fields.Integer()
    tax_minor = fields.Integer()
    total_minor = fields.Integer()
    lines = fields.List(fields.Nested(InvoiceLineOut))
    taxes = fields.List(fields.Nested(InvoiceTaxOut))


class InvoiceDetailOut(InvoiceOut):
    """A document with its frozen facts."""

    facts = fields.Nested(InvoiceFactsOut)
