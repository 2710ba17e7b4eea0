"""Web server, worker and database die (SIGKILL) at named points inside every money flow, the broker forgets, and nothing shows.

The points are each commit of the flow, before it and after it unheard, and each call of a gateway, before and after. Whoever
heard no answer asks again, as a browser, a program or the processor would. Oracles are the processor's effect log and the
bank's file. `FAULTS=long` lets each of them die at every point of every step.
"""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from zlib import crc32

import pytest

from market.accounts import service as accounts
from market.kernel.money import Money
from market.ledger import queries as books
from market.producers.models import Coop as CoopRow
from market.simulators.bank.account import AccountState, Habits, read_orders, simulate
from tests.factories.accounts import actor_for, make_staff
from tests.factories.catalogue import make_listing
from tests.factories.producers import make_coop, make_payee_account, make_producer
from tests.factories.statements import import_bytes, make_account
from tests.faults.deaths import LONG, Death, Site, running

pytestmark = pytest.mark.faults
POINTS = ("before_commit", "after_commit", "before_call", "after_call")
BUYER = {"name": "Ana", "email": "ana@example.org", "street": "Calle", "postcode": "28001", "town": "Madrid", "country": "ES"}
IBANS = ("DE89370400440532013000", "DE75512108001245126199")
SCOPES = (
    "orders:read",
    "orders:write",
    "payouts:read",
    "payouts:write",
    "statements:read",
    "statements:write",
    "community:write",
)
OPENING = 2_000_000
WON, LOST = 500, 300  # what the buyer's bank takes back: some of it comes again


