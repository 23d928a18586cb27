"""Vouchers on the command line and in the worker's hands, with a moved clock."""

from datetime import timedelta

import pytest

from server.models import Device, Voucher, VoucherStep
from tests.factories import campaign_file, prize_table
from tests.visits import NOTHING, few_mugs, take_card


@pytest.fixture
def unit(publish, client, house):
    """A mug that somebody has won; it is good for thirty days."""
    prizes = [prize_table(valid_days=30), NOTHING]
    publish(campaign_file("welcome-scratch", prizes=prizes, fallback="nothing"))
    take_card(client).enter(client)
    return house.rows(Voucher)[0]


def test_a_code_is_redeemed_once_and_told_again(run, unit, clock):
    redeem = ("voucher", "redeem", unit.code, "--shop", "demo", "--place")
    first = run(*redeem, "Till 1")
    clock.advance(timedelta(hours=2))
    second = run(*redeem, "Till 2")

    assert (first.exit_code, second.exit_code) == (0, 1)
    assert first.stdout.startswith(f"{unit.code} is redeemed: Mug")
    assert second.stdout == (
        f"{unit.code} was redeemed before: 2026-03-02 10:30 UTC, Till 1.\n"
    )


def test_an_order_is_paid_back_to_who_names_it(run, publish, client, house):
    prize = prize_table(kind="refund", value_cents=2_000)
    options = {"prizes": [prize, NOTHING], "fallback": "nothing"}
    publish(campaign_file("welcome-scratch", flow="play-first", **options))
    card = take_card(client)
    card.play(client)
    card.claim(client, more={"order": "A-1001", "order_amount": "49,95"})
    code = house.rows(Voucher)[0].code
    redeem = ("voucher", "redeem", code, "--shop", "demo", "--place", "Till 1")

    shown = run("voucher", "show", code, "--shop", "demo")
    wrong = run(*redeem, "--order", "A-1002")
    right = run(*redeem, "--order", "a1001")

    assert "refund, EUR 20.00" in shown.stdout
    assert (wrong.exit_code, right.exit_code) == (1, 0)
    assert "name it with --order" in wrong.stdout
    assert "is redeemed: Mug, EUR 20.00 (" in right.stdout


def test_a_vouchers_life_is_shown(run, unit, clock):
    run("voucher", "redeem", unit.code, "--shop", "demo", "--place", "Till 1")

    lines = run("voucher", "show", unit.code, "--shop", "demo").stdout.splitlines()

    assert lines[0] == f"{unit.code}  redeemed  Mug  (welcome-scratch)"
    assert lines[1] == "  good until 2026-04-02 00:00 UTC"
    assert lines[2] == "  2026-03-02 10:30 UTC  awarded"
    assert lines[3] == "  2026-03-02 10:30 UTC  redeemed  Till 1, operator"


def test_a_voucher_is_taken_back_with_the_reason(run, unit, house):
    words = ("voucher", "revoke", unit.code, "--shop", "demo", "--why", "a robot")
    first = run(*words)

    assert (first.exit_code, first.stdout) == (0, f"{unit.code} was taken back.\n")
    (step,) = house.rows(VoucherStep)
    assert (step.step, step.by, step.note) == ("revoked", "operator", "a robot")
    shown = run("voucher", "show", unit.code, "--shop", "demo").stdout
    assert "revoked  a robot, operator" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("redeem", "AAA", "--shop", "none", "--place", "x"), "there is no shop"),
        (("redeem", "AAA", "--shop", "demo", "--place", " "), "the place needs"),
        (("show", "AAA", "--shop", "demo"), "not known here"),
        (("revoke", "AAA", "--shop", "demo", "--why", "x" * 201), "the reason needs"),
    ],
)
def test_what_cannot_be_done_gives_one_line(run, unit, words, said):
    answer = run("voucher", *words)

    assert answer.exit_code == 2
    assert said in answer.stderr and answer.stderr.count("\n") == 1


def test_what_was_offered_is_reported_and_adds_up(run, publish, client):
    """PZ-04: every unit is somewhere."""
    publish(few_mugs(3))
    take_card(client).enter(client)

    answer = run("prize", "report", "welcome-scratch")

    assert answer.exit_code == 0
    assert "mug: 3 offered: 2 free, 1 awarded\n" in answer.stdout
    assert run("prize", "report", "none").exit_code == 2


def test_a_missing_unit_is_reported(run, publish, database, house):
    publish(few_mugs(3))
    with database.transaction() as session:
        session.delete(session.get(Voucher, house.rows(Voucher)[0].id))

    answer = run("prize", "report", "welcome-scratch")

    assert answer.exit_code == 1
    assert "mug: 1 units are missing" in answer.stderr


def test_a_device_gets_a_key_that_is_shown_once(run, publish, house):
    publish(few_mugs(1))
    run("device", "add", "--shop", "demo", "--name", "Till 1")
    public_id = house.rows(Device)[0].public_id

    first, second = (run("device", "key", public_id) for _ in range(2))

    keys = [answer.stdout.splitlines()[0] for answer in (first, second)]
    assert all(key.startswith("jawoord_key_") for key in keys)
    assert len(set(keys)) == 2
    assert not any(key in repr(vars(house.rows(Device)[0])) for key in keys)
    assert "has a key" in run("device", "list", "--shop", "demo").stdout
    assert run("device", "key", "nobody").exit_code == 2


def test_the_worker_closes_what_is_over(worker, unit, clock, house):
    worker.keep_house(now=clock.now())
    assert house.rows(Voucher)[0].state == "awarded"

    clock.moment = unit.valid_until
    worker.keep_house(now=clock.now())

    assert house.rows(Voucher)[0].state == "lapsed"
    assert worker.tally.over == 1
    assert [step.step for step in house.rows(VoucherStep)] == ["lapsed"]


def test_a_letter_says_until_when_and_where_the_prize_is(
    worker, unit, smtp, house, client, clock
):
    link = house.link("prize")
    worker.deliver()

    (mail,) = smtp.taken
    body = mail.text()
    assert unit.code in body
    assert "Good until and including 1 April 2026." in body
    assert f"http://service.test{link}" in body
    assert client.get(link).status_code == 200
    assert house.rows(Voucher)[0].mailed_at == clock.now()


def test_what_was_taken_back_is_not_mailed_any_more(run, worker, unit, smtp, house):
    run("voucher", "revoke", unit.code, "--shop", "demo", "--why", "a robot")

    worker.deliver()

    assert smtp.taken == []
    assert house.rows(Voucher)[0].mailed_at is None
