"""Codes that everybody gets who wins a prize: they are in no pool (PZ-04)."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from server.domain import codes
from server.domain.parts import FileError
from server.models import Voucher
from server.services import campaigns, pools, shared_codes
from tests.factories import (
    campaign_file,
    prize_table,
    shop_file,
)
from tests.pools.conftest import NAMED
from tests.visits import NOTHING

HELD_BACK_S = 1.0
SHARED = prize_table("ten", stock=None, code="GRATIS10")


def sharing(code="sharing", prizes=(SHARED,), **changes):
    """Return a campaign whose winners all get one code."""
    place = {"code": f"{code}-inline", "channel": "web", "shape": "inline"}
    return campaign_file(
        code=code,
        placements=[place],
        prizes=[*prizes, NOTHING],
        fallback="nothing",
        **changes,
    )


@pytest.mark.parametrize("publish", [True, False], ids=["published", "draft"])
@pytest.mark.parametrize("stock", [None, 3])
def test_a_code_for_everybody_is_in_no_pool_that_comes_later(
    bring_in, save, kept, publish, stock
):
    """Its vouchers exist once they are won, so what counts is the campaign's file."""
    save(sharing(prizes=[{**SHARED, "stock": stock} if stock else SHARED]))
    save(sharing("later", [SHARED | {"code": "GRATIS20"}]), publish=publish)

    answer = bring_in("NEW-1\nGRATIS10\nNEW-2\ngratis20\nGRATIS10\n")

    assert answer.exit_code == 1
    named = [line.partition("codes.txt: ")[2] for line in answer.stderr.splitlines()]
    assert named[:3] == [
        "line 2: is a code that 'sharing' has already",
        "line 4: is a code that 'later' has already",
        "line 5: is the same code as in line 2",
    ]
    assert kept() == ([], 0, False)


@pytest.mark.parametrize("publish", [True, False], ids=["published", "draft"])
@pytest.mark.parametrize("code", ["GRATIS10", "gratis10", "Gratis10"])
def test_a_code_of_a_pool_is_none_for_everybody(bring_in, save, house, publish, code):
    """Who types it in small letters would be given what somebody else has won."""
    bring_in(f"NEW-1\n{code}\n")
    before = len(house.rows(campaigns.models.Campaign))

    with pytest.raises(FileError) as refused:
        save(sharing(), publish=publish)

    (fault,) = refused.value.faults
    assert fault.place == "prizes[1].code"
    assert fault.what == "'GRATIS10' is a code in the pool 'mug' of 'pooled'"
    assert len(house.rows(campaigns.models.Campaign)) == before


def test_a_code_of_ours_is_the_same_however_it_is_written(bring_in, save):
    ours = codes.make(b"01234567")
    bring_in(ours.replace("-", "").lower())

    with pytest.raises(FileError, match=r"prizes\[1\].code"):
        save(sharing(prizes=[SHARED | {"code": ours.replace("0", "O")}]))


def test_campaigns_may_share_one_code_for_everybody(bring_in, save):
    """It is at the shop's checkout as often as the shop says; no till redeems it."""
    bring_in("GRATIS-10\nGRATIS1O\n")
    save(sharing())
    save(sharing("second", [SHARED | {"stock": 4}]))

    assert not save(sharing()).is_new_version


def test_a_draft_may_give_everybody_a_code_of_the_pool_that_it_gives_up(
    bring_in, save, kept
):
    bring_in("GRATIS10\nNEW-1\n")
    mug = prize_table(stock=None, code="GRATIS10")
    cup = prize_table("cup", pool=True)
    del cup["stock"]
    both = campaign_file("welcome-scratch", **NAMED, prizes=[mug, cup, NOTHING])

    save(both, publish=False)

    assert kept() == ([], None, False)
    answer = bring_in("NEW-1\nGRATIS10\n", prize="cup")
    assert "line 2: is a code that 'pooled' has already" in answer.stderr


