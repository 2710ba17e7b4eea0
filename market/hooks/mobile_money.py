"""Callbacks of the mobile-money provider: a hint to ask now, believed in nothing (money.md 6.2).

They carry no signature, may come late, twice, or never, and anybody can send one. The answer is always 200: whoever sends
them learns nothing about what we know.
"""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from market.http.auth import access
from market.http.clock import now
from market.http.db import unit_of_work
from market.payouts import service

blueprint = Blueprint("hooks_mobile_money", __name__, url_prefix="/hooks")
LARGEST = 20_000


@blueprint.route("/mobile-money", methods=["POST", "PUT"])
@access("webhook", largest=LARGEST)
def receive() -> ResponseReturnValue:
    """Take one delivery."""
    told = request.get_json(silent=True)
    reference = told.get("externalId") if isinstance(told, dict) else None
    if isinstance(reference, str):
        with unit_of_work() as session:
            service.hurry(session, reference=reference, now=now())
    return {"received": True}
