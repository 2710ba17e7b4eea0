"""Paying out and reconciling: runs under four eyes, three rails, the bank's statements, a payment that comes back."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from market.demo.browser import Unexpected
from market.demo.site import CoopSite, Site, control
from market.demo.trade import fulfil
from market.simulators.bank.account import AccountState, Habits, Incoming, Order, read_orders, simulate

EXPLANATIONS = {"unidentified": "asked the bank who sent it"}
OPENING, CASH, WALLET = 2_000_000, 400_000, 1_000_000
COLUMNS = {
    "step": "save", "header_row": "0", "delimiter": ",", "decimal": ".", "date_format": "%Y-%m-%d", "skip": "FAILED",
    "column_date": "Date", "column_text": "Type", "column_amount": "Amount", "column_balance": "Balance",
    "column_counterparty_account": "To", "column_line_ref": "Transaction Id", "column_counterparty": "Our reference",
    "column_status": "Status",
}  # fmt: skip
"""What the columns of the float's statement are."""


def today_of(coop: CoopSite) -> date:
    """Return the day it is where the co-op is: people write that one on their slips."""
    return datetime.now(ZoneInfo(str(coop.plan.terms["time_zone"]))).date()


def _opened_on(coop: CoopSite) -> date:
    return today_of(coop) - timedelta(days=30)


def _before_trading(coop: CoopSite) -> date:
    """Return a day that is over."""
    return today_of(coop) - timedelta(days=2)


def banks(site: Site) -> str:
    """Register each co-op's bank account with what lies on it, and fill the cash boxes."""
    site.figures |= {"accounts": {}, "banks": {}, "cash": {}, "wallets": {}}
    for coop in site.coops:
        terms = coop.plan.terms
        currency = str(terms["currency"])
        body = {"name": "Main account", "iban": terms["iban"], "currency": currency}
        body |= {"opened_on": _opened_on(coop).isoformat(), "opening": {"minor": OPENING, "currency": currency}}
        site.figures["accounts"][coop.id] = coop.approver.api("POST", "/statements/accounts", body)["id"]
        state = AccountState(str(terms["iban"]), currency, str(terms["account_holder"]), OPENING)
        # A statement of the weeks before, in which nothing happened, so that the period before trading can be closed.
        quiet = Habits(fee_minor=0, returns=0, unknown_minor=0, days=(_before_trading(coop) - _opened_on(coop)).days)
        statement, site.figures["banks"][coop.id] = simulate(state, [], on=_opened_on(coop), habits=quiet)
        _import(coop, site.figures["accounts"][coop.id], statement)
        if "momo" in coop.plan.rails:
            body = {"name": "Mobile-money float", "iban": "+233244000001", "wallet": True, "currency": currency}
            body |= {"opened_on": today_of(coop).isoformat(), "opening": {"minor": WALLET, "currency": currency}}
            site.figures["wallets"][coop.id] = coop.approver.api("POST", "/statements/accounts", body)["id"]
        if "cash" in coop.plan.rails:
            fill = {
                "amount": {"minor": CASH, "currency": currency},
                "on": today_of(coop).isoformat(),
                "slip": f"CB-{coop.plan.slug}",
            }
            coop.preparer.api("POST", "/cash-box/fill", fill)
            site.figures["cash"][coop.id] = CASH
    return f"{len(site.coops)} accounts with {OPENING / 100:.2f} each"


def wallet_statement(site: Site) -> str:
    """Import the statement of the mobile-money float: its columns are named once, its rows settle the payouts, fees are booked."""
    said = []
    for coop in site.coops:
        if "momo" not in coop.plan.rails:
            continue
        wallet = site.figures["wallets"][coop.id]
        control("MOMO", "decide")  # it takes its time, and a statement shows what it has decided
        rows = control("MOMO", "statement", opening=f"{WALLET / 100:.2f}")["csv"].encode()
        path = f"/statements/accounts/{wallet}/files?name=float.csv"
        file = coop.preparer.raw("POST", path, rows, "text/csv").json
        coop.preparer.submit(f"/console/statements/files/{file['id']}/columns", COLUMNS)
        found = coop.preparer.api("GET", f"/statements/files/{file['id']}")
        if found["outcome"] == "draft":  # a portal's list has no balances of a bank's statement: a person looks at it
            coop.approver.api("POST", f"/statements/files/{file['id']}/confirm")
        coop.preparer.api("POST", f"/statements/accounts/{wallet}/matching")
        left = coop.preparer.api("GET", f"/statements/accounts/{wallet}/lines?show=open&limit=200")["items"]
        for line in left:
            _explain(coop, line)
        said.append(f"{coop.plan.slug}: {len(left)} fees booked, the rest matched by rule")
    return "; ".join(said)


