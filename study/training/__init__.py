"""How runs are trained: one loop, run by run or many in lockstep, in this process or in several."""
