"""The running service writes no person into its log (T23, T22, DO-15, G20)."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime

from server.domain.links import LinkRef, Salt
from tests.boxes import fill_boxes
from tests.factories import campaign_file
from tests.visits import AGREED


def fetch(url: str, data: dict | None = None, **headers: str) -> str:
    body = urllib.parse.urlencode(data).encode() if data else None
    asked = urllib.request.Request(url, body, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(asked) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


def test_forty_visitors_leave_no_trace_in_the_log(publish, house, live, tmp_path):
    """G20: 200 canaries through a real server; its whole output holds none of them."""
    publish(campaign_file("welcome-scratch"), now=datetime.now(UTC))
    publish(campaign_file("box-scratch"), now=datetime.now(UTC))
    boxes = fill_boxes(house.database, house.vault, now=datetime.now(UTC), size=40)
    canaries = []
    for number in range(40):
        mark = f"kanarie{number:02}x"
        name = "Kanarie" + "".join(chr(97 + int(d)) for d in str(number))
        email = f"{mark}@example.com"
        agent, page = f"agent-{mark}", f"http://localhost:8401/page-{mark}?q={mark}"
        canaries += [mark, name, email, agent]
        place = urllib.parse.urlencode({"lang": "en", "page": page})
        opened = fetch(f"{live.url}/w/welcome-inline?{place}", **{"User-Agent": agent})
        ticket = re.search(r'name="ticket" value="([^"]+)"', opened)[1]
        canaries.append(ticket)
        form = AGREED | {"ticket": ticket, "email": email, "consent.newsletter": "yes"}
        form["first_name"] = name
        fetch(f"{live.url}/w/welcome-inline/entries", form, **{"User-Agent": agent})
        fetch(f"{live.url}/w/welcome-inline/entries", form | {"email": f"{mark}@"})
        label = boxes.labels[number]
        canaries += [label.qr, label.typed]
        fetch(f"{live.url}/b/{label.qr}")
        fetch(f"{live.url}/b/", {"code": label.typed})
        fetch(f"{live.url}/nowhere/{mark}?email={email}")
        letter = house.letters(to=email)[-1]
        row, secret = letter.params["link"]
        for place, salt in (
            ("confirm", Salt.CONFIRM),
            ("unsubscribe", Salt.UNSUBSCRIBE),
        ):
            ref = LinkRef(row, bytes.fromhex(secret))
            signer = house.app.extensions["signer"]
            token = signer.sign_link(salt, ref, now=datetime.now(UTC))
            canaries += [token, secret]
            fetch(f"{live.url}/{place}/{token}")
            fetch(f"{live.url}/{place}/{token}", {"shown": mark})
    live.stop()

    logged = (tmp_path / "web.log").read_text()
    assert logged and len(canaries) >= 200
    assert [canary for canary in canaries if canary in logged] == []
    for line in logged.splitlines():
        assert not line.startswith("Traceback")
        if line.startswith("{"):
            json.loads(line)