def recipients(site: Site) -> str:
    """Open the recipients' accounts at the card processor."""
    count = 0
    for coop in site.coops:
        for number, (_, name, _browser) in enumerate(coop.producers):
            if coop.plan.rails[number % len(coop.plan.rails)] == "stripe":
                account = f"acct_{coop.plan.slug.replace('-', '')}{number}"
                control("STRIPE", "accounts", id=account, display_name=name)
                count += 1
    return f"{count} recipients"


def first_run(site: Site) -> str:
    """Prepare a payout run in each co-op, approve it as a second person, let the workers send it."""
    return _runs(site)


def _runs(site: Site) -> str:
    site.figures["runs"] = {}
    said = []
    for coop in site.coops:
        due_by = (today_of(coop) + timedelta(days=30)).isoformat()
        run = coop.preparer.api("POST", "/payout-runs", {"due_by": due_by}, expect=(201, 409))
        if run.get("code") == "payouts.nothing_to_pay":
            continue
        approval = {"list_sha256": run["list_sha256"]}
        coop.preparer.api("POST", f"/payout-runs/{run['id']}/approve", approval, expect=403)
        coop.approver.api("POST", f"/payout-runs/{run['id']}/approve", approval)
        site.figures["runs"][coop.id] = run["id"]
        said += [
            f"{total['count']} by {total['rail']} {total['money']['minor'] / 100:.2f} {total['money']['currency']}"
            for total in run["totals"]
        ]
    for coop in site.coops:
        if coop.id in site.figures["runs"]:
            _carry_out(site, coop, site.figures["runs"][coop.id])
    return "; ".join(said)


def _carry_out(site: Site, coop: CoopSite, run_id: str) -> None:
    """Do what people do after the approval: submit the bank file, hand out cash against receipts."""
    coop.preparer.until("GET", f"/payout-runs/{run_id}/payouts", lambda page: not any(map(_with_worker, page["items"])))
    detail = coop.preparer.until("GET", f"/payout-runs/{run_id}", _has_its_files)
    orders: list[Order] = []
    for file in detail["files"]:
        orders += read_orders(coop.preparer.get(f"/api/v1/payout-files/{file['id']}").body)
        coop.preparer.api("POST", f"/payout-files/{file['id']}/submitted")
    site.figures.setdefault("orders", {})[coop.id] = orders
    for number, payout in enumerate(coop.preparer.api("GET", f"/payout-runs/{run_id}/payouts")["items"], start=1):
        if payout["rail"] == "cash":
            receipt = {
                "number": f"{coop.plan.slug}-{payout['number']}",
                "paid_on": today_of(coop).isoformat(),
                "amount": payout["money"],
            }
            receipt |= {"cashier": "Preparer", "taken_by": payout["holder"], "signed": "signature" if number % 2 else "thumb"}
            coop.preparer.api("POST", f"/payouts/{payout['id']}/receipt", receipt | {"witness": "Neighbour"})


def _with_worker(payout: dict[str, Any]) -> bool:
    return payout["rail"] in ("stripe", "momo") and payout["state"] in ("approved", "queued", "sending")


def _has_its_files(detail: dict[str, Any]) -> bool:
    return bool(detail["files"]) or all(total["rail"] != "sepa" for total in detail["run"]["totals"])


def first_statement(site: Site) -> str:
    """Let the bank carry out the files, and import its statement: fees, a return, an unknown line, customers.

    All of it on one day: a statement that a bank has sent names no day to come, and what the desk shows would wait since then.
    """
    awaited = [order for order in site.orders if order["plan"]["method"] == "transfer"]
    return _statements(site, awaited, Habits(days=0))


