"""The preference centre: what a shop sends, switched on and off (WD-01 to WD-07)."""

from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest

from server.domain.consent import Act, worded
from server.models import Contact, Preference, RightsRequest, Standing, Text
from server.services import consents
from server.services.consents import Request
from server.views import preferences as views
from tests.factories import campaign_file, shop_file
from tests.mutants import mutants
from tests.visits import EMAIL, NOTICED, READING, at_once, sure_win, take_card

BOTH = ["newsletter", "personal_offers"]
DAY = timedelta(days=1)


@pytest.fixture
def reader(publish, client, house):
    """Somebody who won and confirmed both consents; returns the link to their page."""
    publish(sure_win(days=365))
    take_card(client).enter(client, consents=BOTH)
    house.press(client, house.link("confirm"))
    return house.link("preferences")


@pytest.fixture
def winner(publish, client, house):
    """Somebody who won and said yes to nothing; returns the link to their page."""
    publish(sure_win(days=365))
    take_card(client).enter(client)
    return house.link("preferences")


@pytest.fixture
def fan(publish, client, house):
    """A reader of a newsletter with topics and rhythms; returns the link."""
    publish(campaign_file("footer-newsletter"))
    take_card(client, "footer-newsletter-inline").enter(client, consents=BOTH)
    house.press(client, house.link("confirm"))
    return house.link("preferences")


def claim(house, act, purpose, body=""):
    """Let the shop claim something of the reader, as an import does."""
    tools, now = house.app.extensions["tools"], house.clock.now()
    kept = Text(
        sha256=worded(body).sha256, kind="x", locale="en", body=body, created_at=now
    )
    who = house.person()
    with house.database.transaction() as session:
        session.merge(kept)
        session.flush()
        consents.record(
            session,
            who,
            Request(None, b"", b"", "en", "email", {}),
            act,
            {purpose: worded(body).sha256},
            method="import",
            facts={},
            tools=tools,
            now=now,
        )


def switches(page):
    """Return the switches of a page: purpose -> whether it is on."""
    return {
        box.attrs["name"].partition(".")[2]: "checked" in box.attrs
        for box in page.root.all("input", role="switch")
    }


def save(pages, link, **values):
    """Send the form of the page, changed, and return where it leads."""
    return pages.submit(pages.get(link).form("/save"), status=303, **values)


# --- looking -----------------------------------------------------------------------


def test_looking_changes_nothing(client, house, reader):
    """WD-01, T5: GET and HEAD, however often."""
    before = house.dump()

    for path in (reader, f"{reader}/erase", f"{reader}/address"):
        for _ in range(5):
            assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200

    assert house.dump() == before


def test_it_says_who_sends_what_to_whom_since_when_and_how_often(pages, reader):
    """WD-05: each purpose with its channel and exact wording; the address is masked."""
    page = pages.get(reader)

    for said in (
        *("Noord & Zon", "Havenkade 12", "i***@example.com", "By e-mail"),
        *("Newsletter", "At most twice a week", "On since 2 March 2026"),
        *("The exact words", "Noord & Zon B.V., Havenkade 12"),
    ):
        assert said in page.text
    assert EMAIL not in page.html
    assert switches(page) == dict.fromkeys(BOTH, True)


def test_who_said_yes_to_nothing_sees_what_there_is(pages, winner):
    assert switches(pages.get(winner)) == dict.fromkeys(BOTH, False)


def test_it_needs_no_script_no_cookie_and_no_other_host(client, reader):
    """WD-01: what a browser without any of it can use."""
    answer = client.get(reader)

    assert "<script" not in answer.text
    assert "Set-Cookie" not in answer.headers
    assert "script-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_page_behind_a_link_leaks_it_nowhere(client, reader):
    """T22."""
    answers = [client.get(path) for path in (reader, f"{reader}/erase", "/preferences")]
    answers += [client.post(f"{reader}/{act}") for act in ("all-off", "data", "hold")]
    answers.append(client.post(f"{reader}/save"))

    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert "Set-Cookie" not in answer.headers


