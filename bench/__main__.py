"""`python -m bench` takes the times that README.md shows."""

if __name__ == "__main__":
    from bench import table  # here, so that processes started later import no more than they need

    table.write()
