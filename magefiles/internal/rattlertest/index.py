"""Index a folder with subdirs, with rattler_index: index.py FOLDER."""

import asyncio
import os
import pathlib
import sys

from rattler.index import index_fs

asyncio.run(index_fs(pathlib.Path(sys.argv[1]), force=True))
os._exit(0)
