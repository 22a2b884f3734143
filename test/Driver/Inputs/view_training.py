"""Looks at a running training as several viewers do, and holds that none of them slows it.

usage: view_training.py NNC FILE.nn

Viewers: one that reads the page and its content again and again; many that ask and read nothing; many that
connect and are gone; one that comes through another name than that of this machine.
"""
import http.client
import re
import socket
import subprocess
import sys
import threading
import time

nnc, program = sys.argv[1:]


def train(*options):
    return subprocess.Popen(
        [nnc, "train", program, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def get(port, path, host=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


start = time.monotonic()
assert train().wait() == 0
alone = time.monotonic() - start

start = time.monotonic()
process = train("--serve", "0")
port = None
while port is None:
    line = process.stdout.readline()
    assert line, "the training ended before it served"
    found = re.match(r"serving http://127\.0\.0\.1:(\d+)/", line)
    port = int(found[1]) if found else None
threading.Thread(target=process.stdout.read, daemon=True).start()

stuck = []
for index in range(20):
    viewer = socket.create_connection(("127.0.0.1", port))
    if index % 2:
        viewer.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        stuck.append(viewer)
    else:
        viewer.close()

assert get(port, "/body", host="elsewhere.example")[0] == 403
assert get(port, "/nothing")[0] == 404
status, page = get(port, "/")
assert status == 200 and page.endswith("</html>\n") and "<script>" in page
steps = []
while process.poll() is None:
    try:
        status, body = get(port, "/body")
    except (OSError, http.client.HTTPException):
        break  # It has ended in between.
    assert status == 200
    steps.append(int(re.search(r"<dd>(\d+) of \d+</dd>", body)[1]))
    time.sleep(0.1)
assert process.wait(timeout=120) == 0
watched = time.monotonic() - start
assert steps == sorted(steps) and len(set(steps)) > 1, steps
# A viewer that held the training up would do so for ever; the bound leaves room for a busy machine.
assert watched < 3 * alone + 20, (watched, alone)
print(f"the training went on before {len(set(steps))} different views")
