# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Long sequences in overlapping windows, each letter taken from one of them."""

import itertools
from typing import NamedTuple

# Letters that go through the model in one piece where nothing else is asked for. Per letter and
# block the matrices multiply 12 x 2,560^2 numbers, attention 2 x 16,384 x 2,560: as many.
DEFAULT_WINDOW = 16_384
MERGES = ("centre", "published")


class Window(NamedTuple):
    """A stretch of a sequence that the model reads at once, and the letters taken from it.

    Positions count letters of the sequence from 0, ends are exclusive.
    """

    start: int
    stop: int
    keep_start: int
    keep_stop: int


def check_windows(window: int, overlap: int | None = None, merge: str = "centre") -> int:
    """Check what is asked of windows, and return the overlap: a quarter where not given.

    Raises:
        ValueError: an unknown merge, a window that is too short, or an overlap that is not shorter
            than its window, or that the published scheme does not have.
    """
    if merge not in MERGES:
        raise ValueError(f"unknown merge {merge!r}; known are {', '.join(MERGES)}")
    if window < 4:
        raise ValueError(f"a window of {window} letters is too short; 4 are the least")
    if overlap is not None and overlap < 0:
        raise ValueError(f"an overlap of {overlap} letters is less than none")
    if merge == "published":
        if overlap is not None:
            raise ValueError("merge published has its own overlap, half a window")
        return window // 2
    if overlap is None:
        return window // 4
    if overlap >= window:
        raise ValueError(
            f"an overlap of {overlap} letters is not shorter than the window, {window}"
        )
    return overlap


def plan_windows(
    length: int, window: int = DEFAULT_WINDOW, overlap: int | None = None, merge: str = "centre"
) -> list[Window]:
    """Divide a sequence into windows; what they keep is the whole sequence, in order.

    * `centre`: as few windows as the overlap allows, evenly spaced. Two neighbours share their
      overlap half and half, so that every letter is read where it has the most context on its
      poorer side: at least half the overlap, but for the ends of the sequence.
    * `published`: the scheme of the published tool (overlap mode). The first window is kept whole.
      With w = window // 2, each further one reads 2w letters and keeps the last w; the last one
      reads the last 2w letters and keeps what is left. Kept letters so have w letters before them,
      and the last of each window none behind.

    Args:
        length: letters of the sequence.
        window: letters of a window; a sequence that is not longer is read whole.
        overlap: least overlap of neighbours, see `check_windows`.
        merge: `centre` or `published`.

    Raises:
        ValueError: see `check_windows`.
    """
    overlap = check_windows(window, overlap, merge)
    if length <= window:
        return [Window(0, length, 0, length)]
    if merge == "published":
        return _published(length, window)
    count = -(-(length - overlap) // (window - overlap))
    starts = [i * (length - window) // (count - 1) for i in range(count)]
    middles = [(start + window + after) // 2 for start, after in itertools.pairwise(starts)]
    bounds = [0, *middles, length]
    return [
        Window(start, start + window, bounds[i], bounds[i + 1]) for i, start in enumerate(starts)
    ]


def _published(length: int, window: int) -> list[Window]:
    half = window // 2
    windows = [Window(0, window, 0, window)]
    done = window
    while done < length - half:
        windows.append(Window(done - half, done + half, done, done + half))
        done += half
    if done < length:
        windows.append(Window(length - 2 * half, length, done, length))
    return windows
