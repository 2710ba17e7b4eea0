"""A producer's lots: what was harvested or made, what was made from it, and the page that everybody sees."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from flask import Blueprint, current_app, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from market.http import forms, links, own_texts, sending
from market.http.auth import access, current_actor
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.i18n import told
from market.http.problems import sentence
from market.kernel import paging
from market.kernel.actor import Actor
from market.kernel.errors import DomainError, Missing
from market.kernel.ids import new_id
from market.kernel.words import N_
from market.producers import queries as producers
from market.producers.queries import CoopView, ProducerView
from market.provenance import queries, service
from market.provenance.errors import EventRefused, LotMissing
from market.provenance.queries import LotView, PlaceView
from market.provenance.rules.identifiers import IdHost
from market.provenance.service import NewLot
from market.web.trace import PROCESSES, UNITS

blueprint = Blueprint("producer_lots", __name__, url_prefix="/producer/lots")

PAGE = 30
WORK = ("washed", "natural", "hulled", "fermented", "roasted", "blended", "dyed", "woven", "packed", "other")
KINDS = (
    ("harvest", _l("A harvest"), _l("Something that grew: cherries, beans, fruit, honey.")),
    ("craft", _l("A batch made by hand"), _l("Cloth, baskets, soap: something that you made.")),
)


@dataclass(slots=True)
class Sent:
    """What came in with a form, and what is wrong with it: one sentence per field."""

    form: MultiDict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, label: str = "", *, limit: int = 120) -> str:
        """Return a text; with a label it must be there."""
        value = self.form.get(name, "").strip()
        if label and not value:
            self.errors[name] = _("Please fill in: %(label)s.", label=label)
        if len(value) > limit:
            self.errors[name] = _("At most %(limit)s characters, please.", limit=limit)
        return value[:limit]

    def number(self, name: str, label: str = "", *, grouped: bool = True) -> Decimal | None:
        """Return a number as people write it; degrees have no thousands, so they are not `grouped`."""
        value = self.text(name, label)
        if not value:
            return None
        try:
            return forms.read_number(value, grouped=grouped)
        except ValueError as refusal:
            self.errors[name] = told(forms.no_number(refusal, N_("Write a number such as 12.5.")))
            return None

    def day(self, name: str, label: str = "") -> date | None:
        """Return a day."""
        value = self.text(name, label)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            self.errors[name] = _("Write a day such as 2026-06-12.")
            return None

    def key(self) -> UUID:
        """Return the key that makes sending the same form twice harmless."""
        try:
            return UUID(self.form.get("key", ""))
        except ValueError:
            return new_id()


@blueprint.get("")
@access("producer")
def index() -> ResponseReturnValue:
    """List the producer's lots, newest first."""
    actor, cursor = current_actor(), request.args.get("cursor")
    with unit_of_work() as session:
        found = queries.lots_of(session, **_own(actor), before=_before(cursor), limit=PAGE + 1)
    lots = found[:PAGE]
    more = paging.encode([lots[-1].recorded_at.isoformat(), lots[-1].id]) if len(found) > PAGE else None
    return render_template("producer/lots.html", lots=lots, more=more, first=cursor is None, units=UNITS, processes=PROCESSES)


@blueprint.get("/new")
@access("producer")
def new() -> ResponseReturnValue:
    """Show the form for a harvest or a craft batch."""
    with unit_of_work() as session:
        return _form(session, Sent(MultiDict({"kind": "harvest", "uom": "KGM", "on": _today(session)})))


@blueprint.post("/new")
@access("producer")
def create() -> ResponseReturnValue:
    """Record a harvest or a craft batch."""
    sent, actor = Sent(request.form), current_actor()
    written = _written(sent)
    kind = request.form.get("kind", "")
    if kind not in [one[0] for one in KINDS]:
        sent.errors["kind"] = _("Choose what it is.")
    try:
        with unit_of_work() as session:
            if (before := sending.answered(session)) is not None:
                return before
            coop, producer = _who(session, actor)
            place_id = _place(session, sent, coop, producer)
            if written is None or place_id is None or sent.errors:
                return _form(session, sent), 422
            lot = service.record_lot(
                session,
                actor=actor,
                host=_host(),
                coop_id=coop.id,
                producer_id=producer.id,
                kind=kind,
                new=written,
                place_id=place_id,
                zone=coop.time_zone,
                now=now(),
                form_key=sent.key(),
            )
            answer = sending.done(session, url_for("producer_lots.show", lot_id=lot.id))
    except DomainError as error:
        return _again(sent, error)
    flash(_("Recorded. Everybody can see where it comes from now."), "good")
    return answer


