"""`member add`."""

import sys

import click

from server import clock
from server.commands.base import fail, transaction
from server.domain.address import AddressError
from server.services import members, passwords, shops


@click.group()
def member() -> None:
    """The people of the office."""


@member.command("add")
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--shop", "shop_code", required=True, help="The shop's code.")
@click.option("--role", type=click.Choice(members.ROLES), required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
def add_member(
    *, email: str, name: str, shop_code: str, role: str, password_stdin: bool
) -> None:
    """Let somebody sign in to a shop's office."""
    password = (
        sys.stdin.readline().rstrip("\r\n")
        if password_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    try:
        with transaction() as (session, _):
            had_one = members.find(session, email) is not None
            members.add(
                session,
                email=email,
                name=name,
                password=password,
                shop_code=shop_code,
                role=role,
                now=clock.now(),
            )
    except AddressError:
        fail(f"{email!r} is no mail address")
    except members.MemberNameError:
        fail(f"the name needs 1 to {members.LONGEST_NAME} characters on one line")
    except shops.UnknownShopError:
        fail(f"there is no shop {shop_code!r}")
    except members.AlreadyMemberError:
        fail(f"this person already belongs to {shop_code!r}")
    except passwords.PasswordError:
        fail("the password needs at least 12 characters")
    kept = " They sign in with the password they had." if had_one else ""
    click.echo(f"{name.strip()} is {role} of {shop_code}.{kept}")
