"""The evidence file: all that proves a choice, to print and to check (PR-04)."""

import hashlib
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from server.domain.consent import Act
from server.models import Audit, Contact, Outbox, Text
from server.sealing import Sealing
from server.services import campaigns, consents, contacts, privacy
from server.services.consents import Request
from tests import evidence
from tests.factories import campaign_file
from tests.office import AGENT, EMAIL, IP, play
from tests.pages import Pages

DAY = timedelta(days=1)


@pytest.fixture
def path(house) -> str:
    return f"/office/demo/contacts/{house.contact}"


@pytest.fixture
def seal(app, house, clock):
    """Let the worker seal what there is, and sign the day."""

    def sealed() -> None:
        sealing = Sealing(house.database, app.extensions["tools"])
        sealing.go_round(now=clock.advance(DAY))
        sealing.go_round(now=clock.now())

    return sealed


@pytest.fixture
def ask(house, path, clock):
    """Press the button for an evidence file, with these fields: `ask(lang="nl")`.

    Each time in a fresh browser: a session of days ago is over.
    """

    def asked(**fields: str):
        owner = Pages(house.client(house.owner, now=clock.now()))
        form = owner.get(path).form("/proof")
        return owner.submit(form, **{"lang": "en"} | fields)

    return asked


@pytest.fixture
def file(ask):
    """The file that the button for JSON gives."""

    def filed(**fields: str) -> dict:
        answer = ask(**{"as": "json"} | fields).response
        assert answer.mimetype == "application/json"
        assert "attachment" in answer.headers["Content-Disposition"]
        return json.loads(answer.text)

    return filed


def as_somebody(app, house, do):
    """Do something in a transaction, for the furnished person."""
    tools = app.extensions["tools"]
    with house.database.transaction() as session:
        row = session.scalars(select(Contact).filter_by(public_id=house.contact)).one()
        who = contacts.person(session, row.id, vault=tools.vault)
        return do(session, who, tools)


# --- the page ----------------------------------------------------------------------


def test_one_press_tells_who_what_today_and_what_happened(ask):
    """PR-04; GDPR 7(1): in the order in which it is read."""
    page = ask()

    assert page.h1 == f"Proof of consent of {EMAIL}"
    headings = [h2.text for h2 in page.root.all("h2")]
    assert headings[:3] == ["Who", "What stands today", "What happened, in order"]
    assert "Newsletter Yes" in page.root.one("section", aria_labelledby="today").text
    acts = [h3.text for h3 in page.root.one("ol", class_="story").all("h3")]
    assert acts == [
        "Ticked the box on the form",
        "The confirmation mail was accepted",
        "Said yes",
    ]
    for proof in (IP, AGENT, "@service.test>", "Noord & Zon B.V.", "welcome-inline"):
        assert proof in page.text
    assert "2026-03-02 10:30:00.000 UTC" in page.text
    assert (
        "Confirm your choice" in page.root.one("section", aria_labelledby="mails").text
    )


def test_the_page_holds_every_text_and_hash_of_the_file(ask, file, seal):
    """Page and file are written from one proof: they say the same."""
    seal()
    content, page = file(), ask()

    plain = " ".join(page.text.split())
    for name, text in content["texts"].items():
        assert name in plain
        assert " ".join(text["body"].split()) in plain
    for fact in content["facts"]:
        assert fact["ledger"]["entry_hash"] in plain
        assert fact["evidence"] in plain
    for signed in content["checkpoints"].values():
        assert signed["signature"] in plain


def test_the_old_words_stay_after_the_campaign_was_edited(app, house, file, clock):
    """PR-01: byte for byte, though the campaign now asks something else."""
    shown = "Ja, mail mij de nieuwsbrief"
    before = file()["texts"]
    with house.database.transaction() as session:
        ask = "purposes__0__texts__nl__ask"
        campaigns.save(
            session,
            campaign_file("welcome-scratch", **{ask: "Iets heel anders."}),
            vault=app.extensions["tools"].vault,
            now=clock.now(),
            random=app.extensions["tools"].random,
        )

    after = file()

    assert after["texts"] == before
    name = after["facts"][-1]["text"]
    assert shown in after["texts"][name]["body"]
    assert evidence.check(after) == 0, "nothing is signed yet, and all else fits"
    with house.database.reading() as session:
        kept = session.get_one(Text, bytes.fromhex(name)).body
    assert after["texts"][name]["body"] == kept


