"""What may be committed: our own files, locks without addresses, no machine's paths."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-node.lock")
THIRD_PARTY = re.compile(
    r"(^|/)(node_modules|vendor|third_party|dist|site-packages)/"
    r"|htmx[^/]*\.js$|axe[^/]*\.js$|\.min\.(js|css)$|jquery"
)
ADDRESS = re.compile(r"\w://|--(?:index|extra|find|trusted)|\bwww\.", re.I)
# Where somebody's checkout, home or scratch files may be.
PLACES = [r"home/\w+", "root", r"Users/\w+", r"tmp/\w+"]
PLACES += [str(ROOT.parent)[1:]] if ROOT.parent != Path("/") else []
MACHINE = re.compile(rf"(?<![\w.\-/$}}):])/(?:{'|'.join(PLACES)})(?:/|\b)")
TEXT = {".py", ".html", ".css", ".js", ".mjs", ".md", ".toml", ".json", ".txt", ".po"}
TEXT |= {".in", ".lock", ".cfg", ".svg", ""}
MYSELF = Path(__file__).relative_to(ROOT).as_posix()
# Most stay under 200 (CONVENTIONS); above this no reason is good enough.
MOST_LINES = 600


def tracked() -> list[str]:
    """Return what is committed or is about to be."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [name for name in listing.stdout.split("\0") if (ROOT / name).is_file()]


def texts() -> dict[str, str]:
    return {
        name: (ROOT / name).read_text()
        for name in tracked()
        if Path(name).suffix in TEXT
    }


def test_no_file_of_somebody_else_is_committed():
    found = [name for name in tracked() if THIRD_PARTY.search(name)]

    assert found == [], "name it in package.json; `make assets` gets it"


def test_no_text_carries_somebody_elses_copyright():
    notice = re.compile(r"@license|/\*!|\bCopyright \(c\)|SPDX-License", re.I)
    found = [
        name
        for name, text in texts().items()
        if notice.search(text) and name not in {"LICENSE", MYSELF}
    ]

    assert found == [], "name it in package.json or requirements.in instead"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_versions_and_hashes_and_no_address(lock: str):
    lines = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    pins = [line for line in lines if line.strip() and not line.startswith("#")]

    assert [line for line in lines if ADDRESS.search(line)] == []
    assert pins
    pinned = re.compile(
        r"^[a-z0-9._-]+(\[[a-z,]+\])?==\S+( ;.*?)?(\s+--hash=sha256:\w{64})+$"
    )
    assert [line[:60] for line in pins if not pinned.match(line)] == [], "run make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_was_asked_for(lock: str):
    asked = {
        re.split(r"[\[<>=~!;]", line)[0].strip().replace("_", "-").lower()
        for line in (ROOT / lock.replace(".lock", ".in")).read_text().splitlines()
        if line.strip() and not line.startswith(("#", "-"))
    }
    locked = set(re.findall(r"^([a-z0-9._-]+)", (ROOT / lock).read_text(), re.M))

    assert asked - locked == set(), "run make lock"


def test_the_two_python_locks_agree():
    """They go into one environment, which has room for one version of each."""
    pin = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", re.M)
    serve, test = (dict(pin.findall((ROOT / lock).read_text())) for lock in LOCKS[:2])

    assert {n: (v, serve[n]) for n, v in test.items() if serve.get(n, v) != v} == {}


def test_the_browser_lock_names_integrity_and_no_address():
    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}

    assert "resolved" not in (ROOT / "package-lock.json").read_text()
    assert ADDRESS.search(json.dumps(packages)) is None
    assert [n for n, p in packages.items() if "sha512-" not in p["integrity"]] == []


def test_no_path_of_a_machine_is_committed():
    found = [
        f"{name}:{number}: {match.group()}"
        for name, text in texts().items()
        if name != MYSELF
        for number, line in enumerate(text.splitlines(), 1)
        if (match := MACHINE.search(line))
    ]

    assert found == [], "name it relative to the repository, or by a setting"


@pytest.mark.parametrize(
    "line", ["see `/home/kim/shop`", "= /tmp/out.txt", '"/root"', f"cd {ROOT}/server"]
)
def test_a_path_of_a_machine_is_seen(line: str):
    assert MACHINE.search(line)


@pytest.mark.parametrize(
    "line", ['"/office/root/"', "https://a.nl/home/kim", "$(ROOT)/root/x", "a/tmp/b"]
)
def test_another_path_is_let_through(line: str):
    assert not MACHINE.search(line)


def test_files_stay_readable():
    found = {
        name: count
        for name, text in texts().items()
        if Path(name).suffix in {".py", ".js", ".mjs", ".html", ".css"}
        and (count := text.count("\n")) > MOST_LINES
    }

    assert found == {}, "is each still one idea? split it for the reader"


def test_every_make_target_has_a_help_line():
    makefile = (ROOT / "Makefile").read_text()
    named = re.search(r"^\.PHONY: (.*)$", makefile, re.M)
    assert named
    silent = {"need"}

    missing = [
        target
        for target in named.group(1).split()
        if target not in silent and not re.search(rf"^{target}:.*## \S", makefile, re.M)
    ]

    assert missing == []
    for target in ("run", "test", "lint", "fix", "bench", "stress", "help"):
        assert target in named.group(1).split()


def test_ci_runs_make_test():
    run = ROOT / ".ci" / "run"

    assert run.stat().st_mode & 0o111
    assert "make test" in run.read_text()


def test_every_campaign_file_is_on_its_page_and_all_say_how_many_there_are():
    """README, docs and CHANGELOG said six and nine while there were ten."""
    demos = {"demo-shop.toml", "spring-raffle.toml"}
    files = {path.name for path in (ROOT / "server" / "campaigns").glob("*.toml")}
    page = (ROOT / "docs" / "campaigns.md").read_text()

    assert [name for name in sorted(files) if f"`{name}`" not in page] == []
    assert len(files - demos) == 9
    assert "Nine files in" in page
    assert "Nine campaigns are ready" in (ROOT / "README.md").read_text()
    assert "Nine ready-made campaigns" in (ROOT / "CHANGELOG.md").read_text()
