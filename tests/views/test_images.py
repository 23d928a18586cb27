"""Pictures are served under the hash of what they are (T20)."""

from datetime import timedelta

from server.services import images
from server.services.images import New
from tests.factories import shop_file

BODY = b"RIFF picture"
NEW = New(source="s", body=BODY, width=4, height=3)


def test_a_picture_never_changes_and_may_be_shown_anywhere(client, database, clock):
    with database.transaction() as session:
        images.keep(session, [NEW, NEW], now=clock.now())
        images.keep(session, [NEW], now=clock.now())

    answer = client.get(f"/images/{NEW.name}")

    assert answer.data == BODY
    assert answer.mimetype == "image/webp"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    again = client.get(
        f"/images/{NEW.name}", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304


def test_an_unknown_picture_is_not_there(client, database):
    for name in (
        NEW.name,
        "x.webp",
        "..%2f..%2fjawoord.db.webp",
        f"{'a' * 9_000}.webp",
    ):
        assert client.get(f"/images/{name}").status_code == 404


def logo_in(page) -> str | None:
    found = [e.attrs for e in page.root.all("img") if e.attrs.get("class") == "logo"]
    return found[0]["src"] if found else None


def test_a_card_wears_the_logo_of_its_shop(publish, pages, database, clock, now):
    """The name of the shop stands for it where pictures are off."""
    with database.transaction() as session:
        images.keep(session, [NEW], now=now)
    publish()
    assert logo_in(pages.get("/w/lucky-inline")) is None

    publish(shop=shop_file(logo=NEW.name))
    clock.advance(timedelta(seconds=2))
    page = pages.get("/w/lucky-inline")

    assert logo_in(page) == f"/images/{NEW.name}"
    assert page.root.all("img")[0].attrs["alt"] == "Noord & Zon"
    assert pages.get(f"/images/{NEW.name}").response.data == BODY
