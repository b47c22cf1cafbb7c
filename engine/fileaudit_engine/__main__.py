"""The command `fileaudit-engine`."""

import sys

from fileaudit_engine.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
