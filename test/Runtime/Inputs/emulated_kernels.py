"""Kernels for the tests' libcuda.so.1, from what nnc made of a model.

    emulated_kernels.py < kernels.mlir > wrapped.mlir

Reads a module after the phase "kernels" for a GPU, and writes its gpu.module with a function fake_kernel_NAME
for each kernel, which launches it: a buffer for each argument in memory, a symbol for each number and for
each of the grid's sizes, as entries of the C interface have them. codegen-gpu-emulate-launches does the rest.
"""
import re
import sys

KERNEL = re.compile(r"gpu\.func @([\w.$-]+)\(([^\n]*?)\)(?: workgroup\([^\n]*?\))?(?: private\([^\n]*?\))? kernel"
                    r" attributes \{[^\n]*known_block_size = array<i32: (\d+), (\d+), (\d+)>")


def arguments(text):
    """(name, type) of each, where types hold commas."""
    return re.findall(r"(%\w+): ((?:memref<[^>]*>|[^,])+)", text)


def from_index(value, kind, code):
    """What `value`, an index whose low bits are a `kind`, stands for; appends the casts to `code`."""
    if kind == "index":
        return value
    bits = "i" + kind.strip("bif")
    code.append(f"{value}_bits = arith.index_cast {value} : index to {bits}")
    if kind == bits:
        return value + "_bits"
    code.append(f"{value}_float = arith.bitcast {value}_bits : {bits} to {kind}")
    return value + "_float"


def wrapper(name, parameters, block):
    declared, symbols, passed, code, buffers = [], [], [], [], 0
    for value, kind in arguments(parameters):
        kind = kind.strip()
        if kind.startswith("memref"):
            shape = ", ".join(re.findall(r"(\d+)x", kind))
            declared.append(f"{value}: {kind} {{nn.buffer = {buffers} : i64, nn.shape = [{shape}]}}")
            buffers += 1
        else:
            symbols.append(f"s{len(symbols)}")
            declared.append(f'{value}: index {{nn.symbol = "{symbols[-1]}"}}')
            value = from_index(value, kind, code)
        passed.append(f"{value} : {kind}")
    for axis in "xyz":
        symbols.append("grid" + axis)
        declared.append(f'%grid{axis}: index {{nn.symbol = "grid{axis}"}}')
    code += [f"%block{axis} = arith.constant {size} : index" for axis, size in zip("xyz", block)]
    names = ", ".join(f'"{symbol}"' for symbol in symbols)
    return (f"func.func @fake_kernel_{name}({', '.join(declared)}) attributes {{nn.symbols = [{names}]}} {{\n  "
            + "\n  ".join(code) + f"\n  gpu.launch_func @kernels::@{name} blocks in (%gridx, %gridy, %gridz)"
            f" threads in (%blockx, %blocky, %blockz) args({', '.join(passed)})\n  return\n}}\n")


# Without operands, the end of the line is not that of the operation.
text = re.sub(r"nvgpu\.device_async_create_group *\n",
              '"nvgpu.device_async_create_group"() : () -> !nvgpu.device.async.token\n', sys.stdin.read())
module = text[text.index("  gpu.module @kernels"):text.rindex("}")]
print(text[:text.index("module attributes")] + "module attributes {gpu.container_module} {")
for name, parameters, *block in KERNEL.findall(module):
    print(wrapper(name, parameters, block))
print(module + "}")
