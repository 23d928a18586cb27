"""A person's receipt behind the link in their mail (PR-09)."""

import json
from datetime import timedelta

import pytest

from server.domain.links import LinkRef, Salt
from server.models import Mailbox, Outbox
from server.sealing import Sealing
from server.services import privacy
from server.worker import Worker
from tests import receipts
from tests.claims import bring, sale
from tests.factories import shop_file
from tests.visits import EMAIL, sure_win, take_card

BOTH = ["newsletter", "personal_offers"]
DAY = timedelta(days=1)


@pytest.fixture
def confirmed(publish, client, house):
    """Somebody who said yes twice and pressed the button; returns that link."""
    publish(sure_win(days=365))
    take_card(client).enter(client, consents=BOTH)
    link = house.link("confirm")
    house.clock.advance(timedelta(minutes=2))
    assert house.press(client, link).status_code == 303
    return link


@pytest.fixture
def link(confirmed, house) -> str:
    return house.link("receipt")


@pytest.fixture
def file(client, link):
    """The file behind the link: `file()`."""

    def fetched() -> dict:
        answer = client.get(f"{link}?format=json")
        assert answer.status_code == 200
        assert answer.mimetype == "application/json"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        return json.loads(answer.text)

    return fetched


# --- the page ----------------------------------------------------------------------


def test_the_page_says_what_when_in_which_words_from_whom_and_how_to_stop(pages, link):
    page = pages.get(link)

    assert page.h1 == "Your receipt from Noord & Zon"
    said = (
        "i***@example.com",
        "Newsletter",
        "Offers that suit me",
        "You said yes, on 2 March 2026, 11:32.",
        "Yes, mail me the newsletter",
        "At most twice a week",
        "You ticked the box, and we mailed you a button",
        "Noord & Zon B.V., Havenkade 12",
        "Autoriteit Persoonsgegevens",
    )
    for words in said:
        assert words in page.text
    assert EMAIL not in page.html
    assert not page.root.all("form")


def test_its_words_are_read_in_their_own_language_and_not_as_a_program_does(
    publish, client, pages, house, file, link
):
    """PR-09: the file has what was hashed; a page in English quotes Dutch in Dutch."""
    quoted = [each.text for each in pages.get(link).root.all("blockquote")]
    assert quoted and all(" By e-mail " in text for text in quoted)
    assert "\nemail\n" in texts_in(file())

    take_card(client, lang="nl").enter(client, "ada@example.com", consents=BOTH)
    house.press(client, house.link("confirm", to="ada@example.com"))
    dutch = house.link("receipt", to="ada@example.com")
    page = pages.get(f"{dutch}?lang=en")

    assert page.h1.startswith("Your receipt")
    for each in page.root.all("blockquote"):
        assert each.attrs["lang"] == "nl" and " Per e-mail " in each.text


def texts_in(record) -> str:
    """Return every text of a file, wherever it stands."""
    if isinstance(record, dict):
        return "".join(map(texts_in, record.values()))
    return "".join(map(texts_in, record)) if isinstance(record, list) else str(record)


def test_the_page_is_for_nobody_else(client, link):
    """T22: no store, no referrer, no index, no script, no cookie, no other host."""
    for path in (link, f"{link}?format=json"):
        headers = client.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"] == "noindex"
        assert "Set-Cookie" not in headers
        assert "script-src 'none'" in headers["Content-Security-Policy"]


def test_looking_writes_nothing(client, house, link):
    before = house.dump()

    for path in (link, f"{link}?format=json"):
        client.get(path)
        client.head(path)
        client.options(path)

    assert house.dump() == before


def test_its_way_out_leads_to_the_stop_page(client, pages, link, house):
    """WD-01: as easy as it was given; and then the receipt says so."""
    stop = pages.get(link).link("Stop the mails")
    pages.submit(pages.get(stop).form(), status=303)

    page = pages.get(link)

    assert "No: you took it back on 2 March 2026" in page.text
    assert "You took it back : Newsletter" in page.text
    assert "Stop the mails" not in page.text, "there is nothing left to stop"
    assert "that button" not in page.text
    assert "Write to " in page.text
    assert house.standing() == dict.fromkeys(BOTH, "withdrawn")


def test_it_speaks_the_language_of_the_entry(publish, client, pages, house):
    publish(sure_win(days=365))
    take_card(client, lang="nl").enter(client, consents=["newsletter"])
    house.press(client, house.link("confirm"))

    page = pages.get(house.link("receipt"))

    assert page.h1 == "Je bewijs van Noord & Zon"
    assert "Ja, mail mij de nieuwsbrief" in page.text


