"""Every route of the office against everybody who may not call it (G10, T1, T11).

The matrix comes from the routes themselves: a new one is in it without being named,
and fails here until `ADDRESSES` says how to reach an object of it.
"""

from dataclasses import dataclass

import pytest
from flask import Flask

from server.views.guards import guard_of
from tests.office import House, furnish, token

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
READS = ("GET", "HEAD", "OPTIONS")
# How a route's variable finds something that is really there.
ADDRESSES = {
    "shop": lambda house: house.shop,
    "code": lambda house: house.campaign,
    "public_id": lambda house: house.contact,
    "name": lambda house: house.mail,
    "right": lambda house: house.right,
    "recipient": lambda house: house.recipient,
    "message": lambda house: house.message,
}
NAMES = {"office.evidence": lambda house: house.evidence}


@dataclass(frozen=True)
class Route:
    endpoint: str
    guard: str
    methods: frozenset[str]
    address: str
    elsewhere: str


@pytest.fixture
def house(app, database, now) -> House:
    return furnish(app, database, now)


@pytest.fixture
def routes(app: Flask, house: House) -> list[Route]:
    """Every route below /office/, with an address of an object that is there."""
    found = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if not rule.rule.startswith("/office"):
                continue
            values = {name: ADDRESSES[name](house) for name in rule.arguments}
            if rule.endpoint in NAMES:
                values["name"] = NAMES[rule.endpoint](house)
            build = app.url_map.bind("service.test").build
            found.append(
                Route(
                    rule.endpoint,
                    guard_of(app, rule.endpoint) or "",
                    frozenset(rule.methods or ()),
                    build(rule.endpoint, values),
                    build(rule.endpoint, values | {"shop": house.other_shop})
                    if "shop" in values
                    else "",
                )
            )
    assert len(found) >= 12
    return found


def answers(client, address: str, methods) -> dict[str, int]:
    return {m: client.open(address, method=m).status_code for m in methods}


def test_every_route_of_a_shop_asks_for_a_role(routes):
    loose = [
        route.address
        for route in routes
        if "/demo" in route.address
        and route.guard not in {"member:viewer", "member:staff", "member:owner"}
    ]

    assert loose == [], "wear guards.member(role)"


def test_what_changes_something_is_not_for_viewers(routes):
    """A search changes nothing: it is a POST to keep what is sought out of the URL."""
    open_to_viewers = {
        route.endpoint
        for route in routes
        if "POST" in route.methods and route.guard == "member:viewer"
    }

    assert open_to_viewers == {"office.find_contact", "office.find_voucher"}


def test_staff_at_the_till_redeems_and_changes_nothing_else(routes):
    of_staff = {route.endpoint for route in routes if route.guard == "member:staff"}

    assert of_staff == {"office.redeem_voucher"}


def test_signed_out_leads_to_the_door(house, routes):
    client = house.client(None)
    for route in routes:
        if route.guard == "member:none":
            continue
        for method in route.methods - {"OPTIONS"}:
            response = client.open(route.address, method=method)

            said = f"{method} {route.address}"
            assert response.status_code == 303, said
            assert response.location.startswith("/office/sign-in"), said
    assert house.audits() == []


def test_signed_out_scripts_are_sent_to_the_door_as_well(house, routes):
    client = house.client(None)
    for route in routes:
        if route.guard == "member:none":
            continue
        for method in route.methods - {"OPTIONS"}:
            response = client.open(
                route.address, method=method, headers={"HX-Request": "true"}
            )

            assert response.status_code == 401, route.address
            assert response.headers["HX-Redirect"].startswith("/office/sign-in")


def test_another_shop_is_not_there(house, routes):
    """Neither the shop itself nor its objects under one's own shop's address."""
    client = house.client(house.stranger)
    proof = token(client)
    for route in routes:
        if "/demo" not in route.address:
            continue
        for method in route.methods - {"OPTIONS"}:
            data = {"csrf_token": proof} if method == "POST" else None
            response = client.open(route.address, method=method, data=data)
            assert response.status_code == 404, f"{method} {route.address}"
            if not is_list(route):
                response = client.open(route.elsewhere, method=method, data=data)
                assert response.status_code == 404, f"{method} {route.elsewhere}"
    assert house.audits() == []


