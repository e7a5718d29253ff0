"""``python -m convscope``: the ``convscope`` command of this installation."""

from __future__ import annotations

import os
import subprocess
import sys

from convscope._find import BinaryNotFound, find_binary


def main() -> int:
    """Runs the binary with the same arguments.

    Returns:
        The binary's exit code. Where the system allows it, the binary replaces this process, and
        this does not return.
    """
    try:
        binary = find_binary()
    except BinaryNotFound as error:
        print(error, file=sys.stderr)
        return 2
    arguments = [binary, *sys.argv[1:]]
    if sys.platform != "win32":
        os.execv(binary, arguments)
    try:
        return subprocess.run(arguments, check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
