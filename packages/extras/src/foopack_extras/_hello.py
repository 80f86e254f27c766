from importlib.metadata import version


def hello_extras() -> str:
    """Return a greeting in one line, with the installed versions of this package and of the packages that it uses.

    Examples:
        >>> hello_extras().startswith("Hello from foopack-extras ")
        True
    """
    return (
        f"Hello from foopack-extras {version('foopack-extras')}, "
        f"on foopack-core {version('foopack-core')} and pandas {version('pandas')}"
    )