# --- switching off -----------------------------------------------------------------


def test_one_purpose_takes_two_presses_and_the_others_stay(client, house, reader):
    """WD-01: the link in the mail is one, the button beside the purpose the other."""
    button = client.get(reader).get_data(as_text=True).split('form="stop-one"')[1]
    assert 'name="purpose" value="newsletter"' in button[:120]

    client.post(f"{reader}/stop", data={"purpose": "newsletter"})

    assert house.standing() == {"newsletter": "withdrawn", "personal_offers": "given"}
    house.verify_ledger()


@pytest.mark.parametrize("key", ["", "nothing", "*", "newsletter\x00"])
def test_a_stop_of_something_else_changes_nothing(client, house, reader, key):
    before = house.dump()

    answer = client.post(f"{reader}/stop", data={"purpose": key})

    assert answer.status_code == 303
    assert house.dump() == before


def test_a_customer_stops_what_they_bought_about_in_one_press(client, house, reader):
    """SO-04: no consent, and just as quick to end."""
    claim(house, Act.SOFT_OPT_IN, "soft:mugs", "Mails about mugs")

    client.post(f"{reader}/stop", data={"purpose": "soft:mugs"})

    assert house.standing()["soft:mugs"] == "withdrawn"


def test_withdrawing_takes_two_presses_from_a_mail(pages, house, reader):
    """WD-01: the link in the mail is one, the button on its page the other."""
    page = pages.get(reader)

    done = pages.submit(page.form("/all-off"), status=303)

    assert set(house.standing().values()) == {"withdrawn"}
    assert "All mails from Noord & Zon have stopped" in pages.follow(done).text


def test_one_purpose_goes_off_and_the_other_stays(pages, house, reader):
    """WD-03, WD-05: at once, and the page says which."""
    done = save(pages, reader, want__newsletter=None)

    assert house.standing() == {"newsletter": "withdrawn", "personal_offers": "given"}
    page = pages.follow(done)
    assert "You do not get this any more: Newsletter." in page.text
    assert switches(page) == {"personal_offers": True, "newsletter": False}
    house.verify_ledger()


def test_what_the_form_did_not_show_is_not_touched(client, house, reader):
    """A page that was opened before the last yes says nothing about it."""
    client.post(f"{reader}/save", data={"shown.personal_offers": "1"})

    assert house.standing() == {"newsletter": "given", "personal_offers": "withdrawn"}


def test_saving_without_a_change_writes_nothing(pages, house, reader):
    before = house.dump()

    done = save(pages, reader)

    assert "Nothing has changed" in pages.follow(done).text
    assert house.dump() == before


def test_a_five_year_old_link_still_stops_the_mails(pages, house, reader):
    """WD-04: when the campaign is long over, too."""
    house.clock.advance(5 * 366 * DAY)

    page = pages.get(reader)
    assert switches(page) == dict.fromkeys(BOTH, True)
    save(pages, reader, want__newsletter=None)
    pages.submit(pages.get(reader).form("/all-off"), status=303)

    assert set(house.standing().values()) == {"withdrawn"}
    assert "does not offer it at the moment" in pages.get(reader).text


@pytest.mark.parametrize("how", ["all-off", "never"])
def test_stopping_takes_no_prize_away(client, house, reader, how):
    """CR-03, WD-06: entry, coupon and prize mail stay; it erases nothing."""
    tables = ("entry", "voucher", "prize")
    before = {name: house.dump()[name] for name in tables}

    client.post(f"{reader}/{how}")
    house.clock.advance(DAY)
    again = take_card(client).enter(client)

    after = {name: house.dump()[name] for name in tables}
    assert all(after[name][: len(before[name])] == before[name] for name in tables)
    assert "MUG10" in again.text
    assert len(house.letters("prize")) == 2
    assert "MUG10" in client.get(house.link("prize")).text


