"""Buying and selling: orders over several producers, cards that work and cards that do not, dispatch, arrival, refunds."""

import random
from typing import Any

from market.demo.browser import Browser, Unexpected
from market.demo.site import CoopSite, Listed, Site, at_once
from market.demo.world import BUYERS

ORDERS = 100
GOOD, DECLINED, SECOND_STEP = "4242424242424242", "4000000000000002", "4000002500003155"
TRANSFERS = 8  # by bank transfer, paid when the bank's statement comes
DECLINES = 6  # first card declined, second one works
ABANDONED = 4  # declined and left


def _basket(listings: list[Listed], chance: random.Random, coops: int) -> list[dict[str, str]]:
    """Choose what one buyer orders: one to three listings in one currency."""
    first = chance.choice(listings)
    pool = [row for row in listings if row.currency == first.currency and (coops > 1 or row.coop == first.coop)]
    chosen = {row.id: row for row in [first, *chance.sample(pool, k=min(len(pool), chance.randint(0, 2)))]}
    return [_wanted(row, chance.randint(1, 3)) for row in chosen.values()]


def _wanted(row: Listed, steps: int) -> dict[str, str]:
    return {"listing_id": row.id, "quantity": str(steps * row.step), "seen_price": row.unit_price}


def _buyer(number: int) -> dict[str, str]:
    name = BUYERS[number % len(BUYERS)]
    email = f"{name.split()[0].lower()}@buyers.example"
    locale = ("en", "es", "fr")[number % 3]
    address = {"street": "Lindenweg", "building": str(number + 1), "postcode": "10115", "town": "Berlin", "country": "DE"}
    return {"name": name, "email": email, "locale": locale} | address


def orders(site: Site) -> str:
    """Place a hundred orders as guests, each over one to three producers; a repeated request is one order."""
    chance = random.Random(20261125)
    listings = [row for coop in site.coops for row in coop.listings]
    in_euro = {coop.id for coop in site.coops if coop.plan.terms["currency"] == "EUR"}  # their bank takes transfers
    plans = []
    for number in range(ORDERS):
        transfer = number < TRANSFERS
        pool = [row for row in listings if row.coop in in_euro] if transfer else listings
        lines = _basket(pool, chance, coops=1 if transfer else 2)
        plans.append({"lines": lines, "buyer": _buyer(number), "method": "transfer" if transfer else "card"})
    site.orders = at_once(lambda plan: _place(site, plan), plans)
    total = {
        currency: sum(o["total"]["minor"] for o in site.orders if o["total"]["currency"] == currency)
        for currency in ("EUR", "USD")
    }
    return f"{len(site.orders)} orders for {total['EUR'] / 100:.2f} EUR and {total['USD'] / 100:.2f} USD"


def _place(site: Site, plan: dict[str, Any]) -> dict[str, Any]:
    with Browser(site.url, plan["buyer"]["email"]) as buyer:
        placed: dict[str, Any] = buyer.api("POST", "/orders", plan)
    return placed | {"plan": plan}


def paid_by_card(site: Site, order: dict[str, Any], card: str = GOOD) -> None:
    """Pay an order on its hosted page, with a second step where the card wants one."""
    with Browser(site.url, "buyer") as buyer:
        page = buyer.post_form(order["payment_url"], [("test", card)])
        if card == SECOND_STEP:
            page = buyer.post_form(page.url, [("decision", "approve")])
        if "/orders/" not in page.url:
            raise Unexpected(f"the card page led to {page.url}")


def payments(site: Site) -> str:
    """Pay by card on the hosted page: most at once, some with a second step, some declined first, some left unpaid."""
    cards = [order for order in site.orders if order["plan"]["method"] == "card"]

    def pay(numbered: tuple[int, dict[str, Any]]) -> None:
        number, order = numbered
        if number < DECLINES + ABANDONED:
            _declined(site, order)
        if not DECLINES <= number < DECLINES + ABANDONED:
            paid_by_card(site, order, SECOND_STEP if number % 10 == 3 else GOOD)

    at_once(pay, enumerate(cards))
    seen = at_once(lambda order: state_of(site, order), cards)
    paid = [order for order, now in zip(cards, seen, strict=True) if now["state"] == "paid"]
    if len(paid) != len(cards) - ABANDONED:
        raise Unexpected(f"{len(paid)} of {len(cards) - ABANDONED} card orders are paid")
    site.figures["paid"] = paid
    return f"{len(paid)} paid by card, {DECLINES} of them after a declined card; {ABANDONED} declined and left"


