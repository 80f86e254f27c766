"""Import the modules of installed packages, and print their versions.

The argument is a JSON array of packages. The output is the same array with versions: "version" is the version in
the metadata, and "says" has the __version__ of each module, if it is a string.
"""

import gc
import importlib
import importlib.metadata
import json
import os
import sys

gc.disable()  # imports create hardly any garbage, and collecting it takes a quarter of the time
packages = json.loads(sys.argv[1])
answer = os.dup(1)
os.dup2(2, 1)  # output that a package prints during its import must not end up in the answer
for package in packages:
    for name in package["modules"]:
        module = importlib.import_module(name)
        try:
            says = getattr(module, "__version__", None)
        except Exception:  # a computed __version__ may raise anything, but the import succeeded
            continue
        if isinstance(says, str):
            package.setdefault("says", {})[name] = says
    if package["distribution"]:
        package["version"] = importlib.metadata.version(package["distribution"])
os.write(answer, json.dumps(packages).encode())
gc.freeze()  # do not collect garbage at exit either
