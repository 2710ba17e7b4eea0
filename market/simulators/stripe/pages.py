"""The hosted payment page: plain HTML forms, no script, good from 360 px up.

It says clearly that it is a test page, shows what is paid, and offers each test card as one button. Errors
stand beside the field and what was typed stays, except the card number and its code. It speaks the session's
`locale`; where that is `auto` the language noted in the metadata, which the real page may not speak, or the browser's.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from pathlib import Path
from string import Template

from market.kernel import languages

from . import connect, sessions
from .balance import ZERO_DECIMAL
from .cards import CARDS, DEBITS, Method, luhn
from .problems import Refusal
from .store import Body
from .world import World

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action *; frame-ancestors 'none'; base-uri 'none'"

SHELL = Template((Path(__file__).parent / "page.html").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Page:
    """What a browser gets."""

    status: int
    html: str = ""
    location: str | None = None


@dataclass(frozen=True)
class Reader:
    """Whoever reads the page: tells a sentence in their language, ready to stand in HTML."""

    language: str

    def __call__(self, words: str, **facts: str) -> str:
        """Return a sentence of ours with its facts."""
        told = languages.catalogue(self.language).gettext(words)
        return escape(told % facts if facts else told)

    def money(self, amount: int, currency: str) -> str:
        """Return an amount of the processor's minor units as people read it."""
        digits = 0 if currency in ZERO_DECIMAL else 2
        return languages.amount(Decimal(amount).scaleb(-digits), currency.upper(), self.language, digits, digits)


