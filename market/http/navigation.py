"""Which links a person finds in the frame of every page: by role, and by the part of the site they are in.

One table for all parts, so that the menus of four kinds of people can be read side by side. A page that deserves a
place in a menu gets one line here; a test opens every link as everybody who sees it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from flask import Flask, current_app, g, request, url_for
from flask_babel import lazy_gettext as _l
from werkzeug.routing import BuildError

from market.http.i18n import with_language
from market.kernel.actor import GUEST, Actor

GUESTS = frozenset({"guest"})
SIGNED_IN = frozenset({"buyer"})
EVERYBODY = GUESTS | SIGNED_IN
PRODUCERS = frozenset({"producer"})
STAFF = frozenset({"preparer", "approver"})
ADMINS = frozenset({"admin"})


@dataclass(frozen=True, slots=True)
class Link:
    """A page that stands in a menu: its endpoint, its words, and the roles that see it.

    `also` begins other paths that belong to it; `key` leads to it after `g`, on pages that have a menu of their own.
    """

    endpoint: str
    words: str
    roles: frozenset[str] = EVERYBODY
    also: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """What people do at a desk: its words, the key after `g` that leads to its first page, and its pages."""

    words: str
    key: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A link as the template draws it; `current` is what aria-current says, `below` the pages of the group one is in."""

    href: str
    label: str
    current: str = ""
    key: str = ""
    below: Sequence["Entry"] = ()


@dataclass(frozen=True, slots=True)
class Menus:
    """The menus of one page; `desk` is the list beside the content of a working area.

    `producer` is the id of whose pages a producer sees, and `standing_in_for` the name when somebody of the staff does.
    """

    main: list[Entry] = field(default_factory=list)
    account: list[Entry] = field(default_factory=list)
    desk: list[Entry] = field(default_factory=list)
    desk_name: str = ""
    foot: list[Entry] = field(default_factory=list)
    sign_out: str | None = None
    standing_in_for: str = ""
    producer: str = ""


# Where people work comes first: on a phone the rest of the line is scrolled to.
MAIN: tuple[Link, ...] = (
    Link("producer_home.index", _l("My work"), PRODUCERS),
    Link("console.home", _l("Staff desk"), STAFF),
    Link("console_coops.all_coops", _l("Administration"), ADMINS),
    Link("shop.catalogue", _l("Shop")),
    Link("producers.coops", _l("Co-ops")),
    Link("prices.price_check", _l("Check a price")),
)
ACCOUNT: tuple[Link, ...] = (
    Link("checkout.basket", _l("Basket")),
    Link("orders.my_orders", _l("My orders"), SIGNED_IN),
    Link("account.home", _l("Account"), SIGNED_IN),
    Link("security.login", _l("Sign in"), GUESTS),
)
FOOT: tuple[Link, ...] = (
    Link("producers.coops", _l("Co-ops")),
    Link("prices.price_check", _l("Check a price")),
    Link("prices.coop_floors", _l("Least prices of the co-ops")),
    Link("citizen.rules", _l("The rules of the prices")),
    Link("citizen.find_lot", _l("Find a lot")),
    Link("citizen.public_figures", _l("Public figures")),
    Link("citizen.log", _l("Check it yourself")),
    Link("citizen.questions", _l("Questions")),
    Link("security.register", _l("Make an account"), GUESTS),
)

