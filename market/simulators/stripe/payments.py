"""PaymentIntents, charges and refunds."""

from .balance import ZERO_DECIMAL, book, fee_of
from .cards import MESSAGES, Method
from .methods import usable
from .problems import Refusal, invalid
from .store import Body
from .world import Request, World, listing

CANCELLABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")
AUTHORISED_FOR = 7 * 86_400  # seconds; then the card company lets go of the money
REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
LARGEST = 99_999_999


def check_amount(amount: int, currency: str, param: str = "amount") -> None:
    """Refuse amounts and currencies that Stripe refuses."""
    if len(currency) != 3 or not currency.isalpha() or not currency.islower():
        raise invalid(f"Invalid currency: {currency}.", "currency")
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", param, "parameter_invalid_integer")
    if amount < (1 if currency in ZERO_DECIMAL else 50):
        raise invalid("Amount must convert to at least 50 cents.", param, "amount_too_small")
    if amount > LARGEST:
        raise invalid("Amount must be no more than 999,999.99.", param, "amount_too_large")


def create_intent(world: World, request: Request) -> Body:
    """POST /v1/payment_intents."""
    params = request.params
    check_amount(params["amount"], params["currency"])
    if params.get("payment_method"):
        params["payment_method"] = usable(world, params["payment_method"])[0]
    intent = new_intent(world, params)
    if params.get("confirm"):
        _confirm(world, intent, params)
    return intent


def new_intent(world: World, params: Body) -> Body:
    """Store a new intent; nothing moves until it is confirmed."""
    capture = params.get("capture_method", "automatic_async")
    if capture not in ("automatic", "automatic_async", "manual"):
        raise invalid(f"Invalid capture_method: {capture}", "capture_method")
    intent = world.new(
        "payment_intent",
        "pi",
        amount=params["amount"],
        currency=params["currency"],
        amount_received=0,
        amount_capturable=0,
        status="requires_payment_method",
        capture_method=capture,
        confirmation_method="automatic",
        latest_charge=None,
        payment_method=params.get("payment_method"),
        payment_method_types=["card", "sepa_debit"],
        customer=params.get("customer"),
        automatic_payment_methods={"enabled": True, "allow_redirects": "always"},
        metadata=params.get("metadata") or {},
        transfer_group=params.get("transfer_group"),
        description=params.get("description"),
        canceled_at=None,
        cancellation_reason=None,
        last_payment_error=None,
        next_action=None,
        receipt_email=params.get("receipt_email"),
        return_url=params.get("return_url"),
        client_secret=None,
        _session=params.get("_session"),
    )
    intent["client_secret"] = f"{intent['id']}_secret_{intent['id'][-12:]}"
    if intent["payment_method"]:
        intent["status"] = "requires_confirmation"
    world.store.save(intent)
    world.tell("payment_intent.created", intent)
    return intent


def retrieve_intent(world: World, request: Request) -> Body:
    """GET /v1/payment_intents/ID."""
    return world.need("payment_intent", request.ids[0])


def list_intents(world: World, request: Request) -> Body:
    """GET /v1/payment_intents."""
    return listing(world, request, "payment_intent", customer="customer")


def confirm_intent(world: World, request: Request) -> Body:
    """POST /v1/payment_intents/ID/confirm."""
    intent = world.need("payment_intent", request.ids[0])
    if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
        raise _unexpected(intent, "confirm")
    _confirm(world, intent, request.params)
    return intent


def _confirm(world: World, intent: Body, params: Body) -> None:
    name = params.get("payment_method") or intent["payment_method"]
    if not name:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise Refusal(400, message, code="payment_intent_unexpected_state", payment_intent=dict(intent))
    intent["payment_method"], method = usable(world, str(name))
    intent["return_url"] = params.get("return_url", intent["return_url"])
    attempt(world, intent, method)
    error = intent["last_payment_error"]
    if error:
        raise Refusal(
            402,
            error["message"],
            kind="card_error",
            code=error["code"],
            keep=True,
            decline_code=error["decline_code"],
            charge=intent["latest_charge"],
            payment_intent=dict(intent),
        )


