"""In and out of the office (SAFETY.md T17-T19)."""

import os
import statistics
import time
from datetime import timedelta
from urllib.parse import quote

import pytest

from server.services import members
from server.views import guards
from tests.office import PASSWORD
from tests.pages import Pages

DOOR = "/office/sign-in"
EMAIL = "ann@home.example"


@pytest.fixture
def ann(house, now) -> int:
    """A member of the first shop who has a real password."""
    with house.database.transaction() as session:
        member = members.add(
            session,
            email=EMAIL,
            name="Ann",
            password=PASSWORD,
            shop_code=house.shop,
            role="owner",
            now=now,
        )
        return member.id


def secret_of(client) -> str | None:
    with client.session_transaction() as cookie:
        return cookie.get(guards.SECRET)


def enter(pages: Pages, *, status: int = 303, password: str = PASSWORD, path=DOOR):
    form = pages.get(path).form("sign-in")
    return pages.submit(form, email=EMAIL, password=password, status=status)


def test_the_right_password_leads_to_the_only_shop(pages, ann):
    arrived = pages.follow(enter(pages), status=303)

    assert pages.follow(arrived).h1 in {"Campaigns", "Campagnes", "Acties"}


def test_a_member_of_two_shops_chooses(pages, house, ann, now):
    with house.database.transaction() as session:
        members.add(
            session,
            email=EMAIL,
            name="Ann",
            password="",
            shop_code=house.other_shop,
            role="viewer",
            now=now,
        )

    chosen = pages.follow(enter(pages))

    assert {a.attrs["href"] for a in chosen.root.all("a")} >= {
        "/office/demo/",
        "/office/other/",
    }


def test_the_answer_is_the_same_for_unknown_addresses(pages, ann):
    said = []
    for email in (EMAIL, "nobody@home.example", "not an address"):
        form = pages.get(DOOR).form("sign-in")
        page = pages.submit(form, email=email, password="wrong" * 4, status=422)
        said.append(page.root.by_id("problem").text)
        assert page.form("sign-in").values["email"] == email
        assert "wrongwrong" not in page.html

    assert len(set(said)) == 1


@pytest.mark.usefixtures("real_passwords")
def test_the_answer_takes_as_long_for_unknown_addresses(house, ann, monkeypatch):
    """A timed test that is not about speed: medians within 20% (SAFETY.md T17)."""
    from server.views.limiter import Limiter

    monkeypatch.setattr(Limiter, "may_sign_in", lambda *_a, **_k: True)
    client = house.client(None)
    form = Pages(client).get(DOOR).form("sign-in")
    took: dict[str, list[float]] = {EMAIL: [], "nobody@home.example": []}

    for _ in range(9):
        for email, times in took.items():
            start = time.process_time()
            client.post(
                DOOR, data=form.values | {"email": email, "password": "wrong" * 4}
            )
            times.append(time.process_time() - start)

    known, unknown = (statistics.median(times) for times in took.values())
    assert 0.8 < unknown / known < 1.25


def test_a_session_is_new_at_each_sign_in(pages, house, ann):
    """Fixation: what an attacker has put into the browser is worth nothing after."""
    planted = house.client(house.viewer)
    with planted.session_transaction() as cookie:
        old, old_token = cookie[guards.SECRET], "planted"
    with pages.client.session_transaction() as cookie:
        cookie[guards.SECRET], cookie["csrf_token"] = old, old_token

    # Signed in already, the door leads on; so the form is sent as it was read before.
    fresh = Pages(house.client(None))
    form = fresh.get(DOOR).form("sign-in")
    with fresh.client.session_transaction() as cookie:
        cookie[guards.SECRET] = old
    fresh.submit(form, email=EMAIL, password=PASSWORD, status=303)

    assert secret_of(fresh.client) not in {None, old}
    assert planted.get("/office/demo/").status_code == 303
    with fresh.client.session_transaction() as cookie:
        assert "csrf_token" not in cookie


def test_two_sign_ins_have_different_secrets(house, ann):
    secrets = []
    for _ in range(2):
        pages = Pages(house.client(None))
        enter(pages)
        secrets.append(secret_of(pages.client))

    assert len(set(secrets)) == 2
    assert all(len(bytes.fromhex(secret)) >= 32 for secret in secrets)


def test_a_made_up_secret_opens_nothing(house):
    client = house.client(None)
    for secret in (os.urandom(32).hex(), "", "x", 7, None, ["a"]):
        with client.session_transaction() as cookie:
            cookie[guards.SECRET] = secret

        assert client.get("/office/demo/").status_code == 303