def reader(session: Body | None, accepted: str) -> Reader:
    """Return who reads the page of a session, or a page without one."""
    told = session or {}
    wanted = [told.get("locale"), (told.get("metadata") or {}).get("language")] if session else []
    wanted += re.findall(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*", re.sub(r";[^,]*", "", accepted))
    spoken = (languages.best(tag) for tag in wanted if tag and (tag[:2] == "en" or languages.best(tag) != "en"))
    return Reader(next(spoken, "en"))


def answer(world: World, method: str, path: str, form: dict[str, str], accepted: str = "") -> Page:
    """Route a browser's request: `/c/pay/ID`, `/onboarding/ID`, `/3ds/INTENT`; `accepted` is its `Accept-Language`."""
    parts = path.strip("/").split("/")
    _ = reader(None, accepted)
    try:
        if parts[:2] == ["c", "pay"] and len(parts) == 3:
            session = world.need("checkout.session", parts[2])
            _ = reader(session, accepted)
            return _submit(world, session, form, _) if method == "POST" else _session_page(session, {}, "", _)
        if parts[0] == "onboarding" and len(parts) == 2:
            account = world.need("v2.core.account", parts[1])
            return _onboarded(world, account, form, _) if method == "POST" else _onboarding_page(account, form, _)
        if parts[0] == "3ds" and len(parts) == 2:
            intent = world.need("payment_intent", parts[1])
            _ = reader(world.store.get("checkout.session", intent["_session"]) if intent["_session"] else None, accepted)
            return _challenge_answer(world, intent, form, _) if method == "POST" else _challenge_page(intent, _)
    except Refusal as refusal:
        return _message(refusal.status, _("This page is not available"), str(refusal), _)
    return _message(404, _("Nothing here"), _("This address is not known."), _)


def _shell(title: str, content: str, _: Reader, layout: str = "") -> str:
    return SHELL.substitute(
        title=title,
        content=content,
        layout=layout,
        lang=_.language,
        dir=languages.locale(_.language).text_direction,
        test=_("Test mode: no money moves. This page stands in for the card processor."),
    )


def _message(status: int, title: str, text: str, _: Reader) -> Page:
    return Page(status, _shell(title, f'<div class="card"><h1>{title}</h1><p>{text}</p></div>', _, "one"))


def _success(session: Body) -> Page:
    return Page(303, location=str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"]))


def _onboarding_page(account: Body, form: dict[str, str], _: Reader) -> Page:
    back = escape(form.get("back", ""))
    text = f"""<section class="card"><h1>{_("Test page: who is %(name)s?", name=str(account["display_name"]))}</h1>
<p>{_("The real processor asks for papers here.")}</p>
<form method="post"><input type="hidden" name="back" value="{back}"><button>{_("I have told everything")}</button></form>
</section>"""
    return Page(200, _shell(_("Tell us about you"), text, _, "one"))


def _onboarded(world: World, account: Body, form: dict[str, str], _: Reader) -> Page:
    with world.store.transaction():
        connect.onboard(world, account)
    back = form.get("back", "")
    if back.startswith(("http://", "https://")):
        return Page(303, location=back)
    return _message(200, _("Done"), _("You can close this."), _)


def _submit(world: World, session: Body, form: dict[str, str], _: Reader) -> Page:
    if session["status"] != "open":
        return _session_page(session, {}, "", _)
    method, errors = _read(form, _)
    if method is None:
        return _session_page(session, form, "", _, errors, status=422)
    with world.store.transaction():
        session = world.need("checkout.session", session["id"])  # two tabs: the first one may have paid
        intent = sessions.pay(world, session, method, form.get("email"))
        session = world.need("checkout.session", session["id"])
    if intent["status"] == "requires_action":
        return Page(303, location=intent["next_action"]["redirect_to_url"]["url"])
    if intent["last_payment_error"]:
        return _session_page(session, form, _(intent["last_payment_error"]["message"]), _, status=402)
    return _success(session)


def _read(form: dict[str, str], _: Reader) -> tuple[Method | None, dict[str, str]]:
    """The method that a form names, or what is wrong with its fields."""
    if "iban" in form:
        iban = form["iban"].replace(" ", "").upper()
        return (DEBITS[iban], {}) if iban in DEBITS else (None, {"iban": _("Use one of the two test accounts named above.")})
    if "test" in form:
        return CARDS.get(form["test"]), {"number": _("Unknown test card.")}
    errors = {}
    number = "".join(form.get("number", "").split())
    if not number.isdigit() or not luhn(number):
        errors["number"] = _("This card number is not complete or has a wrong digit.")
    elif number not in CARDS:
        errors["number"] = _("Only test cards work here: see the list below.")
    month, _slash, year = form.get("expiry", "").replace(" ", "").partition("/")
    if not (month.isdigit() and year.isdigit() and 1 <= int(month) <= 12 and len(year) in (2, 4)):
        errors["expiry"] = _("Give month and year, as on the card: 12 / 34.")
    if not (form.get("cvc", "").isdigit() and len(form["cvc"]) in (3, 4)):
        errors["cvc"] = _("Give the three or four digits.")
    return (None, errors) if errors else (CARDS[number], {})


def _field(name: str, label: str, form: dict[str, str], errors: dict[str, str], *, keep: bool = True, more: str = "") -> str:
    value = escape(form.get(name, "")) if keep else ""
    bad = f' aria-invalid="true" aria-describedby="{name}-error"' if name in errors else ""
    wrong = f'<p class="error" id="{name}-error">{errors[name]}</p>' if name in errors else ""
    return f'<div><label for="{name}">{label}</label><input id="{name}" name="{name}" value="{value}"{bad} {more}>{wrong}</div>'


def _tests(_: Reader) -> str:
    cards = (
        ("4242424242424242", _("Card that works")),
        ("4000000000000002", _("Card that is declined")),
        ("4000000000009995", _("Card without enough money")),
        ("4000002500003155", _("Card that asks for a second step (3-D Secure)")),
    )
    return "".join(
        f'<button class="quiet" name="test" value="{number}">{label} <span class="soft">{number[-4:]}</span></button>'
        for number, label in cards
    )


def _debit(session: Body, form: dict[str, str], errors: dict[str, str], total: str, _: Reader) -> str:
    if session["_intent"].get("capture_method") == "manual":
        return ""  # it cannot be authorised first
    works, fails = DEBITS
    return f"""<form class="card" method="post"><h2>{_("Pay by bank debit")}</h2>
<p class="soft">{_("Takes days: the money is confirmed later.")}
{_("%(account)s arrives, %(other)s fails.", account=works, other=fails)}</p>
{_field("iban", _("IBAN"), {"iban": form.get("iban", works)}, errors, more='dir="ltr"')}
<button class="quiet">{_("Authorise the debit of %(amount)s", amount=total)}</button></form>"""


def _session_page(
    session: Body, form: dict[str, str], alert: str, _: Reader, errors: dict[str, str] | None = None, status: int = 200
) -> Page:
    if session["status"] == "complete":
        back = escape(str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"]))
        text = f"""<section class="card"><h1>{_("This is already paid.")}</h1>
<p><a href="{back}">{_("Back to the shop")}</a></p></section>"""
        return Page(200, _shell(_("Paid"), text, _, "one"))
    if session["status"] != "open":
        title = _("This payment page has expired")
        return _message(410, title, _("Go back to the shop and start the payment again."), _)
    errors = errors or {}
    total = _.money(session["amount_total"], session["currency"])
    lines = "".join(
        f"<li><span><bdi>{escape(line['description'])}</bdi>{f' × {count}' if (count := line['quantity']) > 1 else ''}"
        f"</span><span>{_.money(line['amount_total'], line['currency'])}</span></li>"
        for line in session["_lines"]
    )
    back = f'<p><a href="{escape(session["cancel_url"])}">{_("Back without paying")}</a></p>' if session["cancel_url"] else ""
    email = form.get("email") or session["customer_email"] or ""
    figures = 'inputmode="numeric" dir="ltr"'
    advice = _("Nothing was charged. Try another card, or go back without paying.")
    content = f"""<section><h1>{_("You pay")}</h1><p class="total">{total}</p><ul class="lines">{lines}</ul>{back}</section>
<section>{f'<p class="alert" role="alert">{alert} {advice}</p>' if alert else ""}
<form class="card" method="post" autocomplete="off"><h2>{_("Pay by card")}</h2>
{_field("email", _("E-mail"), {"email": email}, errors, more='type="email" autocomplete="email" dir="ltr"')}
{_field("number", _("Card number"), form, errors, keep=False, more=f'{figures} placeholder="4242 4242 4242 4242"')}
<div class="pair">{_field("expiry", _("Expires"), form, errors, more='dir="ltr" placeholder="12 / 34"')}
{_field("cvc", _("Security code"), form, errors, keep=False, more=f'{figures} placeholder="123"')}</div>
{_field("name", _("Name on the card"), form, errors)}
<button>{_("Pay %(amount)s", amount=total)}</button></form>
<form class="card tests" method="post"><h2>{_("Or try a test card")}</h2>{_tests(_)}</form>
{_debit(session, form, errors, total, _)}</section>"""
    return Page(status, _shell(_("Pay %(amount)s", amount=total), content, _))


def _challenge_page(intent: Body, _: Reader) -> Page:
    total = _.money(intent["amount"], intent["currency"])
    if intent["status"] != "requires_action":
        return _message(200, _("Nothing to confirm"), _("This payment no longer waits for your confirmation."), _)
    asked = _("Payment of %(amount)s by the card ending in %(digits)s.", amount=total, digits=intent["_method"]["last4"])
    content = f"""<form class="card" method="post"><h1>{_("Your bank asks: is this you?")}</h1>
<p>{asked}</p>
<button name="decision" value="approve">{_("Yes, approve the payment")}</button>
<button class="quiet" name="decision" value="refuse">{_("No, refuse it")}</button></form>"""
    return Page(200, _shell(_("Confirm your payment"), content, _, "one"))


def _challenge_answer(world: World, intent: Body, form: dict[str, str], _: Reader) -> Page:
    with world.store.transaction():
        intent = world.need("payment_intent", intent["id"])
        sessions.answer_challenge(world, intent, form.get("decision") == "approve")
    if intent["_session"] is None:
        return Page(303, location=intent["return_url"]) if intent["return_url"] else _challenge_page(intent, _)
    session = world.need("checkout.session", intent["_session"])
    if session["status"] == "complete":
        return _success(session)
    return _session_page_action(session, _(intent["last_payment_error"]["message"]), _)


def _session_page_action(session: Body, alert: str, _: Reader) -> Page:
    """The pay page again, with its forms pointing back at the session's own address."""
    page = _session_page(session, {}, alert, _, status=402)
    return Page(page.status, page.html.replace('method="post"', f'method="post" action="/c/pay/{session["id"]}"'))
