"""Verify an attestation that a channel advertises, with py-rattler: attested.py ARGUMENT-JSON ANSWER-FILE."""

import asyncio
import json
import os
import sys

import rattler
from rattler.sigstore import Issuer, Publisher, TrustedRoot, VerificationPolicy, verify_attestation

arg = json.loads(sys.argv[1])


async def main():
    gateway = rattler.Gateway(cache_dir=arg["cache"])
    found = await gateway.query([arg["channel"]], ["noarch"], [arg["name"]], recursive=False)
    record = found[0][0]
    policy = VerificationPolicy.require(Publisher(identity=arg["identity"], issuer=Issuer.github_actions()))
    await verify_attestation(record, policy, trusted_root=TrustedRoot.embedded())


try:
    asyncio.run(main())
    answer = {"error": ""}
except Exception as e:
    answer = {"error": str(e) or repr(e)}
with open(sys.argv[2], "w") as f:
    json.dump(answer, f)
os._exit(0)
