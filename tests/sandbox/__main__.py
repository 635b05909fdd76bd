"""python -m tests.sandbox: outside services over real HTTP, for development and tests."""

import argparse
import os
import sys

from tests.sandbox.app import build_app
from tests.sandbox.server import bind, serve

DEFAULT_PORT = "8081"


def main() -> int:
    """Run until a signal; 1 if the address cannot be used."""
    options = _parser().parse_args()
    try:
        listener = bind(options.host, options.port)
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"sandbox: cannot listen on {options.host}:{options.port}: {error}\n")
        return 1
    app = build_app()
    exchange = app.state.exchange
    serve(
        app,
        listener,
        on_start=exchange.start,
        on_stop=exchange.stop,
        stop_with_stdin=options.stop_with_stdin,
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--port",
        type=int,
        default=os.environ.get("PORT") or DEFAULT_PORT,
        help="0 takes any free port; default from PORT, else %(default)s",
    )
    parser.add_argument(
        "--stop-with-stdin",
        action="store_true",
        help="also stop when stdin ends, so that no sandbox outlives its parent",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
