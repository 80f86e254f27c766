import pytest

from myapp import settings


@pytest.mark.parametrize(
    ("text", "names", "origins"),
    [
        ("dash.example.com", ["dash.example.com"], ["dash.example.com"]),
        ("Dash.Example.COM", ["dash.example.com"], ["dash.example.com"]),
        ("https://dash.example.com/", ["dash.example.com"], ["dash.example.com"]),
        ("https://dash.example.com:443/", ["dash.example.com:443"], ["dash.example.com:80", "dash.example.com:443"]),
        ("a.example:8080,b.example", ["a.example:8080", "b.example"], ["a.example:8080", "b.example"]),
        ("a.example, b.example.\n", ["a.example", "b.example"], ["a.example", "b.example"]),
        ("2001:DB8::1", ["[2001:db8::1]"], ["[2001:db8::1]", "[2001:db8::1]:*"]),
        ("http://[::1]:5006", ["[::1]:5006"], ["[::1]:5006"]),
        ("[::1]:443", ["[::1]:443"], ["[::1]:80", "[::1]:443", "[::1]"]),
        ("b\u00fccher.example", ["xn--bcher-kva.example"], ["xn--bcher-kva.example"]),
        ("my_host wss://w.example", ["my_host", "w.example"], ["my_host", "w.example"]),
        ("*", ["*"], ["*"]),
        ("", [], []),
    ],
)
def test_names_of_a_server(text: str, names: list[str], origins: list[str]) -> None:
    assert settings.origins(text) == names
    assert settings.sockets(names) == origins


@pytest.mark.parametrize(
    "text",
    [
        "dash.example.com/path",
        "ftp://dash.example.com",
        "user@dash.example.com",
        "dash.example.com:x",
        "dash.example.com:70000",
        "*.example.com",
        "http://",
        "a..example",
        "-a.example",
        "[::zz]",
        "a.example?x=1",
        "a.example#x",
    ],
)
def test_invalid_names_of_a_server(text: str) -> None:
    with pytest.raises(ValueError, match="not a server name"):
        settings.origins(text)


@pytest.mark.parametrize(
    ("text", "written", "reached"),
    [
        ("127.0.0.2", "127.0.0.2", "127.0.0.2"),
        ("::1", "[::1]", "[::1]"),
        ("[::1]", "[::1]", "[::1]"),
        ("::", "0.0.0.0", "127.0.0.1"),
        ("[::]", "0.0.0.0", "127.0.0.1"),
        ("*", "0.0.0.0", "127.0.0.1"),
        ("", "0.0.0.0", "127.0.0.1"),
        ("0.0.0.0", "0.0.0.0", "127.0.0.1"),
        ("status.example", "status.example", "status.example"),
        ("fe80::1%lo", "[fe80::1%lo]", "[fe80::1%lo]"),
        ("LOCALHOST", "LOCALHOST", "LOCALHOST"),
        ("b\u00fccher.example", "b\u00fccher.example", "b\u00fccher.example"),
    ],
)
def test_addresses(text: str, written: str, reached: str) -> None:
    address = settings.address(text)
    assert (settings.written(address), settings.reached(address)) == (written, reached)


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0:5006", "[::]:5006", "http://0.0.0.0", "a b", "a..b", "x" * 64, "::g", "[localhost", "-a", "a/b", "a,b"],
)
def test_invalid_addresses(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address such as"):
        settings.address(text)


@pytest.mark.parametrize(
    "text", ["", "https://conda.example.com/stable", "http://[::1]:8080/c/", "HTTP://host:1", "file:///srv/channel"]
)
def test_channels(text: str) -> None:
    assert settings.channel(f" {text} ") == text


@pytest.mark.parametrize(
    "text",
    [
        "conda.example.com/stable",
        "file:///",
        "ftp://h/secret",
        "https:///secret",
        "https://h:secret/",
        "https://[secret/",
        "https://user:secret@h/stable",
        "https://secret@h/",
        "https://h/?token=secret",
        "https://h/a secret",
        "https://h/secret\x00",
        "https://h/\u00e4secret",
    ],
)
def test_invalid_channels_are_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="is not a channel URL") as error:
        settings.channel(text)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("text", ["0", "-3", "nan", "inf", "1e300", "", "5s"])
def test_invalid_timeouts(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        settings.seconds(text)
    assert settings.seconds("0.5") == 0.5


@pytest.mark.parametrize(
    ("text", "prefix"), [("", ""), ("/", ""), ("dash", "/dash"), ("/dash/", "/dash"), ("/a/b-1.2/", "/a/b-1.2")]
)
def test_prefixes(text: str, prefix: str) -> None:
    assert settings.prefix(text) == prefix


@pytest.mark.parametrize("text", ["/a//b", "/../a", "/a?b", "/\u00e4", "/(.*)", "http://a/b"])
def test_invalid_prefixes(text: str) -> None:
    with pytest.raises(ValueError, match="is not a path such as /dash"):
        settings.prefix(text)


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("tcp://10.96.0.5:5006", True),
        ("udp://[fd00::5]:53", True),
        (" tcp://x:1", True),
        ("5006", False),
        ("http://x:1", False),
    ],
)
def test_settings_from_kubernetes(text: str, service: bool) -> None:
    assert settings.is_of_a_service(text) == service
