"""The door of the program: `sipsync` and `python -m sipsync`. `--version` is answered before anything is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """End the process with the exit code of the command that the arguments name."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from sipsync import __version__

        print(f"sipsync {__version__}")
        return
    from sipsync.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
