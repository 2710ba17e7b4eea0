"""What goes wrong after the money moved: goods complained of once their producer was paid, and card payments disputed."""

from collections.abc import Iterator
from typing import Any

from market.demo.browser import Unexpected
from market.demo.money import returned_payees
from market.demo.site import CoopSite, Site, control
from market.demo.trade import coop_of, state_of

_ANSWER = "The goods were sent with tracking and arrived; the buyer confirmed the arrival on the page of the order."


def refund_after_payout(site: Site) -> str:
    """Give back one unit after its producer was paid: the producer owes it (E20), and the next payout is less by it."""
    coming = {row[0] for row in _awaited(site)}
    order, part = next(
        (order, part)
        for order, part in _settled(site)
        if part["producer_id"] in coming and not part["refunded"]["minor"] and len(part["lines"]) == 1
    )
    lines = [{"line_id": part["lines"][0]["id"], "quantity": "1"}]
    body = {"reason": "mouldy, as the photo shows", "bearer": "producer", "lines": lines}
    coop_of(site, part["coop_id"]).preparer.api("POST", f"/seller-orders/{part['id']}/refunds", body)
    after = next(row for row in state_of(site, order)["parts"] if row["id"] == part["id"])
    site.figures["owed_back"] = {part["producer_id"]: part["goods"]["minor"] - after["goods"]["minor"]}
    site.figures["refunded_after"] = (order, part["id"])
    return (
        f"{after['refunded']['minor'] / 100:.2f} {after['refunded']['currency']} back to the buyer; the producer owes the goods"
    )


def _settled(site: Site) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Parts of card orders over one co-op whose producers have their money; what the bank sent back they have not."""
    returned = {payee for coop in site.coops for payee in returned_payees(coop)}
    for order in site.figures["paid"][4:]:
        parts = state_of(site, order)["parts"]
        if len({part["coop_id"] for part in parts}) == 1 and not returned & {part["producer_id"] for part in parts}:
            yield from ((order, part) for part in parts if part["state"] == "settled")


def _awaited(site: Site) -> list[tuple[str, int]]:
    """Producers who will earn more, from orders that are paid by transfer."""
    waiting = [order for order in site.orders if order["plan"]["method"] == "transfer"]
    return [(part["producer_id"], part["goods"]["minor"]) for order in waiting for part in state_of(site, order)["parts"]]


def disputes_opened(site: Site) -> str:
    """Let two buyers dispute their card payments; staff answer each once, before its day."""
    orders: dict[str, str] = {}
    for order, part in _settled(site):
        if order["id"] != site.figures["refunded_after"][0]["id"]:
            orders[order["id"]] = part["coop_id"]
        if len(orders) == 2:
            break
    charges = [fact for fact in control("STRIPE", "effects")["effects"] if fact["kind"] == "charge"]
    intents = {fact["metadata"].get("payment_id"): fact["payment_intent"] for fact in charges}
    payments = {order["id"]: order["payment_id"] for order in site.orders}
    site.figures["disputes"] = []
    for order_id, coop_id in orders.items():
        control("STRIPE", "dispute", payment_intent=intents[payments[order_id]], reason="product_not_received")
        coop = coop_of(site, coop_id)
        row = _dispute(coop, payments[order_id], "needs_response")
        coop.preparer.api("POST", f"/disputes/{row['id']}/evidence", {"evidence": _ANSWER}, expect=403)
        coop.approver.api("POST", f"/disputes/{row['id']}/evidence", {"evidence": _ANSWER})
        coop.approver.api("POST", f"/disputes/{row['id']}/evidence", {"evidence": _ANSWER}, expect=409)
        site.figures["disputes"].append((coop, order_id, payments[order_id], row))
    return f"{len(orders)} payments disputed, {len(orders)} answers sent, none twice"


def _dispute(coop: CoopSite, payment_id: str, state: str) -> dict[str, Any]:
    """Wait until a payment's dispute is in a state: the processor's word takes a moment."""

    def there(page: Any) -> bool:
        return any(row["payment_id"] == payment_id and row["state"] == state for row in page["items"])

    page = coop.preparer.until("GET", "/disputes", there)
    return next(dict(row) for row in page["items"] if row["payment_id"] == payment_id)


def disputes_decided(site: Site) -> str:
    """Win one dispute and lose the other; a person names who bears what was lost."""
    said = []
    for outcome, (coop, order_id, payment_id, row) in zip(("won", "lost"), site.figures["disputes"], strict=True):
        control("STRIPE", "dispute_closes", dispute=row["provider_ref"], outcome=outcome)
        decided = _dispute(coop, payment_id, outcome)
        said.append(f"{decided['money']['minor'] / 100:.2f} {decided['money']['currency']} {outcome}")
        if outcome == "lost":
            order = next(order for order in site.orders if order["id"] == order_id)
            for part in state_of(site, order)["parts"]:
                _bear(site, coop, decided, part)
    return ", ".join(said)


def _bear(site: Site, coop: CoopSite, dispute: dict[str, Any], part: dict[str, Any]) -> None:
    body = {"seller_order_id": part["id"], "goods": "producer", "premium": "fund", "reason": "never handed to the carrier"}
    coop.preparer.api("POST", f"/disputes/{dispute['id']}/bearers", body, expect=403)
    coop.approver.api("POST", f"/disputes/{dispute['id']}/bearers", body)
    coop.approver.api("POST", f"/disputes/{dispute['id']}/bearers", body, expect=409)
    refused = {"reason": "twice", "bearer": "coop"}
    coop.preparer.api("POST", f"/seller-orders/{part['id']}/refunds", refused, expect=409)


def netted(site: Site) -> str:
    """See that what the producer owed came off the next payout, and that the buyer has their money."""
    (producer_id, owed), *_ = site.figures["owed_back"].items()
    order, part_id = site.figures["refunded_after"]
    part = next(row for row in state_of(site, order)["parts"] if row["id"] == part_id)
    coop = coop_of(site, part["coop_id"])
    off = sum(
        payout["deducted"]["minor"]
        for run in coop.preparer.api("GET", "/payout-runs")["items"]
        for payout in coop.preparer.api("GET", f"/payout-runs/{run['id']}/payouts")["items"]
        if payout["payee_id"] == producer_id
    )
    if not 0 < off <= owed:
        raise Unexpected(f"the producer owed {owed}, and {off} came off the next payout")
    return f"{off / 100:.2f} of {owed / 100:.2f} {part['total']['currency']} came off; the rest follows, half of a payout at most"
