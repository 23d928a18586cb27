"""Recipients on the command line (DS-06)."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from server.models import Delivery, Webhook
from server.services import deliveries
from server.worker import Worker
from tests.receivers import LOOPBACKS, Mode, listening
from tests.visits import EMAIL, sure_win, take_card

URL = "https://crm.example/hook"


@pytest.fixture
def shop(publish):
    publish(sure_win())


@pytest.fixture
def add(run, shop, house):
    """Add a recipient; return its public id and its secret."""

    def add(url=URL, *more, **environ):
        said = run("webhook", "add", "demo", "Our CRM", url, *more, **environ)
        assert said.exit_code == 0, said.output
        lines = said.stdout.split()
        return lines[0], next(w for w in lines if w.startswith("whsec_"))

    return add


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://crm.example/hook", "URL: it has to be https"),
        ("https://crm.example:8443/", "URL: only port 443"),
        ("https://me:secret@crm.example/", "URL: leave out the name and password"),
        ("crm.example", "URL: give an address like https://"),
        ("https://127.0.0.1/hook", "URL: it is a place that only this machine"),
        ("https://10.1.2.3/", "URL: it is a place that only this machine or its net"),
        ("https://[fd12::1]/", "URL: it is a place that only this machine or its net"),
        ("http://localhost:8080/", "URL: it is a place that only this machine or its"),
        ("https://crm.localhost./", "URL: it is a place that only this machine or its"),
        ("https://127.1/", "URL: give an address like https://"),
        ("https://0x7f000001/", "URL: give an address like https://"),
    ],
)
def test_an_address_that_cannot_be_is_refused_by_name(run, shop, house, url, why):
    """T9: before anything is stored."""
    said = run("webhook", "add", "demo", "CRM", url)

    assert said.exit_code == 2
    assert said.stderr.startswith(f"jawoord: {why}")
    assert house.rows(Webhook) == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/hook", "https://[::ffff:127.0.0.1]/"]
)
def test_an_address_in_a_network_of_ones_own_is_taken(run, add, house, url):
    add(url, JAWOORD_WEBHOOK_NETWORKS=LOOPBACKS)

    assert [row.url for row in house.rows(Webhook)] == [url]


def test_an_address_outside_the_networks_of_ones_own_is_refused(run, shop, house):
    environ = {"JAWOORD_WEBHOOK_NETWORKS": LOOPBACKS}

    said = run("webhook", "add", "demo", "CRM", "https://10.1.2.3/", **environ)

    assert said.exit_code == 2
    assert "JAWOORD_WEBHOOK_NETWORKS opens networks of your own" in said.stderr
    assert house.rows(Webhook) == []


def test_a_recipient_is_not_moved_to_where_nobody_posts(run, add, house):
    public_id, _ = add()

    said = run("webhook", "on", public_id, "--url", "https://192.168.1.5/")

    assert said.exit_code == 2
    assert said.stderr.startswith("jawoord: --url: it is a place that only this")
    assert [row.url for row in house.rows(Webhook)] == [URL]


HINT = re.compile(r"python -m server (webhook [^;]+)")


def test_what_a_command_points_to_works_as_it_is_written(run, add):
    public_id, _ = add()

    for said in (
        run("webhook", "test", public_id).stdout,
        run("webhook", "off", "wh_nobody").stderr,
    ):
        (hint,) = HINT.findall(said)
        assert run(*hint.split()).exit_code == 0


def test_where_there_is_no_recipient_yet_it_says_for_which_shop_to_add_one(run, shop):
    said = run("webhook", "list", "--shop", "demo").stdout

    assert said.endswith("python -m server webhook add demo NAME URL\n")


def test_a_shop_that_is_not_there_is_named(run, shop):
    said = run("webhook", "add", "nowhere", "CRM", URL)

    assert said.exit_code == 2
    assert "SHOP: there is no shop 'nowhere'" in said.stderr


def test_who_hears_of_a_yes_only_is_refused_with_what_is_missing(run, shop):
    said = run("webhook", "add", "demo", "CRM", URL, "--events", "consent.given")

    assert said.exit_code == 2
    assert "add consent.withdrawn, contact.erased" in said.stderr


def test_every_event_that_allows_something_takes_its_ends_along(run, shop):
    """GDPR 19: "you may use it again" says of somebody that they are known, too."""
    said = run("webhook", "add", "demo", "CRM", URL, "--events", "contact.unrestricted")

    assert said.exit_code == 2
    assert "add consent.withdrawn, contact.erased" in said.stderr


def test_a_purpose_that_nobody_is_asked_for_is_refused_with_those_that_are(
    run, shop, house
):
    said = run("webhook", "add", "demo", "CRM", URL, "--purposes", "newsletters")

    assert said.exit_code == 2
    assert said.stderr.startswith("jawoord: --purposes: no campaign asks for newslett")
    assert "ask for: newsletter, personal_offers" in said.stderr
    assert house.rows(Webhook) == []


@pytest.mark.parametrize("purpose", ["newsletter", "soft:shoes"])
def test_a_purpose_that_somebody_can_have_is_taken(run, shop, house, purpose):
    said = run("webhook", "add", "demo", "CRM", URL, "--purposes", purpose)

    assert said.exit_code == 0
    assert house.rows(Webhook)[0].purposes == [purpose]


def test_since_when_it_was_given_files_can_be_said(run, add, house):
    """GDPR 19: whom it got in a file it has to be told of as well."""
    add(URL, "--since", "2025-01-31")

    assert house.rows(Webhook)[0].created_at == datetime(2025, 1, 31, tzinfo=UTC)


def test_a_day_to_come_is_refused(run, shop, house):
    said = run("webhook", "add", "demo", "CRM", URL, "--since", "2999-01-01")

    assert said.exit_code == 2
    assert said.stderr == "jawoord: --since: that day is still to come\n"
    assert house.rows(Webhook) == []


def test_the_secret_is_shown_once_and_kept_sealed(run, add, house):
    public_id, secret = add()

    (row,) = house.rows(Webhook)
    assert secret.encode() not in row.sealed_secret
    listed = run("webhook", "list", "--shop", "demo").stdout
    assert public_id in listed and "Our CRM" in listed and URL in listed
    assert secret not in listed


def test_a_new_secret_replaces_the_old_one(run, add, house):
    public_id, old = add()

    said = run("webhook", "rotate", public_id).stdout

    assert "whsec_" in said and old not in said
    assert house.rows(Webhook)[0].sealed_before is not None


def test_a_second_rotation_within_a_day_is_refused(run, add, house):
    """The secret before was promised to sign for 24 hours, and there is no third."""
    public_id, _ = add()
    run("webhook", "rotate", public_id)
    (before,) = house.rows(Webhook)

    said = run("webhook", "rotate", public_id)

    assert said.exit_code == 2
    assert "signs until" in said.stderr and "--now" in said.stderr
    (row,) = house.rows(Webhook)
    assert (row.sealed_secret, row.sealed_before) == (
        before.sealed_secret,
        before.sealed_before,
    )
    house.clock.advance(timedelta(days=1))
    assert run("webhook", "rotate", public_id).exit_code == 0


def test_a_secret_that_leaked_is_cut_off_at_once(run, add, house):
    public_id, _ = add()
    run("webhook", "rotate", public_id)

    said = run("webhook", "rotate", public_id, "--now")

    assert said.exit_code == 0 and "only this secret" in said.stdout
    (row,) = house.rows(Webhook)
    assert (row.sealed_before, row.before_until) == (None, None)


def test_the_line_can_be_tried(run, add, house_with, smtp, clock):
    """From the command to the receiver, by the worker of these settings."""
    with listening() as receiver:
        public_id, secret = add(receiver.url, JAWOORD_WEBHOOK_NETWORKS=LOOPBACKS)
        waits = run("webhook", "test", public_id).stdout
        worker = Worker(house_with(WEBHOOK_NETWORKS=LOOPBACKS).app)
        worker.tell()
        worker.close()

        assert waits.split()[0] == receiver.heard[0].id
    said = run("webhook", "deliveries", "--shop", "demo").stdout
    assert "acknowledged  webhook.test" in said and said.endswith("200\n")


def test_off_and_on_and_the_end(run, add, house):
    public_id, _ = add()

    def state():
        return house.rows(Webhook)[0].state

    assert run("webhook", "off", public_id).exit_code == 0
    assert state() == "off"
    assert run("webhook", "off", public_id).exit_code == 2
    assert run("webhook", "test", public_id).exit_code == 2
    assert run("webhook", "on", public_id, "--url", f"{URL}/2").exit_code == 0
    assert (state(), house.rows(Webhook)[0].url) == ("active", f"{URL}/2")
    assert run("webhook", "end", public_id, given="n\n").exit_code == 1
    assert run("webhook", "end", public_id, "--yes").exit_code == 0
    assert state() == "ended"
    assert run("webhook", "on", public_id).exit_code == 2
    said = run("webhook", "on", public_id, "--url", f"{URL}/3")
    assert (said.exit_code, said.stdout) == (2, "")
    assert "is ended; it cannot be turned on" in said.stderr
    assert house.rows(Webhook)[0].url == f"{URL}/2"


def test_what_was_given_up_is_tried_again_or_told_by_hand(
    run, add, house, house_with, smtp
):
    with listening() as receiver:
        receiver.mode = Mode.ERROR
        public_id, _ = add(receiver.url, JAWOORD_WEBHOOK_NETWORKS=LOOPBACKS)
        for _ in range(2):
            run("webhook", "test", public_id)
        worker = Worker(house_with(WEBHOOK_NETWORKS=LOOPBACKS).app)
        for _ in range(10):
            worker.tell()
            house.clock.advance(deliveries.retry.WEBHOOK_WAITS[-1] * 1.2)
        worker.close()
    first, second = (row.message_id for row in house.rows(Delivery))

    assert run("doctor").stdout.count("NOT   recipients: 2 events were given up") == 1
    assert run("webhook", "told", first).stdout == "Noted.\n"
    assert run("webhook", "told", first).exit_code == 2
    assert run("webhook", "retry", first).exit_code == 2
    assert run("webhook", "retry").exit_code == 2
    assert run("webhook", "retry", "--all-dead").stdout == "1 to be tried again\n"
    states = {row.message_id: row.state for row in house.rows(Delivery)}
    assert states == {first: "acknowledged", second: "waiting"}


def test_a_secret_that_does_not_open_is_named_and_the_shop_told(
    run, add, house, house_with, client, smtp
):
    """DS-06: by `doctor` and by mail, as nothing is told until there is another."""
    add()
    with house.database.transaction() as session:
        session.execute(update(Webhook).values(sealed_secret=b"lost"))
    take_card(client).enter(client, consents=["newsletter"])
    house.press(client, house.link("confirm"))
    worker = Worker(house_with(WEBHOOK_NETWORKS=LOOPBACKS).app)
    worker.tell()
    while worker.deliver():
        pass
    worker.close()

    assert "NOT   recipients: the secret of Our CRM cannot" in run("doctor").stdout
    (mail,) = [m for m in smtp.taken if "Our CRM" in str(m.message["Subject"])]
    assert "kan niet worden geopend" in mail.text()


@pytest.mark.parametrize(
    ("mode", "days", "says"),
    [
        (Mode.GONE, 0, "neemt geen berichten meer aan"),
        (Mode.ERROR, 5, "kon niet worden ingelicht"),
    ],
)
def test_the_shop_gets_a_mail_that_names_nobody(
    run, add, house, house_with, client, smtp, mode, days, says
):
    """F13, DS-06: in the shop's language, with the command that lists whom."""
    take_card(client).enter(client, consents=["newsletter"])
    house.press(client, house.link("confirm"))
    with listening() as receiver:
        receiver.mode = mode
        add(receiver.url, JAWOORD_WEBHOOK_NETWORKS=LOOPBACKS)
        client.post(house.link("unsubscribe"))
        worker = Worker(house_with(WEBHOOK_NETWORKS=LOOPBACKS).app)
        for _ in range(2 + 6 * days):
            worker.tell()
            house.clock.advance(timedelta(hours=4))
        while worker.deliver():
            pass
        worker.close()

    (mail,) = [m for m in smtp.taken if says in str(m.message["Subject"])]
    assert mail.recipients == ("privacy@noordenzon.example",)
    assert "Our CRM" in mail.text()
    assert "webhook deliveries --shop demo --state dead" in mail.text()
    assert EMAIL not in mail.text() + mail.text("html")
