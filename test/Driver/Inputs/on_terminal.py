"""Runs a command on a terminal of its own and prints what came there, with \\r and escapes made visible.

usage: on_terminal.py COMMAND...
"""
import os
import pty
import subprocess
import sys

here, there = pty.openpty()
process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=there, stderr=there)
os.close(there)
text = b""
while True:
    try:
        part = os.read(here, 65536)
    except OSError:  # The other end is closed.
        break
    if not part:
        break
    text += part
print(text.decode().replace("\r\n", "\n").replace("\x1b", "<esc>").replace("\r", "<cr>"))
sys.exit(process.wait())
