"""How often a network may play, and cause a confirmation mail (AB-01, AB-02).

Counted in Redis; where there is none, or while it does not answer, in a file that all
processes of the machine share; else in this process: a visitor's yes and a press on a
mailed page must not depend on it (F17). Being over the limit of mails changes no
answer: only the mail stays away, and the log says so. Over the limit of plays or of its
campaign, a visitor's browser is asked for a proof.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

import structlog
from limits import RateLimitItem, parse_many

from server import tally
from server.domain.optin import DIGITS_TRIES
from server.domain.seals import Vault
from server.settings import SettingError, Settings
from server.tally import Tally, TallyError

log = structlog.get_logger()

MOST_VERDICTS = 20_000


class Window(Protocol):
    """Counts hits within a moving window."""

    def hit(self, item: RateLimitItem, /, *identifiers: str) -> bool:
        """Note a hit; False, and nothing noted, if it is one too many."""

    def has_room(self, item: RateLimitItem, /, *identifiers: str) -> bool:
        """Return whether a hit would be within the window; nothing is noted."""


class _OwnWindow:
    """Counts in this process. The library's own starts threads for it (1 ms a hit)."""

    MOST_KEYS = 50_000

    def __init__(self) -> None:
        self._hits: OrderedDict[str, deque[float]] = OrderedDict()
        self._turn = threading.Lock()

    def hit(self, item: RateLimitItem, /, *identifiers: str) -> bool:
        """Note a hit, unless the window is full."""
        key, now = item.key_for(*identifiers), time.monotonic()
        with self._turn:
            hits = self._hits.setdefault(key, deque(maxlen=item.amount))
            self._hits.move_to_end(key)
            if len(hits) == item.amount and hits[0] > now - item.get_expiry():
                return False
            hits.append(now)
            if len(self._hits) > self.MOST_KEYS:
                self._hits.popitem(last=False)
        return True

    def has_room(self, item: RateLimitItem, /, *identifiers: str) -> bool:
        """Return whether the window has room for one more hit."""
        with self._turn:
            hits = self._hits.get(item.key_for(*identifiers))
            if hits is None or len(hits) < item.amount:
                return True
            return hits[0] <= time.monotonic() - item.get_expiry()


