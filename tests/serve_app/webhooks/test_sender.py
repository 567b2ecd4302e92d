"""The sender against servers on loopback: what it sends, what it takes for an answer, and where."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from serve_app.webhooks.destinations import Destinations
from serve_app.webhooks.errors import NoAnswerError, RefusedAddressError, UnknownHostError
from serve_app.webhooks.sender import EXCERPT_BYTES, Sender

NAME = "receiver.example"


class Server:
    """Answers every request with the same bytes, and keeps what came."""

    def __init__(self, answer: bytes, *, hang: bool = False) -> None:
        self.answer = answer
        self.hang = hang
        self.requests: list[bytes] = []
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().splitlines()
            if line.startswith(b"content-length")
        )
        self.requests.append(head + await reader.readexactly(length))
        writer.write(self.answer)
        if self.hang:
            await reader.read()  # until the other side has had enough
        writer.close()

    async def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def serving(
    answer: bytes, *, hang: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    server = Server(answer, hang=hang)
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await server.close()


def sender(
    *found: str, private: bool = True, tls: ssl.SSLContext | None = None, seconds: float = 5.0
) -> Sender:
    async def resolve(host: str, _: int) -> Sequence[str]:
        assert host == NAME
        return found

    return Sender(Destinations(private, frozenset(), resolve), attempt_seconds=seconds, tls=tls)


def answered(status: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def test_a_post_arrives_as_it_is_under_the_name_of_the_receiver():
    async with serving(answered("204 No Content")) as server:
        url = f"http://{NAME}:{server.port}/a/b?c=d"
        answer = await sender("127.0.0.1").post(url, {"webhook-id": "msg_1"}, b'{"a": "\xc3\xa9"}')
    assert answer.status == 204
    (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert body == b'{"a": "\xc3\xa9"}'
    lines = head.decode().lower().splitlines()
    assert lines[0] == "post /a/b?c=d http/1.1"
    assert f"host: {NAME}:{server.port}" in lines
    assert "webhook-id: msg_1" in lines


@pytest.mark.parametrize(
    "target", ["/a;b/c;d?e=f;g", "/;", "/?a;b", "/a;b", "/a//b;c=1?d=%3B&e=;", "//a;b@c"]
)
async def test_every_character_of_the_target_arrives(target: str):
    async with serving(answered("200 OK")) as server:
        url = f"http://{NAME}:{server.port}{target}"
        await sender("127.0.0.1").post(url, {}, b"{}")
    (request,) = server.requests
    assert request.splitlines()[0] == f"POST {target} HTTP/1.1".encode()


async def test_without_a_path_it_is_the_root():
    async with serving(answered("200 OK")) as server:
        for rest in ("", "?a=1"):
            await sender("127.0.0.1").post(f"http://{NAME}:{server.port}{rest}", {}, b"{}")
    lines = [request.splitlines()[0] for request in server.requests]
    assert lines == [b"POST / HTTP/1.1", b"POST /?a=1 HTTP/1.1"]


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "299 Fine"])
async def test_a_body_after_a_success_is_not_waited_for(status: str):
    endless = f"HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    async with serving(endless, hang=True) as server:
        answer = await sender().post(f"http://127.0.0.1:{server.port}/", {}, b"{}")
    assert (answer.status, answer.excerpt) == (int(status[:3]), "")


async def test_a_redirect_is_an_answer_and_not_followed():
    async with serving(answered("200 OK")) as elsewhere:
        to = f"Location: http://127.0.0.1:{elsewhere.port}/"
        async with serving(answered("307 Temporary Redirect", to)) as server:
            answer = await sender().post(f"http://127.0.0.1:{server.port}/", {}, b"{}")
    assert answer.status == 307
    assert elsewhere.requests == []


async def test_of_a_refusal_the_beginning_is_kept_printable():
    body = b"no\r\n\x1b[31m\xff " + b"x" * 100_000
    async with serving(answered("500 Oops", body=body)) as server:
        answer = await sender().post(f"http://127.0.0.1:{server.port}/", {}, b"{}")
    assert answer.status == 500
    assert answer.excerpt.startswith("no   [31m")
    assert answer.excerpt.isprintable()
    assert len(answer.excerpt) <= EXCERPT_BYTES


async def test_the_status_counts_though_its_body_never_ends(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("serve_app.webhooks.sender.EXCERPT_SECONDS", 0.05)
    begun = b"HTTP/1.1 410 Gone\r\nContent-Length: 9\r\n\r\ngone"
    async with serving(begun, hang=True) as server:
        answer = await sender().post(f"http://127.0.0.1:{server.port}/", {}, b"{}")
    assert (answer.status, answer.excerpt) == (410, "gone")


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("120", 120, 120),
        (format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True), 6_000, 7_200),
        (format_datetime(datetime.now(UTC) - timedelta(hours=2), usegmt=True), 0, 0),
    ],
    ids=["seconds", "to come", "over"],
)
async def test_retry_after_in_both_of_its_forms(value: str, least: float, most: float):
    async with serving(answered("503 Busy", f"Retry-After: {value}")) as server:
        answer = await sender().post(f"http://127.0.0.1:{server.port}/", {}, b"{}")
    assert answer.retry_after is not None
    assert least <= answer.retry_after <= most


@pytest.mark.parametrize("value", ["soon", "-5", "1e9", "9" * 100, "²"])
async def test_a_retry_after_that_says_nothing(value: str):
    async with serving(
        answered("429 Wait", "X-Y: z").replace(b"z", f"z\r\nRetry-After: {value}".encode("latin-1"))
    ) as server:
        answer = await sender().post(f"http://127.0.0.1:{server.port}/", {}, b"{}")
    assert (answer.status, answer.retry_after) == (429, None)


async def test_what_never_answers_is_given_up():
    async with serving(b"", hang=True) as server:
        with pytest.raises(NoAnswerError, match=r"within 0\.05 s"):
            await sender(seconds=0.05).post(f"http://127.0.0.1:{server.port}/", {}, b"{}")


@pytest.mark.parametrize(
    "answer", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000]
)
async def test_what_is_no_http_is_no_answer(answer: bytes):
    async with serving(answer) as server:
        with pytest.raises(NoAnswerError, match="no answer"):
            await sender().post(f"http://127.0.0.1:{server.port}/", {}, b"{}")


async def test_nobody_listens():
    async with serving(b"") as server:
        port = server.port
    with pytest.raises(NoAnswerError, match="no answer"):
        await sender().post(f"http://127.0.0.1:{port}/", {}, b"{}")


async def test_the_next_address_is_tried():
    async with serving(answered("200 OK")) as server:
        answer = await sender("::1", "127.0.0.1").post(f"http://{NAME}:{server.port}/", {}, b"{}")
    assert answer.status == 200


# --- whom it calls ---------------------------------------------------------------------------


class Rebinding:
    """A name server that answers another address each time, as an attacker's does."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, _: str, __: int) -> Sequence[str]:
        self.asked += 1
        return [self.answers.pop(0)]


