"""Trains a file with each of ten seeds and says how many pass its tests.

    count_seeds.py FILE.nn
"""
import subprocess
import sys

passed = [
    subprocess.run(
        ["nnc", "train", sys.argv[1], "--seed", str(seed)], capture_output=True, check=False
    ).returncode
    == 0
    for seed in range(10)
]
print(f"{sum(passed)} of {len(passed)} seeds pass: {passed}")
