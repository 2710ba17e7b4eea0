"""PaymentMethods: a test card or account by its number, or by one of Stripe's own test tokens (docs.stripe.com/testing)."""

from dataclasses import asdict

from .cards import CARDS, DEBITS, TOKENS, Method, luhn
from .problems import Refusal, invalid
from .store import Body
from .world import Request, World


def create_method(world: World, request: Request) -> Body:
    """POST /v1/payment_methods: what the number means is known from here on, nothing is charged yet."""
    params = request.params
    kind = params["type"]
    if kind == "card":
        return _new(world, _card(world, params.get("card") or {}), params)
    if kind == "sepa_debit":
        iban = str((params.get("sepa_debit") or {}).get("iban", "")).replace(" ", "").upper()
        if iban not in DEBITS:
            raise invalid(
                "The IBAN you provided is invalid: use one of the test accounts.", "sepa_debit[iban]", "invalid_bank_account_iban"
            )
        return _new(world, DEBITS[iban], params)
    raise invalid(f"Only cards and bank debits are offered here, not {kind}.", "type")


def _card(world: World, card: Body) -> Method:
    number = str(card.get("number", "")).replace(" ", "")
    month, year, cvc = card.get("exp_month"), card.get("exp_year"), str(card.get("cvc", "123"))
    if not number or month is None or year is None:
        raise invalid(
            "Missing required param: card[number], card[exp_month] and card[exp_year] are needed.", "card", "parameter_missing"
        )
    if not number.isdigit() or not luhn(number):
        raise _wrong("Your card number is incorrect.", "incorrect_number")
    if not 1 <= month <= 12:
        raise _wrong("Your card's expiration month is invalid.", "invalid_expiry_month")
    if not world.year() <= (year if year > 99 else 2000 + year) <= world.year() + 50:
        raise _wrong("Your card's expiration year is invalid.", "invalid_expiry_year")
    if not cvc.isdigit() or len(cvc) not in (3, 4):
        raise _wrong("Your card's security code is invalid.", "invalid_cvc")
    if number not in CARDS:
        raise _wrong("Your card was declined: only test cards work here.", "card_declined", "test_mode_live_card")
    return CARDS[number]


def _wrong(message: str, code: str, decline_code: str | None = None) -> Refusal:
    return Refusal(402, message, kind="card_error", code=code, decline_code=decline_code)


def _new(world: World, method: Method, params: Body) -> Body:
    told = {"last4": method.last4}
    if method.kind == "card":
        card = params.get("card") or {"exp_month": 12, "exp_year": world.year() + 5}  # a token's, which names no day
        told |= {"brand": method.brand, "exp_month": card["exp_month"], "exp_year": card["exp_year"]}
    return world.new(
        "payment_method",
        "pm",
        type=method.kind,
        billing_details=params.get("billing_details") or {},
        customer=None,
        metadata=params.get("metadata") or {},
        _method=asdict(method),
        **{method.kind: told},
    )


def retrieve_method(world: World, request: Request) -> Body:
    """GET /v1/payment_methods/ID."""
    return world.need("payment_method", request.ids[0])


def usable(world: World, name: str) -> tuple[str, Method]:
    """The id and the meaning of what an intent shall be paid with; a test token becomes an object of its own, as at Stripe."""
    found = world.store.get("payment_method", name)
    if found is None:
        if name not in TOKENS:
            raise Refusal(400, f"No such PaymentMethod: '{name}'", code="resource_missing", param="payment_method")
        found = _new(world, TOKENS[name], {})
    return found["id"], Method(**found["_method"])
