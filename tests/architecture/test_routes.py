"""M3: every route declares who may call it."""

from market.accounts.rules import SCOPES
from market.http.auth import access_of


def test_every_route_declares_its_access(app):
    silent = [
        f"{rule.rule} [{method}] {rule.endpoint}"
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
        if access_of(app, rule.endpoint, method) is None
    ]
    assert not silent, "\n".join(silent)


def test_every_scope_that_a_route_asks_for_can_be_given_to_a_key(app):
    asked = {
        (declared.scope, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
        if (declared := access_of(app, rule.endpoint, method)) is not None and declared.scope is not None
    }
    assert not [f"{rule} asks for {scope}" for scope, rule in sorted(asked) if scope not in SCOPES]
