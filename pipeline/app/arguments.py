"""The words behind a command: help for people, and one line where something is wrong."""

import argparse
from typing import NoReturn

from pipeline.core.errors import InputError


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is an `InputError`."""

    def __init__(self, command: str, description: str, epilog: str = ""):
        super().__init__(
            prog=f"python -m pipeline {command}",
            description=description,
            epilog=epilog,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Ends the command in one line.

        Raises:
            InputError: always.
        """
        raise InputError(f"{message}; `{self.prog} --help` lists what is accepted")
