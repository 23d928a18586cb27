"""What those who take part, winners and everybody else see of a raffle."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from server.domain import raffle as rules
from server.domain.links import LinkRef, Salt
from server.domain.raffle_record import verify
from server.models import Entry, Outbox, RafflePlace, RaffleStep
from tests.mail import Mode
from tests.mutants import mutants
from tests.raffles import (
    CODE,
    PAGE,
    UNTIL_DRAW,
    Desk,
    free_raffle,
    raffle_file,
    raffle_table,
    take_part,
)
from tests.stress.service import size
from tests.visits import House, few_mugs, take_card

RECORD = f"/verify/{CODE}/raffle/main"
FILE = f"{RECORD}/draw.jsonl"
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def database_kind() -> str:
    """Pages know no database; `tests/services/test_raffles.py` runs on both."""
    return "sqlite"


@pytest.fixture
def drawn(publish, client, desk) -> Desk:
    """A raffle of one prize and one reserve, drawn among three."""
    publish(raffle_file(1, reserves=1))
    take_part(client, "ann", "ben", "cas")
    desk.finish()
    return desk


def test_a_game_that_is_over_leads_to_its_raffle(client, drawn):
    """Who comes late finds whose game it was, and what came of it."""
    answer = client.get(f"/w/{PAGE}?lang=en")

    assert answer.status_code == 410
    assert "Noord &amp; Zon" in answer.text
    assert f'href="{RECORD}?lang=en"' in answer.text
    assert client.get(f"{RECORD}?lang=en").status_code == 200


def winner(house: House, number: int = 1) -> str:
    return house.letters("won")[number - 1].to


def test_who_takes_part_gets_a_number_on_the_page_and_by_mail(publish, client, house):
    publish(raffle_file(1))

    answer = take_card(client, PAGE).enter(client)

    (entry,) = house.rows(Entry)
    label = rules.label(entry.ticket)
    assert f"<code>{label}</code>" in answer.text
    assert "You take part in the raffle" in answer.text
    assert "It is drawn on 2 April 2026, 12:30." in answer.text
    assert f'href="{RECORD}?lang=en"' in answer.text
    assert "You are in</h1>" in answer.text
    (letter,) = house.letters()
    assert (letter.kind, letter.params["play"]) == ("ticket", entry.ticket.hex())
    assert letter.params["draws"] == [["main", "2026-04-02T10:30:00+00:00"]]


def test_a_prize_that_is_mailed_again_still_tells_of_the_raffle(
    publish, client, house, clock
):
    """PZ-10: whoever plays is in it, and once it was drawn the mail is silent on it."""
    publish(few_mugs(9, days=30, raffles=[raffle_table(1)]))
    take_card(client).enter(client)
    link = house.link("prize")

    for wait in (timedelta(hours=1), UNTIL_DRAW):
        clock.advance(wait)
        client.post(f"{link}/mail")

    first, again, *late = house.letters("prize")
    assert first.params["draws"] == again.params["draws"] != []
    assert [letter.params["draws"] for letter in late] == [[]]


def test_the_same_number_is_told_again(publish, client):
    publish(raffle_file(1))
    card = take_card(client, PAGE)

    first, again = card.enter(client), card.enter(client)

    label = re.compile(r"e_[a-z2-7]{26}")
    assert label.search(first.text)[0] == label.search(again.text)[0]


def test_the_terms_say_what_is_raffled_and_how(publish, client):
    """PZ-03: number, description, value, when and by which rule."""
    publish(raffle_file(1, 2, reserves=4, claim_days=9))

    terms = client.get(f"/terms/{PAGE}?lang=en").text

    assert "The raffle of 2 April 2026, 12:30" in terms
    assert "1 × Prize 1 (worth €10.00 each)" in terms
    assert "2 × Prize 2" in terms
    assert "Who wins has 9 days to say so." in terms
    assert "the next of 4 reserves" in terms


class TestTheClaim:
    def test_a_look_writes_nothing_and_a_press_claims_once(
        self, drawn, client, pages, house
    ):
        """PZ-07: one button, nothing to pay or to fill in."""
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        link = house.link("claim", to=winner(house))
        before = house.dump()

        page = pages.get(link)
        looked = house.dump()
        done = client.post(page.form().action, data={})
        again = client.post(page.form().action, data={})
        after = pages.get(link)

        assert looked == before
        assert page.h1 == "You have won in the raffle"
        assert "Press the button on 9 April 2026 at the latest." in page.text
        assert page.form().values == {}
        assert (done.status_code, done.location) == (303, link)
        assert again.status_code == 303
        assert after.h1 == "The prize is yours"
        assert not after.root.all("form")
        (first, _reserve) = house.rows(RafflePlace)
        assert first.state == "claimed"
        assert [s.step for s in house.rows(RaffleStep)] == ["offered", "claimed"]

    def test_who_comes_too_late_is_told_so(self, drawn, client, pages, house):
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        link = house.link("claim", to=winner(house))
        drawn.finish(timedelta(days=8))

        late = client.post(f"{link}/main")
        page = pages.get(link)

        assert late.status_code == 303
        assert page.h1 == "This prize has gone to somebody else"
        assert "It waited for you until 9 April 2026" in page.text
        assert drawn.places() == ["lapsed", "offered"]

    def test_other_links_and_other_raffles_open_nothing(self, drawn, client, house):
        link = house.link("claim", to=winner(house))
        token = link.rpartition("/")[2]

        assert client.get("/claim/made-up").status_code == 404
        assert client.post("/claim/made-up/main").status_code == 404
        assert client.post(f"{link}/other").status_code == 404
        assert client.get(f"/prize/{token}").status_code == 404
        assert drawn.places() == ["offered", "reserve"]

    @pytest.mark.parametrize(
        "count",
        [
            pytest.param(30, id="30"),
            pytest.param(size("MUTANTS", 1_000), id="full", marks=pytest.mark.stress),
        ],
    )
    def test_no_mutant_of_its_link_is_taken(self, drawn, client, house, count):
        """G11: nobody claims what somebody else has won."""
        place, _, token = house.link("claim", to=winner(house)).rpartition("/")
        before = house.dump()

        answers = {
            client.post(f"{place}/{quote(mutant, safe='')}/main").status_code
            for mutant in mutants(token, count)
        }

        assert answers == {404}
        assert house.dump() == before
        assert client.post(f"{place}/{token}/main").status_code == 303
        assert drawn.places() == ["claimed", "reserve"]

    def test_who_only_takes_part_has_nothing_to_claim(self, drawn, client, house):
        """A link of a letter that was never sent, to somebody who was not drawn."""
        held = {place.entry_id for place in house.rows(RafflePlace)}
        other = next(e for e in house.rows(Entry) if e.id not in held)
        letter = next(
            one
            for one in house.letters("ticket")
            if one.params["play"] == other.ticket.hex()
        )
        row, secret = letter.params["link"]
        token = house.app.extensions["signer"].sign_link(
            Salt.CLAIM, LinkRef(row, bytes.fromhex(secret)), now=house.clock.now()
        )

        assert client.get(f"/claim/{token}").status_code == 404


class TestTheRecord:
    def test_it_shows_the_promise_then_the_list_then_the_draw(
        self, publish, client, house, desk
    ):
        number = {"nl": "Lotto", "en": "Lotto"}
        publish(free_raffle(raffles=[raffle_table(1, randomness=number)]))
        take_part(client, "ann", "ann", "ben")
        promised = client.get(RECORD, headers=ENGLISH).text
        first = client.get(FILE).data
        desk.finish()
        listed = client.get(RECORD, headers=ENGLISH).text
        second = client.get(FILE).data

        assert "It is drawn on 2 April 2026, 12:30." in promised
        assert "There is nothing to check before the list is closed." in promised
        assert "when this public number is known: Lotto" in listed
        assert "another entry of the same person" in listed
        assert second.startswith(first)
        report = verify(second.splitlines(keepends=True))
        assert report.listed.labels == 2
        assert report.listed.digest.hex() in listed
        assert report.promise.commitment.hex() in promised

    @pytest.mark.parametrize("named", [{}, {"nl": "Lotto", "en": "Lotto"}])
    def test_it_says_whether_entries_could_be_added(self, publish, client, named):
        """Decision 022: without a public number the holder of the key knows enough."""
        publish(raffle_file(1, randomness=named))

        page = client.get(RECORD, headers=ENGLISH).text

        assert ("so nobody can choose who wins" in page) is bool(named)
        added = "whoever holds the secret could add entries until then"
        assert (added in page) is not bool(named)

    def test_it_says_what_a_place_was_drawn_for_and_where_a_prize_goes(
        self, drawn, client
    ):
        page = client.get(RECORD, headers=ENGLISH).text

        assert "Drawn for</th>" in page
        assert "A prize that is not claimed goes to the next reserve" in page

    def test_it_names_nobody(self, drawn, client, house):
        """PZ-13: numbers, and nothing by which somebody is known."""
        page, file = client.get(RECORD, headers=ENGLISH).text, client.get(FILE).text
        report = verify(file.encode().splitlines(keepends=True))

        for label in report.drawn.places:
            assert label in page
        for told in (page, file):
            assert "@" not in told
            assert not re.search(r"\bann\b|\bben\b|\bcas\b", told)
        assert report.drawn.secret.hex() in page

    def test_a_campaign_that_only_raffles_leads_there(self, drawn, client):
        answer = client.get(f"/verify/{CODE}?lang=nl")

        assert answer.status_code == 303
        assert answer.location == f"{RECORD}?lang=nl"

    def test_what_is_not_there(self, drawn, client):
        for address in (
            f"/verify/{CODE}/raffle/other",
            f"/verify/{CODE}/raffle/other/draw.jsonl",
            "/verify/nowhere/raffle/main",
            f"/verify/{CODE}/draws.jsonl",
        ):
            assert client.get(address).status_code == 404, address

    def test_one_client_cannot_download_without_end(self, drawn, client):
        statuses = [client.get(FILE).status_code for _ in range(21)]

        assert statuses == [200] * 20 + [429]


class TestTheWorker:
    def test_it_draws_mails_the_winner_and_keeps_that(
        self, publish, client, house, clock, worker, smtp
    ):
        publish(raffle_file(1))
        take_part(client, "ann")
        clock.advance(timedelta(days=31))
        while worker.raffle(now=clock.now()):
            pass

        while worker.deliver(now=clock.now):
            pass

        subjects = [mail.message["Subject"] for mail in smtp.taken]
        assert subjects == [
            "You take part: Summer raffle",
            "You won in the raffle: Prize 1",
        ]
        assert [s.step for s in house.rows(RaffleStep)] == ["offered", "mailed"]

    @pytest.mark.parametrize("mode", [Mode.NEVER, Mode.LATER], ids=["refused", "tried"])
    def test_a_winner_who_cannot_be_reached_is_kept_as_a_step(
        self, publish, client, house, clock, worker, smtp, mode
    ):
        """PZ-13: the notary sees why nobody claimed."""
        publish(raffle_file(1))
        take_part(client, "ann")
        while worker.deliver(now=clock.now):
            pass
        clock.advance(timedelta(days=31))
        while worker.raffle(now=clock.now()):
            pass
        smtp.by_recipient["ann@example.com"] = mode

        for _ in range(20):
            while worker.deliver(now=clock.now):
                pass
            clock.advance(timedelta(hours=6))

        assert [(s.step, s.note) for s in house.rows(RaffleStep)] == [
            ("offered", None),
            (
                "undeliverable",
                {
                    Mode.NEVER: "the address is refused",
                    Mode.LATER: "no try succeeded",
                }[mode],
            ),
        ]

    def test_a_letter_about_a_prize_that_was_passed_on_is_not_sent(
        self, publish, client, house, clock, worker, smtp
    ):
        publish(raffle_file(1))
        take_part(client, "ann")
        clock.advance(timedelta(days=31))
        while worker.raffle(now=clock.now()):
            pass
        # The mail server was away for days.
        clock.advance(timedelta(days=9))
        while worker.raffle(now=clock.now()):
            pass

        while worker.deliver(now=clock.now):
            pass

        (won,) = house.rows(Outbox, letter="won")
        assert won.state == "dropped"
