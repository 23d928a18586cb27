"""What browsers report of a breached policy."""

from structlog.testing import capture_logs


def test_a_report_is_logged_by_directive_and_host_alone(client):
    """A blocked address may hold a link of somebody's mail (T23)."""
    report = {
        "effective-directive": "img-src",
        "blocked-uri": "https://ads.example/confirm/secret-link?mail=kim@home.test",
        "document-uri": "http://service.test/confirm/secret-link",
    }

    with capture_logs() as logs:
        answer = client.post("/csp", json={"csp-report": report})

    assert answer.status_code == 204
    assert logs == [
        {
            "event": "policy breached",
            "log_level": "warning",
            "directive": "img-src",
            "host": "ads.example",
        }
    ]


def test_nonsense_is_taken_without_a_word(client):
    for body in (b"", b"\xff", b"[1]", b'{"csp-report": 3}', b"[" * 60_000):
        with capture_logs() as logs:
            answer = client.post("/csp", data=body)

        assert answer.status_code == 204
        assert logs == []


def test_every_page_says_where_to_report(client):
    answer = client.get("/nowhere")

    assert answer.headers["Content-Security-Policy"].endswith("; report-uri /csp")