def test_it_speaks_the_language_that_is_chosen(ask, file):
    page = ask(lang="nl")

    assert page.h1 == f"Bewijs van toestemming van {EMAIL}"
    assert page.root.one("html").attrs["lang"] == "nl"
    assert file(lang="nl")["title"] == page.h1
    assert file(lang="nl")["how_to_check"] != file(lang="en")["how_to_check"]


# --- the file ----------------------------------------------------------------------


def test_a_stranger_checks_the_file_with_nothing_of_ours(file, seal, app):
    """PR-04, PR-05: each step works from the JSON alone."""
    seal()

    content = file()

    assert evidence.check(content) == 3
    newest = app.extensions["tools"].notary.newest.hex()
    assert newest in content["keys"].values()
    assert len(content["how_to_check"]) == 7


def test_the_check_sees_a_changed_byte(file, seal):
    """What the steps are worth: each kind of change makes one of them fail."""
    seal()
    whole = file()

    def changed(change) -> bool:
        copy = json.loads(json.dumps(whole))
        change(copy)
        try:
            evidence.check(copy)
        except Exception:  # the signature has an error of its own
            return True
        return False

    last = whole["facts"][-1]
    day = last["ledger"]["checkpoint"]
    assert not changed(lambda copy: None)
    assert changed(lambda copy: copy["facts"][-1].update(at="2026-03-02T10:30:00.001Z"))
    assert changed(lambda copy: copy["texts"][last["text"]].update(body="Ja"))
    assert changed(lambda copy: copy["facts"][-1]["ledger"].update(path=[]))
    assert changed(lambda copy: copy["checkpoints"][day].update(root="00" * 32))
    assert changed(lambda copy: copy["person"].update(subject="00" * 16))
    assert changed(lambda copy: copy["facts"][-1]["ledger"].update(prev_hash="11" * 32))


def test_a_path_leads_from_a_later_day_too(app, house, file, seal, clock):
    """The tree of the second day goes on from the edge of the first."""
    seal()
    play(app, house.database, clock.now(), email="other@home.example")
    as_somebody(
        app,
        house,
        lambda session, who, tools: privacy.object_to_marketing(
            session,
            who,
            use=privacy.Use("nl", "office", {}),
            tools=tools,
            now=clock.now(),
        ),
    )
    seal()

    content = file()

    assert evidence.check(content) == 5
    assert [fact["act"] for fact in content["facts"]][3:] == ["withdrawn", "objected"]
    assert len(content["checkpoints"]) == 2


def test_every_field_of_a_proof_is_there(file, seal):
    """PR-02, T29: the field-presence test, on what visitors leave behind."""
    seal()
    content = file()
    asked, sent, given = content["facts"]

    def opened(fact):
        return content["evidence"][fact["evidence"]]["facts"]

    assert content["controller"]["name"] == "Noord & Zon B.V."
    assert [fact["act"] for fact in content["facts"]] == [
        "requested",
        "doi_sent",
        "given",
    ]
    for fact in content["facts"]:
        assert fact["at"].endswith("Z")
        assert fact["purpose"] == "newsletter"
        assert fact["locale"] == "nl"
        assert fact["context"]["campaign"] == "welcome-scratch"
        assert fact["context"]["placement"] == "welcome-inline"
        assert fact["context"]["place"] == "web"
        assert "page" not in fact["context"]
        assert "device" in fact["context"]
        for name in ("text", "notice", "form"):
            assert fact[name] in content["texts"]
    assert opened(asked)["page"] == "http://localhost:8401/demo/"
    assert opened(asked)["yes"] == ["newsletter"]
    assert opened(asked)["no"] == ["personal_offers"]
    for fact in (asked, given):
        assert opened(fact)["ip"] == IP
        assert opened(fact)["user_agent"] == AGENT
    assert "@service.test>" in opened(sent)["message_id"]
    assert len(opened(sent)["body_sha256"]) == 64
    assert given["method"] == "mailbox-confirmed-post"
    [request] = content["requests"]
    assert request["state"] == "confirmed"
    [mail] = request["mails"]
    assert mail["tries"][0]["outcome"] == "accepted"
    assert mail["tries"][0]["answer"] == "250 Ok"


