"""A co-op's money beside sales: advances, a loan for the harvest, deliveries by weight, and what members do with the premium."""

from datetime import timedelta

from market.demo.browser import Unexpected
from market.demo.money import come_in, today_of
from market.demo.site import Site
from market.simulators.bank.account import Incoming

ROASTER, CONTRACT = "Rösterei Nordlicht eG", "C-2027-014"


def before_the_harvest(site: Site) -> str:
    """Grant a member an advance, leave another to be decided; take on a buyer's loan that the bank then shows, leave a bank's."""
    coop = site.coops[0]
    currency = str(coop.plan.terms["currency"])
    for number, minor, reason in ((1, 12_000, "pickers for the first pass"), (4, 8_000, "a new hand pulper")):
        body = {"producer_id": coop.producers[number][0], "amount": {"minor": minor, "currency": currency}, "reason": reason}
        made = coop.preparer.api("POST", "/advances", body)
        if number == 1:
            coop.approver.api("POST", f"/advances/{made['id']}/decide", {"agreed": True})
    loan: dict[str, object] = {
        "goods": {"minor": 1_200_000, "currency": currency},
        "amount": {"minor": 400_000, "currency": currency},
    }
    loan |= {"kind": "buyer", "lender": ROASTER, "contract": CONTRACT, "cap_percent": "60", "rate_percent": "3.5"}
    loan |= {"due_on": (today_of(coop) + timedelta(days=240)).isoformat(), "terms": "Signed on paper; binder 3, page 12"}
    taken = coop.preparer.api("POST", "/loans", loan)["id"]
    coop.approver.api("POST", f"/loans/{taken}/decide", {"agreed": True})
    loan |= {"kind": "lender", "lender": "Caja Solidaria San Martín", "amount": {"minor": 150_000, "currency": currency}}
    coop.preparer.api("POST", "/loans", loan)
    reference = coop.preparer.api("GET", f"/loans/{taken}")["reference"]
    come_in(site, coop, [Incoming(400_000, reference, ROASTER)])
    lines = coop.preparer.api("GET", f"/statements/accounts/{site.figures['accounts'][coop.id]}/lines?show=open&limit=200")[
        "items"
    ]
    line = next(line for line in lines if line["money"]["minor"] == 400_000)
    coop.preparer.api("POST", f"/statements/lines/{line['id']}/matches", {"reference": reference})
    seen = coop.preparer.api("GET", f"/loans/{taken}")
    if seen["owed"]["minor"] != 400_000:
        raise Unexpected(f"the bank shows the loan, and the books do not: {seen}")
    return f"{400_000 / 100:.2f} {currency} lent by {ROASTER}; two advances, one of them granted"


def handed_in(site: Site) -> str:
    """Weigh what members hand in at the store, one of them with an advance; let a debt become soles, leave another to decide."""
    coop, page = site.coops[0], "/console/earnings/slips"
    day = today_of(coop).isoformat()
    slips = ((1, "A-2041", "64.5", "1.5", "0"), (2, "A-2042", "118", "2", "3.5"), (3, "A-2043", "47.2", "1.2", "0"))
    for number, slip, gross, tare, rejected in slips:
        form = {"producer_id": coop.producers[number][0], "slip": slip, "delivered_on": day, "pool": "parchment-2026"}
        form |= {"gross": gross, "tare": tare, "rejected": rejected, "unit": "kg", "unit_price": "3.10", "deduction": "0.05"}
        coop.preparer.submit(page, form)
    page = "/console/treasury/conversions"
    for number, amount in ((2, "150.00"), (3, "80.00")):
        form = {"producer_id": coop.producers[number][0], "amount": amount, "currency": "PEN", "rate": "4.05", "rate_on": day}
        form |= {"source": "Rate of the day at the co-op's bank, printed in binder 4"}
        opened = coop.preparer.submit(page, form).url.partition("open=")[2]
        if number == 2:
            coop.approver.submit(f"{page}/{opened}", {"word": "yes"}, page=f"{page}?open={opened}")
    return f"{len(slips)} weigh slips; 150.00 EUR become soles, 80.00 EUR to decide"


def premium(site: Site) -> str:
    """Commit the premium fund to what the members decided, pay a first bill of it, invoice the premium of a contract."""
    coop = site.coops[0]
    page = "/console/treasury/fund"
    decided = (("Seedlings for the shared nursery", "12.00"), ("Books for the school of Alto Perú", "6.00"))
    items = []
    for name, amount in decided:
        form = {"name": name, "amount": amount, "minutes": "Assembly of 14 June, minutes 2026-06, page 3"}
        items.append(coop.preparer.submit(page, form).url.partition("open=")[2])
    item = items[0]
    coop.approver.submit(f"{page}/{item}", {"word": "yes"}, page=f"{page}?open={item}")
    bill = {"amount": "9.50", "payee": "Vivero San Martín", "evidence": "Invoice 77, binder 4"}
    coop.preparer.submit(f"{page}/{item}/spendings", bill, page=f"{page}?open={item}")
    form = {"buyer": ROASTER, "contract": CONTRACT, "amount": "180.00"}
    form |= {"due_on": (today_of(coop) + timedelta(days=30)).isoformat()}
    coop.preparer.submit("/console/treasury/premium", form)
    return f"{len(decided)} decisions of the members, a bill to book, the premium of {CONTRACT} to invoice"
