"""From an empty site to goods on sale: co-ops, staff, price rows, producers, lots with their events, checked listings."""

import json
import re
from datetime import date, timedelta
from importlib.resources import files
from itertools import count
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from market.demo.browser import Browser, Unexpected
from market.demo.goods import Good
from market.demo.pictures import picture
from market.demo.site import CoopSite, Listed, Site, at_once, control, email_of, flask, product_key
from market.demo.world import ADMIN, COOPS, PAYEE_IBANS, CoopPlan

QUOTES: tuple[dict[str, str], ...] = (
    {"market": "ICE C", "price": "1.62", "addition": "0.10", "addition_label": "country differential", "unit": "lb"},
    {"market": "ICE Cocoa", "price": "2100", "unit": "MT"},
)
SEED = files("market.pricing") / "seed" / "fair_price_references.csv"
_STAFF = ("preparer", "approver")
_ROW = re.compile(r'id="row-([0-9a-f-]{36})"')  # as every list of the desk marks its rows


def administrator(site: Site) -> str:
    """Make the first administrator, who follows the letter and signs in."""
    flask("people", "admin", ADMIN, "--name", "Admin")
    site.admin = site.person(ADMIN)
    return ADMIN


def coops(site: Site) -> str:
    """Make three co-ops, each with a preparer and an approver."""
    for plan in COOPS:
        made = site.admin.api("POST", "/coops", plan.terms | {"slug": plan.slug})
        for role in _STAFF:
            body = {"email": f"{role}@{plan.slug}.example", "name": role.capitalize(), "role": role, "locale": plan.language}
            site.admin.api("POST", f"/coops/{made['id']}/roles", body)
        site.coops.append(CoopSite(plan, made["id"]))
    people = iter(at_once(site.person, [f"{role}@{plan.slug}.example" for plan in COOPS for role in _STAFF]))
    for coop in site.coops:
        coop.preparer, coop.approver = next(people), next(people)
        told = {f"body_{language}": story for language, story in coop.plan.told.items()}
        coop.approver.submit("/console/coop/texts", {"language": "en"} | told)
    return f"{len(site.coops)} co-ops, {2 * len(site.coops)} members of staff"


def price_rows(site: Site) -> str:
    """Import the table of real price rows; a second person approves it; the rows that need a person stay for review."""
    preparer, approver = site.coops[0].preparer, site.coops[0].approver
    form = {"profile": "project_seed_v1", "scheme": "fairtrade", "source_name": "Published tables, collected 2026-11-23"}
    form |= {"decimal_mark": ".", "date_style": "iso"}
    answer = preparer.upload(
        "/console/prices/import", form, ("file", "references.csv", SEED.read_bytes()), page="/console/prices/import"
    )
    batch = re.search(r"/console/prices/imports/([0-9a-f-]{36})", answer.url + answer.text)
    if batch is None:
        raise Unexpected("the import made no batch")
    page = f"/console/prices/imports/{batch[1]}"
    approver.submit(f"{page}/approve", {"sure": "yes"}, page=page)
    return f"{len(SEED.read_text().splitlines()) - 1} rows read, approved by a second person"


def rates(site: Site) -> str:
    """Enter the rate and the market prices of the day with their sources (R-01, R-12)."""
    # Yesterday's: wherever a co-op is, that day is over.
    day = (date.today() - timedelta(days=1)).isoformat()
    form = {
        "base": "EUR",
        "quote": "USD",
        "rate": "1.0850",
        "rate_on": day,
        "rate_source": "reference rate of the central bank",
    }
    preparer, approver = site.coops[0].preparer, site.coops[0].approver
    preparer.submit("/console/market-prices/rates", form, page="/console/market-prices")
    for price in QUOTES:
        preparer.submit(
            "/console/market-prices", price | {"currency": "USD", "quoted_on": day, "source_name": "invented for the demo"}
        )
    page = approver.get("/console/market-prices").text
    checks = sorted(set(re.findall(r"/console/market-prices/[0-9a-f-]{36}/check", page)))
    for check in checks:
        approver.submit(check, {}, page="/console/market-prices")
    return f"EUR 1 = USD 1.0850; {len(checks)} market prices, seen by two people"


