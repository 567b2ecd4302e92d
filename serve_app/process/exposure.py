"""What the service's processes listen on, beside the service itself, and who can reach it.

Whoever talks to Ray's ports runs code. So its processes listen on loopback, ask for a token, and
here is looked whether that is so.
"""

import http.client
import socket
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

LISTENING = "0A"
PROBE_SECONDS = 1.0
LONGEST_TITLE = 60
REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
METRICS_PATH = "/metrics"
FEED_PATH = "/ws/events"  # a replica of the live feed knows nothing outside its prefix

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP port on which a process takes connections."""

    address: Address
    port: int
    pid: int
    title: str

    @property
    def is_loopback(self) -> bool:
        """Whether this machine alone can reach it."""
        return self.address.is_loopback

    def __str__(self) -> str:
        return f"{self.title} (process {self.pid}) on {self.address} port {self.port}"


def exposure_warnings(
    environment: Mapping[str, str],
    listeners: Collection[Listener],
    asks_for_token: Callable[[Listener], bool | None],
) -> list[str]:
    """What an operator should know of Ray's ports, and what to do about it.

    `asks_for_token` tries a port: whether it refuses who has none, None where it speaks no HTTP.
    gRPC ports are as safe as the cluster's token authentication.
    """
    mode = environment.get("RAY_AUTH_MODE", "")
    with_token = mode.lower() == "token"
    told = []
    if not with_token:
        told.append(
            f"Ray's token authentication is off (RAY_AUTH_MODE={mode!r}): whoever reaches its "
            "ports runs code as this user; leave RAY_AUTH_MODE unset, or set it to token"
        )
    for listener in listeners:
        if listener.is_loopback:
            continue
        refuses = asks_for_token(listener)
        if not (with_token if refuses is None else refuses):
            told.append(
                f"{listener}: other machines can reach it, and it asks for no token; leave "
                "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER and RAY_AUTH_MODE unset, so that Ray stays on "
                "loopback and asks for its token, or close the port to them"
            )
    return told


def asks_for_token(listener: Listener) -> bool | None:
    """Whether an HTTP port refuses a request that has no credentials; None where it is not HTTP.

    One that has none of what is asked for, or does not tell, is not taken to refuse anybody.
    """
    status = _status(listener, METRICS_PATH)
    if status is None:
        return None
    if status == HTTPStatus.NOT_FOUND:
        status = _status(listener, FEED_PATH)
    return status in REFUSALS


def _status(listener: Listener, path: str) -> int | None:
    host = "::1" if listener.address.version == 6 else "127.0.0.1"
    if not listener.address.is_unspecified:
        host = str(listener.address)
    connection = http.client.HTTPConnection(host, listener.port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def listeners_of(pids: Collection[int], proc: Path = Path("/proc")) -> list[Listener]:
    """The TCP ports on which these processes listen; none where there is no /proc (man 5 proc)."""
    ports = dict(_listening(proc))
    found = []
    for pid in pids:
        for inode in _sockets(proc / str(pid)):
            if inode in ports:
                address, port = ports[inode]
                found.append(Listener(address, port, pid, _title(proc / str(pid))))
    return sorted(found, key=lambda one: (one.pid, one.port))


def _listening(proc: Path) -> Iterator[tuple[str, tuple[Address, int]]]:
    """The listening sockets of this network namespace, by inode."""
    for name in ("tcp", "tcp6"):
        try:
            _, *lines = (proc / "net" / name).read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == LISTENING:
                address, _, port = fields[1].partition(":")
                yield fields[9], (_address(address), int(port, 16))


def _address(text: str) -> Address:
    """An address as the kernel prints it: words of 4 bytes in the machine's order."""
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    packed = b"".join(socket.htonl(word).to_bytes(4, "big") for word in words)
    if len(packed) == 4:
        return IPv4Address(packed)
    address = IPv6Address(packed)
    return address.ipv4_mapped or address


def _sockets(process: Path) -> Iterator[str]:
    try:
        for descriptor in (process / "fd").iterdir():
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                yield target.removeprefix("socket:[").removesuffix("]")
    except OSError:
        return  # it has ended


def _title(process: Path) -> str:
    """What a process is called: its program, or the script that Python runs."""
    try:
        text = (process / "cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "a process"
    program, *arguments = text.rstrip("\0 ").split("\0")
    name = program.rpartition("/")[2]
    if name.startswith("python"):
        script = next((one for one in arguments if not one.startswith("-")), name)
        name = script.rpartition("/")[2]
    return name[:LONGEST_TITLE]
