"""Run the service in the foreground; SIGINT or SIGTERM stops all it started."""

import sys

from serve_app.process.environment import service_environment
from serve_app.process.session import run_in_session


def main() -> int:
    """Run `serve_app.process.server` with this command line in a session of its own."""
    with service_environment() as environment:
        return run_in_session(
            [sys.executable, "-m", "serve_app.process.server", *sys.argv[1:]], environment
        )


if __name__ == "__main__":
    sys.exit(main())