def differential(site: Site) -> str:
    """Supply what the table's notes say and nobody parses: the organic differential, approved by a second person (R-04)."""
    preparer, approver = site.coops[0].preparer, site.coops[0].approver
    form = {"organic_rule": "differential", "organic_differential": "0.40", "source_name": "questions and answers of 2023"}
    washed = f"/console/prices/{_washed_row(preparer)}"
    preparer.submit(f"{washed}/correct", form, page=washed)
    waiting = preparer.get("/console/prices?status=needs_review&product=coffee").text
    for row in dict.fromkeys(_ROW.findall(waiting)):
        page = preparer.get(f"/console/prices/{row}").text
        if "questions and answers of 2023" in page:
            approver.submit(f"/console/prices/{row}/approve", {"sure": "yes"}, page=f"/console/prices/{row}")
            return "arabica, washed: organic differential 0.40 USD per lb"
    raise Unexpected("the corrected row is not in the review queue")


def _washed_row(browser: Browser) -> str:
    """Return the id of the active row for washed arabica in force since 2023."""
    rows = browser.get("/console/prices?status=active&product=coffee").text
    for row in dict.fromkeys(_ROW.findall(rows)):
        page = browser.get(f"/console/prices/{row}").text
        if "washed green (conventional" in page and re.search(r"1[.,]80", page):  # as the reader's language writes it
            return str(row)
    raise Unexpected("there is no active row for washed arabica")


def floors(site: Site) -> str:
    """Let the craft co-op decide its own least prices."""
    decided = 0
    for coop in site.coops:
        for floor in coop.plan.floors:
            form = {
                "title": floor["title"],
                "product": floor["product"],
                "form": floor["form_"],
                "currency": str(coop.plan.terms["currency"]),
                "unit": "piece",
                "amount": floor["amount"],
                "decided_by_body": "assembly",
                "decided_on": date.today().isoformat(),
                "sure": "yes",
            }
            coop.approver.submit("/console/floors", form)
            decided += 1
    return f"{decided} floors decided by an assembly"


def members(site: Site) -> str:
    """Add producers as members, invite them, enter where they are paid; a second person confirms each account."""
    ibans = iter(PAYEE_IBANS)
    own = [
        [next(ibans) if _rail(coop, number) == "sepa" else "" for number, _ in enumerate(coop.plan.members)]
        for coop in site.coops
    ]
    made = at_once(lambda pair: _join(*pair), list(zip(site.coops, own, strict=True)))
    emails = [email_of(name, coop.plan.slug) for coop in site.coops for name in coop.plan.members]
    people = iter(at_once(site.person, emails))
    for coop, ids in zip(site.coops, made, strict=True):
        coop.producers = [(id_, name, next(people)) for id_, name in zip(ids, coop.plan.members, strict=True)]
    return f"{len(emails)} producers, each paid to an account that two people have seen"


def _join(coop: CoopSite, ibans: list[str]) -> list[str]:
    """Enter a co-op's members with their accounts, and its certificates; return the members' ids."""
    ids = []
    for number, name in enumerate(coop.plan.members):
        email = email_of(name, coop.plan.slug)
        body = {"name": name, "region": coop.plan.region, "language": coop.plan.language, "email": email}
        ids.append(coop.preparer.api("POST", "/producers", body)["id"])
        account = _payee_account(coop, name, number, ibans[number])
        entered = coop.preparer.api("POST", f"/producers/{ids[-1]}/payee-accounts", account)
        coop.approver.api("POST", f"/payee-accounts/{entered['id']}/confirm")
    for certificate in coop.plan.certificates:
        span = {"valid_from": "2026-01-01", "valid_to": "2028-12-31"}
        entered = coop.preparer.api("POST", "/certificates", certificate | span)
        coop.approver.api("PUT", f"/certificates/{entered['id']}/status", {"status": "active", "reason": "seen at the issuer"})
    return ids


