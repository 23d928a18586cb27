"""How modules become the one file that a page of a shop asks for."""

import pytest

from server import assets
from server.assets import AssetError, Assets, joined


@pytest.fixture
def write(tmp_path):
    """Write modules, and return where the first of them is."""

    def written(**modules):
        for name, text in modules.items():
            (tmp_path / f"{name}.js").write_text(text)
        return tmp_path / f"{next(iter(modules))}.js"

    return written


def test_a_named_number_stands_where_it_is_used(write):
    """A page of a shop does not pay for names that only we read."""
    text = joined(
        write(
            a="import { wait } from './b.js'\nconst LONG_MS = 300\nwait(-LONG_MS)\n",
            b="const SHORT_MS = 20\nconst SHORT_MS_WORD = 'SHORT_MS_WORD'\n"
            "export const wait = (ms) => later(ms + SHORT_MS, SHORT_MS_WORD)\n",
        )
    )

    assert "wait(-300)" in text
    assert "ms + 20, SHORT_MS_WORD" in text
    assert "const SHORT_MS =" not in text
    assert "const SHORT_MS_WORD = 'SHORT_MS_WORD'" in text


def test_names_that_clash_are_refused(write):
    entry = write(
        a="import { one } from './b.js'\nconst most = 1\none(most)\n",
        b="const most = 2\nexport const one = () => most\n",
    )

    with pytest.raises(AssetError, match="share 'most'"):
        joined(entry)


def test_a_module_still_exports_what_its_entry_does(write):
    entry = write(a="const MOST = 7\nexport function make() {\n  return MOST\n}\n")

    text = joined(entry, as_module=True)

    assert "return 7" in text
    assert text.endswith("export { make }\n")


@pytest.fixture
def built(tmp_path):
    """Build a loader that says something, and return its version."""
    folder = tmp_path / "widget"
    folder.mkdir()

    def build(words: str) -> str:
        (folder / "embed.js").write_text(f"console.log({words!r})\n")
        (folder / "frame.js").write_text(f"export const said = {words!r}\n")
        assets.build(tmp_path)
        return Assets(tmp_path).version

    return build


def test_a_pinned_version_stays_what_it_was_after_an_update(built, tmp_path):
    old, new = built("one"), built("two")

    kept = Assets(tmp_path)

    assert kept.version == new != old
    for version, words in ((old, b"one"), (new, b"two")):
        file = kept.find(version, "widget/embed.js")
        assert file
        assert words in file.plain
        assert kept.is_kept(version)


def test_a_version_that_is_gone_is_answered_with_todays(built, tmp_path):
    built("one")
    kept = Assets(tmp_path)

    for version in ("0" * 12, "../..", ""):
        file = kept.find(version, "widget/embed.js")
        assert file
        assert b"one" in file.plain
        assert not kept.is_kept(version)
    assert kept.find("0" * 12, "widget/none.js") is None


def test_only_so_many_builds_stay(built, tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "MOST_KEPT", 3)

    versions = [built(f"build {number}") for number in range(5)]

    kept = Assets(tmp_path)
    assert [kept.is_kept(version) for version in versions] == [False] * 2 + [True] * 3
