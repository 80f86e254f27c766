"""The runtime image's command. It prints a greeting from each foopack package."""

from foopack_core import hello
from foopack_extras import hello_extras
from foopack_ui import hello_ui

print(hello())
print(hello_extras())
print(hello_ui())
