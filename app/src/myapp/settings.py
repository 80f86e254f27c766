"""Settings as people write them: of the environment and of options, read into what the server means by them.

Each function raises ValueError with a sentence, which does not begin with a capital, where it cannot.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

EVERY = ""  # the address that stands for all of this machine
SCHEMES = {"http": 80, "https": 443, "ws": 80, "wss": 443}
LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
NAME = rf"{LABEL}(\.{LABEL})*"
DAY = 86_400.0  # seconds


def port(text: str) -> int:
    """Read a TCP port, 0 to 65535."""
    number = int(text) if re.fullmatch(r"[0-9]{1,5}", text.strip()) else -1
    if 0 <= number <= 65535:
        return number
    raise ValueError(f"{text!r} is no port: a number from 0 to 65535")


def is_of_a_service(text: str) -> bool:
    """Say whether Kubernetes wrote this: beside a Service NAME every pod gets NAME_PORT=tcp://10.96.0.5:5006."""
    return re.match(r"(tcp|udp|sctp)://", text.strip()) is not None


def address(text: str) -> str:
    """Read an address to listen on, or the name of one; EVERY stands for all, of both families."""
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
    except ValueError:  # of what cannot be encoded, too
        raise ValueError(
            f"{text!r} is no address, like 0.0.0.0 or ::1; a port is said by a setting of its own"
        ) from None
    return said


def is_every(address: str) -> bool:
    """Say whether an address, as `address` gives it, stands for all."""
    return address in (EVERY, "0.0.0.0")


def written(address: str) -> str:
    """Write an address as URLs do."""
    if address == EVERY:
        return "0.0.0.0"
    return f"[{address}]" if ":" in address else address


def reached(address: str) -> str:
    """Write the address at which this machine reaches who listens on one, as URLs do."""
    return "127.0.0.1" if is_every(address) else written(address)


def origins(text: str) -> list[str]:
    """Read names of a server, with blanks or commas between them."""
    return [origin(each) for each in re.split(r"[\s,]+", text) if each]


def origin(text: str) -> str:
    """Read a name of a server, with a port or without: as browsers write it, which is in lower case."""
    if text == "*":
        return text
    told = f"{text!r} is no name of a server, like dash.example.com or dash.example.com:8080"
    try:
        parts = urlsplit(text if "://" in text else f"//{_bracketed(text)}")
    except ValueError:
        raise ValueError(f"{told}: its address is none") from None
    if parts.scheme not in ("", *SCHEMES):
        raise ValueError(f"{told}: it may begin with http:// or https://")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{told}: there is more in it")
    try:
        name, number = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(f"{told}: its port is none") from None
    if ":" in name:
        try:
            name = f"[{ipaddress.IPv6Address(name)}]"
        except ValueError:
            raise ValueError(f"{told}: its address is none") from None
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
    """Put brackets around an IPv6 address that has none."""
    try:
        ipaddress.IPv6Address(text.rstrip("/"))
    except ValueError:
        return text
    return f"[{text.rstrip('/')}]"


def sockets(names: list[str]) -> list[str]:
    """Return the origins that pages of these names have, as Bokeh's server matches them.

    A browser leaves out the port that the scheme has anyway, and Bokeh then takes 80 for it.
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
    """Read the path below which a proxy asks for everything; "" is none."""
    path = text.strip().strip("/")
    if not path:
        return ""
    if not re.fullmatch(r"[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*", path) or {".", ".."} & set(path.split("/")):
        raise ValueError(f"{text!r} is no path like /dash: letters, digits and -._~ between slashes")
    return f"/{path}"


def channel(text: str) -> str:
    """Read the URL of a channel; "" is none.

    What is wrong with one is said without it: it may have a password in it, and why a channel cannot be asked is on the
    page for all to read.
    """
    url = text.strip()
    told = "it is no URL of a channel, like https://conda.example.com/stable"
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        where = (
            parts.path.strip("/") if parts.scheme == "file" else parts.scheme in ("http", "https") and parts.hostname
        )
        well = where and parts.port != 0 and re.fullmatch(r"[!-~]+", url)  # a port that is none raises an error
    except ValueError:
        well = False
    if not well:
        raise ValueError(told)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"{told}: no user, password or query can be in it")
    return url


def seconds(text: str) -> float:
    """Read how long to wait, more than nothing and at most a day."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if 0 < number <= DAY:
        return number
    raise ValueError(f"{text!r} is no time: a number of seconds, more than 0")
