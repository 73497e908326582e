"""Two machines, as two Ray nodes: a node that leaves and one that joins change nothing but the time."""

import os
import subprocess
import sys

import pytest

from tests.helpers import ROOT

pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[ray]'")

NODES = """
import os, threading
from pathlib import Path

import torch
from ray.cluster_utils import Cluster

from study.executors.options import ExecutorOptions
from study.executors.ray_actors import RayActors
from study.executors.side_by_side import SideBySide
from study.training.workload_objective import WorkloadObjective
from tests.helpers import DIGITS, runs_of, trainer, wait_until

torch.set_num_threads(1)
workload = DIGITS.load(Path("."))
objective, runs = WorkloadObjective(workload), runs_of(*[0.1 * n for n in range(1, 9)], epochs=30)
expected = list(trainer(workload).train(runs))
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
options = ExecutorOptions(executor="ray", workers=3, ray_address=cluster.address)
with RayActors(objective, 3, options) as pool:

    def usable(number):
        wait_until(lambda: pool.look(0.1) or sum(slot.loaded for slot in pool.slots) == number)

    assert len(pool.processes()) == 1
    second = cluster.add_node(num_cpus=1)
    usable(2)
    threading.Timer(0.3, cluster.remove_node, (second,)).start()
    assert list(SideBySide(objective, 1, pool).train(runs)) == expected
    usable(1)
cluster.shutdown()
print("the same", flush=True)
"""


@pytest.mark.slow
def test_a_node_that_is_lost_and_one_that_joins(tmp_path):
    """Three actors are wanted: one is there at first, then two, and one again while they train.

    In a process of its own, since Ray reads only once whether a token is needed: as on real machines, one is.
    """
    script = tmp_path / "nodes.py"
    script.write_text(NODES)
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64, "RAY_USAGE_STATS_ENABLED": "0"}
    environment = os.environ | token | {"PYTHONPATH": str(ROOT), "RAY_TMPDIR": "/tmp"}
    process = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=250
    )
    assert process.stdout.endswith("the same\n"), process.stdout + process.stderr
