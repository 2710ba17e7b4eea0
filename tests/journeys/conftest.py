"""The running site of the browser tests, started once per process."""

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from threading import Thread

import pytest
from flask_security import hash_password
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from market.app import create_app
from market.catalogue import photos
from market.demo.pictures import KINDS, picture
from market.http import db
from market.http.login.models import User
from market.kernel import tenancy
from market.ports import Ports
from tests.conftest import settings_for
from tests.factories.accounts import make_producer_account
from tests.factories.catalogue import make_listing, make_product
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import make_lot, make_place
from tests.journeys.looking import Looker
from tests.journeys.site import PASSWORD, Site, running


@pytest.fixture(scope="session")
def site(servers: dict[str, str], make_database, ports: Ports, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a worker of its own; each process of the tests has its own queue."""
    number = 1 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 14
    redis_url = servers["REDIS_URL"].rsplit("/", 1)[0] + f"/{number}"
    with running(make_database("site"), redis_url, tmp_path_factory.mktemp("site"), ports) as started:
        yield started


@pytest.fixture(scope="session")
def looker(browser: Browser) -> Iterator[Looker]:
    """Judges pages: accessible, labelled, no sideways scrolling; keeps pictures of what is at fault under var/test/screens."""
    folder = Path(__file__).parents[2] / "var" / "test" / "screens"
    folder.mkdir(parents=True, exist_ok=True)
    looker = Looker(browser, folder)
    yield looker
    looker.close()


@pytest.fixture(scope="session")
def pages(servers: dict[str, str], make_database, ports: Ports) -> Iterator[dict[str, str]]:
    """A shop with a full first page and pictures, served here; the addresses of its pages."""
    app = create_app(settings_for(make_database("shop"), servers["REDIS_URL"]), ports=ports)
    with app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        session = db.db.session
        coop = make_coop(session, name="Cooperativa Alto Mayo", country="PE", region="San Martín", transport_minor_per_line=320)
        makers = [make_producer(session, coop=coop, name=f"Rosa Huamán {number}") for number in range(12)]
        place = make_place(session, coop=coop, latitude=Decimal("-6.0"), longitude=Decimal("-77.0"))
        rosa = make_producer_account(session, producer=makers[0])
        user = session.query(User).filter_by(account_id=rosa.id).one()
        user.email, user.password = "rosa@alto-mayo.example", hash_password(PASSWORD)
        product = make_product(session)
        for number in range(25):
            lot = make_lot(session, coop=coop, producer=makers[number % 12], place=place)
            files = photos.keep(ports.files, picture(KINDS[number % len(KINDS)], number))
            sizes = [{"key": size.key, "width": size.width, "height": size.height} for size in files]
            photo = {"alt": f"Goods {number}", "sizes": sizes}
            listing = make_listing(
                session, producer=makers[number % 12], product=product, lot=lot, photo=photo, title=f"Goods {number}"
            )
        found = {
            "home": "/",
            "shop": "/shop",
            "listing": f"/listings/{listing.id}",
            "lot": f"/lots/{lot.slug}",
            "producer": f"/producers/{makers[0].slug}",
            "coop": f"/coops/{coop.slug}",
            "producer home": "/producer",
        }
        session.commit()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield {name: f"http://127.0.0.1:{server.port}{path}" for name, path in found.items()}
    server.shutdown()
    with app.app_context():
        for engine in db.db.engines.values():
            engine.dispose()
