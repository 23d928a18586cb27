"""Pictures are served under the hash of what they are (T20)."""

from server.services import images
from server.services.images import New

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