def test_signing_out_ends_the_session_in_the_database_too(owner):
    secret = secret_of(owner.client)
    form = owner.get("/office/demo/").form("sign-out")

    left = owner.submit(form, status=303)

    assert left.location == DOOR
    assert secret_of(owner.client) is None
    with owner.client.session_transaction() as cookie:
        cookie[guards.SECRET] = secret
    owner.get("/office/demo/", status=303)


def test_a_session_ends_by_idling(owner, clock):
    owner.get("/office/demo/")

    clock.advance(members.IDLE)

    owner.get("/office/demo/", status=303)


def test_a_press_keeps_a_session_alive_and_a_look_does_not(owner, clock):
    for step in range(3):
        clock.advance(timedelta(hours=7))
        page = owner.get("/office/demo/entries", status=200)
        if step < 2:
            owner.submit(page.form("find"), email="who@home.example")
    clock.advance(timedelta(hours=5))

    owner.get("/office/demo/", status=303)


def test_a_session_in_use_ends_after_a_week(owner, clock):
    for _ in range(16):
        clock.advance(timedelta(hours=10))
        page = owner.get("/office/demo/entries")
        owner.submit(page.form("find"), email="who@home.example")

    clock.advance(timedelta(hours=8))

    owner.get("/office/demo/", status=303)


def test_tries_are_limited_by_network_and_by_address(pages, ann):
    form = pages.get(DOOR).form("sign-in")
    statuses = [
        pages.client.post(
            DOOR,
            data=form.values | {"email": f"a{n}@home.example", "password": "x"},
        ).status_code
        for n in range(12)
    ]

    assert statuses[:10] == [422] * 10
    assert statuses[10:] == [429] * 2


def test_a_limited_address_is_limited_from_anywhere(pages, ann):
    form = pages.get(DOOR).form("sign-in")
    statuses = [
        pages.client.post(
            DOOR,
            data=form.values | {"email": spelled, "password": "x"},
            environ_base={"REMOTE_ADDR": f"203.0.{n}.9"},
        ).status_code
        for n, spelled in enumerate([EMAIL, EMAIL.upper(), f" {EMAIL}"] * 4)
    ]

    assert statuses == [422] * 10 + [429] * 2
    after = pages.submit(form, email=EMAIL, password=PASSWORD, status=429)
    assert after.root.by_id("problem").text


def test_too_many_at_once_are_told_to_come_back(pages, ann, monkeypatch):
    from server.services import passwords

    def crowded(*_):
        raise passwords.CrowdedError

    monkeypatch.setattr(passwords, "fits", crowded)

    assert "Retry-After" in enter(pages, status=503).response.headers


def test_sign_in_leads_back_to_where_somebody_was(pages, house, ann):
    wanted = f"/office/demo/entries?campaign={house.campaign}"
    door = pages.get(wanted, status=303)

    form = pages.follow(door).form("sign-in")
    entered = pages.submit(form, email=EMAIL, password=PASSWORD, status=303)

    assert entered.location == wanted


@pytest.mark.parametrize(
    "wish",
    [
        *("https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil"),
        *("/office//evil.example", "/office/\\evil", "javascript:alert(1)"),
        *(
            "/demo/",
            "/officer",
            "office/",
            "/office/\r\nX: y",
            "/office/<b>",
            " /office/",
        ),
        *("/office/%0d%0aX:y", "/office/:80", "http:/office/", "/office/‮"),
    ],
)
def test_sign_in_leads_nowhere_else(pages, ann, wish):
    entered = enter(pages, path=f"{DOOR}?next={quote(wish)}")
    assert entered.location == "/office/"

    pages.client.delete_cookie("jawoord")
    form = pages.get(DOOR).form("sign-in")
    values = form.values | {"next": wish, "email": EMAIL, "password": PASSWORD}
    assert pages.post(DOOR, data=values, status=303).location == "/office/"


def test_who_is_signed_in_need_not_sign_in_again(owner):
    assert owner.get(DOOR, status=303).location == "/office/"


def test_the_cookie_is_for_our_pages_alone(pages, ann):
    cookie = enter(pages).response.headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_the_cookie_of_a_secure_site_is_bound_to_its_host(environ, database, ann):
    from server import create_app
    from server.settings import load_settings

    app = create_app(load_settings(environ | {"JAWOORD_PUBLIC_URL": "https://a.test"}))
    app.extensions["database"].dispose()
    app.extensions["database"] = database
    client = app.test_client()

    cookie = client.get(DOOR, base_url="https://a.test").headers["Set-Cookie"]

    assert cookie.startswith("__Host-jawoord=")
    assert "Secure" in cookie


def test_office_pages_are_kept_by_nobody(owner):
    headers = owner.get("/office/demo/entries").response.headers

    assert headers["Cache-Control"] == "no-store"
    assert "Cookie" in headers["Vary"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
