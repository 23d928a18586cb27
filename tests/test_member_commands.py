"""`member add`: who may sign in to the office."""

import pytest
from sqlalchemy import select

from server.models import Member, Membership
from tests.commands import SHOP, count, is_one_line


def test_a_member_is_added_with_a_password_from_stdin(run, database):
    run("shop", "import", SHOP)
    who = [
        "--email",
        "olga@noordenzon.example",
        "--name",
        "Olga",
        "--role",
        "viewer",
    ]

    answer = run(
        *("member", "add", *who, "--shop", "demo", "--password-stdin"),
        given="a long enough password\n",
    )

    assert answer.exit_code == 0, answer.stderr
    with database.reading() as session:
        assert session.scalars(select(Member.email)).all() == [
            "olga@noordenzon.example"
        ]
        assert session.scalars(select(Membership.role)).all() == ["viewer"]


def test_who_has_an_account_is_said_to_keep_its_password(run, tmp_path):
    """Else an operator hands out the one just typed, and it opens nothing."""
    other = tmp_path / "other.toml"
    other.write_text(SHOP.read_text().replace('code = "demo"', 'code = "other"'))
    run("shop", "import", SHOP)
    run("shop", "import", other)
    who = ["--email", "olga@noordenzon.example", "--name", "Olga"]

    answers = [
        run(
            *("member", "add", *who, "--role", "owner", "--shop", shop),
            "--password-stdin",
            given="a long enough password\n",
        ).stdout
        for shop in ("demo", "other")
    ]

    assert answers == [
        "Olga is owner of demo.\n",
        "Olga is owner of other. They sign in with the password they had.\n",
    ]


@pytest.mark.parametrize("name", ["", "  ", "Ol\nga", "Ol\x1b[2Jga", "x" * 161])
def test_a_name_that_is_none_gives_one_line(run, database, name):
    run("shop", "import", SHOP)

    answer = run(
        *("member", "add", "--email", "olga@noordenzon.example", "--name", name),
        *("--shop", "demo", "--role", "owner", "--password-stdin"),
        given="a long enough password\n",
    )

    assert answer.exit_code == 2
    assert is_one_line(answer)
    assert "name" in answer.stderr
    assert count(database, Member) == 0


@pytest.mark.parametrize(
    ("email", "shop", "password"),
    [
        ("olga@noordenzon.example", "nix", "a long enough password"),
        ("olga", "demo", "a long enough password"),
        ("olga@noordenzon.example", "demo", "short"),
    ],
)
def test_one_that_cannot_be_added_gives_one_line(run, database, email, shop, password):
    run("shop", "import", SHOP)

    answer = run(
        *("member", "add", "--email", email, "--name", "Olga", "--shop", shop),
        *("--role", "owner", "--password-stdin"),
        given=password + "\n",
    )

    assert answer.exit_code == 2
    assert is_one_line(answer)
    assert count(database, Member) == 0
