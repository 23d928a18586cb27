"""What a piece of evidence says, as the bytes that are sealed.

    packed = zlib(JSON) || trace without its nonce

The stream is one of RFC 1950 with a preset dictionary, which its bytes 2 to 5 name by
Adler-32. Its own end tells where the trace begins: a network address that is sealed
under the key of its month, or nothing. Its nonce is that of the piece itself: fresh for
each, and used once under each of two keys. What earlier versions wrote is the JSON
alone, which begins with `{` as no stream does, with the trace in hex under `trace`.
Both are read for as long as the ledger names them.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any

from server.domain.seals import NONCE_BYTES, SealError

# Far beyond what a form, a link or a row of an import makes.
AT_MOST_BYTES = 1_000_000

# Enough to tell apart what one person has; the ledger has the whole hash.
NAME_BYTES = 8

# Never to be changed: whatever was stored with it could not be read any more. Words for
# new keys need another dictionary beside it, which its own Adler-32 tells apart.
# Frequent words stand near the end, where a reference to them is shortest.
DICTIONARY = (
    b'"first_at":"given_on":"row":{"source":"method":"text":"date":"collected":"order":'
    b'"removed":"corrected":"postcode"email_before":"smtp_answer":"renews":'
    b'{"act":"unproven","at":"{"act":"soft_opt_in","at":"{"act":"objected","at":"'
    b'{"act":"restricted","at":"{"act":"restriction_ended","at":"{"act":"accessed",'
    b'"at":"{"act":"erased","at":"{"act":"refused","at":"{"act":"rectified","at":"'
    b'{"act":"lapsed","at":"{"act":"declined_not_me","at":"{"act":"superseded","at":"'
    b'{"act":"expired","at":".000000+00:00"}'
    b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    b"Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
    b"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    b"SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36"
    b"Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    b"Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1 GSA/380.0 [FBAN/FBIOS;FBAV/"
    b"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    b"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, "
    b"like Gecko) Version/18.6 Safari/605.1.15"
    b"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like "
    b"Gecko) Chrome/140.0.0.0 Safari/537.36 OPR/"
    b"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
    b"(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
    b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    b"Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
    b"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    b"Chrome/140.0.0.0 Mobile Safari/537.36"
    b'{"act":"doi_sent","at":"2026-","body_sha256":"0123456789abcdef","message_id":"<'
    b'@jawoord.nl>","smtp_answer":"250 2.0.0 OK Ok: queued as ","to_host":"gmail.com'
    b'hotmail.com"}outlook.com"}ziggo.nl"}kpnmail.nl"}live.nl"}icloud.com"}'
    b'{"act":"withdrawn","at":"2027-{"act":"given","at":"2026-","link":1,"month":"2026-"'
    b',"network":"2a02:::/48","suspect":["scanner","fast"],"user_agent":""}'
    b'{"act":"requested","at":"2026-12-01T10:20:30.450000+00:00","controller":" B.V.",'
    b'"email":"info@outlook.com@hotmail.com@gmail.com","month":"2026-12","network":"'
    b'.0.0.0/24","no":[],"page":"http://localhost:https://www..com/.be/.nl/","user_agent'
    b'":"Mozilla/5.0 (","yes":["offers","personal_offers","newsletter"]}'
)


def name_of(digest: bytes) -> bytes:
    """Return by which name its person has the piece with this SHA-256."""
    return digest[:NAME_BYTES]


def packed(told: Mapping[str, Any], trace: bytes) -> bytes:
    """Return the bytes of a piece of evidence. What is too long stays as it is.

    A trace begins with the nonce under which the piece itself is going to be sealed.
    """
    plain = _written(told)
    if len(plain) > AT_MOST_BYTES:
        return _written({**told, "trace": trace.hex()} if trace else told)
    # The usual window and memory would be a quarter of a megabyte, cleared each time.
    stream = zlib.compressobj(wbits=12, memLevel=5, zdict=DICTIONARY)
    return stream.compress(plain) + stream.flush() + trace[NONCE_BYTES:]


def unpacked(plain: bytes, *, nonce: bytes) -> tuple[dict[str, Any], bytes]:
    """Return what evidence says, and its trace. Raises `SealError`.

    `nonce` is that of the piece itself. No stream is read beyond `AT_MOST_BYTES`.
    """
    told: dict[str, Any]
    if plain.startswith(b"{"):
        told = json.loads(plain)
        return told, bytes.fromhex(told.pop("trace", ""))
    stream, trace = _inflated(plain)
    told = json.loads(stream)
    return told, nonce + trace if trace else b""


def _written(told: Mapping[str, Any]) -> bytes:
    """Return JSON; sorted, so that its names stand as the dictionary has them."""
    return json.dumps(
        told, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


def _inflated(stream: bytes) -> tuple[bytes, bytes]:
    reader = zlib.decompressobj(zdict=DICTIONARY)
    try:
        plain = reader.decompress(stream, AT_MOST_BYTES + 1)
    except zlib.error as error:
        raise SealError("evidence in a form that this version cannot read") from error
    if not reader.eof or len(plain) > AT_MOST_BYTES:
        raise SealError("evidence that is longer than any of ours, or was cut off")
    return plain, reader.unused_data