@blueprint.get("/from")
@access("producer")
def rework() -> ResponseReturnValue:
    """Show the form for a lot made from others."""
    with unit_of_work() as session:
        chosen = {f"take-{request.args['lot']}": ""} if "lot" in request.args else {}
        return _form(session, Sent(MultiDict({"uom": "KGM", "on": _today(session), **chosen})), rework=True)


@blueprint.post("/from")
@access("producer")
def transform() -> ResponseReturnValue:
    """Record that a lot was made from others."""
    sent, actor = Sent(request.form), current_actor()
    written = _written(sent)
    process = request.form.get("process", "")
    if process not in WORK:
        sent.errors["process"] = _("Choose what was done.")
    inputs = _inputs(sent)
    try:
        with unit_of_work() as session:
            if (before := sending.answered(session)) is not None:
                return before
            coop, producer = _who(session, actor)
            place_id = _place(session, sent, coop, producer)
            if written is None or place_id is None or sent.errors:
                return _form(session, sent, rework=True), 422
            lot = service.record_transformation(
                session,
                actor=actor,
                host=_host(),
                coop_id=coop.id,
                producer_id=producer.id,
                process=process,
                inputs=inputs,
                new=written,
                place_id=place_id,
                zone=coop.time_zone,
                now=now(),
                form_key=sent.key(),
            )
            answer = sending.done(session, url_for("producer_lots.show", lot_id=lot.id))
    except DomainError as error:
        return _again(sent, error, [str(lot_id) for lot_id, _quantity in inputs])
    flash(_("Recorded. The new lot carries the shares of its origins."), "good")
    return answer


@blueprint.get("/<uuid:lot_id>")
@access("producer")
def show(lot_id: UUID) -> ResponseReturnValue:
    """Show one of the producer's lots: its state, its events, the address of its public page."""
    with unit_of_work() as session:
        lot = queries.own_lot(session, lot_id, actor=current_actor())
        events = queries.events_naming(session, uris=[lot.uri], limit=100)
    address = links.public(url_for("trace.short", slug=lot.slug, lang=None))
    return render_template("producer/lot.html", lot=lot, events=events, address=address, units=UNITS, processes=PROCESSES)


@blueprint.get("/<uuid:lot_id>/texts")
@access("producer")
def texts(lot_id: UUID) -> ResponseReturnValue:
    """Show a lot's name in the languages that there are, to add more."""
    return _texts(lot_id, {})


@blueprint.post("/<uuid:lot_id>/texts")
@access("producer")
def save_texts(lot_id: UUID) -> ResponseReturnValue:
    """Keep the producer's own translations of a lot's name."""
    then = url_for("producer_lots.show", lot_id=lot_id)
    return own_texts.keep(service.set_lot_texts, {"lot_id": lot_id}, again=lambda errors: _texts(lot_id, errors), then=then)


def _texts(lot_id: UUID, errors: Mapping[str, str]) -> str:
    with unit_of_work() as session:
        lot = queries.own_lot(session, lot_id, actor=current_actor())
        stored = producers.own_texts(session, "lot", [lot_id])[lot_id]
    return own_texts.show(stored, errors, back=url_for("producer_lots.show", lot_id=lot_id), title=lot.name)


def _own(actor: Actor) -> dict[str, UUID]:
    if actor.coop_id is None or actor.producer_id is None:
        raise LotMissing(_("Only a member of a co-op has lots here."))
    return {"coop_id": actor.coop_id, "producer_id": actor.producer_id}


def _before(cursor: str | None) -> tuple[datetime, UUID] | None:
    if not cursor:
        return None
    recorded_at, lot_id = paging.decode(cursor, 2)
    try:
        return datetime.fromisoformat(recorded_at), UUID(lot_id)
    except ValueError as error:
        raise paging.BadCursor(_("This page link is not valid any more. Start the list again.")) from error


def _host() -> IdHost:
    return IdHost(current_app.extensions["settings"].id_url)


def _today(session: Session) -> str:
    """Return the day it is where the co-op is: in its evening, that of UTC is tomorrow, and would be refused."""
    return today(_who(session, current_actor())[0].time_zone).isoformat()


