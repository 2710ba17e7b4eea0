"""Disputes: a buyer objects, the network takes the money at once, the seller answers once, the network decides."""

from .balance import book
from .problems import Refusal, invalid
from .store import Body
from .world import Request, World, listing

FEE = 2000  # minor units, as in the euro zone
ANSWER_WITHIN = 9 * 86_400
OPEN = ("needs_response", "under_review")


def open_dispute(world: World, intent: Body, reason: str, amount: int | None = None) -> Body:
    """Take back `amount`, or all that is left of a charge, with a fee (control call)."""
    charge = world.need("charge", intent["latest_charge"])
    taken = sum(one["amount"] for one in world.store.find("dispute", "json_extract(body, '$.charge') = ?", charge["id"]))
    left = charge["amount_captured"] - charge["amount_refunded"] - taken
    amount = left if amount is None else amount
    if charge["status"] != "succeeded" or not 0 < amount <= left:
        raise Refusal(400, f"Charge {charge['id']} cannot be disputed.")
    dispute = world.new(
        "dispute",
        "du",
        amount=amount,
        currency=charge["currency"],
        charge=charge["id"],
        payment_intent=intent["id"],
        reason=reason,
        status="needs_response",
        is_charge_refundable=False,
        evidence={},
        evidence_details={
            "due_by": world.seconds() + ANSWER_WITHIN,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        balance_transactions=[],
        metadata={},
    )
    dispute["balance_transactions"].append(book(world, "adjustment", dispute, -amount, fee=FEE))
    charge["disputed"] = True
    world.store.save(charge)
    world.store.save(dispute)
    world.effect("dispute", dispute, charge=charge["id"])
    world.tell("charge.dispute.created", dispute)
    world.tell("charge.dispute.funds_withdrawn", dispute)
    return dispute


def close(world: World, dispute: Body, outcome: str) -> Body:
    """Decide: `won` gives the amount back and keeps the fee (control call)."""
    if dispute["status"] not in OPEN or outcome not in ("won", "lost"):
        raise Refusal(400, f"The dispute is {dispute['status']}.")
    dispute["status"] = outcome
    if outcome == "won":
        dispute["balance_transactions"].append(book(world, "adjustment", dispute, dispute["amount"]))
        world.effect("dispute_won", dispute)
    world.store.save(dispute)
    if outcome == "won":
        world.tell("charge.dispute.funds_reinstated", dispute)
    world.tell("charge.dispute.closed", dispute)
    return dispute


def retrieve_dispute(world: World, request: Request) -> Body:
    """GET /v1/disputes/ID."""
    return world.need("dispute", request.ids[0])


def list_disputes(world: World, request: Request) -> Body:
    """GET /v1/disputes."""
    return listing(world, request, "dispute", payment_intent="payment_intent", charge="charge")


def update_dispute(world: World, request: Request) -> Body:
    """POST /v1/disputes/ID: evidence, sent to the bank with `submit`, once."""
    dispute = world.need("dispute", request.ids[0])
    if dispute["status"] != "needs_response":
        raise invalid("This dispute is already closed or under review.", "submit")
    dispute["evidence"].update(request.params.get("evidence") or {})
    dispute["evidence_details"]["has_evidence"] = bool(dispute["evidence"])
    if request.params.get("submit", True):
        dispute["status"] = "under_review"
        dispute["evidence_details"]["submission_count"] += 1
    world.store.save(dispute)
    world.tell("charge.dispute.updated", dispute)
    return dispute
