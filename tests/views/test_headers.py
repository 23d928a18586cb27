"""Headers: on every route, for every answer (T7, T10, T22, EM-04)."""

import re
from datetime import timedelta

import pytest

from server.views.guards import guard_of
from server.worker import Worker
from tests.factories import shop_file
from tests.visits import AGREED, EMAIL, sure_win, take_card

SITES = ["https://shop.example", "http://localhost:8401"]
POLICY = (
    "default-src 'none'; script-src {}; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors {}; report-uri /csp"
)
VALUES = {"code": "welcome-inline", "lang": "en", "what": "confirmed"}
HOSTS = [
    {"Host": "evil.test"},
    {"Host": "evil.test:8400"},
    {"X-Forwarded-Host": "evil.test"},
    {"X-Host": "evil.test", "X-Original-Host": "evil.test"},
    {"Forwarded": "host=evil.test;proto=https"},
    {"X-Forwarded-Server": "evil.test", "X-HTTP-Host-Override": "evil.test"},
    {"X-Original-URL": "//evil.test/", "X-Rewrite-URL": "//evil.test/"},
    {"X-Forwarded-Prefix": "//evil.test", "X-Forwarded-Port": "666"},
]


@pytest.fixture(autouse=True)
def _published(publish):
    publish(sure_win(), shop=shop_file(sites=SITES))


def every_answer(app):
    """Yield each route, each of its methods, and what it answers to a stranger."""
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        path = re.sub(
            r"<(?:\w+:)?(\w+)>", lambda found: VALUES.get(found[1], "1"), rule.rule
        )
        for method in sorted((rule.methods or set()) | {"HEAD", "OPTIONS", "PUT"}):
            yield rule, method, client.open(path, method=method)


def test_every_route_and_method_wears_the_headers(app):
    """T10, T22, G15: a policy, no sniffing, no Referer; and never a crash."""
    seen, named = 0, re.compile(r"http://(?:localhost:8401|service\.test)")
    for rule, method, answer in every_answer(app):
        where = f"{method} {rule.rule}: {answer.status}"
        headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert answer.status_code < 500, where
        assert policy.startswith("default-src 'none'; "), where
        for unsafe in ("unsafe", "http:", "*"):
            assert unsafe not in named.sub("", policy), where
        assert headers["X-Content-Type-Options"] == "nosniff", where
        # The demo's pages are a shop's, and tell its own next page where one was.
        is_shop = rule.endpoint.startswith("demo.")
        told = headers["Referrer-Policy"]
        assert told in ({"same-origin", "no-referrer"} if is_shop else {"no-referrer"})
        assert "Permissions-Policy" in headers, where
        assert "Server" not in headers or "Python" not in headers["Server"], where
        seen += 1
    assert seen > 60


def test_only_the_widget_can_be_framed_and_only_by_its_shop(app):
    """T10, EM-04: `frame-ancestors` names exactly the shop's sites there, else none."""
    framed = set()
    for rule, method, answer in every_answer(app):
        policy = answer.headers["Content-Security-Policy"]
        ancestors = policy.partition("frame-ancestors ")[2].partition(";")[0]
        assert "X-Frame-Options" not in answer.headers
        if ancestors != "'none'":
            assert ancestors == " ".join(SITES), f"{method} {rule.rule}"
            framed.add(rule.endpoint)

    assert framed
    assert framed <= {
        "widget.page",
        "widget.submit",
        "digits.confirm",
        "widget.terms",
        "widget.stylesheet",
    }


def test_what_is_public_sets_no_cookie(app):
    """EM-01, G15: nothing outside the office knows a cookie."""
    for rule, method, answer in every_answer(app):
        if guard_of(app, rule.endpoint) in {"anyone", "link"} and not (
            rule.rule.startswith("/office")
        ):
            assert "Set-Cookie" not in answer.headers, f"{method} {rule.rule}"


def test_the_games_policy_is_the_written_one(client):
    """EM-04: a nonce for our own module, anew for each answer, and nothing inline."""
    answers = [client.get("/w/welcome-inline") for _ in range(2)]
    nonces = [re.findall(r'nonce="([^"]+)"', answer.text) for answer in answers]

    for answer, found in zip(answers, nonces, strict=True):
        assert len(set(found)) == 1 and len(found[0]) >= 20
        assert answer.headers["Content-Security-Policy"] == POLICY.format(
            f"'nonce-{found[0]}'", " ".join(SITES)
        )
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        # Hosts that isolate themselves can show us all the same.
        assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert nonces[0] != nonces[1]


def test_the_answer_to_an_entry_has_a_nonce_of_its_own(client):
    card = take_card(client)
    answers = [card.enter(client) for _ in range(2)]

    for answer in answers:
        (nonce,) = set(re.findall(r'nonce="([^"]+)"', answer.text))
        assert f"'nonce-{nonce}'" in answer.headers["Content-Security-Policy"]
    assert (
        answers[0].headers["Content-Security-Policy"]
        != (answers[1].headers["Content-Security-Policy"])
    )


def test_no_page_opens_itself_to_other_origins(app):
    """T27: only what is public and about nobody may be read from a host page."""
    open_ones = {
        rule.endpoint
        for rule, _, answer in every_answer(app)
        if "Access-Control-Allow-Origin" in answer.headers
    }

    assert open_ones <= {
        *("files.loader", "files.widget", "embed.rule", "embed.module"),
        *("qr.svg", "qr.png", "images.show"),
    }


def test_over_https_browsers_are_told_to_stay_there(house_with):
    house = house_with(PUBLIC_URL="https://play.example.com")

    header = (
        house.app.test_client().get("/healthz").headers["Strict-Transport-Security"]
    )
    assert int(header.removeprefix("max-age=").split(";")[0]) >= 31_536_000


@pytest.mark.parametrize("lies", HOSTS, ids=lambda lies: next(iter(lies.items())))
@pytest.mark.parametrize("hops", [0, 1])
def test_our_own_name_comes_from_the_settings_alone(house_with, smtp, lies, hops):
    """T7: pages, redirects and mails carry PUBLIC_URL whatever a header says."""
    house = house_with(TRUSTED_PROXIES=str(hops))
    client = house.app.test_client()
    answers = [client.get("/w/welcome-inline?lang=en", headers=lies)]
    ticket = re.search(r'name="ticket" value="([^"]+)"', answers[0].text)[1]
    form = AGREED | {"ticket": ticket, "email": EMAIL, "consent.newsletter": "yes"}
    answers.append(client.post("/w/welcome-inline/entries", data=form, headers=lies))
    link, stop = house.link("confirm"), house.link("unsubscribe")
    answers.append(client.get(link, headers=lies))
    shown = re.search(r'name="shown" value="([^"]+)"', answers[-1].text)[1]
    house.clock.advance(timedelta(seconds=2))
    worker = Worker(house.app)
    worker.deliver()
    worker.close()
    answers.append(client.post(link, data={"shown": shown}, headers=lies))
    answers.append(client.post(stop, headers=lies))
    answers.append(client.get("/p/welcome-inline.json", headers=lies))

    for answer in answers:
        assert answer.status_code in {200, 303}
        assert "evil" not in answer.text + str(answer.headers)
    assert answers[3].location.startswith("/done/")
    assert len(smtp.to(EMAIL)) == 2
    for mail in smtp.taken:
        assert b"evil" not in mail.raw
        assert "http://service.test/" in mail.text()