def _rail(coop: CoopSite, number: int) -> str:
    return str(coop.plan.rails[number % len(coop.plan.rails)])


def _payee_account(coop: CoopSite, name: str, number: int, iban: str) -> dict[str, Any]:
    rail = _rail(coop, number)
    account: dict[str, Any] = {"rail": rail, "currency": coop.plan.terms["currency"], "holder": name}
    account |= {"street": "Calle Real", "building": str(number + 1), "town": "Pueblo", "postcode": "10000", "country": "DE"}
    if rail == "sepa":
        account |= {"iban": iban, "country": "DE"}
    elif rail == "stripe":
        account |= {"stripe_account": f"acct_{coop.plan.slug.replace('-', '')}{number}", "country": "GH"}
    elif rail == "momo":
        account |= {"msisdn": f"+23324412345{number}", "country": "GH"}
        given, _, family = name.rpartition(" ")
        control("MOMO", "wallets", msisdn=f"23324412345{number}", given_name=given, family_name=family)
    else:
        account["country"] = str(coop.plan.terms["country"])
    return account


def products(site: Site) -> str:
    """Name what is sold."""
    for coop in site.coops:
        for good in coop.plan.goods:
            if product_key(good) not in site.products:
                site.products[product_key(good)] = coop.preparer.api("POST", "/products", good.product)["id"]
    return f"{len(site.products)} products"


def goods(site: Site) -> str:
    """Record two lots for each producer and publish a listing from each, checked against every floor that applies."""
    refused = _below_the_floor(site)
    for number in range(max(len(coop.producers) for coop in site.coops)):  # in turn: the shop's first page shows everybody
        turn = [(site, coop, number) for coop in site.coops if number < len(coop.producers)]
        for (_, coop, _), listed in zip(turn, at_once(lambda one: _offered(*one), turn), strict=True):
            coop.listings += listed
    offered = sum(len(coop.listings) for coop in site.coops)
    return f"{offered} lots and listings; one listing was refused: {refused}"


def _offered(site: Site, coop: CoopSite, number: int) -> list[Listed]:
    """Let a co-op's member record its lots and publish its listings."""
    producer_id, _, browser = coop.producers[number]
    currency = str(coop.plan.terms["currency"])
    offered = []
    for good in coop.plan.goods_of(number):
        lot = record_lot(browser, coop.plan, good)
        listing = browser.api("POST", "/listings", listing_body(site, good, lot["id"], coop))
        browser.api("POST", f"/listings/{listing['id']}/publish")
        if good.told:
            titles = {f"title_{language}": title for language, (title, _) in good.told.items()}
            bodies = {f"body_{language}": story for language, (_, story) in good.told.items()}
            browser.submit(f"/producer/listings/{listing['id']}/texts", {"language": "en"} | titles | bodies)
            browser.submit(f"/producer/lots/{lot['id']}/texts", {"language": "en"} | titles)
        offered.append(Listed(listing["id"], good.title, currency, good.price, coop.id, producer_id, lot["slug"], int(good.step)))
    return offered


def listing_body(site: Site, good: Good, lot_id: str, coop: CoopSite) -> dict[str, Any]:
    """Return what a producer sends to offer a good from a lot."""
    return {
        "product_id": site.products[product_key(good)],
        "lot_id": lot_id,
        "title": good.title,
        "description": good.story,
        "language": "en",
        "unit": good.unit,
        "unit_price": good.price,
        "currency": coop.plan.terms["currency"],
        "order_step": good.step,
        "claims": list(good.claims),
        "incoterm": good.incoterm,
    }


