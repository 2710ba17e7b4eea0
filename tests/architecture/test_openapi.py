"""The contract: valid OpenAPI 3.1, up to date, every route and every refusal in it."""

import json
import re

from market.api import openapi
from tests.architecture.source import ROOT

OUTSIDE = {"/api/v1/openapi.json"}


def _as_openapi(rule: str) -> str:
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule)


def test_the_document_is_valid_openapi(app, client):
    from openapi_spec_validator import validate  # builds grammars for seconds, in each process that collects this file

    document = client.get("/api/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_the_checked_in_file_is_up_to_date(app):
    assert (ROOT / "docs" / "openapi.json").read_text() == openapi.text(app), "run: make openapi-write"


def test_every_api_route_is_in_it(app):
    paths = openapi.document(app)["paths"]
    missing = [
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and rule.rule not in OUTSIDE
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if method.lower() not in paths.get(_as_openapi(rule.rule), {})
    ]
    assert not missing, "\n".join(missing)


def test_every_operation_says_how_it_refuses(app):
    silent = [
        f"{method} {path}"
        for path, operations in openapi.document(app)["paths"].items()
        for method, operation in operations.items()
        if method in ("get", "post", "put", "patch", "delete")
        and not {code for code in operation["responses"] if code == "default" or code.startswith(("4", "5"))}
    ]
    assert not silent, "\n".join(silent)
    assert "Problem" in json.dumps(openapi.document(app)["components"]["schemas"])
