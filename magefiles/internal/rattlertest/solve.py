"""Solve and optionally install with py-rattler: solve.py ARGUMENT-JSON ANSWER-FILE."""

import asyncio
import json
import os
import sys

import rattler

arg = json.loads(sys.argv[1])
config = {} if arg["sharded"] is None else {"default_config": rattler.SourceConfig(sharded_enabled=arg["sharded"])}


async def main():
    gateway = rattler.Gateway(cache_dir=arg["cache"], **config)
    platform = rattler.Platform.current()
    records = await rattler.solve(
        arg["channels"],
        arg["specs"],
        gateway=gateway,
        platforms=[platform, "noarch"],
        virtual_packages=rattler.VirtualPackage.detect(),
    )
    if arg["prefix"]:
        await rattler.install(
            records, arg["prefix"], cache_dir=os.path.join(arg["cache"], "pkgs"), show_progress=False, platform=platform
        )
    return [
        {
            "name": r.name.normalized,
            "version": str(r.version),
            "build": str(r.build),
            "url": r.url,
            "sha256": r.sha256.hex() if r.sha256 else "",
        }
        for r in records
    ]


try:
    answer = {"error": "", "records": asyncio.run(main())}
except Exception as e:
    answer = {"error": str(e) or repr(e), "records": []}
with open(sys.argv[2], "w") as f:
    json.dump(answer, f)
os._exit(0)  # a normal exit may abort after the gateway was used