@pytest.mark.parametrize(
    ("act", "data"),
    [
        ("/save", {f"shown.{key}": "1" for key in BOTH}),
        ("/all-off", None),
        ("/never", None),
    ],
)
def test_twenty_presses_at_once_are_one(app, house, reader, act, data):
    """Each of them on both databases: one fact for each purpose that ends."""
    known = len(house.acts())

    answers = at_once(
        [partial(app.test_client().post, reader + act, data=data) for _ in range(20)],
        threads=20,
    )

    assert {answer.status_code for answer in answers} == {303}
    new = sorted(house.acts()[known:])
    assert [act for _, act in new if act == "withdrawn"] == 2 * ["withdrawn"]
    assert len(new) == (3 if act == "/never" else 2)
    assert len(house.rows(RightsRequest)) == (1 if act == "/never" else 0)
    house.verify_ledger()


# --- switching on ------------------------------------------------------------------


def test_a_yes_here_is_proved_by_the_mailbox_and_has_its_copies(pages, house, winner):
    """WD-07, PR-01: method, wording, notice and form; `ledger verify` takes it."""
    page = pages.get(winner)
    box = next(b for b in page.root.all("input", role="switch"))

    done = save(pages, winner, want__newsletter=box.attrs["value"])

    (fact,) = [fact for fact in house.facts() if fact.act == "given"]
    assert (fact.purpose, fact.method, fact.optin_id) == (
        *("newsletter", "pref_centre"),
        None,
    )
    bodies = {text.sha256: text.body for text in house.rows(Text)}
    assert "Yes, mail me the newsletter" in bodies[fact.text_hash]
    assert "Who is responsible" in bodies[fact.notice_hash]
    assert bodies[fact.notice_hash] in bodies[fact.form_hash]
    assert "press Save" in bodies[fact.form_hash]
    assert "personal" not in bodies[fact.form_hash].partition("notice")[0]
    assert fact.context["campaign"] == "welcome-scratch"
    evidence = house.evidence(fact)
    assert evidence["email"] == EMAIL
    assert evidence["ip"] == "127.0.0.1"
    assert "From now on you get: Newsletter." in pages.follow(done).text
    house.verify_ledger()


def test_two_campaigns_each_have_their_own_notice(publish, pages, house, winner):
    """CR-06: whoever asks is told by the notice of the campaign that asks."""
    extra = campaign_file("footer-newsletter", purposes__0__key="letter")
    publish(extra)
    values = {
        box.attrs["name"].replace(".", "__"): box.attrs["value"]
        for box in pages.get(winner).root.all("input", role="switch")
    }

    save(pages, winner, **values)

    given = {f.purpose: f for f in house.facts() if f.act == "given"}
    assert set(given) == {"newsletter", "personal_offers", "letter"}
    assert given["letter"].context["campaign"] == "footer-newsletter"
    assert given["letter"].notice_hash != given["newsletter"].notice_hash
    house.verify_ledger()


def test_ten_yeses_at_once_are_one(app, pages, house, winner, monkeypatch):
    """They meet right before the database, whose lock alone keeps them apart."""
    meeting, shown = Barrier(10), views._shown

    def meet(*args):
        made = shown(*args)
        meeting.wait(timeout=30)
        return made

    monkeypatch.setattr(views, "_shown", meet)
    page = pages.get(winner)
    boxes = page.root.all("input", role="switch")
    form = page.form("/save")
    data = form.values | {b.attrs["name"]: b.attrs["value"] for b in boxes}

    at_once(
        [partial(app.test_client().post, form.action, data=data) for _ in range(10)],
        threads=10,
    )

    assert sorted(act for act in house.acts()) == [(key, "given") for key in BOTH]
    house.verify_ledger()


