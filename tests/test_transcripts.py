"""The public record of real plays: the page, the file, the command (PZ-08, PZ-05).

Played over HTTP on both databases, also by many at once; checked by the verifier that
knows nothing of the database.
"""

import os
import re
from datetime import timedelta
from functools import partial

import pytest

from server.domain.chain import WrongLineError
from server.domain.transcript import verify
from server.models import Campaign, Entry
from server.services import campaigns, transcripts, unclaimed
from tests.factories import campaign_file, prize_table, shop_file
from tests.visits import NOTHING, at_once, few_mugs, sure_win, take_card

DAY = timedelta(days=1)
CODE = "welcome-scratch"
FILE = f"/verify/{CODE}/draws.jsonl"
AS_ENGLISH = {"Accept-Language": "en"}


def lines_of(client) -> list[bytes]:
    """Download the file and return its lines."""
    answer = client.get(FILE)
    assert answer.status_code == 200
    assert answer.mimetype == "application/jsonl"
    assert f"{CODE}-draws.jsonl" in answer.headers["Content-Disposition"]
    return answer.get_data().splitlines(keepends=True)


def play(client, times: int) -> None:
    for number in range(times):
        card = take_card(client)
        more = {"seed": f"{number:032x}"}
        assert (
            card.enter(client, f"v{number}@example.com", more=more).status_code == 200
        )


def test_what_was_played_is_published_when_its_day_is_over(publish, client, house):
    publish(few_mugs(2, losing=3, days=3))
    play(client, 12)

    today = verify(lines_of(client))
    house.clock.advance(DAY)
    at_midnight = verify(lines_of(client))
    house.clock.advance(timedelta(minutes=11))
    report = verify(lines_of(client))

    assert (today.days, today.plays) == (at_midnight.days, at_midnight.plays) == (0, 0)
    assert (report.days, report.plays) == (1, 12)
    given = [entry.awarded for entry in house.rows(Entry)]
    assert report.awarded == {key: given.count(key) for key in set(given)}


def test_a_later_file_continues_the_earlier_one(publish, client, house):
    publish(few_mugs(2, losing=3, days=3))
    play(client, 5)
    house.clock.advance(DAY + timedelta(minutes=11))
    first = lines_of(client)
    play(client, 7)
    house.clock.advance(5 * DAY)

    last = lines_of(client)

    assert last[: len(first)] == first
    assert verify(last).days == 3
    assert verify(last).plays == 12


def test_a_campaign_that_ends_within_a_day_is_published_once(
    publish, client, house, now, database
):
    """What is not claimed lapses after the end, and is in no day of the record."""
    half = {"days": None, "starts": now, "ends": now + DAY + DAY / 2}
    publish(few_mugs(2, losing=3, flow="play-first", **half))
    house.clock.advance(DAY + DAY / 2 - timedelta(minutes=20))
    for _ in range(4):
        assert take_card(client).play(client).status_code == 200
    house.clock.advance(timedelta(minutes=31))
    first = lines_of(client)
    house.clock.advance(timedelta(hours=1))
    with database.transaction() as session:
        assert unclaimed.lapse_due(session, now=house.clock.now()) == 4

    last = lines_of(client)

    assert verify(first).plays == 4
    assert last == first


def test_nobody_plays_in_the_moment_after_the_end(publish, client, house, now):
    """A page that was open in time may be sent a moment too late."""
    publish(few_mugs(2, losing=3, flow="play-first", days=1))
    house.clock.advance(DAY - timedelta(hours=1))
    cards = [take_card(client) for _ in range(12)]
    tick = timedelta(milliseconds=1)
    for number, card in enumerate(cards, 1):
        house.clock.moment = now + DAY - number * tick
        house.clock.step = tick
        answer = card.play(client)
        house.clock.step = timedelta()
        assert answer.status_code in {200, 410}, answer.status

    assert all(entry.played_at < now + DAY for entry in house.rows(Entry))
    assert 0 < len(house.rows(Entry)) < len(cards)


