"""`python -m bench` takes the times that README.md shows; with names, some of them."""

import sys

from pipeline.errors import InputError


def main(names: list[str]) -> int:
    """Takes the named measurements, or all; returns the exit code."""
    # Here, so that processes started later import no more than they need.
    from bench import table
    from pipeline import report, timings

    if unknown := [name for name in names if name not in table.MEASUREMENTS]:
        print(f"bench: {unknown[0]!r}; accepted: {', '.join(table.MEASUREMENTS)}", file=sys.stderr)
        return 2
    try:
        table.write(names or list(table.MEASUREMENTS))
    except InputError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    results = table.saved()
    print(*map(report.markdown, timings.tables(results).values()), sep="\n\n")
    print(f"\n{timings.machine(results)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