def test_a_yes_to_words_of_yesterday_is_not_taken(publish, pages, house, winner):
    """PR-07: the shop changed its wording while the page was open."""
    form = pages.get(winner).form("/save")
    box = pages.get(winner).root.all("input", role="switch")[0].attrs["value"]
    publish(sure_win(days=365, purposes__0__texts__en__ask="Mail me every day."))
    house.clock.advance(NOTICED)

    done = pages.submit(form, status=303, want__newsletter=box)

    assert house.standing() == {}
    assert "its words have changed" in pages.follow(done).text


@pytest.mark.parametrize("said", ["yes", "keep", "", "00" * 32])
def test_nothing_else_is_a_yes(client, house, winner, said):
    client.post(
        f"{winner}/save", data={"shown.newsletter": "1", "want.newsletter": said}
    )
    client.post(f"{winner}/save", data={"shown.foreign": "1", "want.foreign": said})

    assert house.standing() == {}


def test_who_refused_for_ever_ends_that_first(pages, client, house, winner):
    """DS-02: no switch, and no way round it; ending it switches nothing on."""
    box = pages.get(winner).root.all("input", role="switch")[0].attrs["value"]
    refused = pages.submit(pages.get(winner).form("/never"), status=303)
    assert switches(pages.follow(refused)) == {}
    sent = {"shown.newsletter": "1", "want.newsletter": box}

    client.post(f"{winner}/save", data=sent)
    assert house.standing() == {}
    ending = pages.get(winner).form("/ask-again")
    house.clock.advance(READING)
    pages.submit(ending, status=303)
    assert house.standing() == {}
    client.post(f"{winner}/save", data=sent)

    assert house.standing() == {"newsletter": "given"}
    house.verify_ledger()


def test_who_was_not_meant_once_says_yes_by_themselves(client, pages, house, publish):
    """A yes from the mailbox ends the silence after "this was not me"."""
    publish(sure_win(days=365))
    take_card(client).enter(client, consents=BOTH)
    client.post(house.link("confirm") + "/not-me")
    link = house.link("preferences")
    box = pages.get(link).root.all("input", role="switch")[0].attrs["value"]

    save(pages, link, want__newsletter=box)

    assert house.standing() == {"newsletter": "given"}
    assert house.person().may_be_asked(house.clock.now())


# --- what is no consent ------------------------------------------------------------


def test_a_soft_opt_in_is_shown_as_what_it_is(pages, house, winner):
    """Tw 11.7(3): a group of its own, never called a yes, and only switched off."""
    claim(house, Act.SOFT_OPT_IN, "soft:table_ware")
    page = pages.get(winner)

    assert "Because you bought something" in page.text
    assert "Mails about table ware" in page.text
    assert switches(page)["soft:table_ware"]

    client = pages.client
    client.post(f"{winner}/save", data={"shown.soft:table_ware": "1"})
    assert house.standing() == {"soft:table_ware": "withdrawn"}
    again = {"shown.soft:table_ware": "1", "want.soft:table_ware": "keep"}
    client.post(f"{winner}/save", data=again)
    assert house.standing() == {"soft:table_ware": "withdrawn"}
    assert "soft:table_ware" not in switches(pages.get(winner))
    house.verify_ledger()


def test_a_yes_without_proof_ends_or_becomes_one(pages, house, winner):
    """PR-08: the page asks; what stands is no yes until the person says so."""
    claim(house, Act.UNPROVEN, "newsletter", "An old list")
    page = pages.get(winner)
    assert "has no proof of it" in page.text
    yes, no, later = (
        radio.attrs["value"] for radio in page.root.all("input", type="radio")
    )

    save(pages, winner, want__newsletter=later)
    assert house.standing() == {"newsletter": "unproven"}
    save(pages, winner, want__newsletter=yes)
    assert house.standing() == {"newsletter": "given"}
    house.verify_ledger()

    claim(house, Act.UNPROVEN, "personal_offers", "An old list")
    assert no == ""
    pages.client.post(f"{winner}/save", data={"shown.personal_offers": "1"})
    assert house.standing()["personal_offers"] == "withdrawn"


