"""Who may be written to: how many, and a file of them that leaves a note (DO-01)."""

import csv
import io
import zipfile

import pytest

from server.services import campaigns
from tests import claims
from tests.claims import consent, sale
from tests.factories import shop_file
from tests.office import EMAIL, play
from tests.pages import Form, Pages
from tests.visits import House as Inside

PAGE = "/office/demo/contactable"
TAKE = f"{PAGE}/export"
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def brought(app, database, vault, clock, house):
    """What a shop brings along, beside the one who confirmed."""
    inside = Inside(app, database, vault, clock)
    claims.bring(inside, consent("ann@example.com"), consent("ben@x.test", text=""))
    claims.bring(inside, sale("cas@example.com"))
    play(app, database, clock.now(), email="dina@example.com")
    return inside


def rows_of(page):
    return [
        [cell.text for cell in (*row.all("th"), *row.all("td"))]
        for row in page.root.all("tr")
        if row.all("td")
    ]


def test_the_page_counts_each_kind_apart(owner, brought):
    """PR-08, SO-03: a yes, a sale, what lacks its proof, and what waits for a press."""
    rows = rows_of(owner.get(PAGE, headers=ENGLISH))

    (newsletter,) = [row for row in rows if "newsletter" in row[0]]
    assert [newsletter[n] for n in (1, 3, 4)] == ["2", "1", "1"]
    (mugs,) = [row for row in rows if "soft:mugs" in row[0]]
    assert mugs[1] == "1"


def test_the_page_tells_the_shops_own_term_of_a_sale(owner, brought, database, now):
    """SO-03: `soft_months` of the shop's file, and not what others have."""
    assert "24 months after the last sale" in owner.get(PAGE, headers=ENGLISH).text

    with database.transaction() as session:
        shop = shop_file(retention={"soft_months": 1})
        campaigns.save_shop(session, shop, now=now)

    assert "1 month after the last sale" in owner.get(PAGE, headers=ENGLISH).text


def forms(owner):
    found = owner.get(PAGE).root.all("form", action=TAKE)
    return [Form(form) for form in found]


def take(owner, purpose, kind):
    form = next(each for each in forms(owner) if each.values["purpose"] == purpose)
    data = form.values | {"format": kind}
    return owner.client.post(form.action, data=data, buffered=True)


def test_an_owner_takes_a_file_and_it_is_noted(owner, house, brought):
    """PR-10: who took which addresses, and when."""
    answer = take(owner, "newsletter", "csv")

    told = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert answer.status_code == 200
    assert {row["address"] for row in told} == {EMAIL, "ann@example.com"}
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert house.audits() == ["contactable.export"]


def test_a_workbook_and_lines_of_json_hold_the_same_people(owner, brought):
    book = take(owner, "soft:mugs", "xlsx")
    lines = take(owner, "soft:mugs", "json")

    with zipfile.ZipFile(io.BytesIO(book.data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "cas@example.com" in sheet
    assert lines.get_json(force=True)["address"] == "cas@example.com"
    assert "soft-mugs-2026-03-02.xlsx" in book.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("purpose", "kind"),
    [
        ("newsletter", "pdf"),
        ("newsletter", ""),
        ("made_up", "csv"),
        ("", "csv"),
        ("soft:cups", "xlsx"),
    ],
)
def test_what_is_not_on_the_page_cannot_be_taken(owner, house, purpose, kind):
    data = forms(owner)[0].values | {"purpose": purpose, "format": kind}

    owner.post(TAKE, data=data, status=404)

    assert house.audits() == []


def test_a_colleague_who_is_no_owner_sees_no_door_to_it(viewer, owner):
    """SAFETY T11: addresses by the thousand are for owners alone."""
    assert "contactable" not in viewer.get("/office/demo/").html
    assert "contactable" in owner.get("/office/demo/").html
    refused = viewer.get(PAGE, status=403, headers={"Accept-Language": "en"})
    assert refused.h1 == "This page is for owners"
    # The shop and its sections stay around them.
    assert refused.root.all("nav")


def test_an_empty_shop_is_told_how_to_begin(app, house):
    page = Pages(house.client(house.stranger)).get("/office/other/contactable")

    assert "consents import FILE --shop other" in page.text
