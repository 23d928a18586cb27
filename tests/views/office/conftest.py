"""A furnished house, and browsers of its people."""

import pytest

from tests.office import House, furnish
from tests.pages import Pages


@pytest.fixture
def house(app, database, now) -> House:
    """Two shops, their people, and one player's entry in the first."""
    return furnish(app, database, now)


@pytest.fixture
def owner(house: House) -> Pages:
    """The owner of the first shop, in whose browser every page is checked."""
    return Pages(house.client(house.owner))


@pytest.fixture
def staff(house: House) -> Pages:
    """Somebody at the till, who may redeem and change nothing else."""
    return Pages(house.client(house.staff))


@pytest.fixture
def viewer(house: House) -> Pages:
    """A colleague who may look, but not change anything."""
    return Pages(house.client(house.viewer))
