"""The hosted payment page: plain HTML forms, no script, good from 360 px up.

It says clearly that it is a test page, shows what is paid, and offers each test card as one button. Errors
stand beside the field and what was typed stays, except the card number and its code.
"""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from . import connect, sessions
from .balance import ZERO_DECIMAL
from .cards import CARDS, DEBITS, Method, luhn
from .problems import Refusal
from .store import Body
from .world import World

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action *; frame-ancestors 'none'; base-uri 'none'"

SHELL = Template((Path(__file__).parent / "page.html").read_text(encoding="utf-8"))

TESTS = (
    ("4242424242424242", "Card that works"),
    ("4000000000000002", "Card that is declined"),
    ("4000000000009995", "Card without enough money"),
    ("4000002500003155", "Card that asks for a second step (3-D Secure)"),
)


@dataclass(frozen=True)
class Page:
    """What a browser gets."""

    status: int
    html: str = ""
    location: str | None = None


def answer(world: World, method: str, path: str, form: dict[str, str]) -> Page:
    """Route a browser's request: `/c/pay/ID`, `/c/pay/ID/cancel` is a link of ours, `/3ds/INTENT`."""
    parts = path.strip("/").split("/")
    try:
        if parts[:2] == ["c", "pay"] and len(parts) == 3:
            session = world.need("checkout.session", parts[2])
            return _submit(world, session, form) if method == "POST" else _session_page(session, {}, "")
        if parts[0] == "onboarding" and len(parts) == 2:
            account = world.need("v2.core.account", parts[1])
            return _onboarded(world, account, form) if method == "POST" else _onboarding_page(account, form)
        if parts[0] == "3ds" and len(parts) == 2:
            intent = world.need("payment_intent", parts[1])
            return _challenge_answer(world, intent, form) if method == "POST" else _challenge_page(intent)
    except Refusal as refusal:
        return _message(refusal.status, "This page is not available", str(refusal))
    return _message(404, "Nothing here", "This address is not known.")


def money(amount: int, currency: str) -> str:
    """An amount as people read it."""
    return f"{currency.upper()} {amount:,}" if currency in ZERO_DECIMAL else f"{currency.upper()} {amount / 100:,.2f}"


def _shell(title: str, content: str, layout: str = "") -> str:
    return SHELL.substitute(title=escape(title), content=content, layout=layout)


def _message(status: int, title: str, text: str) -> Page:
    return Page(status, _shell(title, f'<div class="card"><h2>{escape(title)}</h2><p>{escape(text)}</p></div>', "one"))


