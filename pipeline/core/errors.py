"""The one exception that a stage shows its user without a traceback."""


class InputError(Exception):
    """Bad input: one line naming the file or key, what was found and what is accepted."""
