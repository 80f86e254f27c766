import os
from pathlib import Path

import pytest

from myapp.system import before, built, container, look


@pytest.mark.parametrize(
    ("environ", "file", "name"),
    [
        ({}, None, None),
        ({}, ".dockerenv", "docker"),
        ({}, "run/.containerenv", "podman"),
        ({"container": "lxc"}, None, "lxc"),
        ({"container": ""}, None, None),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, ".dockerenv", "kubernetes"),
    ],
)
def test_container(tmp_path: Path, environ: dict[str, str], file: str | None, name: str | None) -> None:
    if file:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert container(environ, tmp_path) == name


@pytest.mark.parametrize(
    ("environ", "revision"), [({"IMAGE_REVISION": "abc"}, "abc"), ({"IMAGE_REVISION": ""}, None), ({}, None)]
)
def test_the_revision_is_that_of_the_image(environ: dict[str, str], revision: str | None) -> None:
    about = look(environ)
    assert about.revision == revision
    assert about.process == os.getpid()


@pytest.mark.parametrize(
    ("seconds", "time"),
    [
        ("0", "1970-01-01T00:00:00+00:00"),
        ("1767323045", "2026-01-02T03:04:05+00:00"),
        ("", None),
        ("soon", None),
        ("9" * 12, None),
    ],
)
def test_when_the_image_was_built(seconds: str, time: str | None) -> None:
    assert built({"IMAGE_CREATED": seconds}) == time
    assert built({}) is None


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("3becdc7f 2026-01-02T14:20:00Z", ("3becdc7f", "2026-01-02T14:20:00+00:00")),
        ("v1 2026-01-02T14:20:00.5+02:00", ("v1", "2026-01-02T12:20:00+00:00")),
        ("", (None, None)),
        ("3becdc7f", (None, None)),
        ("3becdc7f 2026-01-02T14:20:00", (None, None)),
        ("3becdc7f yesterday", (None, None)),
        (" 2026-01-02T14:20:00Z", (None, None)),
        ("3becdc7f 0001-01-01T00:00:00+14:00", (None, None)),
    ],
)
def test_previous_release_from_a_deployment(said: str, found: tuple[str | None, str | None]) -> None:
    assert before({"DEPLOYED_BEFORE": said}) == found
    about = look({"DEPLOYED_BEFORE": said})
    assert (about.before, about.until) == found
    assert before({}) == (None, None)
