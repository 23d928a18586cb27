"""Shops and campaigns as files: whole or not at all, in and out again."""

import tomllib

import pytest
from sqlalchemy import select

from server.domain.campaign import parse_campaign
from server.models import Campaign, Image
from tests.commands import LUCKY, SHOP, count, is_one_line
from tests.pictures import bomb, picture


def with_pictures(folder, **named):
    """Return a campaign's file whose theme names these pictures beside it."""
    (folder / "pictures").mkdir(parents=True)
    lines = ""
    for name, body in named.items():
        (folder / "pictures" / f"{name}.png").write_bytes(body)
        lines += f'{name} = "pictures/{name}.png"\n'
    file = folder / "campaign.toml"
    file.write_text(LUCKY.read_text().replace("[theme]\n", f"[theme]\n{lines}"))
    return file


def test_what_is_exported_reads_back_to_the_same(run, database, tmp_path):
    assert run("shop", "import", SHOP).exit_code == 0
    assert run("campaign", "import", LUCKY).exit_code == 0

    exported = run("campaign", "export", "lucky-scratch").stdout
    again = tmp_path / "again.toml"
    again.write_text(exported)

    assert parse_campaign(tomllib.loads(exported)) == parse_campaign(
        tomllib.loads(LUCKY.read_text())
    )
    answer = run("campaign", "import", again)
    assert answer.stdout == "lucky-scratch: unchanged, version 1\n"
    shop = run("shop", "export", "demo").stdout
    again.write_text(shop)
    assert run("shop", "import", again).stdout == "demo: unchanged\n"


def test_every_fault_is_listed_by_its_place_and_nothing_is_stored(
    run, database, tmp_path
):
    run("shop", "import", SHOP)
    broken = tmp_path / "broken.toml"
    text = LUCKY.read_text()
    text = text.replace("weight = 30", "weight = -1")
    text = text.replace('accent = "#e8590c"', 'accent = "tangerine"')
    broken.write_text(text)

    answer = run("campaign", "import", broken)

    assert answer.exit_code == 1
    lines = answer.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{broken}: ") for line in lines)
    assert any(": theme.accent: " in line for line in lines)
    assert any(": prizes[2].weight: " in line for line in lines)
    assert count(database, Campaign) == 0


def test_what_the_law_refuses_is_listed_by_rule(run, database, tmp_path):
    run("shop", "import", SHOP)
    broken = tmp_path / "broken.toml"
    text = LUCKY.read_text().replace('shop = "demo"', 'shop = "nix"')
    broken.write_text(text.replace('title = "Nieuwsbrief"', 'title = "TODO"'))

    answer = run("campaign", "import", broken)

    assert answer.exit_code == 1
    assert f"{broken}: shop: there is no shop 'nix' (form)" in answer.stderr
    assert "(L-11)" in answer.stderr
    assert count(database, Campaign) == 0


