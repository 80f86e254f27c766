"""Upload with py-rattler-build: upload.py ARGUMENT-JSON ANSWER-FILE."""

import json
import os
import sys
import time

import rattler_build

arg = json.loads(sys.argv[1])
start = time.perf_counter()
try:
    rattler_build.upload_package_to_prefix(arg["files"], arg["url"], arg["channel"], **arg["options"])
    error = ""
except Exception as e:  # py-rattler-build raises RattlerBuildError for every error
    error = str(e) or repr(e)
with open(sys.argv[2], "w") as f:
    json.dump({"error": error, "seconds": time.perf_counter() - start}, f)
os._exit(0)
