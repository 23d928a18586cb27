"""Tokens with something changed in them, which nobody may take for ours (G11)."""

import random

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=%\0é "


def mutants(token: str, count: int) -> list[str]:
    """Return so many spellings with a letter changed, left out or added.

    They are the same every time.
    """
    dice = random.Random(1)  # noqa: S311  # nothing secret
    made: set[str] = set()
    while len(made) < count:
        place, letter = dice.randrange(len(token)), dice.choice(LETTERS)
        made |= {
            token[:place] + letter + token[place + 1 :],
            token[:place] + token[place + 1 :],
            token[:place] + letter + token[place:],
        } - {token}
    return sorted(made)[:count]
