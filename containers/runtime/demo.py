"""Say hello from each foopack package: what the runtime image does when it is run."""

from foopack_core import hello
from foopack_extras import hello_extras
from foopack_ui import hello_ui

print(hello())
print(hello_extras())
print(hello_ui())
