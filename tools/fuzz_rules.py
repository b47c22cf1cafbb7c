"""Looks for rule files that the loader does not survive: `tools/fuzz_rules.py --seconds 600`.

The law and the files are those of tests/unit/rules/fuzzing.py; a test looks at the same few thousand of them
in every run, this looks at others each time. A file that breaks the law is printed, as small as it could be
made, and the status is 1.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEST = "tests/unit/rules/test_fuzz.py::test_the_long_run"


def main() -> int:
    """Run the test for as long as was asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600, help="how long to look (%(default)s)")
    asked = parser.parse_args()
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TEST],
        cwd=ROOT,
        env={**os.environ, "FAE_FUZZ_SECONDS": str(asked.seconds)},
        check=False,
    )
    return int(found.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