def attempt(world: World, intent: Body, method: Method) -> None:
    """Try `method` on an intent and leave the intent in the state that follows."""
    intent.update(last_payment_error=None, next_action=None, payment_method=intent["payment_method"] or world.store.new_id("pm"))
    intent["_method"] = {"kind": method.kind, "brand": method.brand, "last4": method.last4, "reason": method.reason}
    if method.outcome == "decline":
        fail(world, intent, method.reason)
    elif method.outcome.startswith("authenticate"):
        url = f"{world.options.public_url}/3ds/{intent['id']}"
        intent.update(
            status="requires_action",
            _after_action="decline" if method.reason else "ok",
            next_action={"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": intent["return_url"]}},
        )
        world.store.save(intent)
        world.tell("payment_intent.requires_action", intent)
    elif method.outcome.startswith("delayed") and intent["capture_method"] == "manual":
        raise Refusal(
            400, "A bank debit cannot be authorised first: capture_method is manual.", code="payment_method_not_available"
        )
    elif method.outcome.startswith("delayed"):
        charge = _new_charge(world, intent, "pending")
        due = world.seconds() + world.options.delayed_after if world.options.delayed_after else None
        intent.update(status="processing", latest_charge=charge["id"], _due_at=due, _later="fail" if method.reason else "ok")
        world.store.save(intent)
        world.tell("payment_intent.processing", intent)
    else:
        succeed(world, intent)


def _new_charge(world: World, intent: Body, status: str) -> Body:
    method = intent["_method"]
    details = {"type": method["kind"], method["kind"]: {"last4": method["last4"], "brand": method["brand"]}}
    return world.new(
        "charge",
        "ch" if method["kind"] == "card" else "py",
        amount=intent["amount"],
        amount_captured=0,
        amount_refunded=0,
        currency=intent["currency"],
        status=status,
        paid=status == "succeeded",
        captured=False,
        refunded=False,
        disputed=False,
        payment_intent=intent["id"],
        transfer_group=intent["transfer_group"],
        metadata=intent["metadata"],
        balance_transaction=None,
        description=intent["description"],
        failure_code=None,
        failure_message=None,
        payment_method=intent["payment_method"],
        payment_method_details=details,
        customer=intent["customer"],
        outcome=None,
        _transferred=0,
    )


def fail(world: World, intent: Body, reason: str) -> None:
    """Refuse the attempt; the intent waits for another method."""
    code = reason if reason in ("expired_card", "incorrect_cvc", "processing_error") else "card_declined"
    if reason == "authentication_failed":
        code = "payment_intent_authentication_failure"
    charge = world.store.get("charge", intent["latest_charge"]) if intent["status"] == "processing" else None
    charge = charge or _new_charge(world, intent, "failed")
    charge.update(status="failed", failure_code=code, failure_message=MESSAGES[reason])
    world.store.save(charge)
    error = {"type": "card_error", "code": code, "decline_code": reason, "message": MESSAGES[reason], "charge": charge["id"]}
    intent.update(
        status="requires_payment_method",
        latest_charge=charge["id"],
        last_payment_error=error,
        next_action=None,
        payment_method=None,
        _due_at=None,
    )
    world.store.save(intent)
    world.tell("charge.failed", charge)
    world.tell("payment_intent.payment_failed", intent)


def succeed(world: World, intent: Body) -> None:
    """Take the money, or authorise it when capture is manual."""
    charge = world.store.get("charge", intent["latest_charge"]) if intent["status"] == "processing" else None
    charge = charge or _new_charge(world, intent, "succeeded")
    charge.update(status="succeeded", paid=True)
    intent.update(latest_charge=charge["id"], next_action=None, last_payment_error=None, _due_at=None)
    if intent["capture_method"] == "manual":
        until = world.seconds() + AUTHORISED_FOR
        intent.update(status="requires_capture", amount_capturable=intent["amount"], _due_at=until)
        charge["payment_method_details"]["card"]["capture_before"] = until
        world.store.save(charge)
        world.store.save(intent)
        world.tell("charge.succeeded", charge)
        world.tell("payment_intent.amount_capturable_updated", intent)
    else:
        _take(world, intent, charge, intent["amount"])


def _take(world: World, intent: Body, charge: Body, amount: int) -> None:
    kind = "charge" if charge["id"].startswith("ch_") else "payment"
    charge.update(captured=True, amount_captured=amount)
    entry = book(world, kind, charge, amount, fee=fee_of(amount, charge["currency"]), wait=world.options.available_after)
    charge["balance_transaction"] = entry["id"]
    intent.update(status="succeeded", amount_received=amount, amount_capturable=0, _due_at=None)
    world.store.save(charge)
    world.store.save(intent)
    world.effect("charge", charge, payment_intent=intent["id"], metadata=intent["metadata"])
    world.tell("charge.captured" if intent["capture_method"] == "manual" else "charge.succeeded", charge)
    world.tell("payment_intent.succeeded", intent)


def capture_intent(world: World, request: Request) -> Body:
    """POST /v1/payment_intents/ID/capture."""
    intent = world.need("payment_intent", request.ids[0])
    if intent["status"] != "requires_capture":
        raise _unexpected(intent, "capture")
    amount: int = request.params.get("amount_to_capture") or intent["amount_capturable"]
    if not 1 <= amount <= intent["amount_capturable"]:
        raise Refusal(
            400, "The amount to capture exceeds what was authorised.", code="amount_too_large", param="amount_to_capture"
        )
    _take(world, intent, world.need("charge", intent["latest_charge"]), amount)
    return intent


