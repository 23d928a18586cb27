"""A shop's campaigns: figures, facts, pause and resume."""

from datetime import timedelta

from server.models import Campaign, CampaignDay
from server.services import funnel
from server.services.funnel import Bucket, Steps
from tests.factories import campaign_file, make, prize_table
from tests.visits import NOTHING

PAGE = "/office/demo/campaigns/welcome-scratch"


def count_days(house, now, *days):
    with house.database.transaction() as session:
        campaign = session.query(Campaign).one()
        for ago, figures in days:
            make(
                session,
                CampaignDay,
                now=now,
                campaign_id=campaign.id,
                day=(now - timedelta(days=ago)).date(),
                **figures,
            )


def strip_of(page):
    """Return the figures of a page, in the order of the strip."""
    return [e.text for e in page.root.one("dl", class_="figures").all("dd")]


def test_figures_are_summed_and_the_rate_is_worked_out(owner, house, now):
    figures = {"plays": 1000, "entries": 700, "prizes": 600}
    count_days(
        house,
        now,
        (0, {**figures, "asked": 40, "confirmed": 25}),
        (3, {**figures, "asked": 40, "confirmed": 25}),
        (60, {**figures, "asked": 20, "confirmed": 0}),
    )

    lately = strip_of(owner.get("/office/demo/", headers={"Accept-Language": "en"}))
    ever = strip_of(owner.get(PAGE, headers={"Accept-Language": "nl"}))

    assert lately == ["2,000", "1,400", "1,200", "80", "50", "62.5%"]
    assert ever == ["3.000", "2.100", "1.800", "100", "50", "50,0%"]


def test_nothing_yet_is_no_rate_and_no_error(owner):
    assert strip_of(owner.get(PAGE))[-1] == "–"


def test_from_the_mail_to_the_press_by_provider(viewer, house, now):
    """DO-12: the biggest first, and no share of nothing."""
    with house.database.transaction() as session:
        campaign = session.query(Campaign).one()
        for provider, *figures in (("other", 9, 0, 0), ("Gmail", 40, 20, 15)):
            funnel.keep(
                session,
                [Bucket(campaign.id, now.date(), provider, Steps(*figures))],
            )

    page = viewer.get(PAGE, headers={"Accept-Language": "en"})

    section = page.root.one("section", **{"aria-labelledby": "funnel"})
    assert [each.text.split()[0] for each in section.all("th", scope="row")] == [
        "Gmail",
        "Others",
    ]
    assert [each.text for each in section.all("td")] == [
        *("40", "20", "15", "75.0%"),
        *("9", "0", "0", "–"),
    ]


def test_each_prize_says_its_kind_and_how_many_its_plan_gives_by_now(
    owner, publish, house
):
    """PZ-04, PZ-09: of what comes in parts, nobody takes the rest for lost."""
    drip = prize_table(stock=9, weight=1, release=[2, 5, *[9] * 28])
    publish(
        campaign_file(
            "lucky-scratch",
            prizes=[drip, NOTHING | {"weight": 1}],
            fallback="nothing",
            days=30,
        ),
        now=house.now - timedelta(days=1),
    )

    page = owner.get(
        "/office/demo/campaigns/lucky-scratch", headers={"Accept-Language": "en"}
    )

    prizes = page.root.one("div", role="group", aria_labelledby="prizes")
    drip, losing = (row.one("th").text for row in prizes.one("tbody").all("tr"))
    assert "Discount code · by plan, 5 may have been won by today" in drip
    assert "Nothing won" in losing and "by plan" not in losing


def test_the_chart_has_a_bar_for_each_day_and_says_its_sum(owner, house, now):
    count_days(house, now, (1, {"plays": 8, "entries": 2}))

    page = owner.get(PAGE, headers={"Accept-Language": "en"})

    chart = page.root.one("svg", role="img")
    assert len(chart.all("rect", class_="plays")) == 30
    assert chart.attrs["aria-label"].startswith("8 plays and 2 entries from")
    assert len(page.root.one("figure").all("tbody")[0].all("tr")) == 30


def test_the_page_shows_what_a_developer_and_an_auditor_need(owner, house):
    page = owner.get(PAGE)

    tag = 'script async src="http://service.test/embed.js" data-placement="welcome-'
    assert tag in page.text
    with house.database.reading() as session:
        assert session.query(Campaign).one().anchor in page.text


def test_prizes_show_what_is_left(owner, house):
    page = owner.get(PAGE, headers={"Accept-Language": "en"})

    section = page.root.one("section", aria_labelledby="prizes")
    assert len(section.one("tbody").all("tr")) == 4
    assert "500" in section.text or "499" in section.text


def test_a_campaign_of_another_name_is_not_there(owner):
    owner.get("/office/demo/campaigns/nothing", status=404)


def test_pausing_stops_plays_at_once_and_is_noted(owner, house, client):
    assert client.get("/w/welcome-inline").status_code == 200

    form = owner.get(PAGE).form("pause")
    sent = owner.submit(form, status=303)

    assert sent.location == PAGE
    assert client.get("/w/welcome-inline").status_code == 403
    assert house.audits() == ["campaign.pause"]
    owner.submit(owner.get(PAGE).form("resume"), status=303)
    assert client.get("/w/welcome-inline").status_code == 200
    assert house.audits() == ["campaign.pause", "campaign.resume"]


def test_pausing_twice_is_noted_once(owner, house):
    form = owner.get(PAGE).form("pause")
    for _ in range(2):
        owner.submit(form, status=303)

    assert house.audits() == ["campaign.pause"]


def test_a_script_gets_the_fragment(owner):
    form = owner.get(PAGE).form("pause")

    part = owner.post(form.action, data=form.values, headers={"HX-Request": "true"})

    assert part.root.by_id("state")
    assert part.form("resume")
    assert not part.root.all("html")


def test_a_viewer_sees_no_button(viewer):
    assert not viewer.get(PAGE).root.by_id("state").all("form")


def test_a_shop_without_campaigns_says_what_to_do(house):
    from tests.pages import Pages

    page = Pages(house.client(house.stranger)).get("/office/other/")

    assert "campaign import" in page.text


def test_a_campaign_under_a_spike_says_so_until_it_is_over(owner, house, clock):
    """AB-02: whoever looks knows why visitors are checked."""
    with house.database.transaction() as session:
        session.query(Campaign).one().guarded_until = clock.now() + timedelta(hours=1)

    english = {"Accept-Language": "en"}
    page = owner.get(PAGE, headers=english)
    assert "hardly anybody did. Until 2 Mar 2026, " in page.root.text
    clock.advance(timedelta(hours=1))
    assert "hardly anybody did" not in owner.get(PAGE, headers=english).root.text
