"""`python -m bench` takes the times that README.md shows; with names, some of them."""

import sys

if __name__ == "__main__":
    from bench import table  # here, so that processes started later import no more than they need

    if unknown := [name for name in sys.argv[1:] if name not in table.MEASUREMENTS]:
        print(f"bench: {unknown[0]!r}; accepted: {', '.join(table.MEASUREMENTS)}", file=sys.stderr)
        sys.exit(2)
    table.write(sys.argv[1:] or list(table.MEASUREMENTS))