def cancel_intent(world: World, request: Request) -> Body:
    """POST /v1/payment_intents/ID/cancel."""
    intent = world.need("payment_intent", request.ids[0])
    reason = request.params.get("cancellation_reason")
    if reason is not None and reason not in REASONS:
        raise invalid(f"Invalid cancellation_reason: {reason}", "cancellation_reason")
    if intent["_session"] and intent["status"] not in ("requires_capture", "canceled"):
        raise Refusal(
            400,
            "You cannot cancel this PaymentIntent because it belongs to a Checkout Session; expire the session.",
            code="payment_intent_unexpected_state",
        )
    return cancel(world, intent, reason)


def cancel(world: World, intent: Body, reason: str | None) -> Body:
    """Cancel an intent in which nothing has moved."""
    if intent["status"] not in CANCELLABLE or intent["status"] == "processing":
        raise _unexpected(intent, "cancel")
    intent.update(
        status="canceled",
        canceled_at=world.seconds(),
        cancellation_reason=reason,
        next_action=None,
        amount_capturable=0,
        _due_at=None,
    )
    world.store.save(intent)
    world.tell("payment_intent.canceled", intent)
    return intent


def _unexpected(intent: Body, verb: str) -> Refusal:
    message = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
    return Refusal(400, message, code="payment_intent_unexpected_state", payment_intent=dict(intent))


def retrieve_charge(world: World, request: Request) -> Body:
    """GET /v1/charges/ID."""
    return world.need("charge", request.ids[0])


def list_charges(world: World, request: Request) -> Body:
    """GET /v1/charges."""
    return listing(world, request, "charge", payment_intent="payment_intent", transfer_group="transfer_group")


def create_refund(world: World, request: Request) -> Body:
    """POST /v1/refunds: never more than is left of the charge."""
    params = request.params
    if ("charge" in params) == ("payment_intent" in params):
        raise invalid("One of charge and payment_intent is required.", "payment_intent", "parameter_missing")
    if params.get("reason") not in (None, *REASONS[:3]):
        raise invalid(f"Invalid reason: {params['reason']}", "reason")
    identity = params.get("charge")
    if identity is None:
        identity = world.need("payment_intent", params["payment_intent"], "payment_intent")["latest_charge"]
        if identity is None:
            raise Refusal(400, f"This PaymentIntent ({params['payment_intent']}) does not have a successful charge to refund.")
    charge = world.need("charge", identity, "charge")
    if not charge["captured"] or charge["status"] != "succeeded":
        raise Refusal(400, f"This {charge['object']} has not been captured.", code="charge_not_refundable")
    if any(one["status"] != "won" for one in world.store.find("dispute", "json_extract(body, '$.charge') = ?", charge["id"])):
        raise Refusal(400, f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        raise Refusal(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = params.get("amount", left)
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if amount > left:
        raise Refusal(400, f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).", param="amount")
    refund = world.new(
        "refund",
        "re",
        amount=amount,
        currency=charge["currency"],
        charge=charge["id"],
        payment_intent=charge["payment_intent"],
        status="succeeded",
        reason=params.get("reason"),
        metadata=params.get("metadata") or {},
        balance_transaction=None,
        description=None,
        failure_reason=None,
        failure_balance_transaction=None,
    )
    kind = "refund" if charge["id"].startswith("ch_") else "payment_refund"
    refund["balance_transaction"] = book(world, kind, refund, -amount)["id"]
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    world.store.save(refund)
    world.store.save(charge)
    world.effect("refund", refund, charge=charge["id"], metadata=refund["metadata"])
    world.tell("refund.created", refund)
    world.tell("charge.refunded", charge)
    return refund


def fail_refund(world: World, refund: Body) -> Body:
    """The buyer's bank sent the refund back: the money returns to the platform (control call)."""
    if refund["status"] != "succeeded":
        raise Refusal(400, f"The refund is {refund['status']}.")
    charge = world.need("charge", refund["charge"])
    kind = "refund_failure" if charge["id"].startswith("ch_") else "payment_failure_refund"
    back = book(world, kind, refund, refund["amount"])
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    refund.update(status="failed", failure_reason="expired_or_canceled_card", failure_balance_transaction=back["id"])
    world.store.save(refund)
    world.store.save(charge)
    world.effect("refund_failure", refund)
    world.tell("refund.failed", refund)
    return refund


def retrieve_refund(world: World, request: Request) -> Body:
    """GET /v1/refunds/ID."""
    return world.need("refund", request.ids[0])


def list_refunds(world: World, request: Request) -> Body:
    """GET /v1/refunds."""
    return listing(world, request, "refund", payment_intent="payment_intent", charge="charge")
