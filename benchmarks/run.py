"""``make bench``: runs every benchmark, or those named, one after the other.

Each benchmark measures against a bare reference in the same run and prints ratios: the machine may be
shared and noisy, so absolute figures mean little. Each runs in a process of its own.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(names: list[str]) -> int:
    """Run the named benchmarks (all without names) and return the number that failed."""
    known = sorted(
        path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_") and path.stem != "run"
    )
    unknown = set(names) - set(known)
    if unknown:
        sys.stderr.write(f"No such benchmark: {', '.join(sorted(unknown))}. There are: {', '.join(known)}.\n")
        return 2
    failed = 0
    for name in names or known:
        sys.stdout.write(f"\n== {name}\n")
        sys.stdout.flush()
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=HERE.parent, check=False)  # noqa: S603 - ours
        failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