def _declined(site: Site, order: dict[str, Any]) -> None:
    """Try a card that the processor declines, and see that the page says so."""
    with Browser(site.url, order["plan"]["buyer"]["email"]) as buyer:
        page = buyer.post_form(order["payment_url"], [("test", DECLINED)], expect=402)
        if 'role="alert"' not in page.text:  # in the buyer's language
            raise Unexpected("the card page does not say that the card was declined")


def state_of(site: Site, order: dict[str, Any]) -> dict[str, Any]:
    """Return an order as its buyer sees it."""
    with Browser(site.url) as buyer:
        seen: dict[str, Any] = buyer.api("GET", f"/orders/{order['id']}?key={order['key']}")
    return seen


def refunds(site: Site) -> str:
    """Give money back before the producer is paid: two whole parts, two lines by quantity."""
    given = []
    for number, order in enumerate(site.figures["paid"][:4]):
        part = state_of(site, order)["parts"][0]
        coop = coop_of(site, part["coop_id"])
        body: dict[str, Any] = {"reason": "arrived broken" if number % 2 else "ordered twice", "bearer": "coop"}
        if number % 2:
            line = part["lines"][0]
            body["lines"] = [{"line_id": line["id"], "quantity": "1"}]
        coop.preparer.api("POST", f"/seller-orders/{part['id']}/refunds", body)
        after = next(row for row in state_of(site, order)["parts"] if row["id"] == part["id"])
        given.append((after["refunded"]["minor"], after["refunded"]["currency"]))
    sums = {currency: sum(minor for minor, c in given if c == currency) / 100 for currency in {c for _, c in given}}
    return "given back: " + ", ".join(f"{amount:.2f} {currency}" for currency, amount in sorted(sums.items()))


def coop_of(site: Site, coop_id: str) -> CoopSite:
    """Return a co-op by its id."""
    return next(coop for coop in site.coops if coop.id == coop_id)


def fulfilment(site: Site) -> str:
    """Producers pack and send, buyers say that it came, and what was held becomes what producers are owed."""
    return fulfil(site, site.figures["paid"])


def fulfil(site: Site, placed: list[dict[str, Any]]) -> str:
    """Send and confirm every open part of some orders, then wait until the books have settled them."""
    own: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for order, seen in zip(placed, at_once(lambda order: state_of(site, order), placed), strict=True):
        for part in seen["parts"]:
            if part["state"] == "paid":
                own.setdefault(part["producer_id"], []).append((order, part))
    at_once(lambda parts: _sent(site, parts), own.values())
    for coop in site.coops:
        coop.preparer.until("GET", "/seller-orders?state=confirmed", lambda page: not page["items"])
    return f"{sum(len(parts) for parts in own.values())} parts sent, confirmed and settled with their producers"


def _sent(site: Site, parts: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """Let one producer send the parts of some orders, and each buyer say that theirs came."""
    coop = coop_of(site, parts[0][1]["coop_id"])
    producer = next(person for producer_id, _, person in coop.producers if producer_id == parts[0][1]["producer_id"])
    with Browser(site.url, "buyer") as buyer:
        for order, part in parts:
            producer.api("POST", f"/seller-orders/{part['id']}/ship", {"tracking": f"TR{order['number']:06}"})
            buyer.api("POST", f"/orders/{order['id']}/parts/{part['id']}/confirm?key={order['key']}")


def waiting(site: Site) -> str:
    """Three buyers order from the first producer of each co-op and pay; one has it already: here producers take over."""
    done = []
    for coop in site.coops:
        own = [row for row in coop.listings if row.producer == coop.producers[0][0]]
        for number in range(3):
            listed = own[number % len(own)]
            plan = {"lines": [_wanted(listed, number + 1)], "buyer": _buyer(number), "method": "card"}
            placed = _place(site, plan)
            paid_by_card(site, placed)
            done += [placed] if number == 2 else []
    return f"{2 * len(site.coops)} orders to pack; {fulfil(site, done)}"