def test_a_sale_stands_beside_the_consents(pages, link, house, file):
    """SO-02: a basis of its own, with its offer; the file is about consents alone."""
    assert bring(house, sale()) == ["stored"]
    page = pages.get(link)

    assert [head.text for head in page.root.all("h2")].index(
        "Because you bought something"
    ) == len(BOTH), "after what was said yes to"
    assert "Mails about mugs" in page.text
    assert "We mail je over bekers" in page.text
    assert "From 1 February 2028 on no longer" in page.text
    assert "mugs" not in json.dumps(file())


def test_what_ended_of_a_sale_is_no_consent_that_was_taken_back(
    pages, client, link, house, file
):
    """SO-02: nobody ever said yes to it, so it was no yes that ended."""
    bring(house, sale())
    client.post(house.link("unsubscribe"))
    page = pages.get(link)

    assert "Mails about mugs" in page.text
    assert "Off since 2 March 2026." in page.text
    assert "soft:mugs" not in page.text + json.dumps(file())
    assert not page.root.all("a", class_="main"), "nothing is left to stop"


def test_who_got_no_letter_finds_it_on_their_page(publish, client, pages, house):
    """PR-09: also where the shop sends none, or the mailbox had no room for it."""
    publish(sure_win(days=365), shop=shop_file(receipts="none"))
    take_card(client).enter(client, consents=BOTH)
    house.press(client, house.link("confirm"))
    page = pages.get(house.link("preferences"))
    (to,) = [a for a in page.root.all("a") if a.text == "See my receipt"]

    leading = pages.get(to.attrs["href"], status=303)
    assert "You said yes, on 2 March 2026" in pages.follow(leading).text


def test_only_ones_own_page_leads_to_a_receipt(client, house, confirmed):
    token = confirmed.rpartition("/")[2]

    assert client.get(f"/preferences/{token}/receipt").status_code == 404


def test_who_decided_nothing_is_offered_no_receipt(publish, client, pages, house):
    publish(sure_win(days=365))
    take_card(client).enter(client)

    assert "See my receipt" not in pages.get(house.link("preferences")).text


def test_another_link_opens_no_receipt(client, house, confirmed, link):
    """One salt a purpose: a link to confirm is none to a receipt, and no stranger's."""
    token = confirmed.rpartition("/")[2]

    for wrong in (token, link.rpartition("/")[2] + "x", "nothing"):
        answer = client.get(f"/receipt/{wrong}")
        assert answer.status_code == 404
        assert "Noord & Zon" not in answer.text


def test_of_an_erased_person_there_is_none(client, database, app, house, link):
    tools = app.extensions["tools"]
    with database.transaction() as session:
        privacy.erase(
            session,
            house.person(),
            use=privacy.Use("nl", "office", {}),
            tools=tools,
            now=house.clock.now(),
        )

    assert client.get(link).status_code == 404


# --- the file ----------------------------------------------------------------------


def test_the_file_is_a_receipt_by_both_standards(app, file):
    content = file()

    receipts.check(content)
    receipts.verify(content, app.extensions["tools"].notary.newest)
    purposes = [each["purpose_id"] for each in content["processing"]]
    assert purposes == BOTH
    assert len(content["events"]) == 4
    assert content["ledger"] is None, "it takes the worker some seconds"


def test_the_file_tells_the_shops_own_term_of_a_proof(publish, file):
    """DS-04: `proof_months` of the shop's file."""
    publish(sure_win(days=365), shop=shop_file(retention={"proof_months": 24}))

    told = [each["retention_period"] for each in file()["processing"]]
    assert told == 2 * ["until withdrawal; proof +P2Y"]


def test_the_file_tells_its_place_in_the_ledger(app, database, house, file):
    sealing = Sealing(database, app.extensions["tools"])
    sealing.go_round(now=house.clock.now())
    before = file()
    house.clock.advance(DAY)
    sealing.go_round(now=house.clock.now())
    after = file()

    assert before["ledger"]["seq"] == 4
    assert before["ledger"]["checkpoint"] is None
    assert after["ledger"] == before["ledger"] | {"checkpoint": "2026-03-02"}
    assert after["events"][0]["ledger"]["seq"] == 1
    assert after["receipt_id"] == before["receipt_id"]
    receipts.check(after)


