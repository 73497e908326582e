"""Two machines, as two Ray nodes: a node that leaves and one that joins change nothing but the time."""

import threading

import pytest

from study.executors.options import ExecutorOptions
from study.executors.ray_actors import RayActors
from study.executors.side_by_side import SideBySide
from study.training.workload_objective import WorkloadObjective
from tests.helpers import runs_of, trainer, wait_until

pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[ray]'")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster():
    """A head and another node, of one core each."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield cluster
    cluster.shutdown()


def test_a_node_that_is_lost_and_one_that_joins(cluster, workload):
    """Three actors are wanted: one trains at first, then two, then one again, and two at last."""
    options = ExecutorOptions(executor="ray", workers=3, ray_address=cluster.address)
    objective, runs = WorkloadObjective(workload), runs_of(*[0.1 * n for n in range(1, 9)], epochs=60)
    expected = list(trainer(workload).train(runs))
    with RayActors(objective, 3, options) as pool:
        assert len(pool.processes()) == 1
        second = cluster.add_node(num_cpus=1)
        wait_until(lambda: pool.look(0.1) or sum(slot.loaded for slot in pool.slots) == 2)
        threading.Timer(0.5, cluster.remove_node, (second,)).start()
        assert list(SideBySide(objective, 1, pool).train(runs)) == expected
        wait_until(lambda: pool.look(0.1) or sum(slot.loaded for slot in pool.slots) == 1)
        cluster.add_node(num_cpus=1)
        assert list(SideBySide(objective, 1, pool).train(runs)) == expected
