"""`calbridge` and `python -m bridge` start here."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command that was typed, and ends with its exit code."""
    try:
        from bridge.bootstrap.garbage import collect_seldom  # noqa: PLC0415 -- as below
        from bridge.cli.program import program  # noqa: PLC0415 -- Ctrl-C during the imports is no failure either

        collect_seldom()
        program(prog_name="calbridge")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
