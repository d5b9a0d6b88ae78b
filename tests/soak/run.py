"""What the offline backend survives, as numbers: `make soak`, or parts of it by name. Takes minutes; no test.

Prints Markdown tables, which docs/reliability.md has. Every random choice follows from --seed, every moment from the
machine: two runs try the same things at other moments. The exit code is 1 where something did not survive.
"""

import argparse
import os
import platform
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "bench"), str(ROOT / "scripts" / "scoring"), str(ROOT)]

import crowd  # noqa: E402
import endurance  # noqa: E402
import faults  # noqa: E402
import fuzz  # noqa: E402

PARTS = {"faults": faults.report, "crowd": crowd.report, "endurance": endurance.report, "fuzz": fuzz.report}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=f"of {', '.join(PARTS)}; by default all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, seed {options.seed}\n")
    survived = True
    for name in options.parts or PARTS:
        with tempfile.TemporaryDirectory(prefix=f"soak-{name}-") as place:
            lines, well = PARTS[name](Path(place), random.Random(options.seed))
        print(*lines, "", sep="\n", flush=True)
        survived &= well
    return 0 if survived else 1


if __name__ == "__main__":
    sys.exit(main())
