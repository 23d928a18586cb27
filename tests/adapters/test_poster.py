"""What is posted to a recipient, to whom it is not, and how long that may take (T9)."""

import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path

import pytest

from server.adapters.poster import LONGEST_ANSWER_BYTES, Poster, PostError
from server.domain import webhook
from tests.receivers import LOOPBACKS, Mode, certificate, listening
from tests.waiting import until

BODY = b'{"type":"webhook.test"}'
NAME = "receiver.test"


@pytest.fixture
def receiver():
    with listening() as made:
        yield made


def near(**options):
    """Return a poster that may reach the loopback."""
    return Poster(networks=[LOOPBACKS], **{"seconds": 5} | options)


def unanswered_calls(host, port):
    """Return how many calls to an address are on their way, as Linux counts them."""
    syn_sent = "02"
    spelled = f"{ip_address(host).packed[::-1].hex().upper()}:{port:04X} {syn_sent}"
    return Path("/proc/net/tcp").read_text().count(spelled)


def from_now(*, hours: int) -> str:
    """Return a moment as HTTP spells it."""
    return format_datetime(datetime.now(UTC) + timedelta(hours=hours))


class TestAnswers:
    def test_the_body_and_the_headers_arrive(self, receiver):
        answer = near().post(f"{receiver.url}?a=b", BODY, {"webhook-id": "msg_1"})

        assert (answer.status, answer.wish) == (200, None)
        (heard,) = receiver.heard
        assert (heard.path, heard.body, heard.id) == ("/hook?a=b", BODY, "msg_1")
        assert heard.headers["content-type"] == "application/json"
        assert heard.headers["host"] == f"127.0.0.1:{receiver.port}"

    def test_a_redirect_is_an_answer_and_not_followed(self, receiver):
        receiver.mode = Mode.MOVED

        assert near().post(receiver.url, BODY, {}).status == 301
        assert receiver.connections == 1

    def test_a_wish_to_be_left_alone_is_read_up_to_an_hour(self, receiver):
        receiver.mode = Mode.BUSY

        assert near().post(receiver.url, BODY, {}).wish == timedelta(seconds=120)

    @pytest.mark.parametrize(
        ("told", "least", "most"),
        [
            pytest.param("999999999999", 3600, 3600, id="seconds"),
            pytest.param(from_now(hours=9), 3600, 3600, id="later"),
            pytest.param(from_now(hours=-9), 0, 0, id="past"),
        ],
    )
    def test_a_wish_can_be_a_date(self, told, least, most):
        from server.adapters.poster import _wish

        assert least <= _wish(told, 503).total_seconds() <= most
        assert _wish("soon", 429) is None and _wish(told, 500) is None

    @pytest.mark.parametrize("zone", ["+9999", "+99999999999999999999"])
    def test_a_wish_from_no_zone_on_earth_is_none(self, zone):
        from server.adapters.poster import _wish

        assert _wish(f"Mon, 01 Jan 2024 00:00:00 {zone}", 503) is None

    def test_of_a_huge_answer_little_is_read(self, receiver):
        receiver.mode = Mode.HUGE
        began = time.monotonic()

        assert near().post(receiver.url, BODY, {}).status == 200
        assert time.monotonic() - began < 2
        assert LONGEST_ANSWER_BYTES == 64 * 1024

    @pytest.mark.parametrize("mode", [Mode.SLOW, Mode.DRIP])
    def test_a_try_ends_in_its_time_however_the_answer_drips(self, receiver, mode):
        receiver.mode = mode
        began = time.monotonic()

        with pytest.raises(PostError, match="no answer in time"):
            near(seconds=0.5).post(receiver.url, BODY, {})
        assert 0.4 < time.monotonic() - began < 2

    def test_a_try_ends_in_its_time_though_it_is_told_to_go_on_for_ever(self):
        """RFC 9110 section 15.2: any number of 1xx may come before the answer."""
        going_on = b"HTTP/1.1 100 Continue\r\n\r\n"

        def answer():
            call, _ = listener.accept()
            with call, suppress(OSError):
                while not is_over.wait(0.02):
                    call.sendall(going_on)

        is_over, began = threading.Event(), time.monotonic()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            with ThreadPoolExecutor(1) as pool:
                pool.submit(answer)
                with pytest.raises(PostError, match="no answer in time"):
                    near(seconds=0.5).post(url, BODY, {})
                is_over.set()
        assert 0.4 < time.monotonic() - began < 2

    @pytest.mark.parametrize("mode", [Mode.CUT, Mode.NOISE])
    def test_what_is_no_answer_is_a_failure(self, receiver, mode):
        receiver.mode = mode

        with pytest.raises(PostError):
            near().post(receiver.url, BODY, {})

    def test_nobody_listens(self, receiver):
        receiver.stop()

        with pytest.raises(PostError, match="no connection"):
            near().post(receiver.url, BODY, {})

    def test_a_name_that_nobody_knows(self):
        with pytest.raises(PostError, match="name not found"):
            near().post("https://nobody.invalid/", BODY, {})

    def test_a_name_server_that_is_slow_ends_with_the_try(self):
        is_over, answered = threading.Event(), threading.Event()

        def slow(host, port):
            is_over.wait(20)
            answered.set()
            return ["127.0.0.1"]

        try:
            with pytest.raises(PostError, match="name not found in time"):
                near(seconds=0.3, resolver=slow).post("http://a.test/", BODY, {})
            assert not answered.is_set()
        finally:
            is_over.set()

    def test_a_proxy_of_the_environment_is_not_asked(self, receiver, monkeypatch):
        with listening() as proxy:
            for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            near().post(receiver.url, BODY, {})

            assert proxy.connections == 0 and len(receiver.heard) == 1

    def test_cutting_ends_what_is_under_way(self, receiver):
        receiver.mode = Mode.SLOW
        poster = near(seconds=30)
        with ThreadPoolExecutor(1) as pool:
            posting = pool.submit(poster.post, receiver.url, BODY, {})
            until(lambda: receiver.heard)
            poster.cut()
            with pytest.raises(PostError):
                posting.result(timeout=5)


