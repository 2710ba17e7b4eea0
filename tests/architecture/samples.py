"""One row of each kind that a path can name, all of our co-op, its producer and its buyer.

A new path parameter needs a line in SAMPLES: for all routes ("", name), for a blueprint, or for one endpoint. A call whose
body cannot be empty gets one in BODIES, so that the refusal of a foreign id is seen and not that of an empty form.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from market.accounts import service as accounts
from market.accounts.models import AccountRole
from market.catalogue.models import Listing
from market.desks.models import ReportJob, SavedView
from market.earnings import service as earnings
from market.earnings.models import Distribution
from market.invoices import service as invoices
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.orders import queries as orders
from market.orders import service as withdrawing
from market.orders.models import Substitution
from market.payments import service as payments
from market.payments.models import Dispute, Payment
from market.payments.rules import Amounts
from market.payouts import service as payouts
from market.payouts.models import Payout, PayoutFile
from market.pricing.models import ImportBatch
from market.producers.models import Certificate
from market.provenance.models import CaptureJob
from market.treasury.community_models import CommunityHolder, CommunityLeaving, CommunityScheme, CommunityTransfer
from market.treasury.models import (
    CoopRecipient,
    CoopShare,
    FxConversion,
    Loan,
    LoanRepayment,
    PremiumInvoice,
    PremiumItem,
    PremiumSpending,
)
from tests.architecture.bank_samples import (
    add,
    booking_rule,
    close,
    correction_waits,
    line_or_file,
    match,
    money_account,
    opening,
    proposal,
    suggestion,
)
from tests.conftest import NOW
from tests.factories.accounts import actor_for
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order, parts_of
from tests.factories.payouts import approved_run, make_run, only_payout, owe
from tests.factories.prices import make_quote, make_reference
from tests.factories.producers import make_payee_account, make_producer
from tests.factories.provenance import make_lot
from tests.factories.statements import CLERK


def _invoice(world: Any) -> Any:
    part = orders.seller_order(world.session, world.sample("", "seller_order_id"))
    made = invoices.issue_invoice(world.session, order_id=part.order_id, coop_id=part.coop_id, now=NOW)
    invoices.keep_print(world.session, invoice_id=made, body=b"%PDF", now=NOW)
    return made


def _treasury(world: Any, model: Any, **values: Any) -> Any:
    return _treasury_row(world, model, amount_minor=1, **values)


def _treasury_row(world: Any, model: Any, **values: Any) -> Any:
    proposed = {"currency": "EUR", "state": "proposed", "proposed_by": "account:x", "proposed_at": NOW}
    return add(world, model(id=new_id(), coop_id=world.coop.id, **proposed, **values))


def _community(world: Any, model: Any, **values: Any) -> Any:
    who = {"state": "proposed", "proposed_by": "account:x", "proposed_at": NOW}
    return add(world, model(id=new_id(), coop_id=world.coop.id, **who, **values))


def _holder(world: Any, producer_id: Any) -> Any:
    return _community(world, CommunityHolder, producer_id=producer_id, limit_down_minor=1, growth_cap_minor=1)


def _community_transfer(world: Any) -> Any:
    other = _holder(world, make_producer(world.session, coop=world.coop).id)
    asked = {"words": "two hens", "needs_second": True, "state": "pending", "asked_by": "account:x", "asked_at": NOW}
    row = CommunityTransfer(
        id=new_id(), coop_id=world.coop.id, payer_id=world.sample("", "holder_id"), payee_id=other, amount_minor=1, **asked
    )
    return add(world, row)


def _recipient(world: Any) -> Any:
    who = {"state": "proposed", "proposed_by": "account:x", "proposed_at": NOW}
    return add(world, CoopRecipient(id=new_id(), coop_id=world.coop.id, account="acct_1", **who))


def _loan(world: Any) -> Any:
    words = {"kind": "buyer", "lender": "Ethical Roasters", "contract": "2026-7", "terms": "folder 3"}
    numbers = {"number": 1, "goods_minor": 2, "cap_percent": 60, "amount_minor": 1, "rate_percent": 0}
    return _treasury_row(world, Loan, **words, **numbers, due_on=date(2027, 6, 30))


def _certificate(world: Any) -> Any:
    values = {"scheme": "Fairtrade", "kind": "trade", "number": "FLO-1", "issuer": "FLOCERT", "product_scope": []}
    days = {"valid_from": date(2026, 1, 1), "valid_to": date(2027, 1, 1), "entered_at": NOW}
    return add(world, Certificate(id=new_id(), coop_id=world.coop.id, **values, **days))


def _waiting_account(world: Any) -> Any:
    values = {"entered_by": "account:somebody", "confirmed_by": None, "confirmed_at": None, "currency": "USD", "rail": "cash"}
    return make_payee_account(world.session, producer=world.producer, iban=None, bic=None, **values).id


def _key(world: Any, owner: str) -> Any:
    actor = actor_for(world.session, world.people[owner])
    wanted = {"label": "till", "scopes": ["orders:read"], "expires_at": NOW + timedelta(days=9)}
    return accounts.issue_api_key(world.session, actor=actor, now=NOW, **wanted).id


def _grant(world: Any) -> Any:
    return world.session.query(AccountRole.id).filter_by(account_id=world.people["preparer"].id).scalar()


def _batch(world: Any) -> Any:
    words = {"profile": "project_seed_v1", "scheme": "fairtrade", "source_name": "seed", "document_hash": "0" * 64}
    return add(world, ImportBatch(id=new_id(), entered_by="account:somebody", entered_at=NOW, **words))


def _capture(world: Any) -> str:
    job = CaptureJob(id=new_id(), coop_id=world.coop.id, actor="system", behaviour="rollback", document={}, created_at=NOW)
    return str(add(world, job))


def _run(world: Any) -> Any:
    world.sample("", "payout_id")  # the same account to pay to
    owe(world.session, world.producer)
    return make_run(world.session, world.coop.id).id


def _payout(world: Any) -> Any:
    make_payee_account(world.session, producer=world.producer)
    owe(world.session, world.producer)
    return only_payout(world.session, approved_run(world.session, world.coop.id)).id


def _lot(world: Any) -> Any:
    return make_lot(world.session, coop=world.coop, producer=world.producer)


def _withdrawn(world: Any) -> tuple[Any, Any, Any]:
    """A lot that is withdrawn, a paid part that holds goods of it, and its order."""
    listing = make_listing(world.session, producer=world.producer)
    order_id = paid_order(world.session, listing, actor=actor_for(world.session, world.people["owner"])).order_id
    facts = {"lot_id": listing.lot_id, "with_lots": (), "reason": "Ochratoxin found", "advice": "return", "now": NOW}
    staff = actor_for(world.session, world.people["preparer"])
    made = withdrawing.withdraw_lot(world.session, actor=staff, **facts)
    withdrawing.note_withdrawn(world.session, withdrawal_id=made.id, order_id=order_id, now=NOW)
    return listing.lot_id, parts_of(world.session, order_id)[0].id, order_id


def _order(world: Any) -> Any:
    listing = world.session.get(Listing, world.sample("", "listing_id"))
    return paid_order(world.session, listing, actor=actor_for(world.session, world.people["owner"])).order_id


def _payment(world: Any) -> Any:
    return world.session.query(Payment.id).filter_by(subject_id=world.sample("", "order_id")).scalar()


def _refund(world: Any) -> Any:
    cent = {"payment_id": world.sample("", "payment_id"), "subject": world.sample("", "seller_order_id")}
    decided = {"reason": "a broken bag", "bearer": "coop", "actor": CLERK, "now": NOW}
    return payments.refund(world.session, amounts=Amounts.of("EUR", (1, 0, 0, 0)), **cent, **decided).id


def _dispute(world: Any) -> Any:
    values = {"provider_ref": "du_1", "state": "needs_response", "reason": "fraudulent", "currency": "EUR", "amount_minor": 100}
    return add(world, Dispute(id=new_id(), payment_id=world.sample("", "payment_id"), opened_at=NOW, **values))


def _seller_order(world: Any) -> Any:
    return parts_of(world.session, world.sample("", "order_id"))[0].id


def _substitution(world: Any) -> Any:
    part = orders.seller_order(world.session, world.sample("", "seller_order_id"))
    (line, *_), coop = part.lines, {"coop_id": part.coop_id, "seller_order_id": part.id}
    asked = {"title": line.title, "unit": line.unit, "quantity": 1, "unit_price": 1, "words": "", "state": "proposed"}
    who = {"proposed_by": "Ana", "proposed_at": NOW, "listing_id": line.listing_id, "order_line_id": line.id}
    return add(world, Substitution(id=new_id(), **coop, **asked, **who))


def _bag(world: Any) -> Any:
    run_id = world.session.get(Payout, world.sample("", "payout_id")).run_id
    session, cash = world.session, Money(5000, "EUR")
    payouts.fill_cash_box(session, actor=CLERK, coop_id=world.coop.id, money=cash, on=NOW.date(), slip="B1", now=NOW)
    return payouts.issue_bag(session, actor=CLERK, run_id=run_id, officer="Claudine", money=cash, on=NOW.date(), now=NOW)


def _payout_file(world: Any) -> Any:
    run_id = world.session.get(Payout, world.sample("", "payout_id")).run_id
    payouts.write_files(world.session, run_id=run_id, now=NOW)
    return world.session.query(PayoutFile.id).filter_by(run_id=run_id).scalar()


def _advance(world: Any) -> Any:
    asked = {"money": Money(100, "EUR"), "reason": "seedlings", "now": NOW}
    return earnings.propose_advance(world.session, actor=CLERK, producer_id=world.producer.id, **asked)


def _correction(world: Any) -> Any:
    asked = {"money": Money(100, "EUR"), "reason": "weighed again", "now": NOW}
    return earnings.propose_correction(world.session, actor=CLERK, producer_id=world.producer.id, **asked)


def _hold(world: Any) -> Any:
    owe(world.session, world.producer)
    why = {"reason": "papers missing", "appeal": "Ask the office.", "ends_on": NOW.date() + timedelta(days=7)}
    asked = {"money": Money(1, "EUR"), "source_kind": "staff", "source_id": new_id(), "now": NOW}
    return earnings.hold(world.session, actor=CLERK, producer_id=world.producer.id, **why, **asked)


def _distribution(world: Any) -> Any:
    words = {"kind": "patronage", "pool": "p1", "name": "2026", "minutes": "Assembly, item 5", "proposed_by": "account:somebody"}
    days = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 1, 31), "proposed_at": NOW}
    money = {"currency": "EUR", "amount_minor": 100, "cash_percent": 100}
    return add(world, Distribution(id=new_id(), coop_id=world.coop.id, **words, **days, **money))


def _job(world: Any) -> Any:
    values = {"kind": "orders", "facts": {"chosen": {}, "format": "csv", "language": "en"}, "file_name": "orders.csv"}
    owner = {"coop_id": world.coop.id, "account_id": world.people["staff"].id, "created_at": NOW}
    return add(world, ReportJob(id=new_id(), **values, **owner))


def _view(world: Any) -> Any:
    values = {"desk": "orders", "name": "Late", "query": "state=paid", "created_at": NOW}
    return add(world, SavedView(id=new_id(), coop_id=world.coop.id, account_id=world.people["staff"].id, **values))


SAMPLES: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("", "advance_id"): _advance,
    ("", "correction_id"): _correction,
    ("", "hold_id"): _hold,
    ("", "distribution_id"): _distribution,
    ("", "batch_id"): _batch,
    ("", "capture_id"): _capture,
    ("", "certificate_id"): _certificate,
    ("", "coop_id"): lambda world: world.coop.id,
    ("", "decision"): lambda world: "approve",
    ("", "filename"): lambda world: "style.css",
    ("", "grant_id"): _grant,
    ("", "item_id"): lambda world: _treasury(world, PremiumItem, name="Roof", minutes="minutes"),
    ("", "spending_id"): lambda world: _treasury(
        world, PremiumSpending, item_id=world.sample("", "item_id"), payee="Roofers", evidence="invoice"
    ),
    ("", "conversion_id"): lambda world: _treasury(
        world,
        FxConversion,
        producer_id=world.producer.id,
        agreed_currency="RWF",
        agreed_minor=1,
        rate=1,
        rate_on=NOW.date(),
        source="bank",
    ),
    ("", "loan_id"): _loan,
    ("", "recipient_id"): _recipient,
    ("", "opening_id"): opening,
    ("", "scheme_id"): lambda world: _community(
        world, CommunityScheme, legal_check="Folder 7, by A. Lawyer", authorise_above_minor=1
    ),
    ("", "holder_id"): lambda world: _holder(world, world.producer.id),
    ("", "leaving_id"): lambda world: _community(
        world, CommunityLeaving, holder_id=world.sample("", "holder_id"), minutes="minutes"
    ),
    ("", "transfer_id"): _community_transfer,
    ("", "share_id"): lambda world: _treasury(world, CoopShare, recipient_id=world.sample("", "recipient_id")),
    ("", "premium_id"): lambda world: _treasury(
        world, PremiumInvoice, number=1, buyer="Ethical Roasters", contract="2026-7", due_on=date(2027, 6, 30)
    ),
    ("", "repayment_id"): lambda world: _treasury_row(
        world, LoanRepayment, loan_id=world.sample("", "loan_id"), principal_minor=1, interest_minor=0
    ),
    ("", "key"): lambda world: "no/such/photo.webp",
    ("", "key_id"): lambda world: _key(world, "owner"),
    ("", "listing_id"): lambda world: make_listing(world.session, producer=world.producer).id,
    ("", "lot_id"): lambda world: _lot(world).id,
    ("", "order_id"): _order,
    ("", "payee_account_id"): _waiting_account,
    ("", "payment_id"): _payment,
    ("", "payout_id"): _payout,
    ("", "producer_id"): lambda world: world.producer.id,
    ("", "quote_id"): lambda world: make_quote(world.session),
    ("", "reference_id"): lambda world: make_reference(world.session).id,
    ("", "invoice_id"): _invoice,
    ("", "dispute_id"): _dispute,
    ("", "refund_id"): _refund,
    ("", "run_id"): _run,
    ("", "seller_order_id"): _seller_order,
    ("", "substitution_id"): _substitution,
    ("", "slug"): lambda world: _lot(world).slug,
    ("", "token"): lambda world: "no-such-token",
    ("", "year"): lambda world: NOW.year,
    ("console_people", "key_id"): lambda world: _key(world, "staff"),
    ("producers.coop", "slug"): lambda world: world.coop.slug,
    ("producers.follow", "slug"): lambda world: world.coop.slug,
    ("citizen.behind", "slug"): lambda world: world.coop.slug,
    ("producers.producer", "slug"): lambda world: world.producer.slug,
    ("api_payouts", "file_id"): _payout_file,
    ("console_payouts", "file_id"): _payout_file,
    ("", "bag_id"): _bag,
    ("", "account_id"): lambda world: money_account(world).id,
    ("", "check_id"): lambda world: new_id(),
    ("", "close_id"): close,
    ("", "file_id"): lambda world: line_or_file(world, "file_id"),
    ("", "line_id"): lambda world: line_or_file(world, "line_id"),
    ("", "match_id"): match,
    ("", "suggestion_id"): suggestion,
    ("", "proposal_id"): proposal,
    ("console_statement_setup", "rule_id"): booking_rule,
    ("", "kind"): lambda world: "seller_order",
    ("", "subject_id"): lambda world: new_id(),
    ("", "view_id"): _view,
    ("", "job_id"): _job,
}

# Pages that show something else of rows in other states: for each, what makes the world so and returns the page's arguments.
STATES: dict[str, tuple[Callable[[Any], dict[str, Any]], ...]] = {
    "console_lots.detail": (lambda world: {"lot_id": _withdrawn(world)[0]},),
    "console_orders.detail": (lambda world: {"seller_order_id": _withdrawn(world)[1]},),
    "orders.order": (lambda world: {"order_id": _withdrawn(world)[2]},),
    "producer_lots.show": (lambda world: {"lot_id": _withdrawn(world)[0]},),
    "producer_orders.packing": (lambda world: {"seller_order_id": _withdrawn(world)[1]},),
    "console_opening.index": (correction_waits,),
    "console_statements.close": (
        lambda world: {"close_id": close(world, ends_on=date(2026, 2, 28), said="proposed")},
        lambda world: {"close_id": close(world, "reopened", ends_on=date(2026, 3, 31), said="opened")},
        lambda world: {"close_id": close(world, "prepared", ends_on=date(2026, 4, 30))},
    ),
}

# Parameters of public routes whose rows are one person's, who proves it by signing in or by the key in a link.
PERSONAL = {"order_id"}
# Parameters that name what no co-op owns: price rows and market quotes are everybody's.
SHARED = {"batch_id", "check_id", "decision", "filename", "key", "quote_id", "reference_id", "slug", "token", "year"}

_MEMBER = {"name": "Almaz Bekele", "region": "", "story": "", "language": "en"}
_PAY_TO = {"rail": "cash", "currency": "EUR", "holder": "Almaz Bekele", "country": "ET"}
_TEXTS = {"language": "en", "translations": {"es": {"title": "Café"}}}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("api_producers.CertificateStatus", "PUT"): {"status": "active"},
    ("api_producers.Leaving", "POST"): {"left_on": "2026-11-25"},
    ("api_producers.PayeeAccounts", "POST"): _PAY_TO,
    ("api_producers.Producer", "PUT"): _MEMBER,
    ("api_producers.ProducerAccount", "PUT"): {"email": "somebody@example.com"},
    ("api_paying.BagCount", "POST"): {"returned": {"minor": 1, "currency": "EUR"}, "on": "2026-11-25"},
    ("api_paying.Bags", "POST"): {"officer": "Claudine", "amount": {"minor": 1, "currency": "EUR"}, "on": "2026-11-25"},
    ("api_paying.AskBack", "POST"): {"amount": {"minor": 1, "currency": "EUR"}, "reason": "broken goods"},
    ("api_paying.ChequeOf", "POST"): {"number": "77", "on": "2026-11-25"},
    ("api_paying.ChequeVoid", "POST"): {"reason": "torn in two"},
    ("console_lots.take_back", "POST"): {"end_reason": "wrong sack"},
    ("console_lots.withdraw", "POST"): {"reason": "mould", "advice": "discard"},
    ("withdrawals.Withdrawal", "POST"): {"reason": "mould", "advice": "discard"},
    ("withdrawals.end", "POST"): {"reason": "wrong sack"},
    ("api_paying.NameAgreement", "POST"): {"reason": "married name"},
    ("api_coops.Coop", "PUT"): {"name": "Ours", "country": "DE"},
    **{(f"api_texts.{kind}Texts", "PUT"): _TEXTS for kind in ("Coop", "Producer", "Listing", "Lot")},
    ("console_people.certificate_status", "POST"): {"status": "active"},
    ("console_people.enter_payee_account", "POST"): _PAY_TO,
    ("console_people.invite", "POST"): {"email": "somebody@example.com"},
    ("console_people.leave", "POST"): {"left_on": "2026-11-25"},
}