# --- topics and frequency ----------------------------------------------------------


def test_topics_and_frequency_are_kept_with_the_yes(pages, house, fan):
    """WD-05: and go with it."""
    done = save(pages, fan, topics__newsletter="gifts", rhythm__newsletter="monthly")

    (kept,) = house.rows(Preference)
    assert (kept.purpose, kept.topics, kept.rhythm) == (
        *("newsletter", ["gifts"]),
        "monthly",
    )
    page = pages.follow(done)
    assert "We keep to your wishes for: Newsletter." in page.text
    ticked = [e.attrs["value"] for e in page.root.all("input") if "checked" in e.attrs]
    assert {"gifts", "monthly"} <= set(ticked)

    save(pages, fan, want__newsletter=None)
    assert house.rows(Preference) == []


def test_wishes_that_stay_are_not_written_again(pages, house, fan):
    values = {"topics__newsletter": "gifts", "rhythm__newsletter": ""}
    save(pages, fan, **values)
    before = house.dump()

    save(pages, fan, **values)

    assert house.dump() == before


def test_a_wish_within_no_yes_is_not_kept(client, house, fan):
    client.post(f"{fan}/all-off")

    data = {"asked_how.newsletter": "1", "topics.newsletter": "gifts"}
    client.post(f"{fan}/save", data={"shown.newsletter": "1", **data})

    assert house.rows(Preference) == []


# --- links -------------------------------------------------------------------------

ACTS = ("/save", "/all-off", "/never", "/ask-again", "/hold", "/use", "/data", "/erase")


@pytest.mark.parametrize("salt", ["unsubscribe", "confirm", "prize"])
def test_a_link_for_something_else_opens_no_page(client, house, reader, salt):
    """WD-04, G11: an unsubscribe link stops mails, and reads and changes nothing."""
    before = house.dump()
    path = f"/preferences/{house.link(salt).rpartition('/')[2]}"

    assert client.get(path).status_code == 404
    for act in (*ACTS, "/address"):
        assert client.post(path + act, data={"email": "x@y.nl"}).status_code == 404
    assert client.get(f"{path}/erase").status_code == 404
    assert client.get(f"{path}/address").status_code == 404
    assert house.dump() == before


def test_a_tampered_link_does_nothing(client, house, reader):
    """G11."""
    before = house.dump()
    token = reader.rpartition("/")[2]

    for mutant in mutants(token, 30):
        for act in ACTS:
            answer = client.post(f"/preferences/{mutant}{act}")
            assert answer.status_code in {404, 405, 308}
    assert house.dump() == before


def test_a_page_opens_nothing_else(client, house, reader):
    """G11: its link confirms and claims nothing."""
    token = reader.rpartition("/")[2]
    before = house.dump()

    for path in ("/confirm/{}", "/prize/{}/mail", "/claim/{}", "/rectify/{}"):
        assert client.post(path.format(token)).status_code in {404, 405}
    assert house.dump() == before


def test_one_shops_page_touches_no_other_shop(publish, client, house, reader):
    """T1: the same address is another person at another shop."""
    place = [{"code": "o", "shape": "inline"}]
    theirs = sure_win(shop="other", code="others", placements=place)
    publish(theirs, shop=shop_file(code="other"))
    take_card(client, "o").enter(client, consents=BOTH)
    house.clock.advance(timedelta(minutes=11))
    here, there = house.rows(Contact)
    stays = house.rows(Standing, contact_id=there.id), house.rows(Contact)[1]

    client.post(f"{reader}/never")
    house.press(client, f"{reader}/erase")

    assert house.rows(Standing, contact_id=there.id) == stays[0]
    assert house.emails()[1] == EMAIL
    assert house.rows(Contact)[0].erased_at is not None
