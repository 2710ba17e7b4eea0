"""Checkout Sessions: an intent is made when the buyer submits the hosted page, not before."""

import re

from .payments import attempt, cancel, check_amount, fail, new_intent, succeed
from .problems import Refusal, invalid
from .store import Body
from .world import Request, World, listing

HALF_HOUR, DAY = 1800, 86_400
LOCALE = re.compile(
    "auto|bg|cs|da|de|el|en|en-GB|es|es-419|et|fi|fil|fr|fr-CA|hi-IN|hr|hu|id|it|ja|ko|lt|lv|ms|mt|nb|nl|pl|pt|pt-BR|ro|ru|sk|sl"
    "|sv|th|tr|vi|zh|zh-HK|zh-TW"
)


def create_session(world: World, request: Request) -> Body:
    """POST /v1/checkout/sessions."""
    params = request.params
    if params.get("mode") != "payment":
        raise invalid("Only mode=payment is offered here.", "mode")
    if params.get("ui_mode", "hosted_page") not in ("hosted_page", "hosted"):
        raise invalid("Only the hosted page is offered here.", "ui_mode")
    for name in ("success_url", "line_items"):
        if not params.get(name):
            raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    if not LOCALE.fullmatch(params.get("locale", "auto")):
        raise invalid(f"Invalid locale: must be one of {LOCALE.pattern.replace('|', ', ')}", "locale")
    now = world.seconds()
    expires = params.get("expires_at", now + DAY)
    if not now + HALF_HOUR <= expires <= now + DAY + 60:
        raise invalid("The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", "expires_at")
    lines, currency = _lines(params["line_items"])
    total = sum(line["amount_total"] for line in lines)
    check_amount(total, currency, "line_items")
    session = world.new(
        "checkout.session",
        "cs_test",
        amount_total=total,
        amount_subtotal=total,
        currency=currency,
        mode="payment",
        status="open",
        payment_status="unpaid",
        payment_intent=None,
        url=None,
        expires_at=expires,
        success_url=params["success_url"],
        cancel_url=params.get("cancel_url"),
        client_reference_id=params.get("client_reference_id"),
        customer=params.get("customer"),
        customer_email=params.get("customer_email"),
        customer_details=None,
        metadata=params.get("metadata") or {},
        ui_mode="hosted_page",
        locale=params.get("locale"),
        payment_method_types=["card", "sepa_debit"],
        _intent=params.get("payment_intent_data") or {},
        _lines=lines,
        _due_at=expires,
    )
    session["url"] = f"{world.options.public_url}/c/pay/{session['id']}"
    world.store.save(session)
    return session


def _lines(items: list[Body]) -> tuple[list[Body], str]:
    lines, currencies = [], set()
    for number, item in enumerate(items):
        price = item.get("price_data")
        if not price or "unit_amount" not in price or not price.get("product_data"):
            raise invalid("price_data with unit_amount and product_data is needed.", f"line_items[{number}]")
        quantity = item.get("quantity", 1)
        currencies.add(price["currency"])
        lines.append(
            {
                "id": f"li_{number}",
                "object": "item",
                "description": price["product_data"]["name"],
                "quantity": quantity,
                "currency": price["currency"],
                "amount_total": price["unit_amount"] * quantity,
            }
        )
    if len(currencies) != 1:
        raise invalid("All line items must have the same currency.", "line_items")
    return lines, currencies.pop()


def retrieve_session(world: World, request: Request) -> Body:
    """GET /v1/checkout/sessions/ID."""
    return world.need("checkout.session", request.ids[0])


def list_sessions(world: World, request: Request) -> Body:
    """GET /v1/checkout/sessions."""
    return listing(world, request, "checkout.session", payment_intent="payment_intent", status="status")


def list_lines(world: World, request: Request) -> Body:
    """GET /v1/checkout/sessions/ID/line_items."""
    session = world.need("checkout.session", request.ids[0])
    return {"object": "list", "data": session["_lines"], "has_more": False, "url": request.path}