class TestSilence:
    """Of what does not answer, at any step, none keeps the worker from its end."""

    @pytest.fixture
    def silent(self):
        """Return a port that takes connections and says nothing."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            yield listener

    @pytest.fixture
    def deaf(self, receiver):
        """Return an address, with the receiver's port, whose queue is full."""
        with ExitStack() as stack:
            listener = stack.enter_context(socket.socket())
            listener.bind(("127.0.0.2", receiver.port))
            listener.listen(0)
            for _ in range(4):
                caller = stack.enter_context(socket.socket())
                caller.setblocking(False)
                caller.connect_ex(listener.getsockname())
            yield "127.0.0.2"

    def cut_ends(self, poster, url, is_waiting):
        with ThreadPoolExecutor(1) as pool:
            posting = pool.submit(poster.post, url, BODY, {})
            until(is_waiting)
            began = time.monotonic()
            poster.cut()
            with pytest.raises(PostError):
                posting.result(timeout=20)
            assert time.monotonic() - began < 2

    def test_cutting_ends_a_handshake_that_nobody_answers(self, silent):
        def greeted():
            call, _ = silent.accept()
            calls.append(call)
            return call.recv(1)

        calls = []
        port = silent.getsockname()[1]
        self.cut_ends(near(seconds=15), f"https://127.0.0.1:{port}/", greeted)
        calls[0].close()

    def test_cutting_ends_the_wait_for_a_connection(self, deaf, receiver):
        before = unanswered_calls(deaf, receiver.port)
        self.cut_ends(
            near(seconds=15),
            f"http://{deaf}:{receiver.port}/",
            lambda: unanswered_calls(deaf, receiver.port) > before,
        )

    def test_cutting_ends_the_wait_for_a_name(self):
        asked, is_over = threading.Event(), threading.Event()

        def slow(host, port):
            asked.set()
            is_over.wait(20)
            return ["127.0.0.1"]

        try:
            poster = near(seconds=15, resolver=slow)
            self.cut_ends(poster, "http://a.test/", asked.is_set)
        finally:
            is_over.set()

    def test_an_address_that_is_silent_leaves_time_for_the_next(self, deaf, receiver):
        poster = near(seconds=4, resolver=lambda *_: [deaf, "127.0.0.1"])

        answer = poster.post(f"http://crm.test:{receiver.port}/", BODY, {})

        assert answer.status == 200


class TestEncryption:
    @pytest.fixture
    def named(self, tmp_path):
        public, both = certificate(tmp_path, NAME)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        with listening(context=context) as made:
            yield made, str(public)

    def post(self, receiver, *, host=NAME, **options):
        poster = near(resolver=lambda host, port: ["127.0.0.1"], **options)
        return poster.post(f"https://{host}:{receiver.port}/", BODY, {})

    def test_the_name_is_checked_though_the_address_is_pinned(self, named):
        receiver, trusted = named

        assert self.post(receiver, trusted=trusted).status == 200
        assert receiver.heard[0].headers["host"] == f"{NAME}:{receiver.port}"

    def test_another_name_is_not_trusted(self, named):
        receiver, trusted = named

        with pytest.raises(PostError, match="no trusted encryption"):
            self.post(receiver, host="another.test", trusted=trusted)
        assert receiver.heard == []

    def test_nobody_who_signed_for_themselves_is_trusted(self, named):
        with pytest.raises(PostError, match="no trusted encryption"):
            self.post(named[0])

    def test_plain_text_is_no_encryption(self, receiver):
        with pytest.raises(PostError, match="no trusted encryption"):
            self.post(receiver)


