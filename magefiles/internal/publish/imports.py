"""Import what was installed: the argument is a JSON array of packages, and so is the answer, with versions."""

import importlib
import importlib.metadata
import json
import os
import sys

packages = json.loads(sys.argv[1])
answer = os.dup(1)
os.dup2(2, 1)  # what a package prints while it is imported is no answer
for package in packages:
    for module in package["modules"]:
        importlib.import_module(module)
    if package["distribution"]:
        package["version"] = importlib.metadata.version(package["distribution"])
os.write(answer, json.dumps(packages).encode())
