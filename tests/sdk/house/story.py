"""Steps with names, and an account of them that a person can read."""

import os
import sys
import time
import traceback
from contextlib import contextmanager

from house.server import Server


@contextmanager
def step(name):
    """One step. Its name carries the ids of the features and attacks that it shows."""
    begun = time.monotonic()
    try:
        yield
    except BaseException:
        print(f"FAILED in the step: {name}", flush=True)
        raise
    print(f"ok {time.monotonic() - begun:6.1f} s  {name}", flush=True)


def tell(story):
    """Tells a story of a server of its own, and ends the process: with 1 when anything was wrong."""
    begun = time.monotonic()
    server = None
    failed = False
    try:
        server = Server(os.environ["COUNTERSIGN"], os.environ.get("STORY_DATABASE"))
        story(server)
    except BaseException:
        failed = True
        traceback.print_exc()
    finally:
        if server is not None:
            failed = not server.stop(show_log=failed) or failed
    print(f"{'FAILED' if failed else 'passed'} in {time.monotonic() - begun:.1f} s", flush=True)
    sys.exit(1 if failed else 0)


def same(found, wanted, what=""):
    """Stops the story unless what was found is what was wanted."""
    if found != wanted:
        raise AssertionError(f"{what}\n  found  {found!r}\n  wanted {wanted!r}")


def holds(condition, what):
    """Stops the story unless it is so."""
    if not condition:
        raise AssertionError(what)
