"""The files that browsers get: named by content, small, and no way to others."""

import gzip

import brotli
import pytest

from server.assets import LOADER


def built(app):
    return app.extensions["assets"]


def address(app, path: str) -> str:
    area, _, name = path.partition("/")
    return f"/{area}/{built(app).version}/{name}"


def test_every_file_is_served_under_its_version_for_a_year(app, client):
    for path, file in built(app).files.items():
        if path == LOADER:
            continue
        answer = client.get(address(app, path))
        assert answer.status_code == 200, path
        assert answer.data == file.plain, path
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_loader_has_an_address_that_never_changes(app, client):
    answer = client.get("/embed.js")

    assert answer.data == built(app).files[LOADER].plain
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize(
    ("accepted", "encoding", "unpack"),
    [
        ("br, gzip", "br", brotli.decompress),
        ("gzip", "gzip", gzip.decompress),
        ("", None, bytes),
        ("identity", None, bytes),
        ("br;q=0, gzip;q=0", None, bytes),
    ],
)
def test_what_a_browser_accepts_is_what_it_gets(
    app, client, accepted, encoding, unpack
):
    answer = client.get("/embed.js", headers={"Accept-Encoding": accepted})

    assert answer.headers.get("Content-Encoding") == encoding
    assert unpack(answer.data) == built(app).files[LOADER].plain
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_an_unchanged_file_is_not_sent_again(client):
    first = client.get("/embed.js")

    again = client.get("/embed.js", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")


def test_an_older_version_is_answered_for_minutes_only(app, client):
    """A page from before an update still finds its parts."""
    answer = client.get("/widget/000000000000/page.js")

    assert answer.status_code == 200
    assert "immutable" not in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "/widget/x/../../server/settings.py",
        "/widget/x/..%2f..%2fserver/settings.py",
        "/static/x/%2e%2e/%2e%2e/wsgi.py",
        "/static/x//etc/passwd",
        "/widget/x/page.js%00.css",
        "/widget/x/page.js/",
        "/static/x/built/version",
        "/widget/x/",
        "/instance/secret_keys",
    ],
)
def test_no_address_leads_to_other_files(client, path):
    answer = client.get(path)

    assert answer.status_code in {404, 308}
    assert b"SECRET" not in answer.data and b"import" not in answer.data
