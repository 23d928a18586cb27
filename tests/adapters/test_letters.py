"""What the letters say, and what they never hold (DO-07, AB-06)."""

import re
from datetime import UTC, datetime

import pytest

from server.adapters import letters
from server.adapters.letters import Entered, Invited, Occasion
from server.services import letter_links
from tests.factories import campaign_file, shop_file
from tests.html import parse

CONFIRM = "https://play.example.com/confirm/TOKEN"
PREFERENCES = "https://play.example.com/preferences/TOKEN"
UNSUBSCRIBE = "https://play.example.com/unsubscribe/TOKEN"
VERIFY = "https://play.example.com/verify/lucky-scratch?lang=en#play=00ff"
INVITED = Invited(
    purpose="newsletter",
    subject="The doors are open",
    text="With this code you come in early.",
    button="To the shop",
    goes_to="/demo/",
    until=datetime(2026, 7, 8, tzinfo=UTC),
)
LABEL = "e_" + 26 * "a"
RECEIPT = "https://play.example.com/receipt/TOKEN"
CLAIM = "https://play.example.com/claim/TOKEN"
RAFFLE = f"https://play.example.com/verify/summer-raffle/raffle/main#play={LABEL}"
ENTERED = Entered(LABEL, (datetime(2026, 8, 2, tzinfo=UTC),), RAFFLE)
OF_RAFFLE = {"ticket", "won"}
ADDRESS = re.compile(r"https?://\S+")
INJECTIONS = [
    "https://evil.example",
    "evil.example",
    "Ada\r\nBcc: all@home.test",
    "<img src=x>",
    "{{ 7*7 }}",
    "A" * 41,
    "win 100",
]


def write(app, name, **changes):
    values = {
        "name": name,
        "locale": "en",
        "shop": shop_file(),
        "campaign": campaign_file(
            "summer-raffle" if name in OF_RAFFLE else "lucky-scratch"
        ),
        "at": datetime(2026, 7, 1, 22, 30, tzinfo=UTC),
        "page": "http://localhost:8401/demo/",
        "confirm_url": CONFIRM,
        "unsubscribe_url": UNSUBSCRIBE,
        "preferences_url": PREFERENCES,
        "purposes": ("newsletter",),
        "first_name": "Ada",
        "prize": "bicycle" if name in OF_RAFFLE else "ten_percent",
        "code": "ZON10",
        "invitation": INVITED if name == "early" else None,
        "entered": ENTERED if name == "ticket" else None,
        "raffle": "main" if name == "won" else "",
        "claim_url": CLAIM if name == "won" else "",
        "receipt_url": RECEIPT if name == "receipt" else "",
        "until": datetime(2026, 8, 16, tzinfo=UTC) if name == "won" else None,
    }
    with app.app_context():
        return letters.write(Occasion(**(values | changes)))


def hrefs(html):
    return [e.attrs["href"] for e in parse(html).walk() if "href" in e.attrs]


@pytest.mark.parametrize("locale", ["nl", "en"])
class TestEveryLetter:
    @pytest.mark.parametrize("name", letters.NAMES)
    def test_it_is_read_without_images_and_loads_nothing(self, app, name, locale):
        html = write(app, name, locale=locale).html
        tags = {element.tag for element in parse(html).walk()}

        assert not tags & {"img", "script", "link", "iframe", "object", "video"}
        assert "url(" not in html
        assert "@import" not in html
        assert 'content="light dark"' in html

    @pytest.mark.parametrize("name", letters.NAMES)
    def test_it_says_who_wrote_and_where_they_handle_data(self, app, name, locale):
        letter = write(app, name, locale=locale)

        for part in (letter.text, letter.html):
            assert "Noord &amp; Zon B.V." in part or "Noord & Zon B.V." in part
            assert "Havenkade 12, 1011 AB Amsterdam" in part
            assert "https://noordenzon.example/privacy" in part

    @pytest.mark.parametrize("name", letters.NAMES)
    def test_the_subject_is_one_plain_line(self, app, name, locale):
        subject = write(app, name, locale=locale).subject

        assert "\n" not in subject
        assert "&amp;" not in subject
        assert 10 < len(subject) < 70

    @pytest.mark.parametrize("name", letters.NAMES)
    def test_it_has_one_button_at_most(self, app, name, locale):
        html = write(app, name, locale=locale).html

        assert html.count("display:inline-block") == (
            0 if name in {"prize", "ticket", "moved"} else 1
        )

    @pytest.mark.parametrize("name", letters.NAMES)
    def test_it_says_how_to_stop_and_where_to_choose(self, app, name, locale):
        """SO-04: each that may, twice: in words and as a page. DO-07 has the others."""
        letter = write(app, name, locale=locale)
        given = letter_links.of(name)

        for link, wanted in (
            (UNSUBSCRIBE, "unsubscribe_url" in given and name != "confirm"),
            (PREFERENCES, "preferences_url" in given),
        ):
            assert (link in hrefs(letter.html)) is wanted
            assert (link in ADDRESS.findall(letter.text)) is wanted


