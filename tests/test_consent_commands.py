"""Consents on the command line: bring in, and write out who may be written to."""

import csv
import hashlib
import io
import json
import stat
import zipfile
from xml.etree import ElementTree

import pytest

from server.services import consent_imports
from tests.claims import EMAIL, consent, csv_of, sale
from tests.domain.test_spreadsheet import COMPUTED, PAYLOADS
from tests.factories import campaign_file, make
from tests.people import add_attribute
from tests.visits import take_card

CELL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
OF_DEMO = ("--shop", "demo")
NEWSLETTER = (*OF_DEMO, "--purpose", "newsletter")


@pytest.fixture
def database_kind() -> str:
    """Commands know no database; the tests of the services run on both."""
    return "sqlite"


@pytest.fixture
def run(run, publish):
    """Run a command; return its code and its words."""
    publish(campaign_file("welcome-scratch"))

    def run_and_tell(*words):
        done = run(*words)
        return done.exit_code, done.output

    return run_and_tell


@pytest.fixture
def file(tmp_path):
    def write(*rows, name="people.csv"):
        path = tmp_path / name
        path.write_bytes(csv_of(*rows))
        return path

    return write


@pytest.fixture
def exported(run, tmp_path):
    """Export to a file and return its bytes."""

    def export(*words):
        path = tmp_path / "out.file"
        code, said = run("consents", "export", *words, "-o", path, "--force")
        assert code == 0, said
        body = path.read_bytes()
        assert hashlib.sha256(body).hexdigest() in said
        return body

    return export