def _who(session: Session, actor: Actor) -> tuple[CoopView, ProducerView]:
    own = _own(actor)
    return producers.coop(session, own["coop_id"]), producers.producer(session, own["producer_id"])


def _written(sent: Sent) -> NewLot | None:
    """Return what the person wrote about the new lot, None when something is missing or cannot be read."""
    name, label = sent.text("name", _("what it is")), sent.text("label", limit=40)
    variety = sent.text("variety", limit=80)
    quantity, on = sent.number("quantity", _("how much")), sent.day("on", _("when"))
    from_on, net = sent.day("from_on"), sent.number("net_kg")
    uom = sent.form.get("uom", "")
    if uom not in UNITS:
        sent.errors["uom"] = _("Choose a unit.")
    if sent.errors or quantity is None or on is None:
        return None
    return NewLot(name=name, quantity=quantity, uom=uom, on=on, from_on=from_on, label=label, variety=variety, net_kg=net)


def _inputs(sent: Sent) -> list[tuple[UUID, Decimal]]:
    found = []
    for name, value in sent.form.items():
        if name.startswith("take-") and value.strip():
            quantity = sent.number(name)
            try:
                lot_id = UUID(name.removeprefix("take-"))
            except ValueError:
                continue
            if quantity is not None:
                found.append((lot_id, quantity))
    return found


def _place(session: Session, sent: Sent, coop: CoopView, producer: ProducerView) -> UUID | None:
    """Return the place that was newly named, else chosen; a new one is registered only when nothing else is wrong."""
    chosen = sent.form.get("place", "")
    known = {str(place.id): place for place in _places(session, coop, producer)}
    if chosen in known and not sent.form.get("place_name", "").strip():
        return known[chosen].id
    name, region = sent.text("place_name", _("where it happened"), limit=80), sent.text("place_region", limit=80)
    latitude, longitude = (sent.number(name, grouped=False) for name in ("latitude", "longitude"))
    if (latitude is None) != (longitude is None):
        sent.errors["longitude"] = _("Write both numbers of the point, or none.")
    if latitude is not None and longitude is not None and not (abs(latitude) <= 90 and abs(longitude) <= 180):
        sent.errors["latitude"] = _("A point lies within 90 degrees north or south and 180 east or west.")
    if sent.errors:
        return None
    place = service.ensure_place(
        session,
        host=_host(),
        coop_id=coop.id,
        producer_id=producer.id,
        name=name,
        region=region or producer.region,
        country=coop.country,
        latitude=latitude,
        longitude=longitude,
    )
    return place.id


def _places(session: Session, coop: CoopView, producer: ProducerView) -> list[PlaceView]:
    return queries.places_of(session, coop_id=coop.id, producer_id=producer.id)


def _form(session: Session, sent: Sent, *, rework: bool = False) -> str:
    """Draw a form with what was typed; inputs are the producer's lots that have something left."""
    coop, producer = _who(session, current_actor())
    lots: list[LotView] = queries.lots_of(session, coop_id=coop.id, producer_id=producer.id, limit=200) if rework else []
    places = [(str(place.id), place.name) for place in _places(session, coop, producer)]
    return render_template(
        "producer/lot_from.html" if rework else "producer/lot_new.html",
        form=sent.form,
        errors=sent.errors,
        kinds=KINDS,
        work=[(code, PROCESSES[code]) for code in WORK],
        lots=[lot for lot in lots if lot.left > 0 and not lot.withdrawn_at],
        places=places,
        region=producer.region,
        units=UNITS,
    )


_FIELDS = {"quantity": "quantity", "uom": "uom", "on": "on", "from_on": "from_on", "place_id": "place", "inputs": "inputs"}


def _again(sent: Sent, error: DomainError, inputs: list[str] | None = None) -> ResponseReturnValue:
    """Show the form again with each refusal beside its field."""
    if isinstance(error, Missing) and error.pointer is None:
        raise error
    faults = error.faults if isinstance(error, EventRefused) else []
    for one in faults:
        parts = one.pointer.split("/")
        name = "quantity"
        if parts[1] == "inputQuantityList" and inputs and len(parts) > 2:
            name = f"take-{inputs[int(parts[2])]}"
        sent.errors.setdefault(name, sentence(told(one.detail)))
    if not faults:
        sent.errors[_FIELDS.get((error.pointer or "").strip("/"), "quantity")] = told(error.detail)
    with unit_of_work() as session:
        return _form(session, sent, rework=inputs is not None), 422
