"""Proof of work by the visitor's browser, asked only under suspicion (AB-02, T15).

The scheme is ALTCHA's second one, hosted by ourselves. A challenge is bound to a
ticket, and a ticket makes one entry: a solution that was used is worth nothing more,
and no list of used ones has to be kept or shared.
"""

import base64
import json
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from flask import request

from server import clock
from server.domain import suspicion
from server.domain.entry import Step, Submission, Ticket
from server.domain.seals import Vault
from server.domain.suspicion import Sign, Traits
from server.services.campaigns import Live
from server.views import client
from server.views.house import limiter, proofs, settings

log = structlog.get_logger()

# Browsers do these beside the page: some 2 ms a try on a laptop, 5 on a phone.
ALGORITHM = "PBKDF2/SHA-256"
ROUNDS = 5_000
LEAST_TRIES = 100
MOST_TRIES = 200
LIFE = timedelta(minutes=20)
LONGEST = 2_000


def is_due(live: Live, submission: Submission, step: Step, ticket: Ticket) -> bool:
    """Return whether this browser has to do a sum first: it looks like a robot's.

    A tablet at a till is registered and looked after, so it never has to.
    """
    if ticket.device:
        return False
    now = clock.now()
    found = _signs(live, submission, step, ticket, now=now)
    solution = request.form.get("proof", "")
    if not found or proofs().is_solved(solution, ticket.id, now=now):
        return False
    log.info("proof asked", signs=" ".join(found), campaign=live.campaign.code)
    return True


def _signs(
    live: Live, submission: Submission, step: Step, ticket: Ticket, *, now: datetime
) -> list[Sign]:
    """Return what speaks against a person: of the form first, then of the crowd."""
    least = timedelta(seconds=settings().least_fill_seconds)
    asks = bool(submission.consents)
    is_play, is_named = step is not Step.CLAIM, step is not Step.PLAY
    traits = Traits(
        trap=submission.trap if is_named else None,
        took=now - ticket.shown_at if is_named else None,
        address=submission.address if is_named else None,
        # While box codes are being guessed, a right one costs a sum as well (T14).
        is_rush=is_play and bool(ticket.box) and limiter().is_guessing(),
        is_spike=asks and live.is_guarded(now),
    )
    pressure = limiter().pressure(
        ticket=ticket.id,
        network=client.network(),
        shop_id=live.shop_id,
        campaign=live.campaign.code,
        is_play=is_play,
        asks=asks,
        is_suspect=bool(suspicion.signs(traits, least=least)),
    )
    is_rush = traits.is_rush or pressure.is_rush
    all_traits = replace(traits, is_crowd=pressure.is_crowd, is_rush=is_rush)
    return suspicion.signs(all_traits, least=least)


class Proofs:
    """Sets challenges and checks solutions, with keys that all our processes share.

    What does the sums is loaded by the first suspicion: not every server has one, and
    it takes a tenth of the time in which a server starts.
    """

    def __init__(self, vault: Vault) -> None:
        self._key = vault.hashed("proof of work", "challenge")
        self._answer_key = vault.hashed("proof of work", "answer")

    def challenge(self, ticket: bytes, *, now: datetime) -> str:
        """Return a fresh challenge for one ticket, as JSON."""
        import altcha

        tries = LEAST_TRIES + secrets.randbelow(MOST_TRIES - LEAST_TRIES)
        challenge = altcha.create_challenge(
            ALGORITHM,
            ROUNDS,
            counter=tries,
            # Not its own expiry, which would ask another clock than ours.
            data={"ticket": ticket.hex(), "until": int((now + LIFE).timestamp())},
            hmac_secret=self._key,
            hmac_key_secret=self._answer_key,
        )
        return json.dumps(challenge.to_dict())

    def is_solved(self, solution: str, ticket: bytes, *, now: datetime) -> bool:
        """Return whether it solves a challenge that was set for this very ticket."""
        if not solution or len(solution) > LONGEST:
            return False
        import altcha

        result = altcha.verify_solution(
            solution, self._key, hmac_key_secret=self._answer_key
        )
        if not result.verified:
            return False
        # What we have signed has this shape.
        asked = json.loads(base64.b64decode(solution))["challenge"]["parameters"][
            "data"
        ]
        is_same: bool = asked["ticket"] == ticket.hex()
        return is_same and now.timestamp() <= asked["until"]
