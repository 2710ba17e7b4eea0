"""The public page of a lot: what it is, who made it, its journey with grades of evidence, who got what (provenance.md 9).

No account, no script, no third party. The page is the stored document of the lot in words; what was rendered for one
document is kept in the process, so an unchanged lot costs one read by key.
"""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import segno
from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from market.http import own_texts
from market.http.auth import access
from market.http.conditional import ready
from market.http.db import reading, unit_of_work
from market.http.i18n import language, told, told_check
from market.kernel.money import Money
from market.pricing import queries as pricing
from market.producers.queries import OwnTexts, Text
from market.provenance.errors import LotMissing
from market.provenance.rules.identifiers import canonical_slug
from market.reports.queries.lot_page import current_page
from market.web.map import sheet

blueprint = Blueprint("trace", __name__)

STEPS = {
    "commissioning": _l("Recorded for the first time"),
    "accepting": _l("Handed over to the co-op"),
    "creating_class_instance": _l("Made into something new"),
    "inspecting": _l("Inspected"),
    "sampling": _l("Sampled"),
    "packing": _l("Packed for the way"),
    "unpacking": _l("Unpacked"),
    "shipping": _l("Sent"),
    "receiving": _l("Arrived"),
    "storing": _l("Stored"),
    "retail_selling": _l("Sold"),
    "void_shipping": _l("Shipment called back"),
    "destroying": _l("Destroyed"),
}
PROCESSES = {
    "harvest": _l("Harvested"),
    "craft": _l("Made by hand"),
    "washed": _l("Washed and dried"),
    "natural": _l("Dried in the fruit"),
    "hulled": _l("Hulled"),
    "roasted": _l("Roasted"),
    "packed": _l("Packed"),
    "blended": _l("Blended"),
    "fermented": _l("Fermented"),
    "dyed": _l("Dyed"),
    "woven": _l("Woven"),
    "other": _l("Worked further"),
}
GRADES = {
    "nothing": _l("nothing recorded"),
    "one": _l("stated by one side"),
    "both": _l("confirmed by the other side"),
    "third": _l("confirmed by a third party"),
}
UNITS = {"KGM": _l("kg"), "GRM": _l("g"), "LTR": _l("l"), "MTR": _l("m"), "H87": _l("pieces")}
FIELDS = {
    "bizTransactionList": _l("documents"),
    "quantityList": _l("quantity"),
    "readPoint": _l("place"),
    "eventTime": _l("time"),
}
PARTS = {
    "producer_goods": _l("Producer"),
    "organic_differential": _l("Organic differential"),
    "premium": _l("Fair-trade premium"),
    "coop_service": _l("Service of the co-op"),
    "processing": _l("Processing"),
    "export": _l("Export"),
    "inland_transport": _l("Transport"),
    "freight": _l("Freight"),
    "platform_fee": _l("This market"),
    "payment_fee": _l("Payment"),
    "deposit": _l("Deposit, comes back"),
    "tax": _l("Tax"),
    "discount": _l("Discount"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the price as the breakdown draws it."""

    kind: str
    label: str
    money: Money


@blueprint.get("/lots/<slug>")
@access("public")
def lot(slug: str) -> BaseResponse:
    """Show a lot to anybody."""
    known = canonical_slug(slug)
    if known is None:
        raise LotMissing(_("No lot has this address. One character is probably mistyped: a lot's address carries its own check."))
    if known != slug:
        return redirect(url_for("trace.lot", slug=known), 301)
    with reading() as connection:
        document, _tag = current_page(connection, known)
    if b'"withdrawn":null' not in document:
        page = json.loads(document)
        return Response(
            render_template("trace/withdrawn.html", page=page, name=_name(page), on=_date(page.get("withdrawn_at"))), 410
        )
    locale, base = language(), current_app.extensions["settings"].public_url
    if current_app.config["SESSION_COOKIE_NAME"] not in request.cookies:
        return ready(_page(document, locale, base), content_type="text/html; charset=utf-8")
    return Response(render_template("trace/lot.html", body=_body(document, locale, base), title=_title(document)))


@blueprint.get("/l/<slug>")
@blueprint.get("/L/<slug>", endpoint="printed")
@access("public")
def short(slug: str) -> BaseResponse:
    """Lead from the short address, in capitals on a QR code, to the lot's page."""
    return redirect(url_for("trace.lot", slug=canonical_slug(slug) or slug), 301)


@blueprint.get("/id/class/<slug>")
@access("public")
def identifier(slug: str) -> BaseResponse:
    """Answer for a lot's identifier: the page for people, the document for programs (303, provenance.md 1)."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "application/ld+json"], "text/html")
    endpoint = "trace.lot" if best == "text/html" else "lots.lot"
    return redirect(url_for(endpoint, slug=canonical_slug(slug) or slug), 303)


@lru_cache(maxsize=256)
def _page(document: bytes, locale: str, base: str) -> bytes:
    """Return the whole page for a visitor without a session; equal documents give equal bytes."""
    return render_template("trace/lot.html", body=_body(document, locale, base), title=_title(document)).encode()


@lru_cache(maxsize=512)
def _body(document: bytes, locale: str, base: str) -> Markup:
    page = json.loads(document)
    address = f"{base}/l/{page['slug']}"
    return Markup(  # noqa: S704 (a template of ours escaped it)
        render_template(
            "trace/lot_body.html",
            page=page,
            name=_name(page),
            checks=_checks(page["checks"]),
            journey=[_stop(stop) for stop in page["journey"]],
            certificates=[_dated(row, "valid_from", "valid_to", "checked_at") for row in page["certificates"]],
            corrections=[_dated(row, "on", "declared_at") for row in page["corrections"]],
            made=_dated(page, "made_from_on", "made_on"),
            sheet=sheet([(place["longitude"], place["latitude"]) for place in page["places"]]),
            split=[_split(sold) for sold in page["split"]],
            qr=Markup(_qr(address)),  # noqa: S704 (segno draws numbers)
            address=address,
            grades=GRADES,
            country=_country,
            unit=lambda code: UNITS.get(code, code),
            quantity=lambda value: Decimal(str(value)),
            fields=lambda names: ", ".join(str(FIELDS.get(name, name)) for name in names),
        )
    )


def _checks(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the price checks of the document in the reader's language: their sentences made again from what was stored."""
    if language() == "en":
        return [row | {"words": told(row["words"])} for row in rows]
    with unit_of_work() as session:
        stored = pricing.checks_by_id(session, [UUID(row["id"]) for row in rows if "id" in row])
    known = {str(check_id): told_check(check) for check_id, check in stored.items()}
    # A document from before checks had their ids in it is told by its sentences alone.
    return [row | {"words": known.get(row.get("id", "")) or told(row["words"])} for row in rows]


def _title(document: bytes) -> str:
    page = json.loads(document)
    return _name(page)[0].words


def _name(page: dict[str, Any]) -> list[own_texts.Version]:
    """Return a lot's name as its people gave it, for the reader first; a lot without one is called by its number."""
    called = page["name"] or page["label"] or page["slug"]
    texts = {code: Text(title) for code, title in page.get("names", {}).items()}  # a page stored before has none
    return own_texts.versions(called, OwnTexts(page.get("language") or "", texts), "title")


def _stop(stop: dict[str, Any]) -> dict[str, Any]:
    """Return a step with its words and its day."""
    words = PROCESSES.get(stop.get("process", "")) or stop.get("process") or STEPS.get(stop["step"])
    if stop["step"] not in ("commissioning", "creating_class_instance"):
        words = STEPS.get(stop["step"])
    return stop | {"words": str(words or stop["step"].replace("_", " ")), "day": _date(stop.get("on"))}


def _dated(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return row | {name: _date(row.get(name)) for name in names}


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


def _country(code: str) -> str:
    locale = get_locale()
    return str(locale.territories.get(code, code)) if locale else code


def _split(split: dict[str, Any]) -> dict[str, Any]:
    """Return what buyers paid so far in one currency, part by part, with the rest that no part explains."""
    currency = split["currency"]
    parts = [
        Part(part["kind"], str(PARTS.get(part["kind"], part["label"])), Money(part["minor"], currency)) for part in split["parts"]
    ]
    total = Money(split["total_minor"], currency)
    unknown = total.minor - sum(part.money.minor for part in parts)
    if unknown > 0:
        parts.append(Part("unknown", _("Not explained"), Money(unknown, currency)))
    return split | {"parts": parts, "total": total, "exceeds": unknown < 0}


@lru_cache(maxsize=512)
def _qr(address: str) -> str:
    """Draw the short address in capitals: alphanumeric mode needs a smaller symbol (provenance.md 9)."""
    code = segno.make(address.upper(), error="m", boost_error=False)
    return str(code.svg_inline(border=4, scale=4, svgclass="qr", lineclass=None, light="#fff", dark="#000"))
