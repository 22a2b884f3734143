"""A C program for a model's header: it calls every function with numbers drawn from a fixed seed, and
writes what they return, and the state, to a file.

    host.py program HEADER SIZES [MOST] > host.c SIZES: what a symbol is in turn, as 1,3,8; of arrays with more
                                                 than MOST numbers so many are written, then the sum of all
                                                 and that of their magnitudes
    host.py times HEADER SIZE > times.c          one that prints what a call takes, for code for a GPU: with
                                                 all arrays on the device
    host.py noise EXPECTED OTHER > noise         what rounding leaves open: the largest difference in each array
                                                 between two that add up in another order
    host.py compare EXPECTED FOUND BOUND [NOISE] largest difference, in parts of the largest number of
                                                 an array; integers are the same

The file has a line for each array, of its type and its numbers. Arrays, workspaces and states are blocks of
exactly their size, and hold nothing at first: valgrind sees what is read that nobody wrote, or beyond.
"""
import pathlib
import re
import sys

C_TYPES = {"f64": "double", "f32": "float", "f16": "uint16_t", "bf16": "uint16_t", "i64": "int64_t",
           "i32": "int32_t", "i8": "int8_t", "u8": "uint8_t", "bool": "uint8_t"}

PRELUDE = """
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static FILE *file;
static void *allocate(int64_t bytes) {{
  void *memory = aligned_alloc(64, (size_t)bytes);
  if (!memory)
    exit(EXIT_FAILURE);
  return memory;
}}
static uint32_t drawn = 1;
static inline double draw(void) {{
  drawn = drawn * 1664525u + 1013904223u;
  return (drawn >> 8) / 8388608.0 - 1;
}}
/* The bits of f16 and bf16 for a number from 1 to 2, or less its sign. */
static inline uint16_t draw_short(unsigned one, unsigned others) {{
  draw();
  return (uint16_t)(one ^ (drawn >> 16 & others));
}}
/* f16 and bf16 are written as the numbers that their bits are. */
static inline double short_number(unsigned bits, int exponent_bits) {{
  int digits = 15 - exponent_bits, exponent = (bits & 0x7fff) >> digits;
  double number = bits & ((1u << digits) - 1);
  if (exponent)
    number += 1u << digits;
  exponent = (exponent ? exponent : 1) - (1 << (exponent_bits - 1)) + 1 - digits;
  for (; exponent > 0; --exponent)
    number *= 2;
  for (; exponent < 0; ++exponent)
    number /= 2;
  return bits & 0x8000 ? -number : number;
}}
"""


def state_of(kind):
    """The struct's name in a parameter's type; none if it is another type."""
    return kind.replace("const ", "").strip(" *") if "_state" in kind else None


def functions(header):
    """The name, parameters and (name, direction, type, shape) of the arrays of each function."""
    pattern = re.compile(r"/\* ((?:(?!\*/).)*?)\*/\nstatic inline void (\w+)\((.*?)\) \{", re.DOTALL)
    for comment, name, parameters in pattern.findall(header):
        parameters = [re.match(r"(.*?)(\w+)$", part.strip()).groups()
                      for part in re.sub(r"\s+", " ", parameters).split(", ")]
        arrays = {}
        for array, direction, element, shape in re.findall(
                r"^ \*   (\w+)\s+(in|out|in/out)\s+(\w+)(?:\[(.*?)\])?", comment, re.MULTILINE):
            arrays[array] = direction, element, shape
        yield name, parameters, arrays


def draw(name, element, count):
    number = {"bool": "draw() > 0", "f32": "(float)draw()", "f64": "draw()",
              "f16": "draw_short(0x3c00, 0x83ff)", "bf16": "draw_short(0x3f80, 0x807f)"}.get(
                  element, f"({C_TYPES[element]})(draw() * 1.5 + 1.5)")
    return f"  for (int64_t i = 0; i < {count}; ++i)\n    {name}[i] = {number};\n"


MOST = None


def write(name, element, count):
    number = f"{name}[i]"
    if element in ("f16", "bf16"):
        number = f"short_number({number}, {5 if element == 'f16' else 8})"
    is_float = element.strip("b")[0] == "f"
    form = '" %.17g", (double)' if is_float else '" %" PRId64, (int64_t)'
    step = f"{count} > {MOST} ? {count} / {MOST} | 1 : 1" if MOST else "1"
    code = (f'  fprintf(file, "{element}");\n  for (int64_t i = 0; i < {count}; i += {step})\n'
            f'    fprintf(file, {form}{number});\n  fprintf(file, "\\n");\n')
    if MOST:
        kind = "double" if is_float else "int64_t"
        code += (f"  if ({count} > {MOST}) {{\n    {kind} sum = 0, magnitudes = 0;\n"
                 f"    for (int64_t i = 0; i < {count}; ++i) {{\n      {kind} number = ({kind}){number};\n"
                 "      sum += number;\n      magnitudes += number < 0 ? -number : number;\n    }\n"
                 f'    fprintf(file, "{element}");\n    fprintf(file, {form}sum);\n'
                 f'    fprintf(file, {form}magnitudes);\n    fprintf(file, "\\n");\n  }}\n')
    return code