class Coop:
    """A co-op with two people, three producers and a bank account, and what it lives through."""

    def __init__(self, site: Site, number: int, deaths) -> None:
        self.site, self.number, self._deaths, self._dice = site, number, deaths, random.Random(number)
        today = site.today()
        with site.session() as session:
            coop = make_coop(session, iban=IBANS[number % 2])
            self.id = coop.id
            self.keys = {role: self._key(session, make_staff(session, coop=coop, role=role)) for role in ("preparer", "approver")}
            self.listings = []
            for rail in ("sepa", "stripe", "sepa"):
                producer = make_producer(session, coop=coop)
                account = f"acct_{producer.id.hex}"
                details = {"iban": None, "bic": None, "stripe_account": account} if rail == "stripe" else {}
                make_payee_account(session, producer=producer, rail=rail, **details)
                if rail == "stripe":
                    site.cards.control("accounts", id=account)
                self.listings.append(make_listing(session, producer=producer, on_hand=10).id)
            opened_on = today - timedelta(days=30)
            account = make_account(session, coop=coop, opened_on=opened_on, opening=Money(OPENING, "EUR"))
            self.account_id = account.id
            # A statement of the weeks before, in which nothing happened: they can be closed.
            self.bank = AccountState(coop.iban, "EUR", "Co-op", OPENING)
            quiet = Habits(fee_minor=0, returns=0, unknown_minor=0, days=28)
            statement, self.bank = simulate(self.bank, [], on=opened_on, habits=quiet)
            import_bytes(session, account, statement)

    @staticmethod
    def _key(session, person) -> str:
        now = datetime.now(UTC)
        actor = actor_for(session, person)
        ends = now + timedelta(days=30)
        return accounts.issue_api_key(session, actor=actor, label="till", scopes=SCOPES, expires_at=ends, now=now).text

    def ask(self, path: str, body=None, *, by: str | None = None, method: str = "POST", ok=(200, 201, 204), **headers):
        """Call the API once per answer: parts of the site die on the way."""
        if by is not None:
            headers["Authorization"] = f"Bearer {self.keys[by]}"
        headers["Idempotency_Key"] = f"{self.number}-{path}-{crc32(repr(body).encode())}"
        answer = self.site.survive(lambda: self.site.call(method, f"/api/v1{path}", body, **headers), *next(self._deaths))
        assert answer["status"] in ok, (path, answer)
        return answer

    def get(self, path: str, *, by: str = "preparer"):
        """Read over the API; nobody dies of that."""
        return self.site.survive(lambda: self.site.call("GET", f"/api/v1{path}", Authorization=f"Bearer {self.keys[by]}"))

    def work(self) -> None:
        """Let workers do what waits: first the broker forgets all, when dice say so, then they, or the database, die.

        The long form also lets one work right after each flush, and once more at the end, when nothing of it should be left.
        """
        flush = Death("broker", "before_commit", self._dice.randint(2, 8))
        self.site.survive(self.site.work, flush, repeat=LONG)
        self.site.let_pass(35)  # then what it has forgotten is handed over again
        self.site.survive(self.site.work, *next(self._deaths))  # the one after a death takes up what the dead had claimed
        if LONG:
            self.site.survive(self.site.work)

    def sell(self) -> None:
        """Place an order over three producers, pay it, hear of it, give a third back, send the rest."""
        lines = [{"listing_id": str(listing), "quantity": "2"} for listing in self.listings]
        self.order = self.ask("/orders", {"lines": lines, "buyer": BUYER, "method": "card"})
        path = f"/orders/{self.order['id']}"
        page = self.ask(f"{path}/payment?key={self.order['key']}")["payment_url"]
        self.site.cards.pay(page)
        for delivery in self.site.tell(self.order["payment_id"]):
            assert self.site.survive(delivery, *next(self._deaths))["status"] == 200
        self.work()
        parts = self.get(f"{path}?key={self.order['key']}")["parts"]
        self.ask(f"/seller-orders/{parts[2]['id']}/refunds", {"reason": "mouldy", "bearer": "coop"}, by="preparer")
        self.work()
        for part in parts[:2]:
            self.ask(f"/seller-orders/{part['id']}/ship", {}, by="preparer", ok=(200, 409))
            self.ask(f"{path}/parts/{part['id']}/confirm?key={self.order['key']}", ok=(200, 409))
        self.work()

    def object(self) -> None:
        """Let the buyer's bank take two sums back, and the card network give one of them again and keep the other."""
        (paid,) = {event["data"]["object"]["id"] for event in self.site.events(self.order["payment_id"])
                   if event["type"] == "payment_intent.succeeded"}  # fmt: skip
        sums = {"won": WON, "lost": LOST}
        disputes = {end: self.site.cards.control("dispute", payment_intent=paid, amount=sums[end])["dispute"] for end in sums}
        for closed in (False, True):
            for outcome, dispute in disputes.items():
                if closed:
                    self.site.cards.control("dispute_closes", dispute=dispute, outcome=outcome)
                assert self.site.survive(self.site.tell(dispute)[-1], *next(self._deaths))["status"] == 200
            self.work()

    def pay_out(self) -> None:
        """Prepare a run, approve it, send it, hand the file to the bank."""
        run = self.ask("/payout-runs", {"due_by": (self.site.today() + timedelta(days=30)).isoformat()}, by="preparer")
        self.run = run["id"]
        self.ask(f"/payout-runs/{self.run}/approve", {"list_sha256": run["list_sha256"]}, by="approver")
        self.work()
        (file,) = self.get(f"/payout-runs/{self.run}")["files"]
        self.file = self.get(f"/payout-files/{file['id']}")["body"]
        self.ask(f"/payout-files/{file['id']}/submitted", by="preparer", ok=(204, 409))

    def reconcile(self) -> None:
        """Import the bank's statement, let rules and a person match it, close the weeks before."""
        base, today = "/statements", self.site.today()
        habits = Habits(returns=0, unknown_minor=0, days=0)
        statement, self.bank = simulate(self.bank, read_orders(self.file), on=today, habits=habits)
        self.ask(f"{base}/accounts/{self.account_id}/files?name=today.xml", statement, by="preparer")
        self.ask(f"{base}/accounts/{self.account_id}/matching", by="preparer")
        for line in self.get(f"{base}/accounts/{self.account_id}/lines?show=open")["items"]:
            fee = {"account_code": "bank_charges", "reason": "charges of the bank"}
            self.ask(f"{base}/lines/{line['id']}/matches", fee, by="preparer", ok=(201, 409))
        self.work()
        ends_on = (today - timedelta(days=2)).isoformat()
        prepared = self.ask(f"{base}/closes", {"ends_on": ends_on}, by="preparer")
        self.ask(f"{base}/closes/{prepared['id']}/close", by="approver", ok=(200, 409))

    def by_two(self, path: str, body, words: str) -> str:
        """Let one person propose and another agree; return what was proposed."""
        made = self.ask(path, body, by="preparer")["id"]
        self.ask(f"/{words}/{made}/decide", {"agreed": True}, by="approver", ok=(204, 409))
        return str(made)

    def lend(self) -> None:
        """Borrow, advance cash to a member and pay it out of a bag, open the members' own unit and pay in it."""
        today = self.site.today().isoformat()
        with self.site.session() as session:
            members = [make_producer(session, coop=session.get_one(CoopRow, self.id)) for _ in range(2)]
            make_payee_account(session, producer=members[0], rail="cash", iban=None, bic=None)
            ana, luis = (str(member.id) for member in members)
        terms = {
            "kind": "buyer",
            "lender": "Roaster",
            "contract": "C-1",
            "cap_percent": "60",
            "rate_percent": "3",
            "terms": "Binder 3",
        }
        sums = {"goods": euros(9000), "amount": euros(3000), "due_on": (self.site.today() + timedelta(days=90)).isoformat()}
        self.by_two("/loans", terms | sums, "loans")
        self.by_two("/advances", {"producer_id": ana, "amount": euros(2500), "reason": "pickers"}, "advances")
        self.ask("/cash-box/fill", {"amount": euros(3000), "on": today, "slip": "S-1"}, by="preparer", ok=(204, 409))
        run = self.ask("/payout-runs", {"due_by": today}, by="preparer")
        self.ask(f"/payout-runs/{run['id']}/approve", {"list_sha256": run["list_sha256"]}, by="approver")
        self.work()
        ((payout,),) = self.site.all("SELECT id FROM payout WHERE run_id = :r", r=run["id"])
        bag = self.ask(f"/payout-runs/{run['id']}/bags", {"officer": "Eva", "amount": euros(3000), "on": today}, by="preparer")[
            "id"
        ]
        paper = {
            "number": "R-1",
            "paid_on": today,
            "cashier": "Eva",
            "taken_by": members[0].name,
            "signed": "signature",
            "bag_id": bag,
        }
        self.ask(f"/payouts/{payout}/receipt", paper | {"amount": euros(2500)}, by="preparer")
        self.ask(f"/cash-bags/{bag}/close", {"returned": euros(500), "on": today}, by="preparer", ok=(200, 409))
        unit = {"legal_check": "Folder 7, opinion of a lawyer", "authorise_above": units(1000)}
        self.by_two("/community-currency", unit, "community-currency")
        bounds = {"limit_down": units(5000), "growth_cap": units(8000)}
        holders = [self.by_two("/community-holders", {"producer_id": who} | bounds, "community-holders") for who in (ana, luis)]
        pay = {"payer_id": holders[0], "payee_id": holders[1], "amount": units(1500), "words": "Seedlings"}
        self.by_two("/community-transfers", pay, "community-transfers")
        self.work()


