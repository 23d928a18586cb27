"""Develops every picture of a folder, and says how each ended and what it took.

It has a process of its own and loads little: what a child is found to have used
counts what its parent held when it was started.
"""

import json
import resource
import sys
from pathlib import Path

from server.adapters import pictures
from server.adapters.pictures import PictureError
from server.domain.picture import Scene


def seconds_used() -> float:
    """Return the seconds of a processor that all children have taken so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(folder: Path) -> None:
    """Print a line of JSON a picture, and one with the most memory of them all."""
    for path in sorted(folder.iterdir()):
        began = seconds_used()
        try:
            made = pictures.develop(path.read_bytes(), Scene)
            end = "script" if b"script" in made.body else f"{made.width}x{made.height}"
        except PictureError as error:
            end = str(error)
        took = seconds_used() - began
        print(json.dumps({"name": path.name, "end": end, "seconds": took}))
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(json.dumps({"most_kb": most}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