def call(name, parameters, arrays):
    """The C function that draws the arrays, calls `name` and writes what it returns."""
    code, last, arguments, sizes = "", "", [], []
    for kind, parameter in parameters:
        argument = parameter
        if "_state" in kind:
            argument = state_of(kind) + "_values"
        elif parameter == "prepared":
            argument = name.removesuffix("_prepare") + "_prepared"
            if argument != name + "_prepared":
                code += f"  free({argument});\n  {argument} = allocate({argument}_bytes());\n"
        elif parameter == "workspace":
            code += f"  void *workspace = allocate({name}_workspace({', '.join(sizes)}));\n"
            last += "  free(workspace);\n"
        elif parameter in arrays:
            direction, element, shape = arrays[parameter]
            count = " * ".join(f"({extent.strip()})" for extent in shape.split(",")) if shape else "1"
            argument += "_array"  # a function may have the name
            code += (f"  {C_TYPES[element]} *{argument} = "
                     f"allocate({count} * (int64_t)sizeof *{argument});\n")
            code += draw(argument, element, count) if direction != "out" else ""
            last += write(argument, element, count) if direction != "in" else ""
            last += f"  free({argument});\n"
        else:
            value = {"seed": 7, "step": 0, "num_steps": 2}.get(parameter, "size")
            code += f"  const int64_t {parameter} = {value};\n"
            sizes += [parameter] if parameter not in ("seed", "step") else []
        arguments.append(argument)
    return (f"static void call_{name}(int64_t size) {{\n  (void)size;\n{code}"
            f"  {name}({', '.join(arguments)});\n{last}}}\n\n")


def write_state(state, header):
    code = f"static void write_{state}(void) {{\n"
    body = re.search(rf"typedef struct {state} \{{(.*?)\}} {state};", header, re.DOTALL).group(1)
    for member, count, element in re.findall(
            r"NNC_ALIGNED \w+ (\w+)\[(\d+)\];\s*/\* \w+ [^:]*: (\w+)", body):
        code += write(f"{state}_values->{member}", element, count)
    return code + "}\n\n"


def program(path, sizes, most=None):
    global MOST
    MOST = most
    header = pathlib.Path(path).read_text()
    entries = list(functions(header))
    # Initial values first, then what is made of them, forward, what trains.
    entries.sort(key=lambda entry: [entry[0].endswith("_init"), entry[0].endswith("_prepare"),
                                    "_step" not in entry[0]], reverse=True)
    calls = "".join(call(*entry) for entry in entries)
    states = sorted({state_of(kind) for _, parameters, _ in entries for kind, _ in parameters} - {None})
    text = f'#include "{pathlib.Path(path).name}"\n' + PRELUDE.format()
    text += "".join(f"static {state} *{state}_values;\n" for state in states)
    prepared = [name + "d" for name, _, _ in entries if name.endswith("_prepare")]
    text += "".join(f"static void *{name};\n" for name in prepared) + calls
    text += "".join(write_state(state, header) for state in states)
    text += "int main(int argc, char **argv) {\n  file = argc == 2 ? fopen(argv[1], \"w\") : NULL;\n"
    text += "  if (!file)\n    return EXIT_FAILURE;\n"
    text += "".join(f"  {state}_values = allocate(sizeof({state}));\n" for state in states)
    for size in sizes.split(","):
        text += "".join(f"  call_{name}({size});\n" for name, _, _ in entries)
        text += "".join(f"  write_{state}();\n" for state in states)
    text += "".join(f"  free({state}_values);\n" for state in states)
    text += "".join(f"  free({name});\n" for name in prepared)
    return text + "  return fclose(file) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;\n}\n"


TIMES = """
#include "nnc_device.h"
#include <time.h>

/* Numbers that the host draws, on the device. */
static void *to_device(void *memory, int64_t bytes) {
  void *copy = nnc_device_alloc((size_t)bytes);
  nnc_device_copy(copy, memory, (size_t)bytes);
  free(memory);
  return copy;
}
static double seconds(void) {
  struct timespec now;
  nnc_device_wait();
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
"""