def euros(minor: int) -> dict[str, object]:
    """Return an amount as calls take it."""
    return {"minor": minor, "currency": "EUR"}


def units(minor: int) -> dict[str, object]:
    """Return an amount of the members' own unit as calls take it."""
    return {"minor": minor, "currency": "XCC"}


def laws_of_lending(site: Site, coop: Coop) -> None:
    """Each thing is there once, decided by the second person, and the cash adds up."""
    once = (
        ("advance", "amount_minor", [2500]),
        ("loan", "amount_minor", [3000]),
        ("community_transfer", "amount_minor", [1500]),
        ("cash_receipt", "amount_minor", [2500]),
        ("cash_bag", "returned_minor", [500]),
    )
    for table, column, wanted in once:
        assert [row[0] for row in site.all(f"SELECT {column} FROM {table} WHERE coop_id = :c", c=coop.id)] == wanted, table
    assert site.all("SELECT state FROM payout WHERE coop_id = :c AND rail = 'cash'", c=coop.id) == [("settled",)]
    moved = """SELECT sum(debits_minor - credits_minor) FROM ledger_balance JOIN ledger_account a ON a.id = account_id
      JOIN ledger_book b ON b.id = a.book_id WHERE b.coop_id = :c AND a.code LIKE :code GROUP BY a.id ORDER BY 1"""
    assert [row[0] for row in site.all(moved, c=coop.id, code="lc:%") if row[0]] == [-1500, 1500]


