"""Settings of the web server: `gunicorn -c python:trainings.cli.gunicorn "trainings:create_app()"`.

The application is loaded once, before the workers are forked: they share its memory and answer
sooner.
"""

from __future__ import annotations

import gc

# Python looks through its objects for rings each time so many new ones are there; its own value is
# 700, and one page makes thousands. This costs a few megabytes and saves a seventh of the CPU.
OBJECTS_BETWEEN_COLLECTIONS = 10_000

preload_app = True
loglevel = "warning"


def when_ready(_server: object) -> None:
    """Take what was loaded before the fork out of the collector's sight.

    Otherwise each full collection walks through the whole application and, by writing to its
    objects, copies the memory that the workers share (documentation of `gc.freeze`).
    """
    gc.collect()
    gc.freeze()


def post_fork(_server: object, _worker: object) -> None:
    """Let a worker collect less often."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
