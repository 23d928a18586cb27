"""Every route says who may call it (SAFETY.md G10); one that does not is no start."""

import pytest
from flask import Flask

from server.views import guards
from server.views.guards import UnguardedRouteError, check_all_guarded, guard_of

KNOWN = ("anyone", "link", "demo", "device", "member")


def test_every_route_names_its_guard(app: Flask):
    guarding = {
        f"{rule.rule} ({rule.endpoint})": guard_of(app, rule.endpoint)
        for rule in app.url_map.iter_rules()
    }

    unknown = {
        route: guard
        for route, guard in guarding.items()
        if not guard or not guard.startswith(KNOWN)
    }
    assert unknown == {}, "wear one of the guards of views/guards.py"


def test_a_route_without_a_guard_stops_the_start(app: Flask):
    app._got_first_request = False
    app.add_url_rule("/bare", "bare", lambda: "open to whom?")

    with pytest.raises(UnguardedRouteError, match=r"/bare \(bare\)"):
        check_all_guarded(app)


def test_the_start_checks_its_routes(settings, monkeypatch):
    """`create_app` itself refuses, so that no way of starting goes round the check."""
    from server import create_app
    from server.views import health

    monkeypatch.delattr(health.alive, guards.GUARD)

    with pytest.raises(UnguardedRouteError, match="/healthz"):
        create_app(settings)


def test_the_demo_is_not_there_elsewhere(environ, database):
    """A shop's own service answers nothing below /demo/."""
    from server import create_app
    from server.settings import load_settings

    app = create_app(load_settings(environ | {"JAWOORD_DEMO": "no"}))
    app.extensions["database"].dispose()
    app.extensions["database"] = database
    asked = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if guard_of(app, rule.endpoint) == "demo" and "GET" in (rule.methods or ())
    ]

    answers = {
        path: app.test_client().get(path).status_code
        for path in asked
        if "<" not in path
    }

    assert set(answers.values()) <= {404}, answers
