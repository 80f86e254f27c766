from importlib.metadata import version


def hello_ui() -> str:
    """Return a greeting in one line, with the installed versions of this package and of the packages that it uses.

    Examples:
        >>> hello_ui().startswith("Hello from foopack-ui ")
        True
    """
    return (
        f"Hello from foopack-ui {version('foopack-ui')}, on foopack-core {version('foopack-core')}, "
        f"panel {version('panel')} and bokeh {version('bokeh')}"
    )