def _success(session: Body) -> Page:
    return Page(303, location=str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"]))


def _onboarding_page(account: Body, form: dict[str, str]) -> Page:
    name, back = escape(str(account["display_name"])), escape(form.get("back", ""))
    text = f'<section class="card"><h2>Test page: who is {name}?</h2><p>The real processor asks for papers here.</p>'
    text += f'<form method="post"><input type="hidden" name="back" value="{back}"><button>I have told everything</button></form>'
    return Page(200, _shell("Tell us about you", f"{text}</section>", "one"))


def _onboarded(world: World, account: Body, form: dict[str, str]) -> Page:
    with world.store.transaction():
        connect.onboard(world, account)
    back = form.get("back", "")
    return Page(303, location=back) if back.startswith(("http://", "https://")) else _message(200, "Done", "You can close this.")


def _submit(world: World, session: Body, form: dict[str, str]) -> Page:
    if session["status"] != "open":
        return _session_page(session, {}, "")
    method, errors = _read(form)
    if method is None:
        return _session_page(session, form, "", errors, status=422)
    with world.store.transaction():
        session = world.need("checkout.session", session["id"])  # two tabs: the first one may have paid
        intent = sessions.pay(world, session, method, form.get("email"))
        session = world.need("checkout.session", session["id"])
    if intent["status"] == "requires_action":
        return Page(303, location=intent["next_action"]["redirect_to_url"]["url"])
    if intent["last_payment_error"]:
        return _session_page(session, form, intent["last_payment_error"]["message"], status=402)
    return _success(session)


def _read(form: dict[str, str]) -> tuple[Method | None, dict[str, str]]:
    """The method that a form names, or what is wrong with its fields."""
    if "iban" in form:
        iban = form["iban"].replace(" ", "").upper()
        return (DEBITS[iban], {}) if iban in DEBITS else (None, {"iban": "Use one of the two test accounts named below."})
    if "test" in form:
        return CARDS.get(form["test"]), {"number": "Unknown test card."}
    errors = {}
    number = "".join(form.get("number", "").split())
    if not number.isdigit() or not luhn(number):
        errors["number"] = "This card number is not complete or has a wrong digit."
    elif number not in CARDS:
        errors["number"] = "Only test cards work here: see the list below."
    month, _, year = form.get("expiry", "").replace(" ", "").partition("/")
    if not (month.isdigit() and year.isdigit() and 1 <= int(month) <= 12 and len(year) in (2, 4)):
        errors["expiry"] = "Give month and year, as on the card: 12 / 34."
    if not (form.get("cvc", "").isdigit() and len(form["cvc"]) in (3, 4)):
        errors["cvc"] = "Give the three or four digits."
    return (None, errors) if errors else (CARDS[number], {})


def _field(name: str, label: str, form: dict[str, str], errors: dict[str, str], *, keep: bool = True, more: str = "") -> str:
    value = escape(form.get(name, "")) if keep else ""
    bad = f' aria-invalid="true" aria-describedby="{name}-error"' if name in errors else ""
    wrong = f'<p class="error" id="{name}-error">{escape(errors[name])}</p>' if name in errors else ""
    return f'<div><label for="{name}">{label}</label><input id="{name}" name="{name}" value="{value}"{bad} {more}>{wrong}</div>'


def _session_page(
    session: Body, form: dict[str, str], alert: str, errors: dict[str, str] | None = None, status: int = 200
) -> Page:
    if session["status"] == "complete":
        back = escape(str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"]))
        text = f'<section class="card"><h2>This is already paid.</h2><p><a href="{back}">Back to the shop</a></p></section>'
        return Page(200, _shell("Paid", text, "one"))
    if session["status"] != "open":
        return _message(410, "This payment page has expired", "Go back to the shop and start the payment again.")
    errors = errors or {}
    total = money(session["amount_total"], session["currency"])
    lines = "".join(
        f"<li><span>{escape(line['description'])}{' × ' + str(line['quantity']) if line['quantity'] > 1 else ''}</span>"
        f"<span>{money(line['amount_total'], line['currency'])}</span></li>"
        for line in session["_lines"]
    )
    cancel = f'<p><a href="{escape(session["cancel_url"])}">← Back without paying</a></p>' if session["cancel_url"] else ""
    email = form.get("email") or session["customer_email"] or ""
    tests = "".join(
        f'<button class="quiet" name="test" value="{number}">{label} <span class="soft">{number[-4:]}</span></button>'
        for number, label in TESTS
    )
    debit = f"""<form class="card" method="post"><h2>Pay by bank debit</h2>
<p class="soft">Takes days: the money is confirmed later.
<code>AT611904300234573201</code> arrives, <code>AT861904300235473202</code> fails.</p>
{_field("iban", "IBAN", {"iban": form.get("iban", "AT611904300234573201")}, errors)}
<button class="quiet">Authorise the debit of {total}</button></form>"""
    if session["_intent"].get("capture_method") == "manual":
        debit = ""  # it cannot be authorised first
    content = f"""<section><h1>You pay</h1><p class="total">{total}</p><ul class="lines">{lines}</ul>{cancel}</section>
<section>{f'<p class="alert" role="alert">{escape(alert)}</p>' if alert else ""}
<form class="card" method="post" autocomplete="off"><h2>Pay by card</h2>
{_field("email", "E-mail", {"email": email}, errors, more='type="email" autocomplete="email"')}
{_field("number", "Card number", form, errors, keep=False, more='inputmode="numeric" placeholder="4242 4242 4242 4242"')}
<div class="pair">{_field("expiry", "Expires", form, errors, more='placeholder="12 / 34"')}
{_field("cvc", "Security code", form, errors, keep=False, more='inputmode="numeric" placeholder="123"')}</div>
{_field("name", "Name on the card", form, errors)}
<button>Pay {total}</button></form>
<form class="card tests" method="post"><h2>Or try a test card</h2>{tests}</form>{debit}</section>"""
    return Page(status, _shell(f"Pay {total}", content))


def _challenge_page(intent: Body) -> Page:
    total = money(intent["amount"], intent["currency"])
    if intent["status"] != "requires_action":
        return _message(200, "Nothing to confirm", "This payment no longer waits for your confirmation.")
    content = f"""<form class="card" method="post"><h2>Your bank asks: is this you?</h2>
<p>Payment of <strong>{total}</strong> by the card ending in {escape(intent["_method"]["last4"])}.</p>
<button name="decision" value="approve">Yes, approve the payment</button>
<button class="quiet" name="decision" value="refuse">No, refuse it</button></form>"""
    return Page(200, _shell("Confirm your payment", content, "one"))


def _challenge_answer(world: World, intent: Body, form: dict[str, str]) -> Page:
    with world.store.transaction():
        intent = world.need("payment_intent", intent["id"])
        sessions.answer_challenge(world, intent, form.get("decision") == "approve")
    if intent["_session"] is None:
        return Page(303, location=intent["return_url"]) if intent["return_url"] else _challenge_page(intent)
    session = world.need("checkout.session", intent["_session"])
    if session["status"] == "complete":
        return _success(session)
    return _session_page_action(session, intent["last_payment_error"]["message"])


def _session_page_action(session: Body, alert: str) -> Page:
    """The pay page again, with its forms pointing back at the session's own address."""
    page = _session_page(session, {}, alert, status=402)
    return Page(page.status, page.html.replace('method="post"', f'method="post" action="/c/pay/{session["id"]}"'))