# Beginning of the path -> name of the working area and its menu.
DESKS: dict[str, tuple[str, tuple[Link | Group, ...]]] = {
    "/producer": (
        _l("My work"),
        (
            Link("producer_home.index", _l("Home"), PRODUCERS),
            Link("producer_orders.index", _l("Orders to send"), PRODUCERS),
            Link("offers.index", _l("My listings"), PRODUCERS),
            Link("producer_lots.index", _l("My lots"), PRODUCERS),
            Link("producer_money.index", _l("My money"), PRODUCERS),
            Link("producers.details", _l("My details"), PRODUCERS),
        ),
    ),
    "/console": (
        _l("Staff desk"),
        (
            Link("console.home", _l("Today"), STAFF, key="t"),
            Link("console.search", _l("Search"), STAFF, key="s"),
            Group(
                _l("Orders and goods"),
                "o",
                (
                    Link("console_orders.index", _l("Orders"), STAFF),
                    Link("console_records.listings", _l("Listings"), STAFF, also="/producer/listings"),
                    Link("console_lots.index", _l("Lots"), STAFF),
                    Link("console_payments.index", _l("Payments"), STAFF),
                    Link("console_payments.all_payments", _l("All payments"), STAFF),
                    Link("console_payments.refunds", _l("Refunds"), STAFF),
                    Link("console_payments.credits", _l("Money in credit"), STAFF),
                    Link("console_disputes.index", _l("Disputes"), STAFF),
                ),
            ),
            Group(
                _l("Producers"),
                "m",
                (
                    Link("console_people.members", _l("Members"), STAFF),
                    Link("field.members", _l("Work for a member"), STAFF),
                    Link("console_people.payee_accounts", _l("Accounts to confirm"), STAFF),
                    Link("console_people.certificates", _l("Certificates"), STAFF),
                ),
            ),
            Group(
                _l("Paying out"),
                "p",
                (
                    Link("console_payouts.overview", _l("Payouts"), STAFF),
                    Link("console_payouts.owed", _l("What is owed"), STAFF),
                    Link("console_records.all_payouts", _l("All payouts"), STAFF),
                    Link("console_texts.index", _l("Texts about payments"), STAFF),
                    Link("console_payouts.cash_box", _l("Cash box"), STAFF),
                    Link("console_cash.cheques", _l("Cheques"), STAFF),
                    Link("console_payout_settings.show", _l("How the co-op pays out"), STAFF),
                    Link("console_earnings.advances", _l("Earnings"), STAFF, also="/console/earnings"),
                ),
            ),
            Group(
                _l("Bank and books"),
                "b",
                (
                    Link("console_matching.index", _l("Matching"), STAFF),
                    Link("console_statements.accounts", _l("Bank statements"), STAFF),
                    Link("console_processor.index", _l("Card processor's account"), STAFF),
                    Link("console_statements.closes", _l("Periods"), STAFF),
                    Link("console_books.index", _l("Books"), STAFF),
                    Link("console_book_lines.index", _l("Lines of the books"), STAFF),
                    Link("console_opening.index", _l("Opening balances"), STAFF),
                    Link("console_treasury.fund", _l("Premium fund"), STAFF),
                    Link("console_treasury.conversions", _l("Conversions"), STAFF),
                    Link("console_loans.index", _l("Loans"), STAFF),
                    Link("console_premium.index", _l("Premium on account"), STAFF),
                    Link("console_community.index", _l("Community currency"), STAFF),
                    Link("console_reports.index", _l("Reports"), STAFF),
                    Link("console_sellers.index", _l("Report of sellers"), STAFF),
                ),
            ),
            Group(
                _l("Prices"),
                "f",
                (
                    Link("console_prices.references", _l("Price tables"), STAFF),
                    Link("console_prices.quotes", _l("Market prices"), STAFF),
                    Link("console_prices.rates", _l("Exchange rates"), STAFF),
                    Link("console_prices.floors", _l("Own floors"), STAFF),
                ),
            ),
            Group(
                _l("Settings"),
                "c",
                (
                    Link("console_coops.own", _l("The co-op"), STAFF),
                    Link("console_records.people", _l("People and roles"), STAFF),
                    Link("console_people.keys", _l("Keys"), STAFF),
                    Link("console_records.mails", _l("Mails sent"), STAFF),
                    Link("console_records.audit", _l("Who did what"), STAFF),
                ),
            ),
        ),
    ),
    "/admin": (
        _l("Administration"),
        (
            Link("console_coops.all_coops", _l("All co-ops"), ADMINS),
            Link("console_coops.new_coop", _l("Open a co-op"), ADMINS),
            Link("console_site.processor", _l("Card lines of nobody"), ADMINS),
            Link("console_site.switch", _l("Read-only switch"), ADMINS),
        ),
    ),
}