def test_the_doctor_names_the_codes_that_an_earlier_version_let_in_twice(
    bring_in, save, run, database, house
):
    """PZ-04: how many, and of which prizes; it changes nothing."""
    bring_in("NEW-1\nNEW-2\nNEW-3\n")
    assert "ok    codes" in run("doctor").stdout
    save(sharing())
    with database.transaction() as session:
        for old, new in (("NEW-1", "gratis10"), ("NEW-2", "GRATIS10")):
            session.execute(update(Voucher).where(Voucher.code == old).values(code=new))
    before = house.dump()

    answer = run("doctor")

    assert answer.exit_code == 1
    assert (
        "NOT   codes: 2 in the pool 'mug' of 'pooled' are also the code for everybody "
        "of 'sharing'"
    ) in answer.stdout
    assert house.dump() == before


def test_the_doctor_is_silent_about_codes_that_nobody_can_win_any_more(
    bring_in, save, run, database
):
    bring_in("NEW-1\n")
    save(sharing())
    with database.transaction() as session:
        session.execute(
            update(Voucher).where(Voucher.code == "NEW-1").values(code="GRATIS10")
        )
        campaign = campaigns.models.Campaign
        session.execute(
            update(campaign).where(campaign.code == "pooled").values(state="closed")
        )

    assert "ok    codes" in run("doctor").stdout


def test_another_shop_has_codes_of_its_own(bring_in, save, database, now):
    bring_in("GRATIS10\n")
    with database.transaction() as session:
        campaigns.save_shop(session, shop_file(code="other"), now=now)

    save(sharing(shop="other"))


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_pool_and_a_code_for_everybody_that_come_at_once_see_each_other(
    database, draft, save
):
    """The one that comes second is refused: the import as it ends, or the save."""
    with database.transaction() as session:
        pool = pools.begin(session, "pooled", "mug", random=os.urandom)
    with ThreadPoolExecutor() as pair, database.transaction() as session:
        shared_codes.hold(session, pool.shop_id)
        with database.transaction() as other:
            pools.add(other, pool, ["GRATIS10"], after=0)
        ends = pair.submit(in_a_transaction, database, ending, pool)
        publishes = pair.submit(save, sharing())
        for one in (ends, publishes):
            with pytest.raises(TimeoutError):
                one.result(timeout=HELD_BACK_S)
        session.rollback()

        refused = [ends.exception(), publishes.exception()]

    assert [type(one) for one in refused if one] in (
        [pools.SharedMeanwhileError],
        [FileError],
    )


def ending(session, pool):
    """End an import of one code, which was compared with no shared code."""
    return pools.finish(session, pool, count=1, shared={})


def test_a_code_that_became_everybodys_while_an_import_looked_is_refused(
    bring_in, save, kept, monkeypatch
):
    looks = pools.doubles

    def look(*args, **options):
        found = looks(*args, **options)
        if "'sharing'" not in str(options["shared"]):
            save(sharing())
        return found

    monkeypatch.setattr(pools, "doubles", look)

    answer = bring_in("NEW-1\nGRATIS10\n")

    assert "line 2: is a code that 'sharing' has already" in answer.stderr
    assert kept() == ([], 0, False)


def test_what_an_import_that_died_has_left_takes_no_code(draft, save, database):
    """Nobody wins it, and the next import sweeps it away."""
    with database.transaction() as session:
        dead = pools.begin(session, "pooled", "mug", random=os.urandom)
    with database.transaction() as session:
        pools.add(session, dead, ["GRATIS10"], after=0)

    assert save(sharing()).is_new_version


def in_a_transaction(database, work, *args):
    """Return what comes of some work in a transaction of its own."""
    with database.transaction() as session:
        return work(session, *args)


def test_a_line_that_many_have_already_is_named_once(bring_in, save, client):
    save(sharing(prizes=[SHARED | {"stock": 30}]))

    answer = bring_in("GRATIS10\nNEW-1\nGRATIS10\n")

    named = [line.partition("codes.txt: ")[2] for line in answer.stderr.splitlines()]
    assert named[:2] == [
        "line 1: is a code that 'sharing' has already",
        "line 3: is the same code as in line 1",
    ]
    assert named[2] == ""
