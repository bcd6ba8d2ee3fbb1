"""The door of the program: `sipsync` and `python -m sipsync`. `--version` is answered before anything is imported.

What concerns the whole process is settled here and nowhere else: whoever uses the library has a process of their own.
"""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """End the process with the exit code of the command that the arguments name."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from sipsync._version import __version__

        print(f"sipsync {__version__}")
        return
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # httpx's own command line, which pulls in rich
    gc.set_threshold(50_000, 20, 50)  # a reading makes many objects, and hardly any circle of them
    try:
        from sipsync.cli.main import run

        gc.freeze()  # modules stay to the end
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules were loaded, or while another interruption was told
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
