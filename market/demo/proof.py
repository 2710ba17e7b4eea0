"""At the end everything must agree to the cent: the books with themselves, with the bank, and with what people saw."""

import os
from pathlib import Path
from typing import Any

from market.demo.browser import Browser, Unexpected
from market.demo.site import Site, flask, output
from market.demo.trade import state_of


def books(site: Site) -> str:
    """Let the books recompute every balance and prove their laws."""
    flask("ledger", "check")
    return "every balance is the fold of its postings; every law holds"


def exported(site: Site) -> str:
    """Write the books for foreign double-entry programs, where JOURNEY_EXPORT names a file."""
    target = os.environ.get("JOURNEY_EXPORT")
    text = output("ledger", "export", "--format", "beancount")
    if target:
        Path(target).write_text(text)
    return f"{text.count(chr(10))} lines" + (f" in {target}" if target else "")


def bank(site: Site) -> str:
    """Compare each bank account in the books with the bank's own closing balance."""
    said = []
    for coop in site.coops:
        own = coop.preparer.api("GET", "/statements/accounts")["items"]
        account = next(row for row in own if row["id"] == site.figures["accounts"][coop.id])
        figures, state = account["figures"], site.figures["banks"][coop.id]
        if figures["difference"]["minor"] or figures["suspense"]["minor"]:
            raise Unexpected(f"{coop.plan.slug}: {figures}")
        if figures["closing"]["minor"] != state.balance_minor:
            raise Unexpected(f"{coop.plan.slug}: the books say {figures['closing']}, the bank {state.balance_minor}")
        said.append(f"{coop.plan.slug} {state.balance_minor / 100:.2f} {state.currency}")
    return ", ".join(said)


def people(site: Site) -> str:
    """Compare what buyers paid with what producers, fund, co-op, carriers and the tax office were given of it."""
    paid: dict[str, int] = {}
    parts: dict[str, int] = {}
    goods: dict[str, int] = {}
    for order in site.orders:
        seen = state_of(site, order)
        if seen["state"] != "paid":
            continue
        currency = seen["total"]["currency"]
        paid[currency] = paid.get(currency, 0) + seen["total"]["minor"] - seen["refunded"]["minor"]
        for part in seen["parts"]:
            for line in part["lines"]:
                for piece in line["breakdown"]:
                    left = piece["amount"]["minor"] - piece["returned"]["minor"]
                    parts[currency] = parts.get(currency, 0) + left
            if part["state"] == "settled":
                goods[part["producer_id"]] = goods.get(part["producer_id"], 0) + part["goods"]["minor"]
    if paid != parts:
        raise Unexpected(f"buyers paid {paid}, the parts sum to {parts}")
    for producer_id, minor in site.figures["owed_back"].items():  # paid out before it went back to the buyer
        goods[producer_id] += minor
    _producers(site, goods)
    return (
        ", ".join(f"{minor / 100:.2f} {currency}" for currency, minor in sorted(paid.items())) + " went where the breakdowns say"
    )


def _producers(site: Site, goods: dict[str, int]) -> None:
    """Each producer was paid exactly the goods of their settled orders: no more, no less, nothing open."""
    got: dict[str, int] = {}
    for coop in site.coops:
        for run in coop.preparer.api("GET", "/payout-runs")["items"]:
            for payout in _payouts(coop.preparer, run["id"]):
                if payout["state"] == "settled":
                    got[payout["payee_id"]] = got.get(payout["payee_id"], 0) + payout["gross"]["minor"]
    if got != goods:
        wrong = {key: (got.get(key), goods.get(key)) for key in got.keys() | goods.keys() if got.get(key) != goods.get(key)}
        raise Unexpected(f"paid and earned differ (paid, earned): {wrong}")


def _payouts(browser: Browser, run_id: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = browser.api("GET", f"/payout-runs/{run_id}/payouts" + (f"?cursor={cursor}" if cursor else ""))
        items += page["items"]
        cursor = page.get("next_cursor") or ""
        if not cursor:
            return items


def letters(site: Site) -> str:
    """Count the mail, and see that no receipt was sent twice."""
    mails = [(mail["subject"], tuple(mail["recipients"])) for mail in site.inbox.mails()]
    receipts = [mail for mail in mails if any(word in mail[0] for word in ("Receipt", "Recibo", "Reçu"))]
    if len(receipts) != len(set(receipts)):
        raise Unexpected("a receipt was sent twice")
    return f"{len(mails)} mails, {len(receipts)} of them receipts, none twice"


def public(site: Site) -> str:
    """Open what anybody can see: the shop, a lot's page with who got what, a price check, the state of the site."""
    lot = site.coops[0].listings[0].slug
    pages = ["/", "/shop?q=cafe", f"/lots/{lot}", "/price-check", "/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"]
    with Browser(site.url) as guest:
        for page in pages:
            guest.get(page)
    return f"{len(pages)} public pages answer"
