"""Reads what nnc explain wrote of explain.test's program, and counts again."""
import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])


def read(name):
    return json.loads((folder / name).read_text())


# A convolution: 3 images, 4 filters of 2 x 3 x 3 on 6 x 6 places, a multiplication and an addition.
[conv] = read("filter.json")["entries"]
assert conv["flops"] == 3 * 4 * 6 * 6 * (2 * 3 * 3) * 2, conv["flops"]
[kernel] = [kernel for kernel in conv["kernels"] if kernel["kind"] == "contraction"]
assert kernel["flops"] == conv["flops"] and kernel["line"] == 6
assert sorted(loop["size"] for loop in kernel["loops"] if loop["reduction"]) == [2, 3, 3]
assert kernel["bytes_written"] == 3 * 4 * 6 * 6 * 4
assert conv["measured_seconds"] is None and kernel["predicted_seconds"] is None

step = read("step.json")
[entry] = step["entries"]
assert step["schema"] == 1 and entry["kind"] == "step" and entry["sizes"] == {"N": 8}
machine = step["machine"]
assert machine["core"]["flops_per_second"] > 1e8
assert all(level["bytes_per_second"] > 1e7 for level in machine["core"]["levels"])
kernels = entry["kernels"]
assert [kernel["number"] for kernel in kernels] == list(range(len(kernels)))
assert sum(kernel["flops"] for kernel in kernels) == entry["flops"]
assert sum(line["flops"] for line in entry["lines"]) == entry["flops"]
assert sum(line["kernels"] for line in entry["lines"]) == len(kernels)
# x @ w, and the gradient of w: there is none of x.
products = [kernel for kernel in kernels if kernel["kind"] == "contraction" and
            len(kernel["loops"]) == 3]
assert [(kernel["line"], kernel["gradient"]) for kernel in products] == [(28, False), (28, True)]
# With x @ w its sigmoid is computed: three operations on each sum. With the gradient the step of w: two.
assert [kernel["flops"] for kernel in products] == [
    2 * 8 * 3 * 40 + 3 * 8 * 40, 2 * 8 * 3 * 40 + 2 * 3 * 40], products
assert all(kernel["measured_seconds"] >= 0 and kernel["predicted_seconds"] > 0
           for kernel in kernels)
total = sum(kernel["measured_seconds"] for kernel in kernels) + entry["between_kernels_seconds"]
assert abs(entry["measured_seconds"] - total) < 1e-12
assert 0 < entry["measured_seconds"] < 1 and entry["calls"] >= 3
memory = entry["memory"]
assert memory["parameters"] == 3 * 40 * 4 and memory["inputs"] == 8 * (3 + 40) * 4
ends = [buffer["offset"] + buffer["bytes"] for buffer in entry["buffers"]]
assert all(buffer["offset"] % 64 == 0 for buffer in entry["buffers"])
assert max(ends) <= memory["workspace"]
# What lives at the same time does not overlap; a kernel may write where it has read for the last time.
for i, a in enumerate(entry["buffers"]):
    for b in entry["buffers"][:i]:
        together = a["first_kernel"] < b["last_kernel"] and b["first_kernel"] < a["last_kernel"]
        overlap = (a["offset"] < b["offset"] + b["bytes"] and
                   b["offset"] < a["offset"] + a["bytes"])
        assert not (together and overlap), (a, b)

trace = read("trace.json")["traceEvents"]
names = {event["args"]["name"] for event in trace if event["ph"] == "M"}
assert names == {"compile unit.step", "run unit.step"}, names
events = [event for event in trace if event["ph"] == "X"]
assert all(event["ts"] >= 0 and event["dur"] >= 0 for event in events)
passes = [event["name"] for event in events if event["cat"] == "pass"]
assert "autodiff-expand-grad" in passes and "codegen-vectorize" in passes, passes
assert sum(event["cat"] == "kernel" for event in events) == len(kernels)
[call] = [event for event in events if event["cat"] == "call"]
assert all(call["ts"] <= event["ts"] <= call["ts"] + call["dur"]
           for event in events if event["cat"] == "kernel")
print("the explanations are as counted")
