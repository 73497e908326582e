"""Stand-ins for workers."""

import random

from study.executors.side_by_side import Lost, train_whole
from study.objective import never


class OutOfOrder:
    """`Workers` that train in this process, when they are asked, in a random order; some are lost."""

    def __init__(self, objective, seed=0, lost=()):
        self.objective, self.random, self.lost = objective, random.Random(seed), lost
        self.waiting, self.submitted, self.given_up = {}, 0, 0

    def submit(self, runs):
        self.submitted += 1
        self.waiting[self.submitted] = runs
        return self.submitted

    def choose(self):
        """The attempt that ends next."""
        return self.random.choice(sorted(self.waiting))

    def ended(self, seconds):
        if not self.waiting:
            return {}
        attempt = self.choose()
        runs = self.waiting.pop(attempt)
        return {attempt: Lost("lightning") if attempt in self.lost else train_whole(self.objective, runs, never)}

    def leave(self, attempts):
        for attempt in attempts:
            self.given_up += self.waiting.pop(attempt, None) is not None