class Limiter:
    """Counts by keyed hash, so that no address of a network is kept anywhere."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._vault = vault
        self._window = _window(settings)
        self._asking = threading.Lock()
        self._verdicts: OrderedDict[tuple[str, bytes], bool] = OrderedDict()
        self._client = _parsed("CLIENT_MAIL_LIMITS", settings.client_mail_limits)
        self._device = _parsed("DEVICE", "60 per hour")
        self._campaign = _parsed("CAMPAIGN_MAIL_LIMIT", settings.campaign_mail_limit)
        self._not_me = _parsed("NOT_ME", "3 per hour")
        (self._one_not_me,) = _parsed("ONE_NOT_ME", "1 per hour")
        self._instance = _parsed("MAIL_LIMIT", settings.mail_limit)
        self._play = _parsed("PLAY_LIMIT", settings.play_limit)
        self._press = _parsed("PRESS", "10 per minute")
        self._digits = _parsed("DIGITS", f"{DIGITS_TRIES} per 10 minutes")
        self._download = _parsed("DOWNLOAD", "20 per hour")
        self._sign_in = _parsed("SIGN_IN", "10 per minute; 50 per hour")
        self._wrong_code = _parsed("WRONG_CODE", "10 per minute")
        self._wrong_codes = _parsed("WRONG_CODES", "1000 per hour")
        self._wrong_voucher = _parsed("WRONG_VOUCHER", "10 per minute")
        (self._alarm,) = _parsed("ALARM", "1 per 10 minutes")

    def may_ask(
        self, *, ticket: bytes, network: str, device: str, shop_id: int
    ) -> bool:
        """Count one request for a confirmation mail; False if it is one too many.

        Many people stand at one tablet, so it is counted by itself and not as the
        one client that its network would be. All of them together have a limit too. A
        network that typed the addresses of three strangers asks nobody for an hour.
        """

        def within() -> bool:
            client = (
                self._hit(self._device, "device", device)
                if device
                else self._has_room(self._not_me, "not me", network)
                and self._hit(self._client, "client", network, shop_id)
            )
            return client and self._hit(self._instance, "instance")

        return self._once("ask", ticket, within)

    def may_ask_by_address(self, *, network: str, shop_id: int) -> bool:
        """Count one wish for the page of an address that was typed (WD-05)."""
        return self._hit(self._client, "client", network, shop_id) and self._hit(
            self._instance, "instance"
        )

    def not_me(self, *, network: str, email: str) -> None:
        """Note that a network typed an address whose owner knows nothing of it."""
        if self._window.hit(self._one_not_me, self._key("not me", network, email)):
            self._hit(self._not_me, "not me", network)

    def is_rush(self, *, ticket: bytes, campaign: str) -> bool:
        """Count one request of a campaign; True if there are more than it expects."""
        return not self._once(
            "campaign", ticket, lambda: self._hit(self._campaign, "campaign", campaign)
        )

    def is_crowd(self, *, ticket: bytes, network: str, shop_id: int) -> bool:
        """Count one play; True if there are more than one household makes."""
        return not self._once(
            "play", ticket, lambda: self._hit(self._play, "play", network, shop_id)
        )

    def _once(self, what: str, ticket: bytes, within: Callable[[], bool]) -> bool:
        """Count a ticket once, so that a repeated request cannot use up a limit."""
        key = (what, ticket)
        with self._asking:
            if key not in self._verdicts:
                self._verdicts[key] = within()
                if len(self._verdicts) > MOST_VERDICTS:
                    self._verdicts.popitem(last=False)
            return self._verdicts[key]

    def may_sign_in(self, *, network: str, email: str) -> bool:
        """Count one try to sign in, for its network and for its address."""
        return self._hit(self._sign_in, "sign-in", network) and self._hit(
            self._sign_in, "sign-in", email
        )

    def may_register(self, *, network: str) -> bool:
        """Count one try to register a tablet."""
        return self._hit(self._sign_in, "register", network)

    def may_download(self, *, network: str) -> bool:
        """Count one download of a campaign's draws, which may be a big file."""
        return self._hit(self._download, "download", network)

    def may_press(self, *, link: int) -> bool:
        """Count one press on a mailed link's page (section 15)."""
        return self._hit(self._press, "press", link)

    def may_type(self, *, ticket: bytes) -> bool:
        """Count one try of the digits of a mail, on the page of a ticket (DO-13)."""
        return self._hit(self._digits, "digits", ticket.hex())

    def may_redeem(self, *, network: str) -> bool:
        """Return whether this network may try one more code of a voucher (G14).

        Only wrong ones are counted: right codes cost a busy till nothing.
        """
        return self._has_room(self._wrong_voucher, "voucher", network)

    def wrong_voucher(self, *, network: str) -> None:
        """Count one code of a voucher that was wrong."""
        self._hit(self._wrong_voucher, "voucher", network)

    def may_guess(self, *, network: str) -> bool:
        """Return whether a network may try a box code: not after ten wrong ones.

        Right codes are not counted, so a whole street may play behind one address.
        """
        has_room = self._has_room(self._wrong_code, "box code", network)
        if not has_room:
            log.warning("limit reached", scope="box code")
        return has_room

    def wrong_code(self, *, network: str) -> None:
        """Count a wrong box code, and sound the alarm when there are many (T14).

        A wrong code belongs to no campaign, so those of all are counted together.
        """
        self._hit(self._wrong_code, "box code", network)
        if not self.is_guessing():
            self._hit(self._wrong_codes, "all box codes")
        # Sounded once in a while, not for each of them.
        if self.is_guessing() and self._window.hit(self._alarm, "box codes"):
            log.error("box codes are being guessed", count=self._wrong_codes[0].amount)

    def is_guessing(self) -> bool:
        """Return whether somebody tries box codes, wherever they come from."""
        return not self._has_room(self._wrong_codes, "all box codes")

    def _has_room(
        self, limits: list[RateLimitItem], scope: str, *who: str | int
    ) -> bool:
        key = self._key(scope, *who)
        return all(self._window.has_room(limit, key) for limit in limits)

    def _key(self, scope: str, *who: str | int) -> str:
        return self._vault.hashed("limit", scope, *who).hex()

    def _hit(self, limits: list[RateLimitItem], scope: str, *who: str | int) -> bool:
        key = self._key(scope, *who)
        within = all(self._window.hit(limit, key) for limit in limits)
        if not within:
            log.warning("limit reached", scope=scope)
        return within


class _MachineWindow:
    """Counts in a file of the machine, or in this process while that cannot be used."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._meanwhile = _OwnWindow()

    def hit(self, item: RateLimitItem, /, *identifiers: str) -> bool:
        """Note a hit, unless the window is full."""
        try:
            return self._tally.hit(item, *identifiers)
        except TallyError:
            return self._meanwhile.hit(item, *identifiers)

    def has_room(self, item: RateLimitItem, /, *identifiers: str) -> bool:
        """Return whether the window has room for one more hit."""
        try:
            return self._tally.has_room(item, *identifiers)
        except TallyError:
            return self._meanwhile.has_room(item, *identifiers)


def _window(settings: Settings) -> Window:
    machine = _MachineWindow(Tally(settings.instance / tally.NAME))
    if settings.redis_url is None:
        return machine
    # Here, because Redis's client takes six megabytes that most do not need.
    from server.views.redis_window import RedisWindow

    return RedisWindow(settings.redis_url, meanwhile=machine)


def _parsed(name: str, text: str) -> list[RateLimitItem]:
    try:
        return parse_many(text)
    except ValueError as error:
        raise SettingError(
            f"JAWOORD_{name} is {text!r}; write it like '5 per 10 minutes; 20 per day'"
        ) from error
