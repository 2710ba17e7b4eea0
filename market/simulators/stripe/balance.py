"""The platform's balance: balance transactions and automatic payouts to its bank.

A balance transaction is the only way a balance changes, and it names what moved it (`source`). Automatic
payouts take everything available that no payout has taken yet, per currency, and their transactions can be
listed by `payout` (money.md 4.5), which manual payouts would not allow.
"""

from .store import Body
from .world import Request, World, listing

PLATFORM = "platform"
ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"]
)
CATEGORY = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund_failure",
    "payment_failure_refund": "refund_failure",
    "transfer": "transfer",
    "transfer_refund": "transfer_reversal",
    "adjustment": "dispute",
    "payout": "payout",
    "payout_failure": "payout_reversal",
    "topup": "topup",
}
DAY = 86_400


def fee_of(amount: int, currency: str) -> int:
    """1.5 %, half up, plus 25 minor units where the currency has decimals: 175 of 10000."""
    return (amount * 15 + 500) // 1000 + (0 if currency in ZERO_DECIMAL else 25)


def book(world: World, kind: str, source: Body, amount: int, *, fee: int = 0, wait: int = 0, currency: str | None = None) -> Body:
    """Move the platform's balance by `amount - fee` and say why."""
    currency = currency or str(source["currency"])
    now = world.seconds()
    fees = [{"amount": fee, "currency": currency, "type": "stripe_fee", "description": "Processing fees", "application": None}]
    entry = world.new(
        "balance_transaction",
        "txn",
        type=kind,
        reporting_category=CATEGORY[kind],
        source=source["id"],
        amount=amount,
        fee=fee,
        net=amount - fee,
        currency=currency,
        available_on=now + wait,
        status="pending" if wait else "available",
        fee_details=fees if fee else [],
        description=source.get("description"),
        exchange_rate=None,
        balance_type="payments",
        _payout=None,
    )
    world.store.move(PLATFORM, currency, amount - fee)
    return entry


def available(world: World, currency: str) -> int:
    """What the platform may send on now: its balance without charges still waiting."""
    waiting = world.store.rows(
        "SELECT coalesce(sum(json_extract(body, '$.net')), 0) FROM object WHERE kind = 'balance_transaction'"
        " AND json_extract(body, '$.currency') = ? AND json_extract(body, '$.available_on') > ?",
        currency,
        world.seconds(),
    )[0][0]
    return world.store.balance(PLATFORM, currency) - int(waiting)


def retrieve_balance(world: World, request: Request) -> Body:
    """GET /v1/balance, of the platform or of `Stripe-Account`."""
    account = request.account or PLATFORM
    held = world.store.rows("SELECT currency, amount FROM balance WHERE account = ? ORDER BY currency", account)
    ready = {currency: available(world, currency) if account == PLATFORM else amount for currency, amount in held}
    return {
        "object": "balance",
        "livemode": False,
        "available": [_sum(currency, ready[currency]) for currency, _ in held],
        "pending": [_sum(currency, amount - ready[currency]) for currency, amount in held],
    }


def _sum(currency: str, amount: int) -> Body:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}


def list_transactions(world: World, request: Request) -> Body:
    """GET /v1/balance_transactions."""
    return listing(world, request, "balance_transaction", type="type", source="source", payout="_payout", currency="currency")


def retrieve_transaction(world: World, request: Request) -> Body:
    """GET /v1/balance_transactions/ID."""
    entry = world.need("balance_transaction", request.ids[0])
    return entry


def make_payouts(world: World) -> list[Body]:
    """Pay out, per currency, everything that is available and not yet paid out."""
    ready: dict[str, list[Body]] = {}
    for entry in world.store.find(
        "balance_transaction",
        "json_extract(body, '$._payout') IS NULL AND json_extract(body, '$.available_on') <= ?",
        world.seconds(),
    ):
        ready.setdefault(entry["currency"], []).append(entry)
    made = []
    for currency, entries in sorted(ready.items()):
        total = sum(entry["net"] for entry in entries)
        if total <= 0:
            continue
        payout = world.new(
            "payout",
            "po",
            amount=total,
            currency=currency,
            automatic=True,
            arrival_date=world.seconds() + 2 * DAY,
            status="paid",
            method="standard",
            type="bank_account",
            source_type="card",
            statement_descriptor="STRIPE",
            description="STRIPE PAYOUT",
            reconciliation_status="completed",
            failure_code=None,
            failure_message=None,
            metadata={},
            destination="ba_operator",
            trace_id={"status": "supported", "value": None},
        )
        payout["trace_id"]["value"] = payout["id"].upper()[-16:]
        own = book(world, "payout", payout, -total)
        payout["balance_transaction"] = own["id"]
        world.store.save(payout)
        for entry in [*entries, own]:
            world.store.save({**entry, "status": "available", "_payout": payout["id"]})
        world.effect("payout", payout)
        for event in ("payout.created", "payout.paid", "payout.reconciliation_completed"):
            world.tell(event, payout)
        made.append(payout)
    return made


def list_payouts(world: World, request: Request) -> Body:
    """GET /v1/payouts."""
    return listing(world, request, "payout", status="status", destination="destination")


def retrieve_payout(world: World, request: Request) -> Body:
    """GET /v1/payouts/ID."""
    return world.need("payout", request.ids[0])


def list_events(world: World, request: Request) -> Body:
    """GET /v1/events."""
    wanted = request.params.get("types") or ([request.params["type"]] if "type" in request.params else [])
    if not wanted:
        return listing(world, request, "event")
    any_of = " OR ".join(["json_extract(body, '$.type') GLOB ?"] * len(wanted))  # `charge.*` names all of a kind
    return listing(world, request, "event", [(f"({any_of})", list(wanted))])


def retrieve_event(world: World, request: Request) -> Body:
    """GET /v1/events/ID."""
    return world.need("event", request.ids[0])