def laws(site: Site, coop: Coop) -> None:
    """Nobody is paid twice, nobody forgotten, the books balance, no stock is below zero, no fact is lost."""
    charges = [one for one in site.cards.effects("charge") if one["metadata"]["payment_id"] == coop.order["payment_id"]]
    assert len(charges) == 1
    parts = site.all("SELECT id, state FROM seller_order WHERE coop_id = :c ORDER BY state", c=coop.id)
    assert sorted(part.state for part in parts) == ["refunded", "settled", "settled"]
    (refund,) = site.all("SELECT id, state FROM refund WHERE coop_id = :c", c=coop.id)
    given = Counter(one["metadata"]["refund_id"] for one in site.cards.effects("refund"))
    assert (refund.state, given[str(refund.id)]) == ("paid", 1)
    disputes = "SELECT state, closed_at IS NOT NULL FROM payment_dispute WHERE payment_id = :p ORDER BY state"
    assert site.all(disputes, p=coop.order["payment_id"]) == [("lost", True), ("won", True)]
    lost = """SELECT sum(debits_minor) FROM ledger_balance JOIN ledger_account a ON a.id = account_id
      JOIN ledger_book b ON b.id = a.book_id WHERE b.coop_id = :c AND a.code = 'dispute_loss'"""
    assert site.all(lost, c=coop.id) == [(LOST,)]
    moved = "SELECT sum(debits_minor), sum(credits_minor) FROM ledger_balance JOIN ledger_account a ON a.id = account_id WHERE a.code = :c"
    ((taken, given_back),) = site.all(moved, c="disputed")
    assert taken == given_back > 0
    payouts = site.all("SELECT id, rail, state, reference FROM payout WHERE coop_id = :c", c=coop.id)
    assert sorted((payout.rail, payout.state) for payout in payouts) == [("sepa", "settled"), ("stripe", "settled")]
    sent = Counter(one["metadata"]["payout_id"] for one in site.cards.effects("transfer"))
    assert [sent[str(payout.id)] for payout in payouts if payout.rail == "stripe"] == [1]
    assert [one.reference for one in read_orders(coop.file)] == [one.reference for one in payouts if one.rail == "sepa"]
    assert site.all("SELECT count(*), sum(amount_minor) FROM statement_line WHERE coop_id = :c", c=coop.id) == [
        (2, coop.bank.balance_minor - OPENING)
    ]
    assert site.all("SELECT count(*) FROM statement_line WHERE coop_id = :c AND state <> 'matched'", c=coop.id) == [(0,)]
    assert site.all("SELECT state FROM period_close WHERE coop_id = :c", c=coop.id) == [("closed",)]
    papers = site.all("SELECT kind, count(*) FROM invoice WHERE coop_id = :c GROUP BY kind ORDER BY kind", c=coop.id)
    assert [tuple(row) for row in papers] == [("credit_note", 1), ("invoice", 1)]
    stock = site.all("SELECT on_hand FROM stock WHERE coop_id = :c ORDER BY on_hand", c=coop.id)
    assert [int(row.on_hand) for row in stock] == [8, 8, 10]
    assert site.all("SELECT 1 FROM hold WHERE state = 'active'") == []


def laws_of_the_site(site: Site) -> None:
    """The books balance, and every fact has been told, and once."""
    assert site.all("SELECT topic, awaits, last_error FROM outbox WHERE sent_at IS NULL OR cardinality(awaits) > 0") == []
    assert site.all("SELECT kind FROM inbox WHERE handled_at IS NULL") == []
    assert site.all("SELECT 1 FROM stock WHERE on_hand < 0 OR held < 0") == []
    with site.session() as session:
        assert books.check(session) == []


def one_each():
    """A death in each step, by turns the process itself and the database, at another point each time."""
    for number in count():
        victim = "database" if number % 4 == 3 else "itself"
        yield [Death(victim, POINTS[number % 2], 1 + number % 3)]


def every(victim: str, point: str):
    """Deaths in each step at every passage of a point, until one try meets none."""
    while True:
        yield [Death(victim, point, passage) for passage in range(1, 60)]


STORIES = [(victim, point) for point in POINTS for victim in ("itself", "database")] if LONG else [("anybody", "any point")]


@pytest.mark.parametrize(("victim", "point"), STORIES)
def test_no_death_inside_a_money_flow_leaves_a_trace(tmp_path, report, victim, point):
    number = STORIES.index((victim, point))
    with running(tmp_path) as site:
        coop = Coop(site, number, every(victim, point) if LONG else one_each())
        coop.sell()
        coop.pay_out()
        coop.object()
        coop.reconcile()
        laws(site, coop)
        if LONG:
            coop.lend()
            laws_of_lending(site, coop)
        site.let_pass(25 * 60)  # a fact that was forgotten more than once waits for a day at most
        site.work()
        laws_of_the_site(site)
        forgotten = site.forgotten
    assert forgotten > site.deaths["broker"]  # tasks did wait there
    assert min(site.deaths.values()) >= 3
    names = {"itself": "deaths of web server or worker", "database": "of the database", "broker": "flushes of the Valkey"}
    told = ", ".join(f"{number} {names[who]}" for who, number in site.deaths.items())
    told += f", which held {forgotten} messages"
    report(f"from order to closed period, {point}: {told}: all paid once, books balanced, no fact lost")
