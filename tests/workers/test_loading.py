"""What a worker loads: all that its tasks write, and no page, form or API that would only fill its memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

from market import kernel
from tests.journeys.site import SECRETS
from workers.notifications import PAGES

ROOT = Path(kernel.__file__).parents[2]
_WORKER = """
import json, sys
import workers.app
from market.kernel.orm import Base
keys = [key for table in Base.metadata.tables.values() for key in table.foreign_keys]
print(json.dumps({"modules": sorted(sys.modules), "keys": len([key.column for key in keys]), "tasks": sorted(workers.app.app.tasks)}))
"""
_BEAT = "import json, sys, workers.beat, redbeat; print(json.dumps({'modules': sorted(sys.modules)}))"


def _loaded(program: str, servers: dict[str, str]) -> dict:
    addresses = {name: servers[name] for name in ("DATABASE_URL", "REDIS_URL")}
    environ = os.environ | SECRETS | addresses | {"MARKET_ENV": "test", "STRIPE_KEY": "sk_test", "STRIPE_WEBHOOK_SECRET": "whsec"}
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def test_a_worker_loads_every_table_that_its_tables_name_and_no_page(servers):
    loaded = _loaded(_WORKER, servers)
    assert loaded["keys"] > 100
    assert "statements.read" in loaded["tasks"]
    assert not {"market.app", "market.web", "market.console", "market.api", "market.cli", "flask_security"} & set(
        loaded["modules"]
    )


def test_the_beat_loads_no_market(servers):
    modules = _loaded(_BEAT, servers)["modules"]
    assert not {name for name in modules if name.startswith("market.")}
    assert not {"sqlalchemy", "psycopg"} & set(modules)


def test_the_addresses_in_mails_are_pages(app):
    routes = app.url_map.bind("")
    subject = "01890a5d-ac96-774b-bcce-b302099a8057"
    for page, path in PAGES.items():
        assert routes.match(path.format(subject).partition("?")[0]), page