def rows_of(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


def test_a_file_comes_in_and_out(run, file, exported):
    bram = consent("bram@example.com", text="")
    code, said = run("consents", "import", file(consent(), bram), *OF_DEMO)

    assert code == 0
    assert "1  stored with their proof" in said
    assert "1  stored without it: unproven, and never exported" in said
    (row,) = rows_of(exported(*NEWSLETTER))
    assert row["address"] == EMAIL
    assert (row["basis"], row["method"], row["until"]) == ("consent", "import", "")
    assert row["since"] == "2025-06-01"
    assert len(row["text_sha256"]) == 64


def test_nothing_of_a_malformed_file_is_stored(run, file, house):
    before = house.dump()
    path = file(consent(), consent("nobody"), consent("bram@example.com", date="soon"))

    code, said = run("consents", "import", path, *OF_DEMO)

    assert code == 1
    assert f"{path}: line 3: address: is no mail address" in said
    assert f"{path}: line 4: date: is no date" in said
    assert "Nothing was stored." in said
    assert house.dump() == before


def test_a_dry_run_stores_nothing_and_says_what_would_be(run, file, house):
    before = house.dump()

    code, said = run("consents", "import", file(consent()), *OF_DEMO, "--dry-run")

    assert (code, house.dump()) == (0, before)
    assert "Nothing is stored; it would be:" in said
    assert "1  stored with their proof" in said


def test_who_was_left_out_is_named_by_line_and_hash(run, file, house):
    """DS-02: no address is printed, since reports are mailed around."""
    run("consents", "import", file(consent()), *OF_DEMO)
    from server.services import contacts
    from server.services.contacts import Reason

    with house.database.transaction() as session:
        contacts.suppress(
            session,
            house.person(),
            reason=Reason.NEVER,
            until=None,
            now=house.clock.now(),
        )
    again = file(consent("bram@example.com"), consent(date="2026-01-01"))

    code, said = run("consents", "import", again, *OF_DEMO)

    who = house.person().email_hash.hex()[:16]
    assert code == 0
    assert f"line 3: {who} left out: suppressed: objected to direct marketing" in said
    assert EMAIL not in said


def test_an_import_that_died_goes_on_where_it_was(run, file, house, monkeypatch):
    """What was stored is told, and the same command does the rest."""
    monkeypatch.setattr(consent_imports, "BATCH", 2)
    rows = [consent(f"p{number}@example.com") for number in range(5)]
    whole, calls = consent_imports.bring_in, []

    def dies(*args, **options):
        calls.append(1)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return whole(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(consent_imports, "bring_in", dies)
        code, said = run("consents", "import", file(*rows), *OF_DEMO)
    assert code == 2
    assert "2  stored with their proof" in said
    assert "run it again" in said

    code, said = run("consents", "import", file(*rows), *OF_DEMO)
    assert code == 0
    assert "3  stored with their proof" in said
    assert "2  known already" in said


def test_a_text_file_elsewhere_is_not_read(run, file, tmp_path):
    """A file that came by mail must not bring the machine's own files in."""
    secret = tmp_path.parent / "secret.txt"
    secret.write_text("secret")
    (tmp_path / "yes.txt").write_text("Yes, mail me.")
    for name in ("../secret.txt", str(secret)):
        row = consent(text="", text_file=name)
        code, said = run("consents", "import", file(row), *OF_DEMO)
        assert code == 1
        assert "cannot be read" in said
    row = consent(text="", text_file="yes.txt")
    assert run("consents", "import", file(row), *OF_DEMO)[0] == 0


def test_lines_of_json_are_read_by_their_ending(run, tmp_path, exported):
    path = tmp_path / "people.jsonl"
    path.write_text(json.dumps(consent()) + "\n")

    assert run("consents", "import", path, *OF_DEMO)[0] == 0
    assert len(rows_of(exported(*NEWSLETTER))) == 1


def test_a_sale_without_its_offer_is_refused_and_one_with_it_expires(
    run, file, exported, house
):
    """SO-01, SO-03: exported by its own basis alone, with its last day."""
    code, said = run("softoptin", "import", file(sale(offer="")), *OF_DEMO)
    assert code == 1
    assert "line 2: offer: the offer to say no is missing" in said
    assert run("softoptin", "import", file(sale()), *OF_DEMO)[0] == 0

    soft = (*OF_DEMO, "--purpose", "soft:mugs")
    (row,) = rows_of(exported(*soft, "--basis", "soft"))

    assert (row["basis"], row["method"]) == ("soft", "sale")
    assert (row["since"], row["until"]) == ("2026-02-01", "2028-02-01")
    assert run("consents", "export", *soft)[0] == 2
    assert run("consents", "export", *NEWSLETTER, "--basis", "soft")[0] == 2
    assert rows_of(exported(*NEWSLETTER)) == []


def test_signing_up_confirming_withdrawing(client, house, exported):
    """DO-01: empty after sign-up, one row after the press, empty at once after a no."""
    take_card(client).enter(client, consents=["newsletter"])
    assert rows_of(exported(*NEWSLETTER)) == []

    house.press(client, house.link("confirm"))
    (row,) = rows_of(exported(*NEWSLETTER))
    assert (row["address"], row["method"]) == (EMAIL, "mailbox-confirmed-post")
    assert row["since"] == "2026-03-02"

    client.post(house.link("unsubscribe"))
    assert rows_of(exported(*NEWSLETTER)) == []


@pytest.fixture
def poisoned(run, file, house):
    """Somebody about whom every payload is known, as a form might have let in."""
    run("consents", "import", file(consent()), *OF_DEMO)
    from server.models import Contact, Entry

    with house.database.transaction() as session:
        now, who = house.clock.now(), house.person()
        entry = make(session, Entry, now=now)
        contact = session.get_one(Contact, who.id)
        for number, payload in enumerate(PAYLOADS):
            fact = {"key": f"k{number:02}", "value": payload, "at": now}
            add_attribute(session, entry, contact, house.vault, **fact)
    return len(PAYLOADS)


def test_no_cell_of_the_csv_is_a_formula(poisoned, exported):
    """T8: thirty payloads and more."""
    (row,) = rows_of(exported(*NEWSLETTER))

    told = [value for key, value in row.items() if key.startswith("k")]
    assert len(told) == poisoned >= 30
    for cell in told:
        assert cell.lstrip()[:1] not in COMPUTED
        assert not {"\n", "\r", "\t"} & set(cell)


def test_every_cell_of_the_workbook_is_text(poisoned, exported):
    """T8: no formula, number or link in it, so none can be computed."""
    body = exported(*NEWSLETTER, "--format", "xlsx")

    with zipfile.ZipFile(io.BytesIO(body)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        names = book.namelist()
    parsed = ElementTree.fromstring(sheet)  # noqa: S314  # we wrote it ourselves
    cells = list(parsed.iter(f"{CELL}c"))
    assert len(cells) >= 2 * poisoned
    assert {cell.get("t") for cell in cells} == {"inlineStr"}
    assert not list(parsed.iter(f"{CELL}f"))
    assert not [name for name in names if "external" in name or "hyperlink" in name]
    assert "=1+1" in [cell.findtext(f"{CELL}is/{CELL}t") for cell in cells]


def test_lines_of_json_hold_what_was_told(poisoned, exported):
    (line,) = exported(*NEWSLETTER, "--format", "json").splitlines()

    told = json.loads(line)
    assert told["address"] == EMAIL
    assert [v for k, v in told.items() if k[1:].isdigit()] == PAYLOADS


def test_a_file_of_addresses_is_its_owners_alone(run, file, tmp_path):
    run("consents", "import", file(consent()), *OF_DEMO)
    path = tmp_path / "out.csv"
    path.write_text("what was there")
    path.chmod(0o644)

    run("consents", "export", *NEWSLETTER, "-o", path, "--force")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    "words",
    [
        ("consents", "export", "--shop", "nobody", "--purpose", "newsletter"),
        ("consents", "export", *NEWSLETTER, "--format", "xlsx"),
        ("consents", "import", "missing.csv", *OF_DEMO),
        ("softoptin", "import", "missing.csv", "--shop", "nobody"),
    ],
)
def test_what_cannot_be_done_is_one_line(run, words):
    code, said = run(*words)

    assert code == 2
    assert said.startswith("jawoord: ")