def test_after_taking_it_back_that_is_in_the_file(client, house, file):
    client.post(house.link("unsubscribe"))

    content = file()

    receipts.check(content)
    states = [each["event_state"] for each in content["events"]]
    assert states[-2:] == ["dpv:ConsentWithdrawn"] * 2
    assert {each["state"] for each in content["processing"]} == {"dpv:ConsentWithdrawn"}


def test_the_file_holds_no_live_link_and_no_address(house, link, file):
    """DO-15: a receipt is shown to others, who must not be able to act with it."""
    said = json.dumps(file())

    token = link.rpartition("/")[2]
    assert token not in said
    assert "/unsubscribe/" not in said
    assert EMAIL not in said
    assert "127.0.0.1" not in said


def test_the_notice_it_points_to_stays_as_it_was(publish, client, file, pages):
    """PR-09: `policyUrl` keeps pointing at the version that was shown."""
    content = file()
    path = content["kantara"]["policyUrl"].removeprefix("http://service.test")
    before = pages.get(path)
    changed = {"notice__en__retention": "We keep it for ever."}
    publish(sure_win(days=365, **changed))

    after = pages.get(path)

    assert after.text == before.text
    assert "90 days" in after.text
    assert content["privacy_notice"]["sha256"] in after.text
    assert path.endswith(content["privacy_notice"]["sha256"])


def test_only_notices_are_public(client, file):
    """What one person was asked is theirs to show."""
    text = file()["processing"][0]["consent_text"]["sha256"]

    for name in (text, "0" * 64, "x", "../etc"):
        assert client.get(f"/notice/{name}").status_code == 404


def test_without_a_yes_there_is_a_page_and_no_file(publish, client, app, house):
    publish(sure_win(days=365))
    take_card(client).enter(client, consents=BOTH)
    row, secret = house.letters("confirm")[-1].params["link"]
    ref = LinkRef(row, bytes.fromhex(secret))
    token = app.extensions["signer"].sign_link(Salt.RECEIPT, ref, now=house.clock.now())

    assert "Nothing is on record" in client.get(f"/receipt/{token}").text
    assert client.get(f"/receipt/{token}?format=json").status_code == 404


# --- the letter --------------------------------------------------------------------


def deliver(app, house) -> None:
    worker = Worker(app)
    worker.deliver(now=house.clock.now)
    worker.close()


def states(house) -> dict[str, str]:
    return {row.letter: row.state for row in house.rows(Outbox)}


def test_one_press_writes_one_row_more(confirmed, house):
    """The budget of a press: the letter has the link of the mail that was pressed."""
    [letter] = house.letters("receipt")
    [asked] = house.letters("confirm")

    assert letter.to == EMAIL
    assert letter.params["link"] == asked.params["link"]
    assert [row.sendings for row in house.rows(Mailbox)] == [
        row.sendings for row in house.rows(Mailbox) if "r" not in row.sendings
    ]


def test_a_second_press_mails_no_second_receipt(client, confirmed, house):
    client.post(confirmed)

    assert len(house.letters("receipt")) == 1


def test_the_letter_arrives_and_leads_to_the_receipt(app, house, smtp, client, link):
    deliver(app, house)

    subject = "Your yes to Noord & Zon is on record"
    [mail] = [each for each in smtp.taken if each.message["Subject"] == subject]
    assert states(house)["receipt"] == "delivered"
    one_click = mail.message["List-Unsubscribe-Post"]
    assert one_click == "List-Unsubscribe=One-Click"
    body = mail.text()
    path = body.partition("http://service.test")[2].split()[0]
    assert path.startswith("/receipt/")
    assert client.get(path).status_code == 200


def test_a_mailbox_without_room_gets_no_receipt(app, house, smtp, link, database):
    """T16: the least of all mails; what waits for it is never put off."""
    at = int(house.clock.now().timestamp())
    with database.transaction() as session:
        for row in session.query(Mailbox):
            row.sendings = f"c{at} p{at} m{at}"

    deliver(app, house)

    assert states(house) == {
        "confirm": "dropped",
        "prize": "delivered",
        "receipt": "dropped",
    }


def test_who_took_it_back_meanwhile_gets_no_receipt(app, house, smtp, client, link):
    """I6: a mail says what is true when it goes."""
    client.post(house.link("unsubscribe"))

    deliver(app, house)

    assert states(house)["receipt"] == "dropped"


def test_a_shop_may_want_none(publish, client, house):
    publish(sure_win(days=365), shop=shop_file(receipts="none"))
    take_card(client).enter(client, consents=["newsletter"])

    house.press(client, house.link("confirm"))

    assert house.standing() == {"newsletter": "given"}
    assert house.letters("receipt") == []
