"""Several at a time, in the same order as one after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TypeVar

T = TypeVar("T")


def one_after_another(function: Callable[[int], T], processes: int) -> Iterator[T]:
    """The results for 0, 1, 2 and so on, without an end, in this order; computed in this many threads.

    When the caller leaves, those at work are waited for.
    """
    with ThreadPoolExecutor(processes) as pool:
        at_work = deque(pool.submit(function, number) for number in range(processes))
        for number in count(processes):
            yield at_work.popleft().result()
            at_work.append(pool.submit(function, number))
