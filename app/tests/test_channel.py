import json
from pathlib import Path

import pytest

from myapp.channel import newer

RECORDS = {
    "a.conda": {"name": "foopack-core", "version": "0.2.0"},
    "b.conda": {"name": "foopack-core", "version": "0.10.0"},
    "c.conda": {"name": "foopack-core", "version": "1.0rc1"},
    "d.conda": {"name": "foopack-ui", "version": "0.1.0"},
    "e.conda": {"name": "other", "version": "9"},
    "f.conda": {"name": "foopack-extras", "version": "no version"},
    "g.conda": {"name": 7},
}


@pytest.mark.parametrize(
    ("has", "found"),
    [
        ({"foopack-core": "0.1.0", "foopack-ui": "0.1.0", "foopack-extras": "0.1.0"}, [("foopack-core", "0.10.0")]),
        ({"foopack-core": "0.10.0", "myapp": "0.1.0"}, []),
        ({"foopack-core": None}, [("foopack-core", "0.10.0")]),
        ({"foopack-core": "what"}, []),
    ],
)
def test_packages_of_a_channel(tmp_path: Path, has: dict[str, str | None], found: list[tuple[str, str]]) -> None:
    (tmp_path / "noarch").mkdir()
    (tmp_path / "noarch" / "repodata.json").write_text(json.dumps({"packages": {}, "packages.conda": RECORDS}))
    assert newer(tmp_path.as_uri() + "/", has) == found


def test_an_endless_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("myapp.channel.LARGEST", 100)
    (tmp_path / "noarch").mkdir()
    (tmp_path / "noarch" / "repodata.json").write_text('{"packages": {}}'.ljust(101))
    with pytest.raises(ValueError, match="the index of the channel is too large"):
        newer(tmp_path.as_uri(), {})


def test_an_invalid_channel(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        newer(tmp_path.as_uri(), {})
