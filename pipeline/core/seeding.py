"""Seeds that differ between stages and trials, and are the same in every run."""

import hashlib


def derive(seed: int, *names: str | int) -> int:
    """Derives a seed in 0 … 2⁶³−1 from the pipeline's seed and the name of what it is for."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1
