"""M3: every route declares who may call it."""

from market.http.auth import access_of


def test_every_route_declares_its_access(app):
    silent = [
        f"{rule.rule} [{method}] {rule.endpoint}"
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
        if access_of(app, rule.endpoint, method) is None
    ]
    assert not silent, "\n".join(silent)
