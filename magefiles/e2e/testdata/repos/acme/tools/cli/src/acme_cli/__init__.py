"""The command line."""

import sys

import acme_base


def main() -> None:
    """Write the answer."""
    sys.stdout.write(f"{acme_base.answer()}\n")
