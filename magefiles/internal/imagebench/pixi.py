#!/usr/bin/env python3
"""The pixi of the image tests: `install [--locked]`, `run TASK`, `shell-hook` and `--version`, by py-rattler.

It solves, locks and installs for real: conda channels over HTTP, pixi.lock in rattler's own format, [mirrors] of
~/.pixi/config.toml, credentials of RATTLER_AUTH_FILE, and PIXI_OVERRIDE_PLATFORM for another platform. It knows only
the default environment of a pixi.toml with plain [dependencies], and only what a Dockerfile needs.
"""

import argparse
import asyncio
import errno
import hashlib
import json
import os
import pathlib
import platform
import random
import sys
import tomllib

MANIFEST = pathlib.Path("pixi.toml").absolute()
ROOT = MANIFEST.parent
LOCK = ROOT / "pixi.lock"
PREFIX = ROOT / ".pixi" / "envs" / "default"
MARKER = PREFIX / "conda-meta" / "pixi"
VIRTUAL = {"__linux": "6.0", "__glibc": "2.36", "__unix": "0"}
SUBDIRS = {"x86_64": "linux-64", "aarch64": "linux-aarch64"}


def here():
    return os.environ.get("PIXI_OVERRIDE_PLATFORM") or SUBDIRS[platform.machine()]


def truthy(name):
    return os.environ.get(name, "").lower() in ("1", "true")


def stand():
    """Write into .pixi the files that pixi writes before it does anything, and fail as pixi does: a read-only file
    system is all right, a folder that belongs to someone else is not."""
    folder = ROOT / ".pixi"
    folder.mkdir(exist_ok=True)
    for name, text in {".gitignore": "*\n!config.toml\n", ".condapackageignore": ".pixi\n!.pixi/config.toml\n"}.items():
        try:
            if not (folder / name).exists():
                (folder / name).write_text(text)
        except OSError as error:
            if error.errno != errno.EROFS:
                fail(f"Failed to create {name} file at {folder / name}: {error}")


def fail(text):
    sys.exit(f"Error: {text}")


def manifest():
    return tomllib.loads(MANIFEST.read_text())


def specs(doc):
    out = []
    for name, spec in doc.get("dependencies", {}).items():
        version = spec if isinstance(spec, str) else spec.get("version", "*")
        out.append(f"{name} {version}")
    return out


def client():
    from rattler.networking import AuthenticationMiddleware, Client, MirrorMiddleware

    config = pathlib.Path.home() / ".pixi" / "config.toml"
    mirrors = tomllib.loads(config.read_text()).get("mirrors", {}) if config.exists() else {}
    return Client([MirrorMiddleware(mirrors), AuthenticationMiddleware()])


async def solve(doc, caches, net, subdir):
    import rattler

    gateway = rattler.Gateway(cache_dir=caches / "repodata", client=net)
    virtual = [
        rattler.GenericVirtualPackage(rattler.PackageName(n), rattler.Version(v), rattler.BuildString("0"))
        for n, v in VIRTUAL.items()
    ]
    return await rattler.solve(
        doc["workspace"]["channels"],
        specs(doc),
        gateway=gateway,
        platforms=[subdir, "noarch"],
        virtual_packages=virtual,
    )


async def write_lock(doc, caches, net):
    """Lock all platforms of the manifest at once, as pixi does; only those of Linux, for which channels have packages."""
    from rattler.lock import LockChannel, LockFile, LockPlatform

    subdirs = [p for p in doc["workspace"]["platforms"] if p in SUBDIRS.values()]
    platforms = {p: LockPlatform(p) for p in subdirs}
    lock = LockFile(list(platforms.values()))
    lock.set_channels("default", [LockChannel(c) for c in doc["workspace"]["channels"]])
    for subdir in subdirs:
        records = await solve(doc, caches, net, subdir)
        for record in sorted(records, key=lambda r: r.name.normalized):
            lock.add_conda_package("default", platforms[subdir], record)
    lock.to_path(LOCK)


def read_lock(doc):
    """Return pixi.lock's records for this platform; None if there are none, or they do not satisfy the manifest."""
    from rattler import MatchSpec
    from rattler.lock import LockFile

    environment = LockFile.from_path(LOCK).default_environment()
    platform = next((p for p in environment.platforms() if p.name == here()), None)
    if platform is None:
        return None
    records = environment.conda_repodata_records_for_platform(platform)
    if all(any(MatchSpec(s).matches(r) for r in records) for s in specs(doc)):
        return records
    return None


