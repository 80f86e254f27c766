"""How many examples the properties of the packages are tried with: 100, and fewer in a release, before which CI ran."""

from hypothesis import settings

settings.register_profile("release", max_examples=20)
