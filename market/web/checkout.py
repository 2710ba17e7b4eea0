"""From the basket to a placed order: as guest or member, nothing retyped after an error, paid on a hosted page or by transfer."""

from decimal import Decimal, InvalidOperation
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.accounts import queries as accounts
from market.accounts.rules import checked_email
from market.http import forms, own_texts
from market.http.auth import access, current_actor
from market.http.buyers import caller
from market.http.card_page import order_url, to_card_page
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.i18n import countries, letter_language, told
from market.kernel import direct, idempotency, locks, postcodes
from market.kernel.errors import DomainError
from market.kernel.ids import new_id
from market.kernel.languages import country_codes
from market.kernel.money import total
from market.kernel.words import N_
from market.orders import queries, service
from market.orders.errors import QuantityFaulty
from market.orders.service import Buyer, WantedLine
from market.producers import queries as producers
from market.web.shares import Seller, arrives, by_seller, together

blueprint = Blueprint("checkout", __name__)
FIELDS = ("name", "email", "street", "building", "postcode", "town", "country")


def basket_id(make: bool = False) -> UUID | None:
    """Return the id of this session's basket; made on the first line that goes in."""
    found = session.get("basket")
    if found is None and make:
        found = session["basket"] = str(new_id())
    return UUID(found) if found else None


def _quantity(text: str) -> Decimal:
    try:
        value = forms.read_number(text)
    except ValueError as refusal:
        words = forms.no_number(refusal, N_("Please enter the quantity as a number."))
        raise QuantityFaulty(words, pointer="/quantity") from None
    if abs(value) >= 10**9:
        raise QuantityFaulty(_("Please enter the quantity as a number."), pointer="/quantity")
    return value


def _seen(text: str | None) -> Decimal | None:
    """The price that the page showed; what is no number is a price that nobody saw, and so not today's."""
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return Decimal(-1)


@blueprint.get("/basket")
@access("public")
def basket() -> ResponseReturnValue:
    """Show the basket, grouped by currency and producer."""
    return _basket_page()