def shape(value):
    """Return what kind of thing a value is, names and all."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def test_the_file_has_the_form_that_the_docs_promise(file, seal):
    """Golden: whoever reads such files must not be surprised by the next version."""
    seal()
    content = file()
    content["texts"] = list(content["texts"].values())[:1]
    content["evidence"] = list(content["evidence"].values())[:1]
    content["evidence"][0]["facts"] = {}
    content["checkpoints"] = list(content["checkpoints"].values())
    content["keys"] = list(content["keys"].values())

    assert shape(content) == {
        "format": "str",
        "title": "str",
        "made_at": "str",
        "shop": "str",
        "controller": dict.fromkeys(
            ("name", "address", "country", "email", "phone", "privacy_url"), "str"
        ),
        "person": {
            "id": "str",
            "email": "str",
            "subject": "str",
            "locale": "str",
            "known_since": "str",
            "restricted_at": "NoneType",
            "erased_at": "NoneType",
        },
        "purpose": "NoneType",
        "today": [dict.fromkeys(("purpose", "act", "since", "text"), "str")],
        "facts": [
            {
                **dict.fromkeys(
                    ("act", "purpose", "at", "method", "channel", "locale"), "str"
                ),
                "context": {
                    "campaign": "str",
                    "version": "int",
                    "placement": "str",
                    "place": "str",
                    "device": "NoneType",
                },
                **dict.fromkeys(("text", "notice", "form", "evidence"), "str"),
                "request": "int",
                "doubts": [],
                "ledger": {
                    "seq": "int",
                    "entry": {
                        "seq": "int",
                        **dict.fromkeys(
                            (
                                *("prev", "shop", "subject", "purpose", "channel"),
                                *("act", "method", "text", "notice", "form", "locale"),
                                *("evidence", "at"),
                            ),
                            "str",
                        ),
                        "context": {
                            "campaign": "str",
                            "version": "int",
                            "placement": "str",
                            "place": "str",
                            "device": "NoneType",
                        },
                    },
                    "entry_hash": "str",
                    "prev_hash": "str",
                    "checkpoint": "str",
                    "path": ["str"],
                },
            }
        ],
        "requests": [
            {
                "number": "int",
                **dict.fromkeys(
                    (
                        *("state", "requested_at", "expires_at", "settled_at"),
                        "message_id",
                    ),
                    "str",
                ),
                "mails": [
                    {
                        **dict.fromkeys(
                            (
                                *("letter", "message_id", "state", "queued_at"),
                                "settled_at",
                            ),
                            "str",
                        ),
                        "tries": [dict.fromkeys(("at", "outcome", "answer"), "str")],
                    }
                ],
            }
        ],
        "texts": [dict.fromkeys(("kind", "locale", "body"), "str")],
        "evidence": [{"state": "str", "facts": {}}],
        "checkpoints": [
            {
                "size": "int",
                **dict.fromkeys(("root", "head", "message", "key", "signature"), "str"),
            }
        ],
        "keys": ["str"],
        "how_to_check": [dict.fromkeys(("what", "how"), "str")],
    }


# --- one purpose, and facts without a request ---------------------------------------


def test_a_file_of_one_purpose_says_nothing_of_another(app, house, file, ask, clock):
    later = clock.advance(DAY)
    play(app, house.database, later, yes=("personal_offers",))

    content = file(purpose="newsletter")

    assert {fact["purpose"] for fact in content["facts"]} == {"newsletter"}
    assert content["purpose"] == "newsletter"
    assert "Only about: Newsletter." in ask(purpose="newsletter").text
    both = {fact["purpose"] for fact in file()["facts"]}
    assert both == {"newsletter", "personal_offers"}


def test_a_purpose_nobody_was_asked_for_is_not_there(owner, house, path):
    form = owner.get(path).form("/proof")

    owner.post(form.action, data=form.values | {"purpose": "telegrams"}, status=404)

    assert house.audits() == []


def test_words_that_are_not_those_of_then_are_not_shown(app, house, ask, file, clock):
    """PR-01: who could write to the table would have the shop prove other words."""
    name = hashlib.sha256(b"Yes, one mail a year.").digest()

    def import_yes(session, who, tools):
        told = {"kind": "import", "locale": "en", "created_at": clock.now()}
        session.add(Text(sha256=name, body="Yes, mail me all day.", **told))
        session.flush()
        consents.record(
            session,
            who,
            Request(None, b"", b"", "en", "email", {}),
            Act.GIVEN,
            {"letters_of_old": name},
            method="import",
            facts={},
            tools=tools,
            now=clock.now(),
        )

    as_somebody(app, house, import_yes)

    page, content = ask(), file(purpose="letters_of_old")

    assert f"This text is not stored, or was changed. {name.hex()}" in page.text
    assert "mail me all day" not in page.text
    assert name.hex() not in content["texts"]


def test_an_import_and_a_right_are_told_without_a_request(app, house, ask, file, clock):
    """PR-08: no form, no mail, and still a fact with its place."""

    def import_yes(session, who, tools):
        consents.record(
            session,
            who,
            Request(None, b"", b"", "nl", "email", {"source": "old shop"}),
            Act.UNPROVEN,
            {"letters_of_old": b""},
            method="import",
            facts={"file": "old.csv"},
            tools=tools,
            now=clock.now(),
        )

    as_somebody(app, house, import_yes)

    page, content = ask(), file(purpose="letters_of_old")

    assert "has no proof of it" in page.text
    assert "letters_of_old Not proven, so no" in page.text
    assert "old.csv" in page.text
    assert content["facts"][0]["request"] is None
    assert content["facts"][0]["text"] == ""
    assert content["requests"] == []


# --- who was erased ----------------------------------------------------------------


def test_of_an_erased_person_the_facts_are_left_and_the_evidence_is_not(
    app, house, ask, file, seal, clock
):
    """GDPR 17(3)(e); DS-03: it says so, and every hash still fits."""
    known = ask().html
    as_somebody(
        app,
        house,
        lambda session, who, tools: privacy.erase(
            session,
            who,
            use=privacy.Use("nl", "office", {}),
            tools=tools,
            now=clock.now(),
        ),
    )
    seal()

    page, content = ask(lang="en"), file()

    assert page.h1 == "Proof of consent of a person who was erased"
    for gone in (EMAIL, IP, AGENT):
        assert gone in known
        assert gone not in page.html
        assert gone not in json.dumps(content)
    said = page.text.count("Erased: the key of this person was destroyed")
    assert said == len(content["facts"])
    assert {piece["state"] for piece in content["evidence"].values()} == {"erased"}
    assert content["facts"][-1]["act"] == "erased"
    assert evidence.check(content) == len(content["facts"]) == 5


# --- who may, and what is noted ------------------------------------------------------


def test_a_look_is_noted_with_its_purpose(house, ask):
    """PR-10."""
    ask()
    ask(purpose="newsletter")

    with house.database.reading() as session:
        subjects = session.scalars(select(Audit.subject).order_by(Audit.id)).all()
    assert house.audits() == ["evidence.file", "evidence.file"]
    assert subjects == [f"{house.contact}/*", f"{house.contact}/newsletter"]


def test_a_colleague_who_may_only_look_sees_no_button_and_no_address(
    viewer, owner, house, path
):
    """PR-10: the viewer sees no network address anywhere."""
    shown = owner.submit(owner.get(path).form(house.evidence))
    page = viewer.get(path)

    assert IP in shown.html
    assert IP not in page.html
    leading = [form.attrs["action"] for form in page.root.all("form")]
    assert not [to for to in leading if "/proof" in to or house.evidence in to]


def test_no_file_holds_a_link_of_a_mail(house, ask, file):
    """DO-15: nobody in the office can do what only the mailbox may."""
    secrets = []
    vault = house.app.extensions["tools"].vault
    with house.database.reading() as session:
        for mail in session.scalars(select(Outbox).where(Outbox.sealed.is_not(None))):
            opened = vault.open(mail.sealed, about=mail.message_id.encode())
            secrets.append(json.loads(opened)["link"][1])
    assert secrets
    said = ask().html + json.dumps(file())

    assert not [secret for secret in secrets if secret in said]
    assert "/confirm/" not in said
    assert "/unsubscribe/" not in said


# --- all data ----------------------------------------------------------------------


def test_an_owner_hands_out_all_data_and_that_is_noted(owner, house, path):
    """GDPR 15, 20; PR-10."""
    answer = owner.submit(owner.get(path).form("/data")).response

    content = json.loads(answer.text)
    assert answer.mimetype == "application/json"
    disposition = answer.headers["Content-Disposition"]
    assert disposition == f'attachment; filename="person-{house.contact}.json"'
    assert content["person"]["email"] == EMAIL
    assert IP in answer.text
    assert house.audits() == ["person.export"]


def test_of_an_erased_person_there_is_no_data(app, house, owner, path):
    form = owner.get(path).form("/data")
    as_somebody(
        app,
        house,
        lambda session, who, tools: privacy.erase(
            session,
            who,
            use=privacy.Use("nl", "office", {}),
            tools=tools,
            now=house.now,
        ),
    )

    owner.post(form.action, data=form.values, status=404)

    assert house.audits() == []


# --- doubt -------------------------------------------------------------------------


def test_a_press_right_after_the_mail_is_flagged_and_counts(ask, file):
    """DO-11: the furnished person confirmed within the same second."""
    assert file()["facts"][-1]["doubts"] == ["fast"]
    page = ask()
    assert "within ten seconds" in page.text
    assert "May have been a machine within seconds of the mail" in page.text
    assert "Newsletter Yes" in page.text