def _statements(site: Site, awaited: list[dict[str, Any]], habits: Habits) -> str:
    said = []
    for coop in site.coops:
        own = [order for order in awaited if order["transfer"]["iban"] == coop.plan.terms["iban"]]
        incoming = [
            Incoming(minor, order["transfer"]["reference"], order["plan"]["buyer"]["name"])
            for number, order in enumerate(own)
            for minor in _in_parts(order["transfer"]["amount"]["minor"], 2 if number == 0 else 1)
        ]
        if coop.id in site.figures["cash"]:
            drawn = site.figures["cash"].pop(coop.id)
            incoming.append(Incoming(-drawn, "", "Cash desk", "", f"Cash withdrawal, slip CB-{coop.plan.slug}"))
        orders = site.figures.get("orders", {}).pop(coop.id, [])
        state = site.figures["banks"][coop.id]
        first = max(today_of(coop), date.fromisoformat(state.last_on))
        statement, after = simulate(state, orders, on=first, incoming=incoming, habits=habits)
        site.figures["banks"][coop.id] = after
        said.append(_import(coop, site.figures["accounts"][coop.id], statement))
    return "; ".join(said)


def _in_parts(minor: int, count: int) -> list[int]:
    """Split what a buyer sends in several transfers."""
    return [minor // count] * (count - 1) + [minor - minor // count * (count - 1)]


def in_parts(site: Site) -> str:
    """See that who paid in two transfers was recognised by a partial match, and the order paid by both (E07)."""
    count = 0
    for coop in site.coops:
        account = site.figures["accounts"][coop.id]
        lines = coop.preparer.api("GET", f"/statements/accounts/{account}/lines?show=matched&limit=200")["items"]
        count += sum(match["kind"] == "partial" and not match["undone_at"] for line in lines for match in line["matches"])
    if not count:
        raise Unexpected("nobody's transfer was matched in part, and one paid in two")
    return f"{count} transfers matched as part of what was owed"


def left_open(site: Site) -> str:
    """Import a further statement with lines that no rule explains: here staff take over."""
    incoming = [
        Incoming(1240, "", "Inés Gallardo", "ES9121000418450200051332", "for the roof of the school"),
        Incoming(-85, "", "", "", "Keeping of the account"),
    ]
    for coop in site.coops:
        come_in(site, coop, incoming)
    return f"{len(incoming)} lines to explain in each co-op"


def come_in(site: Site, coop: CoopSite, incoming: list[Incoming]) -> None:
    """Import a further statement of a co-op's bank with these lines."""
    state = site.figures["banks"][coop.id]
    on = max(today_of(coop), date.fromisoformat(state.last_on))
    habits = Habits(unknown_minor=0, days=0)
    statement, site.figures["banks"][coop.id] = simulate(state, [], on=on, incoming=incoming, habits=habits)
    _upload(coop, site.figures["accounts"][coop.id], statement)


def _upload(coop: CoopSite, account: str, statement: bytes) -> int:
    """Import a statement and let the rules match it; return the number of its lines."""
    path = f"/statements/accounts/{account}/files?name={coop.plan.slug}.xml"
    taken = coop.preparer.raw("POST", path, statement, "application/xml").json
    if taken["outcome"] != "imported":
        raise Unexpected(f"the statement was not imported: {taken}")
    coop.preparer.api("POST", f"/statements/accounts/{account}/matching")
    return int(taken["new_lines"])


def _import(coop: CoopSite, account: str, statement: bytes) -> str:
    """Import one statement twice (the second time it is known), match it, and work off what is left."""
    lines = _upload(coop, account, statement)
    path = f"/statements/accounts/{account}/files?name={coop.plan.slug}.xml"
    if not coop.preparer.raw("POST", path, statement, "application/xml").json["known"]:
        raise Unexpected("the same statement was imported twice")
    left = coop.preparer.api("GET", f"/statements/accounts/{account}/lines?show=open&limit=200")["items"]
    for line in left:
        _explain(coop, line)
    still = coop.preparer.api("GET", f"/statements/accounts/{account}/lines?show=open")["items"]
    if still:
        raise Unexpected(f"lines are still open: {still}")
    return f"{coop.plan.slug}: {lines} lines, {lines - len(left)} matched by rule, {len(left)} by a person"


def _explain(coop: CoopSite, line: dict[str, Any]) -> None:
    if line["suggestions"] and line["returned"]:
        choice: dict[str, Any] = {"suggestion_id": line["suggestions"][0]["id"]}
    elif "withdrawal" in line["text"]:
        choice = {"account_code": "own_transit", "reason": "cash box filled"}
    elif line["money"]["minor"] < 0:
        choice = {"account_code": "bank_charges", "reason": "charges of the bank"}
    else:
        choice = {"account_code": "unidentified", "reason": "nobody knows it; kept for whoever asks"}
    coop.preparer.api("POST", f"/statements/lines/{line['id']}/matches", choice)


def transfers_sent(site: Site) -> str:
    """Orders paid by transfer are recognised by their reference, packed, sent and settled like the others."""
    paid = [order for order in site.orders if order["plan"]["method"] == "transfer"]
    for order in paid:
        site.coops[0].preparer.until("GET", f"/orders/{order['id']}?key={order['key']}", lambda seen: seen["state"] == "paid")
    return fulfil(site, paid)


def new_details(site: Site) -> str:
    """Enter new details for whoever's payment came back; until a second person has seen them nobody is paid there."""
    count = 0
    for coop in site.coops:
        for payee in returned_payees(coop):
            name = next(row[1] for row in coop.producers if row[0] == payee)
            body = {"rail": "sepa", "currency": coop.plan.terms["currency"], "holder": name, "iban": "DE75512108001245126199"}
            body |= {"street": "Calle Nueva", "building": "1", "town": "Pueblo", "postcode": "10000", "country": "DE"}
            entered = coop.preparer.api("POST", f"/producers/{payee}/payee-accounts", body)
            coop.approver.api("POST", f"/payee-accounts/{entered['id']}/confirm")
            count += 1
    if not count:
        raise Unexpected("no payment came back, and one should have")
    return f"{count} payments came back; the debts are open again, with new details"


def returned_payees(coop: CoopSite) -> list[str]:
    """Return whose payments the bank sent back."""
    found = []
    for run in coop.preparer.api("GET", "/payout-runs")["items"]:
        for payout in coop.preparer.api("GET", f"/payout-runs/{run['id']}/payouts")["items"]:
            if payout["state"] == "returned":
                found.append(payout["payee_id"])
    return found


def second_run(site: Site) -> str:
    """Pay what has become due since, and what came back."""
    return _runs(site)


def second_statement(site: Site) -> str:
    """Import the bank's next statements, which continue the first."""
    return _statements(site, [], Habits(returns=0, unknown_minor=0, days=0))


def processor_statement(site: Site) -> str:
    """Wait until the processor's own statement shows its transfers: accepted is not yet paid."""
    count = 0
    for coop in site.coops:
        for run in coop.preparer.api("GET", "/payout-runs")["items"]:
            path = f"/payout-runs/{run['id']}/payouts"
            page = coop.preparer.until("GET", path, lambda page: not any(map(_only_accepted, page["items"])))
            count += sum(payout["rail"] == "stripe" for payout in page["items"])
    return f"{count} transfers settled by the processor's statement"


def _only_accepted(payout: dict[str, Any]) -> bool:
    return bool(payout["rail"] == "stripe" and payout["state"] != "settled")


def close(site: Site) -> str:
    """Close the weeks before trading in each co-op: prepared by one, closed by another, every difference explained."""
    said = []
    for coop in site.coops:
        ends_on = _before_trading(coop).isoformat()
        differences = coop.preparer.api("GET", f"/statements/differences?ends_on={ends_on}")["items"]
        explanations = {
            row["key"]: EXPLANATIONS.get(row["key"].partition(":")[0], "comes with the next statement") for row in differences
        }
        prepared = coop.preparer.api("POST", "/statements/closes", {"ends_on": ends_on, "explanations": explanations})
        coop.preparer.api("POST", f"/statements/closes/{prepared['id']}/close", expect=403)
        closed = coop.approver.api("POST", f"/statements/closes/{prepared['id']}/close")
        if closed["state"] != "closed":
            raise Unexpected(f"the period is {closed['state']}")
        said.append(f"{coop.plan.slug} with {len(differences)} explained differences")
    return ", ".join(said)
