"""Opens the page of a running training in a browser without a window, and looks at what it shows.

usage: browse_training.py BROWSER NNC FILE.nn PICTURE.png

The page must move on by itself, throw no error, ask nothing of any other server, and say when the training
is gone. BROWSER is Chromium; it is told what to do as the DevTools protocol says, over two pipes:
https://chromedevtools.github.io/devtools-protocol/.
"""
import atexit
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import time

browser_path, nnc, program, picture = sys.argv[1:]


class Browser:
    """A browser with one page; `events` is all that it said of its own accord."""

    def __init__(self, path):
        self.events, self.number, self.session, self.rest = [], 0, None, b""
        commands, self.write_end = os.pipe()
        self.read_end, answers = os.pipe()
        # The browser reads at descriptor 3 and writes at 4.
        start = (
            f"exec 3<&{commands} 4>&{answers}; exec \"$0\" --headless --no-sandbox --disable-gpu"
            " --disable-dev-shm-usage --window-size=900,1200 --remote-debugging-pipe"
            " --user-data-dir=\"$1\" about:blank"
        )
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            ["bash", "-c", start, path, self.folder.name],
            pass_fds=(commands, answers), stderr=subprocess.DEVNULL,
        )
        atexit.register(self.process.kill)
        os.close(commands)
        os.close(answers)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Page", "Network"):
            self.ask(domain + ".enable")

    def receive(self):
        while b"\0" not in self.rest:
            data = os.read(self.read_end, 1 << 20)
            assert data, "the browser ended"
            self.rest += data
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def ask(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                assert "result" in answer, answer
                return answer["result"]
            self.events.append(answer)

    def evaluate(self, expression):
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")


def serve():
    """A training without an end, and the port of its page."""
    process = subprocess.Popen(
        [nnc, "train", program, "--steps", "100000000", "--serve", "0"], stdout=subprocess.PIPE, text=True
    )
    atexit.register(process.kill)
    for line in process.stdout:
        found = re.match(r"serving http://127\.0\.0\.1:(\d+)/", line)
        if found:
            return process, int(found[1])
    sys.exit("the training ended before it served")


def wait_for(browser, expression, meaning):
    end = time.monotonic() + 60
    while not browser.evaluate(expression):
        assert time.monotonic() < end, f"{meaning}: not within a minute"
        time.sleep(0.2)


training, port = serve()
browser = Browser(browser_path)
browser.ask("Page.navigate", url=f"http://127.0.0.1:{port}/")
step = "Number((document.querySelector('main')?.textContent.match(/(\\d+) of \\d+/) ?? [0, 0])[1])"
wait_for(browser, step + " > 0", "the page shows a step")
first = browser.evaluate(step)
wait_for(browser, f"{step} > {first}", "the page shows a later step")
second = browser.evaluate(step)
wait_for(browser, f"{step} > {second}", "the page shows a still later step")
assert browser.evaluate("document.querySelectorAll('main svg').length") >= 1, "a curve is drawn"
shot = browser.ask("Page.captureScreenshot", format="png")["data"]
with open(picture, "wb") as file:
    file.write(base64.b64decode(shot))

training.kill()
wait_for(browser, "document.getElementById('note').textContent.includes('has ended')", "the end is noted")
assert browser.evaluate("document.querySelectorAll('main svg').length") >= 1, "the last curve stays"

errors = [event for event in browser.events if event["method"] == "Runtime.exceptionThrown"]
assert not errors, errors
asked = [event["params"]["request"]["url"] for event in browser.events
         if event["method"] == "Network.requestWillBeSent"]
assert asked and all(url.startswith((f"http://127.0.0.1:{port}/", "data:")) for url in asked), asked
print("the page moved on, and said when the training was gone")