def test_plays_of_many_at_once_are_in_an_order_that_holds(publish, app, house):
    """A race for the last mugs looks fair in the record, too."""
    publish(few_mugs(5, losing=1, days=1))

    def one(number: int) -> None:
        visitor = app.test_client()
        card = take_card(visitor)
        assert card.enter(visitor, f"r{number}@example.com").status_code == 200

    at_once([partial(one, number) for number in range(60)], threads=8)
    house.clock.advance(2 * DAY)

    report = verify(lines_of(app.test_client()))
    assert report.plays == 60
    assert report.awarded["mug"] == 5


def test_a_unit_that_lapsed_and_was_won_again_is_told(publish, client, house):
    publish(few_mugs(1, flow="play-first", days=2))
    take_card(client).play(client)
    house.clock.advance(timedelta(hours=2))
    with house.database.transaction() as session:
        assert unclaimed.lapse_due(session, now=house.clock.now()) == 1
    house.clock.advance(timedelta(minutes=1))
    take_card(client).play(client)
    house.clock.advance(3 * DAY)

    lines = lines_of(client)

    assert verify(lines).awarded["mug"] == 2
    lapsed = [
        n
        for n, line in enumerate(lines)
        if line.startswith(b'{"h"') and b"lapsed" in line
    ]
    assert len(lapsed) == 1
    del lines[lapsed[0]]
    with pytest.raises(WrongLineError):
        verify(lines)


def test_a_long_day_is_read_in_ranges(publish, client, house, monkeypatch):
    monkeypatch.setattr(transcripts, "AT_ONCE", 3)
    publish(few_mugs(2, losing=3, days=1))
    play(client, 10)
    house.clock.advance(2 * DAY)

    assert verify(lines_of(client)).plays == 10


def test_an_outcome_changed_in_the_database_is_found_out(publish, client, house):
    """T13: whoever owns the server cannot change a play that was published."""
    publish(few_mugs(3, losing=1, days=1))
    play(client, 8)
    with house.database.transaction() as session:
        entry = session.query(Entry).filter_by(drawn="nothing").first()
        entry.drawn = entry.awarded = "mug"
    house.clock.advance(2 * DAY)

    with pytest.raises(WrongLineError, match="the draw gives nothing"):
        verify(lines_of(client))


def test_the_receipt_names_what_is_in_the_file(publish, client, house):
    """PZ-08: ticket, seed, day and outcome; a player finds their own play by them."""
    publish(sure_win(days=1))
    card = take_card(client)

    answer = card.enter(client, more={"seed": "0123456789abcdef" * 2})

    (entry,) = house.rows(Entry)
    shown = re.findall(r"<code>([^<]+)</code>", answer.text)
    assert shown[-3:] == [entry.ticket.hex(), "0123456789abcdef" * 2, "mug"]
    assert f'href="/verify/{CODE}?lang=en"' in answer.text
    (letter,) = house.letters("prize")
    assert letter.params["play"] == entry.ticket.hex()
    house.clock.advance(2 * DAY)
    assert any(entry.ticket.hex().encode() in line for line in lines_of(client))


def test_nothing_in_the_file_is_about_a_person(publish, client, house):
    publish(few_mugs(2, losing=3, days=1))
    play(client, 6)
    house.clock.advance(2 * DAY)

    body = b"".join(lines_of(client))

    assert b"@" not in body
    assert b"127.0.0.1" not in body


def test_the_page_shows_what_was_fixed(publish, client, house):
    publish(few_mugs(2, losing=3, days=1))

    early = client.get(f"/verify/{CODE}", headers=AS_ENGLISH).text
    house.clock.advance(2 * DAY)
    page = client.get(f"/verify/{CODE}?lang=en").text

    assert "The first day is not over yet" in early
    header = lines_of(client)[0].decode()
    for fixed in ("anchor", "digest"):
        value = re.search(rf'"{fixed}":"(\w+)"', header)
        assert value
        assert value[1] in page
    assert 'href="/verify/welcome-scratch/draws.jsonl"' in page


