"""Kills a training at random points, resumes it, and compares what it ends with.

usage: kill-resume.py NNC FILE.nn FOLDER KILLS [SEED] [OPTION...]

Runs `nnc train FILE.nn` once without a break. Then it starts the same training with checkpoints every
few steps and kills it (SIGKILL) after a random time, again and again, each time resuming from what is
there, until it has been killed KILLS times; a training that reaches its end in between is compared and
begun anew. Every other time counts from the run's first checkpoint on, since most of the time before is the
compiler's; all follow how fast the machine is just then. Parameters, log and records must have the same bytes as those of the first run, no resumed
run may begin before an earlier one had begun, and every resumed run must begin.
"""
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

nnc, program, folder, kills = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), int(sys.argv[4])
seed = int(sys.argv[5]) if len(sys.argv) > 5 else 0
options = sys.argv[6:]
outputs = ("params.safetensors", "log.jsonl", "history.npz")


def command(place):
    place.mkdir(parents=True, exist_ok=True)
    params, log, history = (str(place / name) for name in outputs)
    return [nnc, "train", program, "--save", params, "--log", log, "--history", history, *options]


def read(place):
    return [(place / name).read_bytes() for name in outputs]


def checkpoints(place):
    return sorted(path.name for path in (place / "checkpoints").glob("step-*"))


def stop_with(message):
    print(message)
    sys.exit(1)


def run_for(arguments, seconds, place=None):
    """Output and exit status of a run that is killed after so many seconds, where a place is given of its
    first checkpoint there; status None if it was."""
    before = checkpoints(place) if place else None
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while place and process.poll() is None and checkpoints(place) == before:
        time.sleep(0.001)
    try:
        output, _ = process.communicate(timeout=seconds)
        return output, process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        return output, None


shutil.rmtree(folder, ignore_errors=True)
start = time.monotonic()
output, status = run_for(command(folder / "whole"), 600)
duration = time.monotonic() - start
if status != 0:
    stop_with(f"the training itself fails:\n{output}")
expected = read(folder / "whole")

choose = random.Random(seed)
killed = finished = 0
late = 0  # of the kills: those of a run that had written checkpoints
furthest = -1
place = folder / "killed"
while killed < kills or finished == 0:
    arguments = command(place) + ["--checkpoint", str(place / "checkpoints"), "--checkpoint-every", "3", "--resume"]
    limit = choose.uniform(0, 1.3 * duration) if killed < kills else 600
    before, start = checkpoints(place), time.monotonic()
    if killed < kills and killed % 2:
        output, status = run_for(arguments, choose.uniform(0, 0.1) * duration, place)
    else:
        output, status = run_for(arguments, limit)
    begun = re.search(r"going on from step (\d+)", output)
    if begun and int(begun[1]) < furthest:
        stop_with(f"after {killed} kills: begun at step {begun[1]}, before it had begun at {furthest}")
    furthest = max(furthest, int(begun[1]) if begun else -1)
    if furthest > 0 and "a new training" in output:
        stop_with(f"after {killed} kills: the checkpoint of step {furthest} is gone")
    if status is None:
        killed += 1
        late += checkpoints(place) != before
        # A machine that has become slower would be killed before it does anything, again and again.
        if checkpoints(place) == before:
            duration *= 1.1
        continue
    duration = (duration + time.monotonic() - start) / 2
    if status != 0:
        stop_with(f"after {killed} kills:\n{output}")
    for name, now, then in zip(outputs, read(place), expected):
        if now != then:
            stop_with(f"after {killed} kills: {name} differs")
    finished += 1
    furthest = -1
    shutil.rmtree(place)
print(f"{killed} kills, {finished} trainings as without them; {late} kills after new checkpoints")
