"""Where everything meets: one function builds the web application."""

from flask import Blueprint, Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Settings
from market.api import openapi
from market.api.v1 import community as api_community
from market.api.v1 import coops, epcis, listings, lot_records, lots, people
from market.api.v1 import disputes as api_disputes
from market.api.v1 import invoices as api_invoices
from market.api.v1 import lending as api_lending
from market.api.v1 import opening as api_opening
from market.api.v1 import order_changes as api_order_changes
from market.api.v1 import orders as api_orders
from market.api.v1 import paying as api_paying
from market.api.v1 import payouts as api_payouts
from market.api.v1 import prices as api_prices
from market.api.v1 import producers as api_producers
from market.api.v1 import statements as api_statements
from market.api.v1 import texts as api_texts
from market.api.v1 import withdrawals as api_withdrawals
from market.cli import commands
from market.console import book_lines as console_book_lines
from market.console import books as console_books
from market.console import cash as console_cash
from market.console import community as console_community
from market.console import coops as console_coops
from market.console import desk as console_desk
from market.console import disputes as console_disputes
from market.console import earnings as console_earnings
from market.console import loans as console_loans
from market.console import lots as console_lots
from market.console import matching as console_matching
from market.console import opening as console_opening
from market.console import orders as console_orders
from market.console import own_account as console_own_account
from market.console import payments as console_payments
from market.console import payout_settings as console_payout_settings
from market.console import payouts as console_payouts
from market.console import people as console_people
from market.console import premium as console_premium
from market.console import prices as console_prices
from market.console import processor as console_processor
from market.console import records as console_records
from market.console import reports as console_reports
from market.console import sellers as console_sellers
from market.console import site as console_site
from market.console import statement_setup as console_statement_setup
from market.console import statements as console_statements
from market.console import texts as console_texts
from market.console import today
from market.console import treasury as console_treasury
from market.hooks import mobile_money as hooks_mobile_money
from market.hooks import stripe as hooks_stripe
from market.http import auth, csrf, headers, lane, login, navigation, packing, problems, readonly, sending, static
from market.kernel.clock import Clock
from market.ports import Ports
from market.web import (
    account,
    checkout,
    citizen,
    community,
    field,
    notifications,
    offers,
    order_changes,
    orders,
    prices,
    producer_home,
    producer_lots,
    producer_money,
    producer_orders,
    recipients,
    shop,
    style,
    system,
    trace,
)
from market.web import producers as web_producers
from market.wiring import bare_app

BLUEPRINTS: tuple[Blueprint, ...] = (
    system.blueprint,
    trace.blueprint,
    producer_home.blueprint,
    producer_lots.blueprint,
    field.blueprint,
    citizen.blueprint,
    prices.blueprint,
    console_payouts.blueprint,
    console_cash.blueprint,
    console_payout_settings.blueprint,
    console_texts.blueprint,
    console_sellers.blueprint,
    console_treasury.blueprint,
    console_community.blueprint,
    console_loans.blueprint,
    console_opening.blueprint,
    console_own_account.blueprint,
    console_premium.blueprint,
    console_processor.blueprint,
    console_earnings.blueprint,
    console_books.blueprint,
    console_book_lines.blueprint,
    console_prices.blueprint,
    console_statements.blueprint,
    console_statement_setup.blueprint,
    hooks_stripe.blueprint,
    hooks_mobile_money.blueprint,
    console_payments.blueprint,
    console_disputes.blueprint,
    shop.blueprint,
    style.blueprint,
    offers.blueprint,
    checkout.blueprint,
    orders.blueprint,
    order_changes.blueprint,
    community.blueprint,
    producer_money.blueprint,
    recipients.blueprint,
    producer_orders.blueprint,
    console_orders.blueprint,
    console_lots.blueprint,
    notifications.blueprint,
    account.blueprint,
    web_producers.blueprint,
    today.blueprint,
    console_people.blueprint,
    console_coops.blueprint,
    console_desk.blueprint,
    console_records.blueprint,
    console_reports.blueprint,
    console_matching.blueprint,
    console_site.blueprint,
)
# The API's parts; they are built from `market.api.openapi`, so the list stands here, above it.
API: tuple[openapi.Blueprint, ...] = (
    api_community.blueprint,
    api_lending.blueprint,
    api_opening.blueprint,
    api_paying.blueprint,
    api_payouts.blueprint,
    api_prices.blueprint,
    api_producers.blueprint,
    api_orders.blueprint,
    api_order_changes.blueprint,
    api_disputes.blueprint,
    api_invoices.blueprint,
    api_statements.blueprint,
    api_texts.blueprint,
    coops.blueprint,
    epcis.blueprint,
    listings.blueprint,
    lots.blueprint,
    lot_records.blueprint,
    api_withdrawals.blueprint,
    people.blueprint,
)
ROADS = (listings.ROAD, lots.ROAD)


def create_app(settings: Settings, ports: Ports | None = None, clock: Clock | None = None) -> Flask:
    """Build the application; `ports` and `clock` are given by tests, and made from the settings otherwise."""
    app = bare_app(settings, ports, clock)
    problems.init_app(app)
    auth.init_app(app)
    login.init_app(app)
    readonly.init_app(app)
    csrf.init_app(app)
    sending.init_app(app)
    headers.init_app(app)
    packing.init_app(app)
    static.init_app(app)
    navigation.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    openapi.init_app(app, API)
    commands.init_app(app)
    lane.init_app(app, ROADS)
    if settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, *[settings.proxy_hops] * 3)  # type: ignore[method-assign]
    return app
