"""`python -m bench` takes the times that README.md shows; with names, some of them."""

import sys

from pipeline.errors import InputError


def main(names: list[str]) -> int:
    """Takes the named measurements, or all; returns the exit code."""
    from bench import table  # here, so that processes started later import no more than they need

    if unknown := [name for name in names if name not in table.MEASUREMENTS]:
        print(f"bench: {unknown[0]!r}; accepted: {', '.join(table.MEASUREMENTS)}", file=sys.stderr)
        return 2
    try:
        table.write(names or list(table.MEASUREMENTS))
    except InputError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
