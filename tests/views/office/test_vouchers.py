"""Redeeming at the desk: look first, then press once (PZ-04)."""

from datetime import timedelta

import pytest

from server.models import Audit, Prize, Purchase, Shop, Voucher, VoucherStep
from server.services import purchases
from tests.factories import campaign_file, prize_table, publish
from tests.office import play
from tests.visits import NOTHING

PAGE = "/office/demo/vouchers"


@pytest.fixture
def unit(app, database, house, vault, now):
    """A mug that somebody has won."""
    with database.transaction() as session:
        mug = prize_table(stock=2, valid_days=30)
        placements = [{"code": "mugs", "channel": "web", "shape": "inline"}]
        file = campaign_file(
            "welcome-scratch",
            code="mugs",
            placements=placements,
            prizes=[mug, NOTHING],
            fallback="nothing",
        )
        publish(session, file, vault=vault, now=now)
    play(app, database, now, email="ada@home.example", placement="mugs")
    return voucher(house)


def voucher(house):
    with house.database.reading() as session:
        mugs = session.query(Voucher).join(Prize).filter(Prize.key == "mug")
        return mugs.filter(Voucher.number == 1).one()


def look_up(pages, code, **options):
    pages.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    form = pages.get(PAGE).form("find")
    return pages.submit(form, code=code, **options)


def test_staff_sees_the_prize_first_and_then_redeems_it(staff, house, unit, clock):
    found = look_up(staff, unit.code.lower())
    assert "Not used yet: Mug. Good until and including 1 April 2026." in found.text
    assert voucher(house).state == "awarded", "a look changes nothing"

    done = staff.submit(found.form("redeem"))

    assert "Redeemed: Mug. Hand it over." in done.text
    row = voucher(house)
    assert (row.state, row.redeemed_at, row.redeemed_by) == (
        "redeemed",
        clock.now(),
        f"member:{house.staff}",
    )
    assert house.audits() == ["voucher.redeem"]
    with house.database.reading() as session:
        assert session.query(Audit).one().subject == unit.code


def test_an_order_that_is_paid_back_is_named_first(
    staff, house, unit, database, vault, now
):
    """Its number is on no page of ours, so whoever redeems has to be told it."""
    with database.transaction() as session:
        shop = session.query(Shop).filter_by(code="demo").one().id
        session.add(
            Purchase(
                shop_id=shop,
                order_hash=purchases.hashed(vault, shop, "A-1001"),
                entry_id=unit.entry_id,
                amount_cents=4_995,
                claimed_at=now,
            )
        )
    found = look_up(staff, unit.code)

    wrong = staff.submit(found.form("redeem"), order="A-1002")
    again = look_up(staff, unit.code)
    right = staff.submit(again.form("redeem"), order="#a1001")

    assert "Number of the order that is paid back" in found.text
    assert "€49.95" in found.text
    assert "Ask for its number and give it with the code" in wrong.text
    assert "Redeemed: Mug." in right.text
    assert voucher(house).state == "redeemed"


def test_the_second_try_is_told_when_it_was_and_redeems_nothing(
    staff, house, unit, clock
):
    form = look_up(staff, unit.code).form("redeem")
    staff.submit(form)
    clock.advance(timedelta(hours=1))

    again = staff.submit(form)

    first = "Already redeemed on 2 March 2026, 11:30 (Office, Staff Name)."
    assert f"{first} Do not hand it over again." in again.text
    assert house.audits() == ["voucher.redeem"]
    assert not [f for f in again.root.all("form") if "redeem" in f.attrs["action"]]


def test_a_vouchers_life_is_told_with_who_did_it(staff, owner, unit):
    staff.submit(look_up(staff, unit.code).form("redeem"))

    page = look_up(owner, unit.code)

    steps = [step.text for step in page.root.one("ol", **{"class": "acts"}).all("li")]
    assert len(steps) == 2
    assert "Claimed; the code was shown" in steps[0]
    assert "Redeemed" in steps[1] and steps[1].count("Staff Name") == 1


def test_a_reason_is_kept_without_what_a_database_refuses(owner, house, unit):
    """SAFETY.md: PostgreSQL keeps no NUL; nobody is told to wait for that."""
    form = look_up(owner, unit.code).form("revoke")

    owner.submit(form, why="a\0robot")

    with house.database.reading() as session:
        assert session.query(VoucherStep).one().note == "a robot"


def test_an_owner_takes_a_voucher_back_with_the_reason(owner, house, unit):
    form = look_up(owner, unit.code).form("revoke")

    bare = owner.submit(form, why=" ", status=422)
    done = owner.submit(form, why="won by a robot")

    assert "Say why it is taken back." in bare.text
    assert "This code was taken back" in done.text
    assert "won by a robot" in done.text
    assert voucher(house).state == "revoked"
    assert house.audits() == ["voucher.revoke"]


def test_a_code_that_is_none_says_what_to_do_and_keeps_what_was_typed(staff):
    for typed in ("0000-0000-0000-0", "<b>x", "MUG", "\x00", "é" * 60):
        page = look_up(staff, typed)

        assert "This code is not known here. Check each character" in page.text
        assert page.form("find").values["code"] == typed.strip()


def test_an_empty_field_is_asked_for(staff):
    page = look_up(staff, " ", status=422)

    assert "Type or scan the code first." in page.text


def test_many_wrong_codes_have_to_wait_and_right_ones_do_not(staff, unit):
    """G14: a network may be wrong ten times a minute."""
    for _ in range(12):
        look_up(staff, unit.code)
    for number in range(10):
        look_up(staff, f"WRONG-{number}")

    refused = look_up(staff, unit.code, status=429)

    assert "many wrong codes" in refused.text
    assert refused.response.headers["Retry-After"] == "60"


def test_another_shops_code_is_a_stranger(house, unit):
    from tests.pages import Pages

    stranger = Pages(house.client(house.stranger))
    stranger.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    form = stranger.get("/office/other/vouchers").form("find")

    page = stranger.submit(form, code=unit.code)

    assert "This code is not known here." in page.text
    assert "Mug" not in page.text


def test_a_viewer_sees_the_voucher_and_no_button(viewer, unit):
    page = look_up(viewer, unit.code)

    assert "Not used yet" in page.text
    actions = [form.attrs["action"] for form in page.root.all("form")]
    assert not [a for a in actions if "redeem" in a or "revoke" in a]
