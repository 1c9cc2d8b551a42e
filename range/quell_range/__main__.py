"""`python -m quell_range` runs the command line."""

from quell_range.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
