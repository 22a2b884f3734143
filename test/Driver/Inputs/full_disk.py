"""Runs a command that can write no more than so many bytes to a file, as on a disk that is full.

usage: full_disk.py BYTES COMMAND...
"""
import resource
import signal
import subprocess
import sys

limit = int(sys.argv[1])


def restrict():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


sys.exit(subprocess.run(sys.argv[2:], preexec_fn=restrict, restore_signals=False).returncode)
