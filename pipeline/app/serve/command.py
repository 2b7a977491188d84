"""`python -m pipeline serve` shows the models of a finished run in a page, on this machine."""

import logging
import os
import socket
import sys
from types import FrameType

from pipeline.app.arguments import Parser
from pipeline.core import params
from pipeline.core.errors import InputError

ADDRESS = "127.0.0.1"
PORT = 8000
GRACE = 0
"""Seconds that requests have to end when the server does, beyond the tenth that it takes."""


def main(arguments: list[str]) -> None:
    """Serves until it is interrupted.

    Raises:
        InputError: if the port is taken, a package is missing, or the run is not finished.
    """
    parser = Parser("serve", "Shows the models of a finished run in a page, on this machine.")
    parser.add_argument("--port", type=int, default=PORT, help="0 takes one that is free")
    with listening(parser.parse_args(arguments).port) as listener:
        try:
            import uvicorn

            from pipeline.app.serve import api
        except ModuleNotFoundError as error:
            raise InputError(f"{error.name} is missing: pip install 'retain[serve]'") from None

        class Server(uvicorn.Server):
            def handle_exit(self, sig: int, frame: FrameType | None) -> None:
                logging.disable()  # of requests that are cut off
                super().handle_exit(sig, frame)

        app = api.application(**params.arguments(api.application))
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            headers=api.HEADERS,
            timeout_graceful_shutdown=GRACE,
        )
        print(f"http://{ADDRESS}:{listener.getsockname()[1]} (Ctrl-C ends it)", flush=True)
        try:
            Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            print("serve: interrupted", file=sys.stderr, flush=True)
            # Threads that still work, and PyTorch that is taken down, would take seconds.
            os._exit(130)


def listening(port: int) -> socket.socket:
    """A socket at a port of this machine, which nobody else can reach.

    Raises:
        InputError: if the port is taken, or none.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or "0 to 65535 accepted"
        raise InputError(f"port {port}: {reason.lower()}; another: --port 8001") from None
    return listener
