"""Recipient accounts, transfers to them and reversals, with a balance per account.

Accounts are of version 2 with the recipient configuration; transfers are of version 1 (money.md 4.4).
"""

from datetime import UTC, datetime
from urllib.parse import urlencode

from .balance import PLATFORM, available, book
from .problems import Refusal, invalid
from .store import Body
from .world import Request, World, listing


def create_account(world: World, request: Request) -> Body:
    """POST /v2/core/accounts."""
    account = new_account(world, request.params)
    recipient = account["configuration"]["recipient"]["capabilities"]["stripe_balance"]["stripe_transfers"]
    if recipient["status"] == "active" and request.params.get("dashboard") == "express":
        recipient["status"] = "pending"
        wanted = ("identity.individual.id_numbers", "external_account")
        account["requirements"] = {"entries": [_asked(what) for what in wanted]}
        world.store.save(account)
    return account


def _asked(what: str) -> Body:
    return {"awaiting_action_from": "user", "description": what, "errors": [], "minimum_deadline": {"status": "currently_due"}}


def onboard(world: World, account: Body) -> Body:
    """Take what the holder says on the hosted page: the account can receive transfers."""
    account["configuration"]["recipient"]["capabilities"]["stripe_balance"]["stripe_transfers"]["status"] = "active"
    account["requirements"] = {"entries": []}
    world.store.save(account)
    return account


def new_account(world: World, params: Body, identity: str | None = None) -> Body:
    """Open an account whose recipient capability is active at once; `create_account` asks some for papers."""
    recipient = (params.get("configuration") or {}).get("recipient")
    asked = bool(((recipient or {}).get("capabilities") or {}).get("stripe_balance"))
    status: Body = {"status": "active" if asked else "unrequested", "status_details": []}
    return world.store.add(
        {
            "id": identity or world.store.new_id("acct"),
            "object": "v2.core.account",
            "created": _instant(world),
            "livemode": False,
            "contact_email": params.get("contact_email"),
            "display_name": params.get("display_name"),
            "closed": False,
            "identity": params.get("identity"),
            "metadata": params.get("metadata") or {},
            "dashboard": params.get("dashboard", "none"),
            "applied_configurations": ["recipient"] if recipient is not None else [],
            "requirements": None,
            "defaults": params.get("defaults"),
            "configuration": {"recipient": {"applied": True, "capabilities": {"stripe_balance": {"stripe_transfers": status}}}},
        }
    )


def _instant(world: World) -> str:
    return datetime.fromtimestamp(world.seconds(), UTC).isoformat().replace("+00:00", "Z")


def retrieve_account(world: World, request: Request) -> Body:
    """GET /v2/core/accounts/ID."""
    return world.need("v2.core.account", request.ids[0])


def create_account_link(world: World, request: Request) -> Body:
    """POST /v2/core/account_links."""
    account = world.need("v2.core.account", request.params["account"], "account")
    back = request.params["use_case"].get("account_onboarding", {}).get("return_url", "")
    return {
        "object": "v2.core.account_link",
        "account": account["id"],
        "created": _instant(world),
        "expires_at": _instant(world),
        "livemode": False,
        "url": f"{world.options.public_url}/onboarding/{account['id']}?{urlencode({'back': back})}",
        "use_case": request.params["use_case"],
    }


def create_transfer(world: World, request: Request) -> Body:
    """POST /v1/transfers."""
    params = request.params
    amount, currency = params.get("amount", 0), params["currency"]
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    account = world.need("v2.core.account", params["destination"], "destination")
    capability = account["configuration"]["recipient"]["capabilities"]["stripe_balance"]["stripe_transfers"]
    if account["closed"] or capability["status"] != "active":
        raise Refusal(
            400,
            "Your destination account needs the stripe_transfers capability.",
            code="insufficient_capabilities_for_transfer",
            param="destination",
        )
    group = params.get("transfer_group")
    if "source_transaction" in params:
        charge = world.need("charge", params["source_transaction"], "source_transaction")
        if charge["currency"] != currency:
            raise Refusal(400, "The currency of the source_transaction differs.", param="currency")
        if charge["_transferred"] + amount > charge["amount_captured"]:
            raise Refusal(400, "The transfers of this source_transaction would exceed its charge.", param="amount")
        charge["_transferred"] += amount
        world.store.save(charge)
        group = group or charge["transfer_group"]
    elif available(world, currency) < amount:
        raise Refusal(400, "You have insufficient available funds in your Stripe account.", code="balance_insufficient")
    transfer = world.new(
        "transfer",
        "tr",
        amount=amount,
        currency=currency,
        destination=account["id"],
        transfer_group=group,
        amount_reversed=0,
        reversed=False,
        metadata=params.get("metadata") or {},
        description=params.get("description"),
        balance_transaction=None,
        source_transaction=params.get("source_transaction"),
        destination_payment=world.store.new_id("py"),
        source_type="card",
        reversals={"object": "list", "data": [], "has_more": False, "url": ""},
    )
    transfer["reversals"]["url"] = f"/v1/transfers/{transfer['id']}/reversals"
    transfer["balance_transaction"] = book(world, "transfer", transfer, -amount)["id"]
    world.store.move(account["id"], currency, amount)
    world.store.save(transfer)
    world.effect("transfer", transfer, destination=account["id"], transfer_group=group, metadata=transfer["metadata"])
    world.tell("transfer.created", transfer)
    return transfer


def retrieve_transfer(world: World, request: Request) -> Body:
    """GET /v1/transfers/ID."""
    return world.need("transfer", request.ids[0])


def list_transfers(world: World, request: Request) -> Body:
    """GET /v1/transfers."""
    return listing(world, request, "transfer", destination="destination", transfer_group="transfer_group")


def create_reversal(world: World, request: Request) -> Body:
    """POST /v1/transfers/ID/reversals."""
    transfer = world.need("transfer", request.ids[0])
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = request.params.get("amount", left)
    if left == 0 or not 1 <= amount <= left:
        raise Refusal(400, f"Reversal amount ({amount}) is greater than unreversed amount ({left}).", param="amount")
    if world.store.balance(transfer["destination"], transfer["currency"]) < amount:
        raise Refusal(
            400, "The destination account has insufficient funds to reverse this transfer.", code="balance_insufficient"
        )
    reversal = world.new(
        "transfer_reversal",
        "trr",
        amount=amount,
        currency=transfer["currency"],
        transfer=transfer["id"],
        metadata=request.params.get("metadata") or {},
        balance_transaction=None,
        source_refund=None,
    )
    reversal["balance_transaction"] = book(world, "transfer_refund", reversal, amount)["id"]
    world.store.move(transfer["destination"], transfer["currency"], -amount)
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["reversals"]["data"].insert(0, dict(reversal))
    world.store.save(reversal)
    world.store.save(transfer)
    world.effect("transfer_reversal", reversal, transfer=transfer["id"])
    world.tell("transfer.reversed", transfer)
    return reversal


def list_reversals(world: World, request: Request) -> Body:
    """GET /v1/transfers/ID/reversals."""
    world.need("transfer", request.ids[0])
    return listing(world, request, "transfer_reversal", [("json_extract(body, '$.transfer') = ?", [request.ids[0]])])


def fund(world: World, amount: int, currency: str) -> Body:
    """Put money on the platform's balance, as a top-up would (control call)."""
    topup = world.new("topup", "tu", amount=amount, currency=currency, status="succeeded", description="Top-up", metadata={})
    topup["balance_transaction"] = book(world, "topup", topup, amount)["id"]
    world.store.save(topup)
    world.effect("topup", topup, account=PLATFORM)
    return topup
