"""All benchmarks, one after the other: what watching costs, then what the reader takes.

Run one alone for its options: `tools/bench/overhead.py --help`, `tools/bench/ring.py --help`.
"""

import os
import sys

import overhead
import ring

if __name__ == "__main__":
    if os.geteuid():
        sys.exit("needs root")
    overhead.main()
    print()
    ring.main()
