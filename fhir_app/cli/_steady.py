"""For commands that load the knowledge once and then read many responses."""

from __future__ import annotations

import gc


def keep_what_is_loaded() -> None:
    """Tells Python's collector that everything loaded so far stays, and to look less often.

    Else it goes through the knowledge again every few responses, and in forked processes it touches, and so copies,
    the pages that they share.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
