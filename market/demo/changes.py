"""Paid orders that change before they are sent: a line cancelled, more of another, something else instead."""

from typing import Any

from market.demo.browser import Browser, Unexpected
from market.demo.site import Site
from market.demo.trade import coop_of, paid_by_card, state_of


def less_more_else(site: Site) -> str:
    """Cancel a line, order more of another against a further payment, and send something else with the buyer's yes."""
    return "; ".join((_cancelled(site), _more(site), _instead(site)))


def _parts(site: Site) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Paid parts of whom nobody has given anything back yet."""
    return [
        (order, part)
        for order in site.figures["paid"][4:40]
        for part in state_of(site, order)["parts"]
        if part["state"] == "paid" and not part["refunded"]["minor"]
    ]


def _change(site: Site, order: dict[str, Any], part: dict[str, Any], line: dict[str, Any], quantity: str) -> Any:
    body = {"lines": [{"line_id": line["id"], "quantity": quantity}]}
    path = f"/orders/{order['id']}/parts/{part['id']}/changes?key={order['key']}"
    with Browser(site.url, "buyer") as buyer:
        return buyer.api("POST", path, body)


def _cancelled(site: Site) -> str:
    order, part = next((order, part) for order, part in _parts(site) if len(part["lines"]) > 1)
    line = part["lines"][0]
    _change(site, order, part, line, "0")
    after = next(row for row in state_of(site, order)["parts"] if row["id"] == part["id"])
    if after["refunded"] != line["total"]:
        raise Unexpected(f"{line['total']} were cancelled, {after['refunded']} go back")
    return f"{line['total']['minor'] / 100:.2f} {line['total']['currency']} back for a cancelled line"


def _more(site: Site) -> str:
    order, part = _parts(site)[0]
    line = part["lines"][0]
    step = next(row.step for row in coop_of(site, part["coop_id"]).listings if row.id == line["listing_id"])
    more = _change(site, order, part, line, f"{float(line['quantity']) + step:g}")["more"]
    paid_by_card(site, more)
    further = more | {"plan": order["plan"]}
    if state_of(site, further)["state"] != "paid":
        raise Unexpected("the further order is not paid")
    site.orders.append(further)
    site.figures["paid"].append(further)
    return f"{more['total']['minor'] / 100:.2f} {more['total']['currency']} paid for more"


def _instead(site: Site) -> str:
    """Offer another lot of the same kind, of which the buyer gets as much or less for the same price."""
    for order, part in reversed(_parts(site)):
        had = {line["listing_id"] for line in part["lines"]}
        coop = coop_of(site, part["coop_id"])
        producer = next(row for row in coop.producers if row[0] == part["producer_id"])[2]
        for listed in coop.listings:
            if listed.producer != part["producer_id"] or listed.id in had:
                continue
            line = part["lines"][0]
            body = {"line_id": line["id"], "listing_id": listed.id, "quantity": str(listed.step), "words": "the last one broke"}
            asked = producer.api("POST", f"/seller-orders/{part['id']}/substitutes", body, expect=(201, 409, 422))
            if "id" not in asked:
                continue  # dearer than what it would replace
            path = f"/orders/{order['id']}/substitutes/{asked['id']}?key={order['key']}"
            with Browser(site.url, "buyer") as buyer:
                buyer.api("PUT", path, {"accept": True})
            after = next(row for row in state_of(site, order)["parts"] if row["id"] == part["id"])
            return f"“{listed.title}” instead of “{line['title']}”, {after['refunded']['minor'] / 100:.2f} back"
    raise Unexpected("nobody could send something else instead")