def _basket_page(errors: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    with unit_of_work() as work:
        items = queries.basket(work, basket_id())
        people = producers.producers_by_id(work, {item.offer.producer_id for item in items if item.offer})
        coops = producers.coops_by_id(work, {item.offer.coop_id for item in items if item.offer})
        titles = own_texts.titles(work, {item.listing_id: item.offer.title for item in items if item.offer})
    groups = by_seller(items, people, coops)
    session["lines"] = len(items)
    page = render_template(
        "checkout/basket.html",
        groups=groups,
        titles=titles,
        sums={currency: _sum(currency, sellers) for currency, sellers in groups.items()},
        gone=[item for item in items if item.offer is None],
        errors=errors or {},
        typed=request.form if errors else {},
    )
    return page, status


def _sum(currency: str, sellers: list[Seller]) -> dict[str, object]:
    lines = [line for seller in sellers for line in seller.lines]
    return {
        "total": total([seller.total for seller in sellers], currency),
        "shares": together(line.parts for line in lines),
        "available": all(line.item.available for line in lines),
    }


@blueprint.post("/basket/lines")
@access("public")
def add_line() -> ResponseReturnValue:
    """Put a quantity of a listing into the basket."""
    try:
        listing_id = UUID(request.form.get("listing_id", ""))
    except ValueError:
        return redirect(url_for("checkout.basket"), 303)
    try:
        quantity = _quantity(request.form.get("quantity", "1"))
        with unit_of_work() as work:
            target = basket_id(make=True)
            assert target is not None
            service.set_line(work, basket_id=target, listing_id=listing_id, quantity=quantity, now=now(), add=True)
            session["lines"] = len(queries.basket(work, target))
        flash(_("It is in your basket."), "good")
    except QuantityFaulty:  # the listing says so beside the field
        typed = request.form.get("quantity", "")
        return redirect(url_for("shop.listing", listing_id=listing_id, quantity=typed, _anchor="f-quantity"), 303)
    except DomainError as error:
        flash(told(error.detail), "bad")
    return redirect(url_for("checkout.basket"), 303)


@blueprint.post("/basket")
@access("public")
def change_basket() -> ResponseReturnValue:
    """Change quantities or take lines out: one field `quantity-<listing>` per line, or `remove` with a listing's id."""
    target = basket_id()
    if target is None:
        return redirect(url_for("checkout.basket"), 303)
    errors: dict[str, str] = {}
    for name, text in request.form.items():
        if not name.startswith("quantity-"):
            continue
        listing = name.removeprefix("quantity-")
        try:
            wanted = Decimal(0) if request.form.get("remove") == listing else _quantity(text or "0")
            with unit_of_work() as work:
                service.set_line(work, basket_id=target, listing_id=UUID(listing), quantity=wanted, now=now())
        except (DomainError, ValueError) as error:
            errors[name] = told(error.detail) if isinstance(error, DomainError) else _("This line cannot be changed.")
    if errors:
        return _basket_page(errors, 422)
    return redirect(url_for("checkout.basket"), 303)


@blueprint.get("/checkout")
@access("public")
def checkout() -> ResponseReturnValue:
    """Show the one page on which an order is placed."""
    return _checkout_page({}, {}, 200)


def _lines(items: list[queries.BasketItem], currency: str) -> list[queries.BasketItem]:
    return [item for item in items if item.offer is not None and item.offer.currency == currency]


def _checkout_page(errors: dict[str, str], typed: dict[str, str], status: int) -> ResponseReturnValue:
    currency = request.values.get("currency", "")
    actor = current_actor()
    with unit_of_work() as work:
        items = queries.basket(work, basket_id())
        currencies = sorted({item.offer.currency for item in items if item.offer})
        currency = currency if currency in currencies else (currencies[0] if currencies else "")
        lines = _lines(items, currency)
        if not lines:
            return _nothing_left()
        try:
            quote = service.quote(work, wanted=[WantedLine(line.listing_id, line.quantity) for line in lines], now=now())
        except DomainError as error:
            flash(told(error.detail), "bad")
            return redirect(url_for("checkout.basket"), 303)
        sellers = producers.producers_by_id(work, {line.offer.producer_id for line in lines if line.offer})
        titles = own_texts.titles(work, {line.listing_id: line.offer.title for line in lines if line.offer})
        known = {"email": session.get("email", ""), "name": actor.name, "country": ""} | _known(work, actor.account_id)
    page = render_template(
        "checkout/checkout.html",
        quote=quote,
        sellers=sellers,
        titles=titles,
        currency=currency,
        errors=errors,
        form=known | typed,
        postcode=postcodes.example((known | typed)["country"]),
        guest=actor.account_id is None,
        countries=countries(),
        shares=together(line.parts for line in quote.lines),
        arrivals=[(coop, arrives(coop)) for coop in quote.coops.values()],
    )
    return page, status


def _nothing_left() -> ResponseReturnValue:
    """Lead on from a checkout without a basket: after an order, sent from another window, to that order."""
    if request.method == "GET":
        return redirect(url_for("checkout.basket"), 303)
    if ordered := session.get("ordered"):
        flash(_("Your basket is empty: what was in it is ordered. This is the order."), "info")
        return redirect(order_url(UUID(ordered)), 303)
    flash(_("Your basket is empty, so nothing was ordered now. If you ordered in another window, the order stands there."), "bad")
    return redirect(url_for("checkout.basket"), 303)


def _known(work: Session, account_id: UUID | None) -> dict[str, str]:
    """Return what a member need not type again: what the last order was given, else the address of the account."""
    if account_id is None:
        return {}
    return queries.given_last(work, account_id) or {"email": accounts.person(work, account_id).email}


@blueprint.post("/checkout")
@access("public")
def place() -> ResponseReturnValue:
    """Place the order, then go to the card page or to the instructions for the transfer."""
    form = {name: request.form.get(name, "").strip() for name in (*FIELDS, "method", "currency")}
    errors = _form_errors(form)
    if errors:
        return _checkout_page(errors, form, 422)
    target = basket_id()
    if target is None:
        return redirect(url_for("checkout.basket"), 303)
    try:
        with unit_of_work() as work:
            direct.plan_once(work)
            order_id, payment_id, method = _placed_once(work, target, form)
    except DomainError as error:
        return _checkout_page({"order": told(error.detail)}, form, 409)
    session["email"], session["ordered"] = form["email"], order_id
    if method == "card":
        return to_card_page(UUID(order_id), UUID(payment_id))
    return redirect(order_url(UUID(order_id)), 303)


def _placed_once(work: Session, target: UUID, form: dict[str, str]) -> tuple[str, str, str]:
    """Place what lies in the basket: order, payment and method; the same form again gets the same, whatever else it says now.

    Whoever sends a form of the same basket meanwhile waits, and finds the basket as this leaves it.
    """
    locks.turn(work, locks.Turn.CHECKOUT, target)
    key, scope = request.form.get("key", "")[:200], f"checkout:{target}"
    before = idempotency.recall(work, scope=scope, key=key, payload={}) if key else None
    if before:
        placed = before[1]
        return placed["order"], placed["payment"], placed["method"]
    lines = _lines(queries.basket(work, target), form["currency"])
    prices = {name.removeprefix("seen-"): text for name, text in request.form.items() if name.startswith("seen-")}
    wanted = [WantedLine(line.listing_id, line.quantity, _seen(prices.get(str(line.listing_id)))) for line in lines]
    buyer = Buyer(**{name: form[name] for name in FIELDS}, locale=letter_language())
    made = service.place_order(
        work, actor=current_actor(), wanted=wanted, buyer=buyer, method=form["method"], now=now(), caller=caller()
    )
    service.clear_basket(work, basket_id=target, listing_ids=[line.listing_id for line in lines])
    session["lines"] = len(queries.basket(work, target))
    placed = {"order": str(made.order_id), "payment": str(made.payment_id), "method": form["method"]}
    if key:
        idempotency.remember(work, scope=scope, key=key, payload={}, status=303, body=placed, now=now())
    return placed["order"], placed["payment"], placed["method"]


def _form_errors(form: dict[str, str]) -> dict[str, str]:
    words = {
        "name": _("Please enter the name of who receives it."),
        "street": _("Please enter the street."),
        "town": _("Please enter the town."),
        "country": _("Please choose the country."),
        "method": _("Please choose how you pay."),
    }
    errors = {name: sentence for name, sentence in words.items() if not form[name]}
    long = _("This is too long: at most %(limit)s characters.", limit=200)
    errors |= {name: long for name in FIELDS if len(form[name]) > 200}
    form["country"] = form["country"].upper()
    if form["country"] not in country_codes():
        errors["country"] = words["country"]
    checks = {
        "email": lambda: checked_email(form["email"]),
        "postcode": lambda: postcodes.checked(form["postcode"], form["country"], needed=True),
    }
    for name, check in checks.items():
        try:
            form[name] = check()
        except DomainError as error:
            errors[name] = told(error.detail)
    if form["method"] not in ("card", "transfer"):
        errors["method"] = words["method"]
    return errors
