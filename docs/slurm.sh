#!/usr/bin/env bash
#SBATCH --job-name=lr-study
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --time=08:00:00
#SBATCH --signal=B:TERM@120
# A search on all GPUs of a job: sbatch docs/slurm.sh, in the folder of the project. Untested on a SLURM cluster.
# The same job again resumes the search.
set -euo pipefail

source .venv/bin/activate
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
workers=$((SLURM_JOB_NUM_NODES * 4)) # GPUs of a node
[ -f ~/.ray/auth_token ] || ray get-auth-token --generate

srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES" \
    ray symmetric-run --address "$head:6379" --min-nodes "$SLURM_JOB_NUM_NODES" --num-gpus=4 -- \
    python scripts/search.py --executor ray --ray-address auto --device cuda --workers "$workers" \
    --trials-per-batch "$workers" --storage "sqlite:///$HOME/studies.db"