def test_a_file_that_is_no_toml_names_the_line(run, tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("format = 1\ncode = \n")

    answer = run("campaign", "import", broken)

    assert answer.exit_code == 1
    assert is_one_line(answer)
    assert f"{broken}: line 2, column" in answer.stderr


def test_a_file_nested_without_end_is_refused(run, tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("code = " + "[" * 5_000 + "]" * 5_000)

    answer = run("campaign", "import", broken)

    assert answer.exit_code == 1
    assert is_one_line(answer)
    assert "nested too deeply" in answer.stderr


def test_a_mark_of_the_encoding_is_no_fault(run, database, tmp_path):
    """Editors on Windows write one."""
    marked = tmp_path / "marked.toml"
    marked.write_text(SHOP.read_text(), encoding="utf-8-sig")

    assert run("shop", "import", marked).stdout == "demo: stored\n"


def test_a_file_that_is_not_there_gives_one_line(run, tmp_path):
    answer = run("shop", "import", tmp_path / "nix.toml")

    assert answer.exit_code == 2
    assert is_one_line(answer)


def test_pictures_come_in_and_go_out_with_their_file(run, database, tmp_path):
    """A picture is named by a path beside the file, and kept as we made it."""
    run("shop", "import", SHOP)
    file = with_pictures(tmp_path, logo=picture("PNG"), foil_image=picture("JPEG"))

    answer = run("campaign", "import", file)

    assert answer.stdout == "lucky-scratch: version 1 stored\n", answer.stderr
    assert count(database, Image) == 2
    again = run("campaign", "import", file)
    assert again.stdout == "lucky-scratch: unchanged, version 1\n"
    out = tmp_path / "out"
    written = run("campaign", "export", "lucky-scratch", "--to", out)
    assert written.stdout.splitlines()[0] == str(out / "lucky-scratch.toml")
    assert len(list(out.glob("*.webp"))) == 2
    back = run("campaign", "import", out / "lucky-scratch.toml")
    assert back.stdout == "lucky-scratch: unchanged, version 1\n"
    plain = tmp_path / "plain.toml"
    plain.write_text(run("campaign", "export", "lucky-scratch").stdout)
    assert run("campaign", "import", plain).stdout == back.stdout


def test_a_campaign_moves_to_another_house_with_its_pictures(
    run, start, database, tmp_path
):
    run("shop", "import", SHOP)
    file = with_pictures(tmp_path, logo=picture("PNG"))
    run("campaign", "import", file)
    out = tmp_path / "out"
    run("campaign", "export", "lucky-scratch", "--to", out)

    for command in (["init"], ["shop", "import", str(SHOP)]):
        assert start(*command).exit_code == 0
    answer = start("campaign", "import", str(out / "lucky-scratch.toml"))

    assert answer.stdout == "lucky-scratch: version 1 stored\n", answer.stderr


def test_a_bad_picture_is_named_by_its_place_and_nothing_is_stored(
    run, database, tmp_path
):
    """T20: together with all else that is wrong with the file."""
    run("shop", "import", SHOP)
    file = with_pictures(tmp_path, logo=bomb(5_001), foil_image=picture("PNG"))
    file.write_text(file.read_text().replace('title = "Nieuwsbrief"', 'title = "TODO"'))

    answer = run("campaign", "import", file)

    assert answer.exit_code == 1
    first, second = answer.stderr.splitlines()
    assert first.startswith(f"{file}: theme.logo: 'pictures/logo.png' has more than")
    assert first.endswith("(T20)") and second.endswith("(L-11)")
    assert count(database, Image) == count(database, Campaign) == 0


@pytest.mark.parametrize("way", ["not there", "a link out", "a folder"])
def test_a_picture_is_looked_for_beside_its_file_only(run, tmp_path, way):
    run("shop", "import", SHOP)
    (tmp_path / "elsewhere.png").write_bytes(picture("PNG"))
    house = tmp_path / "house"
    file = with_pictures(house, logo=b"")
    path = house / "pictures" / "logo.png"
    path.unlink()
    if way == "a link out":
        path.symlink_to(tmp_path / "elsewhere.png")
    elif way == "a folder":
        path.mkdir()

    answer = run("campaign", "import", file)

    assert answer.exit_code == 1
    assert is_one_line(answer)
    assert ": theme.logo: " in answer.stderr


def test_a_shop_has_a_logo_of_its_own(run, database, tmp_path):
    (tmp_path / "logo.png").write_bytes(picture("PNG"))
    file = tmp_path / "shop.toml"
    text = SHOP.read_text()
    file.write_text(
        text.replace('language = "nl"', 'language = "nl"\nlogo = "logo.png"')
    )

    assert run("shop", "import", file).stdout == "demo: stored\n"
    assert run("shop", "import", file).stdout == "demo: unchanged\n"

    out = tmp_path / "out"
    run("shop", "export", "demo", "--to", out)
    assert run("shop", "import", out / "demo.toml").stdout == "demo: unchanged\n"
    (tmp_path / "logo.png").write_bytes(b"<svg/>")
    answer = run("shop", "import", file)
    assert answer.exit_code == 1
    assert f"{file}: logo: 'logo.png' is not a PNG" in answer.stderr


def test_a_draft_is_not_published(run, database):
    run("shop", "import", SHOP)

    run("campaign", "import", LUCKY, "--draft")

    with database.reading() as session:
        assert session.scalars(select(Campaign.state)).all() == ["draft"]
