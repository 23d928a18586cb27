"""How often a network may play, and cause a confirmation mail (AB-01, AB-02).

Counted in Redis; where there is none, or while it does not answer, in a file that all
processes of the machine share; else in this process: a visitor's yes and a press on a
mailed page must not depend on it (F17). Over the limit of mails the mail stays away and
the answer says so, whoever it is for. Over the limit of plays or of its campaign, a
visitor's browser is asked for a proof.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from limits import RateLimitItem, parse_many

from server import tally
from server.domain.optin import DIGITS_TRIES
from server.domain.seals import Vault
from server.settings import SettingError, Settings
from server.tally import Chain, Hit, Tally, TallyError, count_chains

log = structlog.get_logger()

MOST_VERDICTS = 20_000


class Window(Protocol):
    """Counts hits within a moving window."""

    def count(self, *chains: Chain) -> list[Hit | None]:
        """Note hits as `count_chains` does."""


class _OwnWindow:
    """Counts in this process. The library's own starts threads for it (1 ms a hit)."""

    MOST_KEYS = 50_000

    def __init__(self) -> None:
        self._hits: OrderedDict[str, deque[float]] = OrderedDict()
        self._turn = threading.Lock()

    def count(self, *chains: Chain) -> list[Hit | None]:
        """Note hits as `count_chains` does."""
        now = time.monotonic()
        with self._turn:
            return count_chains(chains, lambda hit: self._fits(hit, now))

    def _fits(self, hit: Hit, now: float) -> bool:
        key, item = hit.full_key, hit.item
        hits = self._hits.get(key) or deque(maxlen=item.amount)
        if len(hits) == item.amount and hits[0] > now - item.get_expiry():
            return False
        if hit.is_noted:
            hits.append(now)
            self._hits[key] = hits
            self._hits.move_to_end(key)
            if len(self._hits) > self.MOST_KEYS:
                self._hits.popitem(last=False)
        return True


@dataclass(frozen=True, slots=True)
class Pressure:
    """Under which limits a play is too much: its network's, or its campaign's."""

    # More plays than one household makes.
    is_crowd: bool
    # More requests than the campaign expects.
    is_rush: bool


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
        fits = self._once(
            ticket,
            {
                "client": lambda: self._asked_by(network, device, shop_id),
                "instance": lambda: self._hits(self._instance, "instance"),
            },
        )
        return all(fits.values())

    def _asked_by(self, network: str, device: str, shop_id: int) -> list[Hit]:
        if device:
            return self._hits(self._device, "device", device)
        return [
            *self._looks(self._not_me, "not me", network),
            *self._hits(self._client, "client", network, shop_id),
        ]

    def may_ask_by_address(self, *, network: str, shop_id: int) -> bool:
        """Count one wish for the page of an address that was typed (WD-05)."""
        return self._fits(
            *self._hits(self._client, "client", network, shop_id),
            *self._hits(self._instance, "instance"),
        )

    def not_me(self, *, network: str, email: str) -> None:
        """Note that a network typed an address whose owner knows nothing of it."""
        one = Hit(self._one_not_me, self._key("not me", network, email))
        if self._count([one]) == [None]:
            self._hit(self._not_me, "not me", network)

    def pressure(
        self,
        *,
        ticket: bytes,
        network: str,
        shop_id: int,
        campaign: str,
        is_play: bool,
        asks: bool,
        is_suspect: bool,
    ) -> Pressure:
        """Count one play of a network and one request of a campaign, if it is that.

        A request that something else speaks against counts once it is proven. Another
        one is counted for `may_ask` as well: client, campaign, instance, so that a
        network beyond its own limits brings no campaign under suspicion.
        """
        counted: dict[str, Callable[[], Chain]] = {}
        if is_play:
            counted["play"] = lambda: self._hits(self._play, "play", network, shop_id)
        if asks and not is_suspect:
            counted |= {
                "client": lambda: self._asked_by(network, "", shop_id),
                "campaign": lambda: self._hits(self._campaign, "campaign", campaign),
                "instance": lambda: self._hits(self._instance, "instance"),
            }
        fits = self._once(ticket, counted)
        return Pressure(
            is_crowd=not fits.get("play", True), is_rush=not fits.get("campaign", True)
        )

    def _once(
        self, ticket: bytes, counted: Mapping[str, Callable[[], Chain]]
    ) -> dict[str, bool]:
        """Count a ticket once, so that a repeated request cannot use up a limit.

        Returns which of what is counted is within its limits, up to the first that is
        not. What comes after that is not counted.
        """
        with self._asking:
            fits = {
                what: self._verdicts[what, ticket]
                for what in counted
                if (what, ticket) in self._verdicts
            }
            if all(fits.values()):
                new = [what for what in counted if what not in fits]
                refused = self._count(*(counted[what]() for what in new))
                # What was refused ends it, so there may be fewer answers.
                fits |= {w: hit is None for w, hit in zip(new, refused, strict=False)}
                self._verdicts |= {(what, ticket): fits[what] for what in fits}
            while len(self._verdicts) > MOST_VERDICTS:
                self._verdicts.popitem(last=False)
            return fits

    def may_sign_in(self, *, network: str, email: str) -> bool:
        """Count one try to sign in, for its network and for its address."""
        return self._fits(
            *self._hits(self._sign_in, "sign-in", network),
            *self._hits(self._sign_in, "sign-in", email),
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
        alarm = Hit(self._alarm, "box codes")
        if self.is_guessing() and self._count([alarm]) == [None]:
            log.error("box codes are being guessed", count=self._wrong_codes[0].amount)

    def is_guessing(self) -> bool:
        """Return whether somebody tries box codes, wherever they come from."""
        return not self._has_room(self._wrong_codes, "all box codes")

    def _has_room(
        self, limits: list[RateLimitItem], scope: str, *who: str | int
    ) -> bool:
        return self._count(self._looks(limits, scope, *who)) == [None]

    def _hit(self, limits: list[RateLimitItem], scope: str, *who: str | int) -> bool:
        return self._fits(*self._hits(limits, scope, *who))

    def _fits(self, *hits: Hit) -> bool:
        return self._count(hits) == [None]

    def _count(self, *chains: Chain) -> list[Hit | None]:
        """Note the hits of each chain; the log says which was one too many."""
        if not chains:
            return []
        refused = self._window.count(*chains)
        for hit in refused:
            if hit is not None and hit.scope:
                log.warning("limit reached", scope=hit.scope)
        return refused

    def _hits(
        self, limits: list[RateLimitItem], scope: str, *who: str | int
    ) -> list[Hit]:
        key = self._key(scope, *who)
        return [Hit(limit, key, scope) for limit in limits]

    def _looks(
        self, limits: list[RateLimitItem], scope: str, *who: str | int
    ) -> list[Hit]:
        key = self._key(scope, *who)
        return [Hit(limit, key, is_noted=False) for limit in limits]

    def _key(self, scope: str, *who: str | int) -> str:
        return self._vault.hashed("limit", scope, *who).hex()


class _MachineWindow:
    """Counts in a file of the machine, or in this process while that cannot be used."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._meanwhile = _OwnWindow()

    def count(self, *chains: Chain) -> list[Hit | None]:
        """Note hits as `count_chains` does."""
        try:
            return self._tally.count(*chains)
        except TallyError:
            return self._meanwhile.count(*chains)


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
