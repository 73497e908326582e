"""The first import of a script: Ctrl-C and SIGTERM end it in one line while it imports the rest.

Python would show the lines of whichever import was interrupted. `cli.run` handles signals from then on. Nothing is
changed if the process is older than the script, as in a test, or is a worker that imports the script again.
"""

import os
import signal
import sys
from types import FrameType


def end(number: int, frame: FrameType | None) -> None:
    """End the process at once: nothing has begun, and an import could swallow an exception."""
    os.write(2, b"Interrupted: nothing had begun.\n")
    os._exit(130)


if not {"search_spaces", "multiprocessing"} & sys.modules.keys():
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored, as nohup has it
        signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
