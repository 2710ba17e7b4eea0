"""Stripe's webhooks: verify the signature over the raw body, store the event once, answer.

Nothing else happens here: the answer is 200 when the event is stored (now or before) and an error otherwise, so that
Stripe delivers again. A task looks at what it is about.
"""

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from market.http.auth import access
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.problems import problem
from market.payments import service
from market.payments.ports import BadSignature

blueprint = Blueprint("hooks_stripe", __name__, url_prefix="/hooks")


@blueprint.post("/stripe")
@access("webhook")
def receive() -> ResponseReturnValue:
    """Take one delivery."""
    try:
        event = current_app.extensions["ports"].cards.read_event(request.get_data(), request.headers.get("Stripe-Signature", ""))
    except BadSignature as error:
        return problem(400, "webhook.bad_signature", "The event is not believed", str(error))
    with unit_of_work() as session:
        stored = service.store_event(session, event=event, now=now())
    return {"received": True, "known": stored is None}
