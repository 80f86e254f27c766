"""Parsers for the server's settings, from environment variables and options.

Each function raises ValueError with a sentence, which does not begin with a capital, if it cannot read the text.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

EVERY = ""  # means all addresses of this machine
SCHEMES = {"http": 80, "https": 443, "ws": 80, "wss": 443}
LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
NAME = rf"{LABEL}(\.{LABEL})*"
DAY = 86_400.0  # seconds


def port(text: str) -> int:
    """Parse a TCP port, 0 to 65535."""
    number = int(text) if re.fullmatch(r"[0-9]{1,5}", text.strip()) else -1
    if 0 <= number <= 65535:
        return number
    raise ValueError(f"{text!r} is not a port: expected a number from 0 to 65535")


def is_of_a_service(text: str) -> bool:
    """Report whether Kubernetes set this value: for a Service NAME, every pod gets NAME_PORT=tcp://10.96.0.5:5006."""
    return re.match(r"(tcp|udp|sctp)://", text.strip()) is not None


def address(text: str) -> str:
    """Parse an IP address or host name to listen on; EVERY means all addresses of both families."""
    said = text.strip()
    if said.startswith("[") and said.endswith("]"):
        said = said[1:-1]
    if said in (EVERY, "*", "::"):
        return EVERY
    try:
        if ":" in said:
            ipaddress.IPv6Address(said)
        elif not re.fullmatch(NAME, said.encode("idna").decode().lower()):
            raise ValueError
    except ValueError:  # also if the text cannot be encoded
        raise ValueError(f"{text!r} is not an address such as 0.0.0.0 or ::1; the port is a separate setting") from None
    return said


def is_every(address: str) -> bool:
    """Report whether an address, as `address` returns it, means all addresses."""
    return address in (EVERY, "0.0.0.0")


def written(address: str) -> str:
    """Format an address for a URL."""
    if address == EVERY:
        return "0.0.0.0"
    return f"[{address}]" if ":" in address else address


def reached(address: str) -> str:
    """Format, for a URL, the address at which this machine reaches a server that listens on the given address."""
    return "127.0.0.1" if is_every(address) else written(address)


def origins(text: str) -> list[str]:
    """Parse the names of a server, separated by blanks or commas."""
    return [origin(each) for each in re.split(r"[\s,]+", text) if each]


def origin(text: str) -> str:
    """Parse a server's name, with or without a port, and return it in lower case, as browsers send it."""
    if text == "*":
        return text
    told = f"{text!r} is not a server name such as dash.example.com or dash.example.com:8080"
    try:
        parts = urlsplit(text if "://" in text else f"//{_bracketed(text)}")
    except ValueError:
        raise ValueError(f"{told}: the address is not valid") from None
    if parts.scheme not in ("", *SCHEMES):
        raise ValueError(f"{told}: it may begin with http:// or https://")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{told}: only a name and a port may follow")
    try:
        name, number = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(f"{told}: the port is not valid") from None
    if ":" in name:
        try:
            name = f"[{ipaddress.IPv6Address(name)}]"
        except ValueError:
            raise ValueError(f"{told}: the address is not valid") from None
    else:
        name = name.rstrip(".")
        try:
            name = name.encode("idna").decode() if not name.isascii() else name
        except UnicodeError:
            raise ValueError(told) from None
        if not re.fullmatch(NAME, name):
            raise ValueError(told)
    return name if number is None else f"{name}:{number}"


def _bracketed(text: str) -> str:
    """Put brackets around an IPv6 address without brackets."""
    try:
        ipaddress.IPv6Address(text.rstrip("/"))
    except ValueError:
        return text
    return f"[{text.rstrip('/')}]"


def sockets(names: list[str]) -> list[str]:
    """Return the origins of pages with these names, as Bokeh's server matches them.

    A browser leaves out the default port of the scheme, and Bokeh then assumes 80.
    """
    found = []
    for name in names:
        host, colon, number = name.rpartition(":")
        if not colon or name.endswith("]"):
            found += [name, f"{name}:*"] if name.endswith("]") else [name]
        elif number in ("80", "443"):
            found += [f"{host}:80", f"{host}:443", *([host] if host.endswith("]") else [])]
        else:
            found.append(name)
    return found


def prefix(text: str) -> str:
    """Parse the path prefix of a proxy's requests; "" means no prefix."""
    path = text.strip().strip("/")
    if not path:
        return ""
    if not re.fullmatch(r"[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*", path) or {".", ".."} & set(path.split("/")):
        raise ValueError(f"{text!r} is not a path such as /dash: expected letters, digits and -._~ between slashes")
    return f"/{path}"


def channel(text: str) -> str:
    """Parse the URL of a channel; "" means no channel.

    An error does not have the URL, which may have a password in it: the page shows everybody why a channel cannot be
    asked.
    """
    url = text.strip()
    told = "it is not a channel URL such as https://conda.example.com/stable"
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        where = (
            parts.path.strip("/") if parts.scheme == "file" else parts.scheme in ("http", "https") and parts.hostname
        )
        well = where and parts.port != 0 and re.fullmatch(r"[!-~]+", url)  # an invalid port raises an error
    except ValueError:
        well = False
    if not well:
        raise ValueError(told)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"{told}: a user, a password or a query is not allowed")
    return url


def seconds(text: str) -> float:
    """Parse a waiting time, more than zero and at most a day."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if 0 < number <= DAY:
        return number
    raise ValueError(f"{text!r} is not a time: expected a number of seconds, more than 0")
