"""What a changed client can do about the outcome: nothing (PZ-05, T13)."""

import base64
import json
import re
import time
import zlib

from playwright.sync_api import Frame, Page, Route, expect

from tests.browser.shop import Demo
from tests.browser.visit import (
    Visit,
    accept_terms,
    address,
    code_shown,
    fill_person,
    play,
    reveal,
    say_adult,
    submit,
)

# What the game's own script would send, with anything a test wants to slip in.
SEND = """async ([changes]) => {
  const body = new URLSearchParams(new FormData(document.forms[0]))
  for (const [name, value] of Object.entries(changes)) body.set(name, value)
  const answer = await fetch(document.forms[0].action, {
    method: 'POST', body, headers: { 'HX-Request': 'true' } })
  return [answer.status, await answer.text()]
}"""
PRIZES = ("credit_25", "free_shipping", "ten_percent")


def send(game: Frame, **changes: str) -> tuple[int, str]:
    """Send the form by hand, and return the status and what came back."""
    status, body = game.evaluate(SEND, [changes])
    return int(status), str(body)


def awarded(body: str) -> str:
    """Return the prize that an answer shows."""
    found = re.search(r'class="result-label">([^<]+)<', body)
    assert found, body
    return found[1]


def test_the_same_ticket_with_another_seed_is_refused(visit: Visit) -> None:
    """A visitor may retry the same play for ever, and never choose among two."""
    game = visit.straight("lucky-inline")
    answers = {"terms": "yes", "adult": "yes"}

    first = send(game, seed="0" * 32, **answers)
    again = send(game, seed="0" * 32, **answers)
    others = [send(game, seed=f"{i:032x}", **answers) for i in range(1, 6)]

    assert first[0] == again[0] == 200
    assert awarded(first[1]) == awarded(again[1])
    assert {status for status, _ in others} == {409}
    assert all("result-label" not in body for _, body in others)


def test_wishes_in_the_form_change_nothing(visit: Visit, demo: Demo) -> None:
    """Prize, slot, stock or weight: the server takes none of them from a form."""
    game = visit.straight("lucky-inline")
    seed = "ab" * 16
    wishes = {
        **dict.fromkeys(("prize", "slot", "awarded", "drawn"), "credit_25"),
        "weight": "1000000",
        "unit": "1",
        "code": "ZON99",
        "state": "claimed",
    }

    status, body = send(game, seed=seed, terms="yes", adult="yes", **wishes)

    assert status == 200
    ((drawn, given),) = demo.rows(
        "SELECT drawn, awarded FROM entry WHERE browser_seed = ?", bytes.fromhex(seed)
    )
    assert given in PRIZES and (drawn == given or given == "ten_percent")
    assert "ZON99" not in body


def test_a_changed_script_paints_over_the_screen_and_wins_nothing(
    visit: Visit, demo: Demo
) -> None:
    """The mail and the office have what the server drew."""
    lie = """export function play(stage, done) {
      stage.querySelector('.result-label').textContent = '€ 2.500 shoptegoed'
      done()
    }"""

    def replace(route: Route) -> None:
        route.fulfill(
            body=lie,
            content_type="text/javascript",
            headers={
                "Access-Control-Allow-Origin": "*",
                "Cross-Origin-Resource-Policy": "cross-origin",
            },
        )

    visit.page.route("**/games/scratch.js", replace)
    email = address("eva")
    game = visit.straight("lucky-inline")
    say_adult(game)
    accept_terms(game)
    submit(game)
    expect(game.locator(".result-label")).to_have_text("€ 2.500 shoptegoed")
    fill_person(game, email)
    submit(game)

    code = code_shown(game)
    expect(game.locator(".result-label")).not_to_have_text("€ 2.500 shoptegoed")
    mail = visit.read_mail(visit.mails(email)["prize"])
    expect(mail.locator("body")).to_contain_text(code)
    expect(mail.locator("body")).not_to_contain_text("2.500")


def test_before_the_play_nothing_holds_the_outcome(visit: Visit, demo: Demo) -> None:
    """T13: two pages differ in ticket and nonce alone, and a ticket names no prize."""
    bodies = _record(visit.page)
    game = visit.shop("product/mok-branding").frame()
    seen = "".join(bodies) + game.content()
    play(game)
    reveal(game)
    fill_person(game, address())
    submit(game)
    code = code_shown(game)

    assert code not in seen
    assert _secrets(demo, seen) == []
    pages = {_anonymous(demo.get("/w/lucky-inline?lang=nl")) for _ in range(6)}
    assert len(pages) == 1
    ticket = re.search(r'name="ticket" value="([^"]+)"', demo.get("/w/lucky-inline"))
    assert ticket
    said = _payload(ticket[1])
    number, placement, version, form, locale, page, shown, device, box = said
    assert re.fullmatch("[0-9a-f]{32}", number)
    assert (placement, version, locale) == ("lucky-inline", 1, "nl")
    assert (page, device, box) == ("", "", "")
    assert abs(int(shown) / 1000 - time.time()) < 600
    assert re.fullmatch("[0-9a-f]{16}", form)


def test_before_the_claim_the_code_is_nowhere(visit: Visit) -> None:
    """Play first: who has not claimed sees what was won, and not yet its code."""
    bodies = _record(visit.page)
    game = visit.shop("product/mok-branding").frame()
    play(game)
    reveal(game)
    seen = "".join(bodies) + game.content()
    fill_person(game, address())
    submit(game)

    assert code_shown(game) not in seen


def _record(page: Page) -> list[str]:
    """Return a list that fills with the body of every answer that is text."""
    bodies: list[str] = []

    def keep(response: object) -> None:
        kind = response.headers.get("content-type", "")  # type: ignore[attr-defined]
        if "text" in kind or "json" in kind:
            bodies.append(response.text())  # type: ignore[attr-defined]

    page.on("requestfinished", lambda request: keep(request.response()))
    return bodies


def _secrets(demo: Demo, text: str) -> list[str]:
    """Return every voucher code that a text holds."""
    codes = {code for (code,) in demo.rows("SELECT code FROM voucher")}
    return sorted(code for code in codes if code in text)


def _anonymous(page: str) -> str:
    page = re.sub(r'(name="ticket" value=")[^"]+', r"\1", page)
    return re.sub(r'(nonce=")[^"]+', r"\1", page)


def _payload(token: str) -> list[str | int]:
    """Read a ticket as a curious visitor can: it is signed, not sealed."""
    packed = token.startswith(".")
    text = token.lstrip(".").split(".")[0]
    body = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    found: list[str | int] = json.loads(zlib.decompress(body) if packed else body)
    return found