class TestTheConfirmation:
    """DO-07: who, what, when, where, what if not; and no advertising."""

    @pytest.mark.parametrize("locale", ["nl", "en"])
    def test_it_has_two_links_in_both_forms(self, app, locale):
        letter = write(app, "confirm", locale=locale)

        wanted = [CONFIRM, "https://noordenzon.example/privacy"]
        assert hrefs(letter.html) == wanted
        assert ADDRESS.findall(letter.text) == wanted

    def test_it_says_what_was_asked_when_and_where(self, app):
        text = write(app, "confirm").text

        assert "2 July 2026, 00:30" in text, "the visitor's clock, summer time"
        assert "localhost:8401" in text
        assert "Newsletter\n  Yes, mail me the newsletter" in text
        assert "At most twice a week" in text
        assert "7 days" in text

    def test_it_names_only_what_was_asked(self, app):
        assert "Offers that suit me" not in write(app, "confirm").text

    def test_it_names_who_else_gets_the_address(self, app):
        """CR-05."""
        shared = {"recipient": "Lampenhuis B.V.", "products": "lamps & cords"}
        place = "purposes__0__texts__en__"
        campaign = campaign_file(
            **{place + name: said for name, said in shared.items()}
        )

        letter = write(app, "confirm", campaign=campaign)

        assert "Goes to: Lampenhuis B.V.: lamps & cords" in letter.text
        assert "Goes to: Lampenhuis B.V.: lamps &amp; cords" in letter.html

    def test_it_holds_no_prize_no_code_and_no_name(self, app):
        letter = write(app, "confirm", first_name="Adalbert")

        for word in ("ZON10", "10%", "Adalbert", "Lucky scratch"):
            assert word not in letter.text + letter.html + letter.subject

    def test_a_page_that_is_not_the_shops_is_not_repeated(self, app):
        letter = write(app, "confirm", page="https://evil.example/buy-now")

        assert "evil" not in letter.text + letter.html
        assert "play.example.com" in letter.text

    @pytest.mark.parametrize("name", INJECTIONS)
    def test_nothing_typed_reaches_it(self, app, name):
        assert write(app, "confirm", first_name=name) == write(app, "confirm")


class TestThePrize:
    def test_it_hands_over_the_code_and_says_how_to_use_it(self, app):
        letter = write(app, "prize")

        for part in (letter.text, letter.html):
            assert "Ada" in part
            assert "10% off" in part
            assert "ZON10" in part
            assert "Enter the code at the checkout" in part
            assert UNSUBSCRIBE in part
            assert "+31 20 555 01 23" in part

    @pytest.mark.parametrize(
        ("kind", "cents", "said"),
        [
            ("credit", 2_550, "Worth €25.50."),
            ("refund", 2_550, "We pay back €25.50 of your order."),
            ("benefit", None, "Number of your prize"),
        ],
    )
    def test_it_says_what_kind_of_prize_it_is(self, app, kind, cents, said):
        file = campaign_file(prizes__0__kind=kind)
        letter = write(
            app, "prize", campaign=file, prize=file.prizes[0].key, cents=cents
        )

        assert said in letter.text
        assert said in letter.html

    def test_it_says_where_the_draw_can_be_done_again(self, app):
        """PZ-08; and nothing of it where nothing was drawn."""
        letter, other = write(app, "prize", verify_url=VERIFY), write(app, "prize")

        for part, without in ((letter.text, other.text), (letter.html, other.html)):
            assert VERIFY in part.replace("&amp;", "&")
            assert "verify" not in without

    @pytest.mark.parametrize("name", [*INJECTIONS, ""])
    def test_only_a_name_is_greeted(self, app, name):
        letter = write(app, "prize", first_name=name)

        assert letter == write(app, "prize", first_name="")
        assert "Well done!" in letter.text

    def test_a_shops_words_are_text(self, app):
        changed = campaign_file(
            prizes__2__texts__en={"label": "<b>& more</b>", "claim": "{{ 7*7 }}"}
        )
        letter = write(app, "prize", campaign=changed)

        assert "&lt;b&gt;&amp; more&lt;/b&gt;" in letter.html
        assert "{{ 7*7 }}" in letter.html
        assert letter.subject == "Your prize: <b>& more</b>"