def expire_session(world: World, request: Request) -> Body:
    """POST /v1/checkout/sessions/ID/expire."""
    session = world.need("checkout.session", request.ids[0])
    if session["status"] != "open":
        raise Refusal(
            400,
            f"Only Checkout Sessions with a status in ['open'] can be expired. This one is {session['status']}.",
            code="checkout_session_not_open",
        )
    expire(world, session)
    return session


def expire(world: World, session: Body) -> None:
    """Close a session; its intent, if any, is cancelled with it."""
    session.update(status="expired", url=None, _due_at=None)
    world.store.save(session)
    intent = world.store.get("payment_intent", session["payment_intent"]) if session["payment_intent"] else None
    if intent and intent["status"] != "canceled":
        cancel(world, intent, "abandoned")
    world.tell("checkout.session.expired", session)


def pay(world: World, session: Body, method: "object", email: str | None) -> Body:
    """The buyer submitted the page: make the intent if there is none, try the method, close the session if it took."""
    if session["status"] != "open":
        raise Refusal(400, f"This session is {session['status']}.")
    if session["payment_intent"]:
        intent = world.need("payment_intent", session["payment_intent"])
    else:
        data = session["_intent"]
        intent = new_intent(
            world,
            {
                **data,
                "amount": session["amount_total"],
                "currency": session["currency"],
                "return_url": session["success_url"],
                "_session": session["id"],
            },
        )
        session["payment_intent"] = intent["id"]
    session["customer_details"] = {"email": email or session["customer_email"]}
    world.store.save(session)
    attempt(world, intent, method)  # type: ignore[arg-type]
    after_attempt(world, intent)
    return intent


def after_attempt(world: World, intent: Body) -> Body | None:
    """Close the session of an intent that took; returns it."""
    session = world.store.get("checkout.session", intent["_session"]) if intent["_session"] else None
    if session is None or intent["status"] not in ("succeeded", "processing", "requires_capture"):
        return session
    if session["status"] == "open":
        paid = intent["status"] == "succeeded"
        session.update(status="complete", url=None, payment_status="paid" if paid else "unpaid", _due_at=None)
        world.store.save(session)
        world.tell("checkout.session.completed", session)
    return session


def answer_challenge(world: World, intent: Body, approved: bool) -> None:
    """The buyer answered the 3-D Secure step."""
    if intent["status"] != "requires_action":
        raise Refusal(400, f"This payment is {intent['status']}.")
    if not approved:
        fail(world, intent, "authentication_failed")
    elif intent["_after_action"] == "decline":
        fail(world, intent, intent["_method"]["reason"])
    else:
        succeed(world, intent)
        after_attempt(world, intent)


def settle_delayed(world: World, intent: Body, outcome: str) -> None:
    """A delayed method came to its end, days later."""
    if intent["status"] != "processing":
        raise Refusal(400, f"This payment is {intent['status']}.")
    if outcome == "ok":
        succeed(world, intent)
    else:
        fail(world, intent, intent["_method"]["reason"] or "debit_not_authorized")
    session = world.store.get("checkout.session", intent["_session"]) if intent["_session"] else None
    if session:
        session["payment_status"] = "paid" if outcome == "ok" else "unpaid"
        world.store.save(session)
        world.tell(f"checkout.session.async_payment_{'succeeded' if outcome == 'ok' else 'failed'}", session)


def tick(world: World) -> None:
    """What happens by the clock alone: sessions expire, delayed payments settle."""
    due = "json_extract(body, '$._due_at') <= ?"
    for session in world.store.find("checkout.session", due, world.seconds()):
        expire(world, session)
    for intent in world.store.find("payment_intent", due, world.seconds()):
        if intent["status"] == "requires_capture":
            cancel(world, intent, "expired")  # `automatic` until 2025-03-31.basil
            world.tell("charge.expired", world.need("charge", intent["latest_charge"]))
        else:
            settle_delayed(world, intent, intent["_later"])
