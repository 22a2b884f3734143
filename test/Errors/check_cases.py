#!/usr/bin/env python3
"""Runs the cases of a file: a command that goes wrong, and all that it says about it.

    check_cases.py [--update] [--only NAME] FILE...

A case is the files it needs, one command, and what comes of it:

    === an unknown name
    --- a.nn
    test t {
      expect missing == 1
    }
    $ nnc test a.nn
    exit 1
    a.nn:2:10: error: unknown name 'missing'
      expect missing == 1
             ^~~~~~~

Everything after "exit N" is stderr, whole; what the command prints to stdout, if anything, follows
in lines that begin with "| ". `--- FILE escaped` is a file of bytes, written like a string of Python
(lines are joined without line ends). Each case runs in an empty folder; a command that fails must
leave no new file there. --update writes what the commands say now into the file: read the difference.
"""
import argparse
import codecs
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HEADER = re.compile(r"^=== (.*)$")
FILE = re.compile(r"^--- (\S+)( escaped)?$")
DEFECTS = ("Assertion", "Sanitizer", "runtime error:", "PLEASE submit", "mlir::", "nn.", "linalg.")


class Case:
    """One case, as it stands in the file."""

    def __init__(self, name):
        self.name = name
        self.setup = []  # the lines before the command
        self.files = []
        self.command = None
        self.expected = []

    def run(self):
        """The lines that belong after the command."""
        with tempfile.TemporaryDirectory() as folder:
            for name, content in self.files:
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            before = files_in(folder)
            environment = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "80"}
            done = subprocess.run(
                ["sh", "-c", self.command],
                cwd=folder,
                env=environment,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=120,
                check=False,
            )
            lines = [f"exit {done.returncode}"]
            lines += done.stderr.decode(errors="backslashreplace").splitlines()
            lines += ["| " + line for line in done.stdout.decode(errors="backslashreplace").splitlines()]
            lines += ["leaves " + path for path in sorted(files_in(folder) - before)]
        return lines


def files_in(folder):
    """The paths of all files under `folder`."""
    return {str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*")}


def read_content(lines, is_escaped):
    """The bytes of a file from its lines in a case."""
    if is_escaped:
        return codecs.escape_decode("".join(lines).encode())[0]
    return "".join(line + "\n" for line in lines).encode()


def parse(text):
    """The lines above the first case, and the cases."""
    head, cases, name, escaped, content = [], [], None, False, []
    for line in text.splitlines():
        header, file = HEADER.match(line), FILE.match(line)
        case = cases[-1] if cases else None
        if header:
            cases.append(Case(header[1]))
            name = None
        elif case is None:
            head.append(line)
        elif case.command is not None:
            case.expected.append(line)
        else:
            starts_command = line.startswith("$ ")
            if name and (file or starts_command):
                case.files.append((name, read_content(content, escaped)))
                name = None
            if starts_command:
                case.command = line[2:]
            elif file:
                name, escaped, content = file[1], bool(file[2]), []
            else:
                content.append(line)
            case.setup.append(line)
    for case in cases:
        while case.expected and not case.expected[-1]:
            case.expected.pop()
    return head, cases


def render(head, cases):
    """The text of a file of cases."""
    lines = list(head)
    for case in cases:
        lines += [f"=== {case.name}", *case.setup, *case.expected, ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def complaints(case, found):
    """What no diagnostic may say, whatever the case expects."""
    text = "\n".join(found)
    for sign in DEFECTS:
        if re.search(r"(?<![\w.])" + re.escape(sign), text):
            yield f"speaks of '{sign}'"
    if "error: error:" in text:
        yield "says 'error:' twice"
    if found[0] not in ("exit 1", "exit 2") or len(found) < 2:
        yield f"expected a message and exit 1 or 2, found {found[0]}"
    if found[-1].startswith("leaves "):
        yield found[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="write what the commands say now")
    parser.add_argument("--only", help="run only cases whose name contains this")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    failures = 0
    for path in arguments.files:
        head, cases = parse(path.read_text())
        for case in cases:
            if arguments.only and arguments.only not in case.name:
                continue
            found = case.run()
            problems = list(complaints(case, found))
            if arguments.update:
                case.expected = found
            elif found != case.expected:
                problems.append("expected\n" + "\n".join(case.expected) + "\n---- found\n" + "\n".join(found))
            for problem in problems:
                print(f"{path.name}: {case.name}: {problem}")
            failures += bool(problems)
        print(f"{path.name}: {len(cases)} cases")
        if arguments.update:
            path.write_text(render(head, cases))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