class TestTheReminderHowToStop:
    def test_it_changes_nothing_and_says_how_to_stop(self, app):
        letter = write(app, "manage")

        assert UNSUBSCRIBE in letter.text
        assert hrefs(letter.html)[0] == UNSUBSCRIBE
        assert CONFIRM not in letter.text + letter.html


class TestTheReceipt:
    """PR-09: what was said yes to, where it can be read, and how it ends."""

    def test_it_says_what_and_leads_to_the_receipt(self, app):
        letter = write(app, "receipt")

        assert letter.subject == "Your yes to Noord & Zon is on record"
        assert "Newsletter" in letter.text
        assert "Offers that suit me" not in letter.text
        assert RECEIPT in letter.text
        assert UNSUBSCRIBE in letter.text
        assert hrefs(letter.html)[0] == RECEIPT
        assert "ZON10" not in letter.text + letter.html

    @pytest.mark.parametrize("name", INJECTIONS)
    def test_nothing_typed_reaches_it(self, app, name):
        assert write(app, "receipt", first_name=name) == write(app, "receipt")


class TestTheNewAddress:
    """GDPR 16: one thing to press, and nothing that stops or opens another's page."""

    @pytest.mark.parametrize("locale", ["nl", "en"])
    def test_it_has_two_links_in_both_forms(self, app, locale):
        letter = write(app, "rectify", locale=locale)

        wanted = [CONFIRM, "https://noordenzon.example/privacy"]
        assert hrefs(letter.html) == wanted
        assert ADDRESS.findall(letter.text) == wanted

    def test_the_old_address_reads_where_the_mails_go(self, app):
        letter = write(app, "moved", mailbox="n***@new.example")

        for part in (letter.text, letter.html):
            assert "n***@new.example" in part
            assert "+31 20 555 01 23" in part


def test_a_letter_nobody_knows_is_not_written(app):
    with pytest.raises(LookupError):
        write(app, "../layout")


class TestTheRaffle:
    @pytest.mark.parametrize("name", ["ticket", "prize"])
    def test_who_takes_part_reads_the_number_and_when_it_is_drawn(self, app, name):
        letter = write(app, name, entered=ENTERED)

        for part in (letter.text, letter.html):
            assert LABEL in part
            assert "It is drawn on 2 August 2026." in part
        assert RAFFLE in letter.text
        assert RAFFLE in hrefs(letter.html)

    def test_two_draws_are_both_named(self, app):
        days = (*ENTERED.days, datetime(2026, 9, 2, tzinfo=UTC))

        text = write(app, "ticket", entered=Entered(LABEL, days, RAFFLE)).text

        assert "on 2 August 2026, 2 September 2026." in text

    def test_who_takes_part_in_none_reads_nothing_of_it(self, app):
        letter = write(app, "prize")

        assert "raffle" not in letter.text + letter.html

    def test_the_winner_reads_what_until_when_and_where(self, app):
        letter = write(app, "won")

        assert letter.subject == "You won in the raffle: A city bicycle"
        assert "on 16 August 2026 at the latest. It costs you nothing." in letter.text
        assert CLAIM in letter.text
        assert hrefs(letter.html)[0] == CLAIM
        for part in (letter.text, letter.html):
            assert "A city bicycle" in part
            assert "We call or mail you to choose the size" in part
            assert "Well done, Ada!" in part
