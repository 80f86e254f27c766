"""Settings for the tests of all packages.

Property tests run 100 examples. The profile `release` runs fewer, because CI has already run before a release. Imported
objects are excluded from garbage collection, because each collection would otherwise traverse all of them.
"""

import gc

from hypothesis import settings

settings.register_profile("release", max_examples=20)
gc.disable()  # until all imports are done


def pytest_collection_finish() -> None:
    """Collect garbage once, and exclude all existing objects from later collections."""
    gc.collect()
    gc.freeze()
    gc.enable()
