"""How many epochs a bracket still has to train: an estimate for people, on which nothing depends."""

from __future__ import annotations

from study.search.bracket import Bracket
from study.search.rungs import references_promoted


def epochs_left(bracket: Bracket) -> float:
    """Epochs still to be trained: of runs under way, of trials not asked yet, of later rungs and of the audit.

    How many trials a later rung trains is not known yet: one in `reduction` of the rung before, and at least one. The
    estimate is too large if runs are pruned midway or diverge.
    """
    if bracket.finished:
        return 0.0
    c = bracket.configuration
    budgets = c.budgets(bracket.steps_per_epoch)
    first, full = budgets[0], budgets[-1]
    now = bracket.budget or first
    running = [one for one in bracket.training if not one.pruned and one.trained < now]
    left = sum(now - one.epochs_used.get(now, 0.0) for one in running)
    left += first * (bracket.size - len(bracket.candidates))
    promoted = bracket.size
    for later in budgets[1:]:
        promoted = max(1, promoted // c.reduction)
        besides = references_promoted(later, full) if bracket.reference and bracket.number == 0 else 0
        left += later * (promoted + besides) if later > now else 0
    running_now = {one.position for one in bracket.training}
    audited = [one for one in bracket.candidates if one.audited_from and one.position not in running_now]
    left += sum(full for one in audited if one.trained < full)
    if now == first < full:  # who is pruned, and who of these is audited, is decided at the end of the rung
        left += full * c.audit * bracket.size * (1 - 1 / c.reduction)
    return left
