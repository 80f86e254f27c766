"""Import what was installed: the argument is a JSON array of packages, and so is the answer, with versions.

"version" is what the metadata says, "says" what each module says itself by a __version__ that is a text.
"""

import importlib
import importlib.metadata
import json
import os
import sys

packages = json.loads(sys.argv[1])
answer = os.dup(1)
os.dup2(2, 1)  # what a package prints while it is imported is no answer
for package in packages:
    for name in package["modules"]:
        module = importlib.import_module(name)
        try:
            says = getattr(module, "__version__", None)
        except Exception:  # one that is computed when it is asked for may fail in any way: that is not the import
            continue
        if isinstance(says, str):
            package.setdefault("says", {})[name] = says
    if package["distribution"]:
        package["version"] = importlib.metadata.version(package["distribution"])
os.write(answer, json.dumps(packages).encode())
