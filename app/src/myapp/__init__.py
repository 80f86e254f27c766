"""A small application on the foopack packages, with diagnostics of what it runs on."""