def menus(bare: bool = False) -> Menus:
    """Return the menus of this request; `bare` leaves out the working area's, on pages that say what broke."""
    actor: Actor = g.get("actor", GUEST)
    name, desk = DESKS.get(_area(actor), ("", ()))
    links = [link for each in desk for link in (each.links if isinstance(each, Group) else (each,))]
    return Menus(
        main=_entries(MAIN, actor, {link.endpoint for link in links}),
        account=_entries(ACCOUNT, actor),
        desk=[] if bare else _desk(desk, actor, _current(links)),
        desk_name=str(name),
        foot=_entries(FOOT, actor),
        sign_out=_sign_out() if actor.account_id else None,
        standing_in_for=actor.on_behalf_name,
        producer=str(actor.producer_id or ""),
    )


def _area(actor: Actor) -> str:
    """Return the working area of the page; staff see to listings at their own desk."""
    if request.path == "/field":
        return "/console"
    area = next((path for path in DESKS if request.path == path or request.path.startswith(path + "/")), "")
    return "/console" if area == "/producer" and actor.is_staff and not actor.roles & PRODUCERS else area


def _held(actor: Actor) -> frozenset[str]:
    return actor.roles | (SIGNED_IN if actor.account_id else GUESTS)


def _desk(parts: Sequence[Link | Group], actor: Actor, current: str) -> list[Entry]:
    """Return the menu of a working area: its links, or its groups, the one that the page is in with its pages."""
    held, found = _held(actor), []
    for part in parts:
        seen = [link for link in (part.links if isinstance(part, Group) else (part,)) if link.roles & held]
        pages = [_entry(link, "page" if link.endpoint == current else "") for link in seen]
        if isinstance(part, Link):
            found += pages
        elif pages:
            inside = any(page.current for page in pages)
            below = pages if inside else ()
            found.append(Entry(pages[0].href, str(part.words), "true" if inside else "", part.key, below))
    return found


def _current(links: Sequence[Link]) -> str:
    """Return the endpoint of the link that the page belongs to: itself, or the one whose path begins its own the longest."""
    above: dict[str, str] = {}
    own, here = request.endpoint, request.path
    for link in links:
        if link.endpoint == own:
            return own
        # The first page of a working area has all of it below.
        above |= {path: link.endpoint for path in (_path(link.endpoint).rstrip("/"), link.also) if path and path not in DESKS}
    paths = [path for path in above if here.startswith(path + "/")]
    return above[max(paths, key=len)] if paths else ""


def _entries(links: tuple[Link, ...], actor: Actor, around: Collection[str] = ()) -> list[Entry]:
    """Return the links that the actor sees; `around` are the endpoints of the working area that the page is in."""
    current, held = {_current(links), *around}, _held(actor)
    return [_entry(link, "page" if link.endpoint in current else "") for link in links if link.roles & held]


def _entry(link: Link, current: str) -> Entry:
    return Entry(with_language(_path(link.endpoint)), str(link.words), current, link.key)


def _path(endpoint: str) -> str:
    """Return where a page of a menu lies, without the language; made once, since a page has a hundred such links."""
    paths: dict[tuple[str, str], str] = current_app.extensions["menu_paths"]
    key = (request.script_root, endpoint)
    if key not in paths:
        paths[key] = url_for(endpoint).partition("?")[0]
    return paths[key]


def _sign_out() -> str | None:
    try:
        return url_for("security.logout")
    except BuildError:
        return None


def init_app(app: Flask) -> None:
    """Give templates the menus."""
    app.extensions["menu_paths"] = {}
    app.jinja_env.globals["navigation"] = menus
