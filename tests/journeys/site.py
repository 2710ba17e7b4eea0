"""A whole site for the browser tests: `market.cli.up` on a database of its own, with one co-op that has not sold anything yet.

One of its two members, Pedro, has cocoa in the shop; the other begins with nothing.

Only who works there and which floor applies stand in the database beforehand; everything else happens through pages.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask_security import hash_password

from market.app import create_app
from market.embedded.ports import free_port
from market.http import db
from market.http.login.models import User
from market.kernel import tenancy
from market.ports import Ports
from market.producers.models import Certificate, Coop
from tests.conftest import settings_for
from tests.factories.accounts import make_account, make_admin, make_producer_account, make_staff
from tests.factories.catalogue import make_listing, make_product
from tests.factories.prices import make_reference
from tests.factories.producers import make_coop, make_payee_account, make_producer
from tests.factories.provenance import make_lot

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"
SECRETS = {"SECRET_KEY": "test-" * 8, "PASSWORD_SALT": "salt-" * 8}
PEOPLE = ("producer", "preparer", "approver", "admin")
PATIENCE_S = 60
TODAY = datetime.now(UTC).date()  # the co-op keeps UTC
IBAN = "DE89370400440532013000"


@dataclass(frozen=True)
class Site:
    """Where the running site is, who works there, and the code of the lot in its shop."""

    url: str
    emails: dict[str, str]
    lot: str


@contextlib.contextmanager
def running(database_url: str, redis_url: str, folder: Path, ports: Ports) -> Iterator[Site]:
    """Start the site on a migrated, empty database; stop it at the end."""
    emails, lot_code = _populate(database_url, redis_url, ports)
    port, log = free_port(None), folder / "up.log"
    (folder / "demo-loaded").touch()  # nobody needs the demo here
    own = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, **SECRETS}
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("MARKET_", "STRIPE_", "SMTP_"))}
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "market.cli.up", "--data", str(folder), "--port", str(port)],
            cwd=ROOT,
            env=inherited | own,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(process, log)
        yield Site(f"http://127.0.0.1:{port}", emails, lot_code)
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while "\nready: " not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)


def _populate(database_url: str, redis_url: str, ports: Ports) -> tuple[dict[str, str], str]:
    app = create_app(settings_for(database_url, redis_url, **SECRETS), ports=ports)
    with app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        session = db.db.session
        coop = make_coop(session, slug="alto-mayo", name="Cooperativa Alto Mayo", country="PE", region="San Martín", iban=IBAN)
        rosa = make_producer(session, coop=coop, slug="rosa-huaman", name="Rosa Huamán", region="Alto Mayo")
        accounts = {
            "producer": make_producer_account(session, producer=rosa),
            "preparer": make_staff(session, coop=coop, role="preparer"),
            "approver": make_staff(session, coop=coop, role="approver"),
            "admin": make_admin(session),
        }
        pedro = make_producer(session, coop=coop, slug="pedro-quispe", name="Pedro Quispe", region="Alto Mayo")
        accounts |= {"pedro": make_producer_account(session, producer=pedro), "member": make_account(session, name="Ben Weber")}
        lot = make_lot(session, coop=coop, producer=pedro)
        nibs = make_product(session, category="cocoa", kind="cocoa", form="nibs", name="Cocoa nibs")
        make_listing(session, producer=pedro, product=nibs, lot=lot, on_hand=1000, title="Nibs from the ridge")
        password = hash_password(PASSWORD)
        for name, account in accounts.items():
            account.email = f"{name}@alto-mayo.example"
            user = session.query(User).filter_by(account_id=account.id).one()
            user.email, user.password = account.email, password
        make_payee_account(session, producer=rosa)
        _rules(session, coop)
        lot_code = lot.slug
        session.commit()
        for engine in db.db.engines.values():
            engine.dispose()
    return {name: f"{name}@alto-mayo.example" for name in accounts}, lot_code


def _rules(session, coop: Coop) -> None:
    """A minimum of 1.80 EUR per lb with 0.20 of premium, and the certificate that makes it bind."""
    make_product(session, kind="coffee", variety="arabica", form="washed green", name="Arabica, washed")
    make_reference(session, currency="EUR", relevant_market=None, organic_rule="none", organic_differential=None)
    session.add(
        Certificate(
            coop_id=coop.id,
            scheme="fairtrade",
            kind="trade",
            number="FLO-40111",
            issuer="FLOCERT",
            product_scope=["coffee"],
            valid_from=TODAY - timedelta(days=100),
            valid_to=TODAY + timedelta(days=300),
            status="active",
            entered_at=datetime.now(UTC),
        )
    )