@pytest.mark.parametrize("name", ["style-quiz", "footer-newsletter"])
def test_where_nothing_is_drawn_there_is_nothing_to_check(publish, client, name):
    file = campaign_file(name)
    publish(file)

    assert client.get(f"/verify/{file.code}").status_code == 404
    assert client.get(f"/verify/{file.code}/draws.jsonl").status_code == 404
    assert client.get("/verify/nowhere").status_code == 404


def test_a_draft_has_promised_nothing_yet(publish, client, house):
    publish(few_mugs(1))
    with house.database.transaction() as session:
        session.query(Campaign).one().state = "draft"

    assert client.get(f"/verify/{CODE}").status_code == 404


def test_one_client_cannot_download_without_end(publish, client):
    publish(few_mugs(1))

    statuses = [client.get(FILE).status_code for _ in range(21)]

    assert statuses == [200] * 20 + [429]


def test_the_command_writes_and_checks_the_file(publish, client, house, run, tmp_path):
    publish(few_mugs(2, losing=3, days=1))
    play(client, 9)
    house.clock.advance(2 * DAY)
    file = tmp_path / "draws.jsonl"

    told = run("draw", "export", CODE, "--to", file)
    verdict = run("draw", "verify", file)

    assert (told.exit_code, verdict.exit_code) == (0, 0), told.output
    assert file.read_bytes().splitlines(keepends=True) == lines_of(client)
    assert "every line is right" in verdict.output
    assert "9 plays on 1 days" in verdict.output


def test_what_was_a_draft_of_other_days_first_can_be_checked(
    publish, database, vault, client, house, run, tmp_path
):
    """The plan and the chain are of the file that was published, on its day."""
    prizes = [prize_table(stock=5, release="even"), NOTHING | {"weight": 3}]
    planned = partial(
        campaign_file, "welcome-scratch", prizes=prizes, fallback="nothing"
    )
    with database.transaction() as session:
        campaigns.save_shop(session, shop_file(), now=house.clock.now())
        campaigns.save(
            session,
            planned(days=3),
            vault=vault,
            now=house.clock.now(),
            random=os.urandom,
            publish=False,
        )
    publish(planned(days=5), now=house.clock.advance(2 * DAY))
    for _ in range(5):
        play(client, 3)
        house.clock.advance(DAY)
    house.clock.advance(DAY)
    file = tmp_path / "draws.jsonl"

    told = run("draw", "export", CODE, "--to", file)
    verdict = run("draw", "verify", file)

    assert (told.exit_code, verdict.exit_code) == (0, 0), verdict.output
    assert "15 plays on 5 days" in verdict.output


def test_the_command_names_the_first_wrong_line(publish, client, house, run, tmp_path):
    publish(few_mugs(2, losing=3, days=1))
    play(client, 9)
    house.clock.advance(2 * DAY)
    lines = lines_of(client)
    lines[4] = (
        lines[4].replace(b'"unit":null', b'"unit":1')
        if b'"unit":null' in lines[4]
        else lines[4].replace(b'"t":"', b'"t":"0', 1)
    )
    file = tmp_path / "draws.jsonl"
    file.write_bytes(b"".join(lines))

    verdict = run("draw", "verify", file)

    assert verdict.exit_code == 1
    assert "line 5: it was changed" in verdict.output


def test_the_command_says_what_is_not_there(publish, run, tmp_path):
    publish(campaign_file("footer-newsletter"))

    assert run("draw", "verify", tmp_path / "none").exit_code == 2
    answer = run("draw", "export", "footer-newsletter", "--to", tmp_path / "x")
    assert answer.exit_code == 2