def is_list(route: Route) -> bool:
    """Return whether a route names no object, so that every shop has its own."""
    return route.endpoint in {
        "office.campaigns",
        "office.entries",
        "office.find_contact",
        "office.outbox",
        "office.vouchers",
        "office.find_voucher",
        "office.redeem_voucher",
        "office.revoke_voucher",
        "office.contactable",
        "office.export_contactable",
        "office.recipients",
        "office.rights",
        "office.write_down_right",
    }


def test_the_places_in_a_list_of_another_shop_are_not_there(house):
    client = house.client(house.stranger)
    with house.database.reading() as session:
        from server.models import Entry

        ticket = session.query(Entry).first().ticket.hex()

    for address in (
        f"/office/other/entries?after={ticket}",
        f"/office/other/entries?campaign={house.campaign}",
        f"/office/other/outbox?after={house.mail}",
    ):
        assert client.get(address).status_code == 404, address


MAY_NOT = {"viewer": {"member:staff", "member:owner"}, "staff": {"member:owner"}}


@pytest.mark.parametrize("role", MAY_NOT)
def test_a_lower_role_may_look_but_not_change(house, routes, role):
    client = house.client(getattr(house, role))
    proof = token(client)
    for route in routes:
        if not route.guard.startswith("member:") or "/demo" not in route.address:
            continue
        for method in route.methods - {"OPTIONS"}:
            data = {"csrf_token": proof} if method == "POST" else None
            status = client.open(route.address, method=method, data=data).status_code
            if route.guard in MAY_NOT[role]:
                assert status == 403, f"{method} {route.address}"
            else:
                assert status in {200, 422}, f"{method} {route.address}"
    assert house.audits() == []


def test_methods_a_route_does_not_have_are_refused_to_everybody(house, routes):
    by_address: dict[str, set[str]] = {}
    for route in routes:
        by_address.setdefault(route.address, set()).update(route.methods)
    for member in (None, house.stranger, house.viewer, house.owner):
        client = house.client(member)
        for address, methods in by_address.items():
            lacking = [m for m in METHODS if m not in methods]
            # 308 adds the slash of a shop's address, and leads to the guard there.
            refused = set(answers(client, address, lacking).values())
            assert refused <= {405, 308}, address
            assert client.options(address).get_data() == b""


def test_a_post_without_its_token_changes_nothing(house, routes):
    client = house.client(house.owner)
    for route in routes:
        if "POST" not in route.methods:
            continue
        for data in ({}, {"csrf_token": "made up"}):
            status = client.post(route.address, data=data).status_code
            assert status == 400, f"POST {route.address} {data}"
    assert house.audits() == []


def test_another_browsers_token_is_worth_nothing(house, routes):
    client, elsewhere = house.client(house.owner), house.client(house.owner)
    token(client)
    proof = token(elsewhere)
    for route in routes:
        if "POST" in route.methods:
            status = client.post(route.address, data={"csrf_token": proof}).status_code
            assert status == 400, route.address


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://service.test.evil.example"},
    ],
)
def test_a_post_from_another_site_is_refused_even_with_a_token(house, routes, headers):
    client = house.client(house.owner)
    proof = token(client)
    for route in routes:
        if "POST" not in route.methods:
            continue
        response = client.post(
            route.address, data={"csrf_token": proof}, headers=headers
        )
        assert response.status_code == 403, f"POST {route.address}"
    assert house.audits() == []


def test_a_get_writes_nothing(house, routes):
    """Every row of every table is compared."""
    from server.models import Base

    def rows():
        with house.database.reading() as session:
            return {
                table.name: session.execute(table.select()).all()
                for table in Base.metadata.sorted_tables
            }

    client = house.client(house.owner)
    before = rows()
    for route in routes:
        if "GET" in route.methods:
            client.get(route.address)

    assert rows() == before