async def install(locked):
    import rattler

    doc = manifest()
    if here() not in doc["workspace"]["platforms"]:
        fail(f"the workspace does not support '{here()}'")
    caches = pathlib.Path(os.environ.get("PIXI_CACHE_DIR") or pathlib.Path.home() / ".cache" / "rattler" / "cache")
    net = client()
    records = read_lock(doc) if LOCK.exists() else None
    if records is None:
        if locked:
            fail("lock file not up-to-date with the workspace")
        await write_lock(doc, caches, net)
        records = read_lock(doc)
    await rattler.install(
        records, PREFIX, cache_dir=caches / "pkgs", client=net, show_progress=False, platform=rattler.Platform(here())
    )
    MARKER.write_text(json.dumps({"manifest_path": str(MANIFEST), "environment_name": "default", "lock": lock_hash()}))
    print("✔ The default environment has been installed.", file=sys.stderr)


def lock_hash():
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def hook(path="$PATH"):
    """Yield lines of bash that activate the environment, as `pixi shell-hook` does: pixi's variables in any order."""
    doc = manifest()
    name = doc["workspace"]["name"]
    yield f'export PATH="{PREFIX}/bin:{path}"'
    platforms = list(doc["workspace"]["platforms"])
    random.shuffle(platforms)
    yield f'export CONDA_PREFIX="{PREFIX}"'
    yield f'export CONDA_DEFAULT_ENV="{name}"'
    own = list({
        "PIXI_PROJECT_NAME": name, "PIXI_PROJECT_ROOT": ROOT,
        "PIXI_PROJECT_MANIFEST": MANIFEST, "PIXI_PROJECT_VERSION": doc["workspace"].get("version", ""),
        "PIXI_ENVIRONMENT_NAME": "default", "PIXI_ENVIRONMENT_PLATFORMS": ",".join(platforms),
        "PIXI_EXE": pathlib.Path(sys.argv[0]).absolute(), "PIXI_IN_SHELL": 1,
    }.items())  # fmt: skip
    random.shuffle(own)
    for key, value in own:
        yield f'export {key}="{value}"'
    for key, value in doc.get("activation", {}).get("env", {}).items():
        yield f'export {key}="{value}"'
    for script in sorted((PREFIX / "etc" / "conda" / "activate.d").glob("*.sh")):
        yield f'. "{script}"'


async def ready():
    """Bring the environment up to date, as pixi does before it runs anything, unless it is told not to."""
    if truthy("PIXI_NO_INSTALL"):
        return
    current = MARKER.exists() and LOCK.exists() and json.loads(MARKER.read_text())["lock"] == lock_hash()
    if not current:
        await install(locked=False)


def main():
    top = argparse.ArgumentParser(prog="pixi")
    top.add_argument("--version", action="version", version="pixi 0.77.0")
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("install").add_argument("--locked", action="store_true")
    shell = commands.add_parser("shell-hook")
    shell.add_argument("--shell", "-s", choices=["bash"], default="bash")
    shell.add_argument("--as-is", action="store_true")
    shell.add_argument("--no-completions", action="store_true")
    shell.add_argument("--change-ps1", choices=["true", "false"])
    commands.add_parser("run").add_argument("task", nargs="+")
    a = top.parse_args()
    stand()
    if a.command == "install":
        asyncio.run(install(a.locked))
    elif a.command == "shell-hook":
        if not a.as_is:
            asyncio.run(ready())
        print("\n".join(hook(os.environ["PATH"])))
    else:
        asyncio.run(ready())
        task, *more = a.task
        tasks = manifest().get("tasks", {})
        command = tasks.get(task, task)
        command = command if isinstance(command, str) else command["cmd"]
        script = "\n".join([*hook(), f'{command} "$@"'])
        sys.stdout.flush()
        os.execvp("bash", ["bash", "-c", script, "pixi", *more])
    sys.stdout.flush()
    os._exit(0)  # the interpreter's normal exit can abort after the gateway was used


if __name__ == "__main__":
    main()
