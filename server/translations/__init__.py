"""The languages: `messages.po` is edited, `messages.mo` is built from it."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent


def compile_all() -> dict[str, int]:
    """Write each language's `messages.mo` and return how many texts it has."""
    counts = {}
    for source in sorted(FOLDER.glob("*/LC_MESSAGES/messages.po")):
        locale = source.parts[-3]
        with source.open("rb") as file:
            catalog = read_po(file, locale=locale)
        with source.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)
        counts[locale] = len(catalog)
    return counts
