"""What the demo shop sells, read once from the file beside this one."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FREE_SHIPPING_FROM_CENTS = 5000
SHIPPING_CENTS = 495

# Words per language: "nl" and "en".
Words = dict[str, str]


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the shop."""

    slug: str
    cover: str
    name: Words
    intro: Words

    @property
    def picture(self) -> str:
        return f"static/demo/{self.cover}.svg"


@dataclass(frozen=True, slots=True)
class Product:
    """Something on a shelf; its picture carries its slug."""

    slug: str
    category: str
    cents: int
    name: Words
    kind: Words
    story: Words
    facts: dict[str, list[str]]

    @property
    def picture(self) -> str:
        return f"static/demo/{self.slug}.svg"


@dataclass(frozen=True, slots=True)
class Line:
    """One product in the basket and how many of it."""

    product: Product
    count: int

    @property
    def cents(self) -> int:
        return self.product.cents * self.count


@dataclass(frozen=True, slots=True)
class Basket:
    """What the visitor wants to buy. It lives in the address alone."""

    slugs: tuple[str, ...] = ()

    @property
    def lines(self) -> list[Line]:
        """Return one line a product, in the order they were first added."""
        return [
            Line(PRODUCTS[slug], self.slugs.count(slug))
            for slug in dict.fromkeys(self.slugs)
        ]

    @property
    def goods_cents(self) -> int:
        return sum(line.cents for line in self.lines)

    @property
    def shipping_cents(self) -> int:
        if not self.slugs or self.goods_cents >= FREE_SHIPPING_FROM_CENTS:
            return 0
        return SHIPPING_CENTS

    @property
    def total_cents(self) -> int:
        return self.goods_cents + self.shipping_cents

    def without(self, slug: str) -> list[str]:
        return [other for other in self.slugs if other != slug]


def basket_of(slugs: Iterable[str], *, most: int) -> Basket:
    """Return a basket of the first products that exist; the rest is ignored."""
    return Basket(tuple([slug for slug in slugs if slug in PRODUCTS][:most]))


def shelf(category: str) -> list[Product]:
    """Return the products of a category, in the order of the file."""
    return [product for product in PRODUCTS.values() if product.category == category]


def beside(product: Product, *, most: int) -> list[Product]:
    """Return other products of the same shelf."""
    return [other for other in shelf(product.category) if other != product][:most]


_FILE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
CATEGORIES = {row["slug"]: Category(**row) for row in _FILE["categories"]}
PRODUCTS = {row["slug"]: Product(**row) for row in _FILE["products"]}