async def test_a_name_that_is_rebound_after_its_registration_is_not_called():
    async with serving(answered("200 OK")) as server:
        names = Rebinding("1.1.1.1", "127.0.0.1")
        destinations = Destinations(False, frozenset(), names)
        url = f"https://{NAME}:{server.port}/"
        await destinations.expect_reachable(url)
        with pytest.raises(RefusedAddressError, match="public"):
            await Sender(destinations).post(url, {}, b"{}")
        assert server.requests == []


async def test_the_address_that_was_judged_is_the_one_that_is_called():
    """A second look at the name server, between judgement and connection, would go elsewhere."""
    async with serving(answered("200 OK")) as server:
        names = Rebinding("127.0.0.1", "192.0.2.1")
        destinations = Destinations(True, frozenset(), names)
        answer = await Sender(destinations).post(f"http://{NAME}:{server.port}/", {}, b"{}")
    assert answer.status == 200
    assert names.asked == 1


async def test_each_sending_asks_anew():
    async with serving(answered("200 OK")) as server:
        names = Rebinding("127.0.0.1", "127.0.0.1")
        sending = Sender(Destinations(True, frozenset(), names))
        for _ in range(2):
            await sending.post(f"http://{NAME}:{server.port}/", {}, b"{}")
    assert names.asked == 2


async def test_what_the_settings_no_longer_allow_is_not_called():
    with pytest.raises(RefusedAddressError):
        await sender(private=False).post("http://127.0.0.1:9/", {}, b"{}")
    with pytest.raises(UnknownHostError):
        await sender(private=False).post("https://receiver.invalid/", {}, b"{}")


# --- TLS -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of `NAME`, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "receiver.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def test_the_certificate_is_that_of_the_name_though_an_address_is_called(
    certificate: Path, server_tls: ssl.SSLContext
):
    asked: list[str | None] = []
    server_tls.sni_callback = lambda _, name, __: asked.append(name)
    trusting = ssl.create_default_context(cafile=certificate)
    async with serving(answered("200 OK"), tls=server_tls) as server:
        url = f"https://{NAME}:{server.port}/"
        answer = await sender("127.0.0.1", tls=trusting).post(url, {}, b"{}")
    assert answer.status == 200
    assert asked == [NAME]


async def test_a_certificate_that_nobody_vouches_for_or_of_another_name_is_refused(
    certificate: Path, server_tls: ssl.SSLContext
):
    trusting = ssl.create_default_context(cafile=certificate)
    async with serving(answered("200 OK"), tls=server_tls) as server:
        with pytest.raises(NoAnswerError, match="certificate verify failed"):
            await sender("127.0.0.1").post(f"https://{NAME}:{server.port}/", {}, b"{}")
        with pytest.raises(NoAnswerError, match="certificate verify failed"):
            await sender(tls=trusting).post(f"https://127.0.0.1:{server.port}/", {}, b"{}")
    assert server.requests == []