def record_lot(browser: Browser, plan: CoopPlan, good: Good) -> dict[str, str]:
    """Record a harvest or a craft batch by the producer's form; return the lot's id and slug."""
    day = date.today() - timedelta(days=20)
    form = {
        "kind": good.lot,
        "name": good.title,
        "label": f"LOT-{day:%y%m%d}",
        "variety": good.product.get("variety", ""),
        "quantity": good.quantity,
        "uom": good.uom,
        "on": day.isoformat(),
        "key": str(uuid4()),
        "place": "",
        "place_name": "Upper field" if good.lot == "harvest" else "Workshop",
        "place_region": plan.region,
        "latitude": plan.point[0],
        "longitude": plan.point[1],
    }
    page = browser.submit("/producer/lots/new", form)
    lot_id = page.url.rstrip("/").rsplit("/", 1)[1]
    slug = re.search(r"/[lL]/([0-9a-zA-Z]{11})", page.text)
    if slug is None:
        raise Unexpected("the lot's page names no public address")
    return {"id": lot_id, "slug": slug[1].lower()}


def photos(site: Site) -> str:
    """Give each listing a picture."""
    numbers = count()
    shelves = [(coop, [(next(numbers), listing) for listing in coop.listings]) for coop in site.coops]
    at_once(lambda shelf: _shown(*shelf), shelves)
    return f"{next(numbers)} pictures"


def _shown(coop: CoopSite, shelf: list[tuple[int, Listed]]) -> None:
    """Draw a picture for each listing of a co-op, by its number, and let the producer give it."""
    kinds = {good.title: good.product["kind"] for good in coop.plan.goods}
    people = {producer_id: browser for producer_id, _, browser in coop.producers}
    for number, listing in shelf:
        path = f"/listings/{listing.id}/photo?alt={quote(listing.title)}"
        people[listing.producer].raw("PUT", path, picture(kinds[listing.title], number), "image/jpeg")


def _below_the_floor(site: Site) -> str:
    """Try to sell below the minimum, and return what the site says to that."""
    coop = site.coops[0]
    good, browser = coop.plan.goods[0], coop.producers[0][2]
    lot = record_lot(browser, coop.plan, good)
    listing = browser.api("POST", "/listings", listing_body(site, good, lot["id"], coop) | {"unit_price": "1.60"})
    refusal = browser.api("POST", f"/listings/{listing['id']}/publish", expect=(409, 422))
    if refusal["facts"]["rule"] != "R-01":
        raise Unexpected(f"refused for another reason: {refusal}")
    return str(refusal["detail"]).split(". ")[0]


def chain(site: Site) -> str:
    """Capture the worked coffee chain of eighteen events over EPCIS and follow its retail lot to two farms."""
    coop = site.coops[0]
    own = coop.preparer.get(f"/api/v1/lots/{coop.listings[0].slug}/events").json
    place = own["epcisBody"]["eventList"][0]["readPoint"]["id"]
    text = (files("market.demo") / "data" / "coffee_chain.json").read_text()
    document = re.sub(r"https://id\.market\.example/id/loc/[0-9a-z]+", place, text)
    answer = coop.preparer.raw("POST", "/epcis/capture", document.encode(), "application/ld+json")
    job = answer.headers["location"].partition("/api/v1")[2]
    state = coop.preparer.until("GET", job, lambda seen: not seen["running"])
    if not state["success"]:
        raise Unexpected(f"the chain was not captured: {json.dumps(state)[:800]}")
    lots = re.findall(r"id/class/([0-9a-z]{11})", text)
    lineage = coop.preparer.api("GET", f"/lots/{lots[-1]}/lineage?direction=up")
    shares = [str(row["share"]) for row in lineage["shares"]]
    if sorted(shares) != ["12/25", "13/25"]:
        raise Unexpected(f"the retail lot's origins are {shares}, not 12/25 and 13/25")
    return f"18 events; the retail lot comes from two farms, {' and '.join(shares)}"
