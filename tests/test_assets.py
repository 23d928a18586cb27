"""How modules become the one file that a page of a shop asks for."""

import pytest

from server.assets import AssetError, joined


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
