from importlib.metadata import version


def hello() -> str:
    """Return a greeting in one line, with the installed versions of this package and of the packages that it uses.

    Examples:
        >>> hello().startswith("Hello from foopack-core ")
        True
    """
    return (
        f"Hello from foopack-core {version('foopack-core')}, on numpy {version('numpy')} and xarray {version('xarray')}"
    )
