"""`python -m myapp`."""

from myapp.cli import main

raise SystemExit(main())
