"""Install what is missing on this machine: `python3 -m ops.bootstrap` from the project's folder.

Runs with the system's Python and nothing else. This file alone must be readable by older Pythons, so that they get
an answer instead of a syntax error; the work is in `ops/setup/`.
"""

from __future__ import annotations

import sys

OLDEST_PYTHON = (3, 11)


def main() -> int:
    """Set the machine up; return the exit code."""
    if sys.version_info < OLDEST_PYTHON:
        wanted, have = ".".join(map(str, OLDEST_PYTHON)), sys.version.split()[0]
        print(f"parley: needs Python {wanted} or newer, and this is {have}.", file=sys.stderr)
        return 1
    from ops.setup.steps import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