def time_call(name, parameters, arrays):
    """The C function that calls `name` many times."""
    code, last, arguments, sizes = "", "", [], []
    for kind, parameter in parameters:
        argument = parameter
        if "_state" in kind:
            argument = state_of(kind) + "_values"
        elif parameter == "workspace":
            code += f"  void *workspace = allocate({name}_workspace({', '.join(sizes)}));\n"
            last += "  free(workspace);\n"
        elif parameter in arrays:
            direction, element, shape = arrays[parameter]
            count = " * ".join(f"({extent.strip()})" for extent in shape.split(",")) if shape else "1"
            argument += "_array"
            code += (f"  {C_TYPES[element]} *{argument} = "
                     f"allocate({count} * (int64_t)sizeof *{argument});\n")
            code += draw(argument, element, count) if direction != "out" else ""
            code += f"  {argument} = to_device({argument}, {count} * (int64_t)sizeof *{argument});\n"
            last += f"  nnc_device_free({argument});\n"
        else:
            value = {"seed": 7, "step": 0, "num_steps": 1}.get(parameter, "size")
            code += f"  const int64_t {parameter} = {value};\n"
            sizes += [parameter] if parameter not in ("seed", "step") else []
        arguments.append(argument)
    run = f"    {name}({', '.join(arguments)});\n"
    return (f"static void time_{name}(int64_t size) {{\n  (void)size;\n{code}"
            f"  for (int i = 0; i < 3; ++i)\n{run}"
            "  int64_t count = 0;\n  double begin = seconds(), passed = 0;\n"
            "  for (int64_t more = 1; passed < 0.1; more *= 2) {\n"
            f"    for (int64_t i = 0; i < more; ++i)\n  {run}    count += more;\n"
            "    passed = seconds() - begin;\n  }\n"
            f'  printf("%10.2f us  {name}, sizes %" PRId64 "\\n", 1e6 * passed / (double)count, size);\n'
            f"{last}}}\n\n")


def times(path, size):
    header = pathlib.Path(path).read_text()
    # A step is `steps` with a count of one.
    entries = [entry for entry in functions(header) if not entry[0].endswith("_steps")]
    entries.sort(key=lambda entry: not entry[0].endswith("_init"))
    states = sorted({state_of(kind) for _, parameters, _ in entries for kind, _ in parameters} - {None})
    text = f'#include "{pathlib.Path(path).name}"\n' + PRELUDE.format() + TIMES
    text += "".join(f"static {state} *{state}_values;\n" for state in states)
    text += "".join(time_call(*entry) for entry in entries)
    text += "int main(void) {\n  (void)file;\n"
    text += "".join(f"  {state}_values = nnc_device_alloc(sizeof({state}));\n" for state in states)
    text += "".join(f"  time_{name}({size});\n" for name, _, _ in entries)
    return text + "  return EXIT_SUCCESS;\n}\n"


INTEGERS = ("i64", "i32", "i8", "u8", "bool")


def read_arrays(*paths):
    """(type, numbers, numbers) of each array in two files."""
    lines = [pathlib.Path(path).read_text().splitlines() for path in paths]
    assert len(lines[0]) == len(lines[1]) > 0
    for left, right in zip(*lines):
        (element, *left), (other, *right) = left.split(), right.split()
        assert element == other and len(left) == len(right)
        number = int if element in INTEGERS else float
        yield element, [number(text) for text in left], [number(text) for text in right]


def are_equal(x, y):
    return x == y or (x != x and y != y)


def noise(expected, other):
    for _, left, right in read_arrays(expected, other):
        print(max((abs(x - y) for x, y in zip(left, right) if not are_equal(x, y)), default=0))


def compare(expected, found, bound, noise_path=None):
    worst, count = 0.0, 0
    open_part = pathlib.Path(noise_path).read_text().split() if noise_path else None
    for number, (element, left, right) in enumerate(read_arrays(expected, found)):
        # Two differ from a third by more than from each other, at times.
        spread = 16 * float(open_part[number]) if open_part else 0
        count += len(left)
        if element in INTEGERS:
            assert left == right or spread, f"array {number}: {left} {right}"
            continue
        scale = max((abs(x) for x in left if abs(x) < float("inf")), default=0) or 1
        allowed = scale * float(bound) * {"f64": 2**-29, "f32": 1, "f16": 2**13, "bf16": 2**16}[element]
        for x, y in zip(left, right):
            if not are_equal(x, y):
                assert abs(x - y) <= allowed + spread, f"array {number} of {element}: {x} {y}, scale {scale}"
                worst = max(worst, abs(x - y) / (allowed + spread))
    print(f"{count} numbers, the largest difference {worst:.2g} of what is allowed")


if sys.argv[1] == "program":
    print(program(*sys.argv[2:]), end="")
elif sys.argv[1] == "times":
    print(times(*sys.argv[2:]), end="")
elif sys.argv[1] == "noise":
    noise(*sys.argv[2:])
else:
    compare(*sys.argv[2:])
