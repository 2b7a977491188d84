"""The exceptions that a stage shows its user without a traceback."""


class InputError(Exception):
    """Bad input: one line naming the file or key, what was found and what is accepted."""


class DivergenceError(InputError):
    """A training whose numbers are not finite any more."""
