"""`calbridge` and `python -m bridge` start here."""

from __future__ import annotations

from bridge.cli.program import program


def main() -> None:
    """Runs the command that was typed, and ends with its exit code."""
    program(prog_name="calbridge")


if __name__ == "__main__":
    main()
