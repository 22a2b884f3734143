"""Looks at a running training as several viewers do, and holds that it goes on before all of them.

usage: view_training.py NNC FILE.nn

Viewers: one that reads the page and its content again and again; some that ask and read nothing, or say
nothing at all; some that connect and are gone; one that comes through another name than that of this
machine.
"""
import atexit
import http.client
import re
import socket
import subprocess
import sys
import time

nnc, program = sys.argv[1:]


def get(port, path, host=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


process = subprocess.Popen(
    [nnc, "train", program, "--steps", "100000000", "--serve", "0"], stdout=subprocess.PIPE, text=True
)
atexit.register(process.kill)
port = None
while port is None:
    line = process.stdout.readline()
    assert line, "the training ended before it served"
    found = re.match(r"serving http://127\.0\.0\.1:(\d+)/", line)
    port = int(found[1]) if found else None

stuck = []
for index in range(9):
    viewer = socket.create_connection(("127.0.0.1", port))
    if index % 3 == 0:
        viewer.close()
        continue
    if index % 3 == 1:
        viewer.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    stuck.append(viewer)

assert get(port, "/body", host="elsewhere.example")[0] == 403
assert get(port, "/nothing")[0] == 404
status, page = get(port, "/")
assert status == 200 and page.endswith("</html>\n") and "<script>" in page
steps = []
while len(set(steps)) < 4:
    status, body = get(port, "/body")
    assert status == 200 and process.poll() is None
    steps.append(int(re.search(r"<dd>(\d+) of \d+</dd>", body)[1]))
    time.sleep(0.1)
assert steps == sorted(steps), steps
print("the training went on before all of them")