# Spellings of places that no recipient can be at. The C library reads most of them.
HOSTILE_HOSTS = [
    *("127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.1"),
    *(
        "017700000001",
        "0x7f.0.0.1",
        "127.000.000.001",
        "127.255.255.254",
        "0",
        "0.0.0.0",  # noqa: S104  # not bound to
    ),
    *("localhost", "localhost.", "LOCALHOST", "10.0.0.1", "10.255.255.255"),
    *("172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "0xa9fea9fe"),
    *("2852039166", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1"),
    *("[2001:0:7f00:1::]", "[::ffff:0:127.0.0.1]", "[fd00:ec2::254]"),
    *("192.0.0.192", "192.0.0.9", "[2001::7f00:1]", "[2001:20::1]", "[2001:1::1]"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
    *("255.255.255.255", "192.88.99.1", "[::1]", "[::]", "[::ffff:127.0.0.1]"),
    *("[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[64:ff9b::7f00:1]"),
    *("[2002:7f00:1::]", "[fc00::1]", "[fd12:3456::1]", "[fe80::1]", "[fec0::1]"),
    *(
        "[ff02::1]",
        "[2001:db8::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[3fff::1]",
        "[5f00::1]",
        "[64:ff9b:1::7f00:1]",
    ),
]
HOSTILE_URLS = [
    *(
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com",
    ),
    *("gopher://example.com/", "https://user@example.com/", "https://a:b@example.com/"),
    *("https://example.com:8443/", "https://example.com:22/", "https://example.com:0/"),
    *("https://example.com:99999/", "https://exa mple.com/", "https:///x", "https://"),
    *("https://①②⑦.0.0.1/", "https://127。0。0。1/", "https://[::1%25lo]/"),
    *("https://example.com\\@127.0.0.1/", "https://example.com/#x", "javascript:1"),
    *("https://127.0.0.1\\@example.com/", "https://example.com#@127.0.0.1/"),
    *("https://example.com@127.0.0.1/", "https://[fe80::1%lo]/"),
    *("https://example.com/\r\nHost: a", "https://[::1/", "https://éxample.com/"),
    "https://" + "a" * 600,
]


@pytest.mark.parametrize("host", HOSTILE_HOSTS)
def test_no_spelling_leads_into_the_house(host):
    """T9, black-box: nothing is even connected to."""
    with pytest.raises(PostError) as caught:
        Poster(seconds=5).post(f"https://{host}/", BODY, {})

    # What the C library cannot read leads nowhere either.
    assert caught.value.why in {"address not allowed", "name not found"}


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_no_address_that_is_odd_is_posted_to(url):
    assert webhook.fault(url) is not None
    with pytest.raises(PostError, match=r"address not allowed|name not found"):
        Poster(seconds=5).post(url, BODY, {})


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://example.com",
            "https://example.com/",
            "https://example.com:443/a?b=c",
        ),
        *(
            "https://xn--bcher-kva.example/hook",
            "https://93.184.216.34/",
            "https://a.b./",
        ),
    ],
)
def test_ordinary_addresses_are_fine(url):
    assert webhook.fault(url) is None


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(monkeypatch):
    """T9: a name server that says public first and 127.0.0.1 then gains nothing."""
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    asked, connected = [], []

    def rebinding(host, port):
        asked.append(host)
        return answers[len(asked) - 1]

    def no_network(_socket, place):
        connected.append(place)
        raise OSError

    monkeypatch.setattr("socket.socket.connect", no_network)
    with pytest.raises(PostError, match="no connection"):
        Poster(resolver=rebinding).post("https://rebind.test/", BODY, {})

    assert asked == ["rebind.test"]
    assert connected == [("93.184.216.34", 443)]


def test_one_bad_address_among_good_ones_spoils_the_name():
    poster = Poster(seconds=1, resolver=lambda *_: ["93.184.216.34", "10.0.0.1"])

    with pytest.raises(PostError, match="address not allowed"):
        poster.post("https://mixed.test/", BODY, {})


def test_networks_of_ones_own_open_nothing_else(receiver):
    """The setting opens a network, and neither another nor `http` to the world."""
    poster = Poster(networks=["10.1.0.0/16"], seconds=1)
    for url in (receiver.url, "https://127.0.0.1/", "http://93.184.216.34/"):
        with pytest.raises(PostError, match="address not allowed"):
            poster.post(url, BODY, {})

    assert receiver.connections == 0
