"""Which call is answered by what, and which of the SDK's types its parameters must fit."""

import re
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from . import balance, connect, disputes, methods, payments, sessions
from .store import Body
from .world import Request, World

Handler = Callable[[World, Request], Body]
ID = r"([A-Za-z0-9_]{3,100})"


class Route(NamedTuple):
    """One call."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    shape: str  # names the SDK's type: `checkout.session_create` is SessionCreateParams in its module

    def parameters(self) -> type:
        """The TypedDict that the SDK publishes for this call."""
        package, _, name = self.shape.rpartition(".")
        module = import_module(f"stripe.params.{package + '.' if package else ''}_{name}_params")
        found: type = getattr(module, "".join(word.capitalize() for word in name.split("_")) + "Params")
        return found


def _route(method: str, path: str, handler: Handler, shape: str) -> Route:
    return Route(method, re.compile(path.replace("{id}", ID)), handler, shape)


ROUTES = (
    _route("POST", "/v1/payment_methods", methods.create_method, "payment_method_create"),
    _route("GET", "/v1/payment_methods/{id}", methods.retrieve_method, "payment_method_retrieve"),
    _route("POST", "/v1/payment_intents", payments.create_intent, "payment_intent_create"),
    _route("GET", "/v1/payment_intents", payments.list_intents, "payment_intent_list"),
    _route("GET", "/v1/payment_intents/{id}", payments.retrieve_intent, "payment_intent_retrieve"),
    _route("POST", "/v1/payment_intents/{id}/confirm", payments.confirm_intent, "payment_intent_confirm"),
    _route("POST", "/v1/payment_intents/{id}/capture", payments.capture_intent, "payment_intent_capture"),
    _route("POST", "/v1/payment_intents/{id}/cancel", payments.cancel_intent, "payment_intent_cancel"),
    _route("GET", "/v1/charges", payments.list_charges, "charge_list"),
    _route("GET", "/v1/charges/{id}", payments.retrieve_charge, "charge_retrieve"),
    _route("POST", "/v1/refunds", payments.create_refund, "refund_create"),
    _route("GET", "/v1/refunds", payments.list_refunds, "refund_list"),
    _route("GET", "/v1/refunds/{id}", payments.retrieve_refund, "refund_retrieve"),
    _route("GET", "/v1/disputes", disputes.list_disputes, "dispute_list"),
    _route("GET", "/v1/disputes/{id}", disputes.retrieve_dispute, "dispute_retrieve"),
    _route("POST", "/v1/disputes/{id}", disputes.update_dispute, "dispute_update"),
    _route("POST", "/v1/checkout/sessions", sessions.create_session, "checkout.session_create"),
    _route("GET", "/v1/checkout/sessions", sessions.list_sessions, "checkout.session_list"),
    _route("GET", "/v1/checkout/sessions/{id}", sessions.retrieve_session, "checkout.session_retrieve"),
    _route("POST", "/v1/checkout/sessions/{id}/expire", sessions.expire_session, "checkout.session_expire"),
    _route("GET", "/v1/checkout/sessions/{id}/line_items", sessions.list_lines, "checkout.session_list_line_items"),
    _route("POST", "/v1/transfers", connect.create_transfer, "transfer_create"),
    _route("GET", "/v1/transfers", connect.list_transfers, "transfer_list"),
    _route("GET", "/v1/transfers/{id}", connect.retrieve_transfer, "transfer_retrieve"),
    _route("POST", "/v1/transfers/{id}/reversals", connect.create_reversal, "transfer_create_reversal"),
    _route("GET", "/v1/transfers/{id}/reversals", connect.list_reversals, "transfer_list_reversals"),
    _route("POST", "/v2/core/accounts", connect.create_account, "v2.core.account_create"),
    _route("GET", "/v2/core/accounts/{id}", connect.retrieve_account, "v2.core.account_retrieve"),
    _route("POST", "/v2/core/account_links", connect.create_account_link, "v2.core.account_link_create"),
    _route("GET", "/v1/balance", balance.retrieve_balance, "balance_retrieve"),
    _route("GET", "/v1/balance_transactions", balance.list_transactions, "balance_transaction_list"),
    _route("GET", "/v1/balance_transactions/{id}", balance.retrieve_transaction, "balance_transaction_retrieve"),
    _route("GET", "/v1/payouts", balance.list_payouts, "payout_list"),
    _route("GET", "/v1/payouts/{id}", balance.retrieve_payout, "payout_retrieve"),
    _route("GET", "/v1/events", balance.list_events, "event_list"),
    _route("GET", "/v1/events/{id}", balance.retrieve_event, "event_retrieve"),
)


def match(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """Return the route of a call and the ids in its path."""
    for route in ROUTES:
        found = route.pattern.fullmatch(path) if route.method == method else None
        if found:
            return route, found.groups()
    return None
