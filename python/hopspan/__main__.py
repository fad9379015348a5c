"""Makes ``python -m hopspan`` the command line."""

import sys

from hopspan.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
