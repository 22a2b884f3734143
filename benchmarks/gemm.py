"""Products of matrices, square, ragged and tall, alone and with a bias and GELU in one go.

A case is "MxNxK", with "+bias+gelu" behind it where the layer of a transformer is meant, "+bf16"
where factors and result are of that type, and "+int8" where factors are, and sums of 32 bits.
"""
import ctypes

import ml_dtypes  # Of JAX: bf16 for NumPy.
import numpy

import peers

TITLE = "Matrix products, float32, bfloat16 and int8"
CASES = (
    "64x64x64", "128x128x128", "256x256x256", "512x512x512", "1024x1024x1024", "2048x2048x2048",
    "129x67x311", "333x500x777", "1000x1000x1000", "1021x1021x1021",
    "4096x64x256", "64x4096x1024", "1x1024x1024", "8x1024x1024", "128x3072x768",
    "64x64x64+bias+gelu", "256x1024x256+bias+gelu", "128x3072x768+bias+gelu",
    "512x2048x512+bias+gelu", "1024x1024x1024+bias+gelu",
    "256x256x256+bf16", "512x512x512+bf16", "1024x1024x1024+bf16", "333x500x777+bf16",
    "128x3072x768+bf16", "1x1024x1024+bf16",
    "256x256x256+int8", "512x512x512+int8", "1024x1024x1024+int8", "333x500x777+int8",
    "128x3072x768+int8", "1x1024x1024+int8",
)


def is_short(case):
    return case.endswith("bf16")


def is_integer(case):
    return case.endswith("int8")


# bf16 has eight bits; integers are exact.
TOLERANCE = {case: 2e-2 if is_short(case) else 0 if is_integer(case) else 1e-4 for case in CASES}


def parse(case):
    m, n, k = map(int, case.split("+")[0].split("x"))
    return m, n, k, case.endswith("gelu")


def flops(case):
    m, n, k, _ = parse(case)
    return 2 * m * n * k


def element_type(case):
    return numpy.dtype(ml_dtypes.bfloat16 if is_short(case) else "float32")


def operands(case, dtype=None):
    """The same numbers in each type."""
    m, n, k, _ = parse(case)
    random = numpy.random.default_rng(1)
    arrays = random.normal(size=(m, k)), random.normal(size=(k, n)), random.normal(size=n)
    if is_integer(case):
        return [numpy.clip(40 * array, -128, 127).astype("int8") for array in arrays]
    own = element_type(case)
    return [array.astype(own).astype(dtype or own) for array in arrays]


def record(array):
    return {"c": numpy.asarray(array).astype("float32")}


def prepare_reference(case, threads):
    import torch

    torch.set_num_threads(threads)
    a, b, bias = (torch.from_numpy(array).double() for array in operands(case, "float64"))
    fused = parse(case)[3]

    def run():
        c = torch.nn.functional.gelu(a @ b + bias) if fused else a @ b
        return {"c": c.numpy()}

    return peers.Peer(run)


def prepare_nnc(case, threads):
    m, n, k, fused = parse(case)
    value = "gelu(a @ b + bias)" if fused else "i32(a) @ i32(b)" if is_integer(case) else "a @ b"
    dtype = "bf16" if is_short(case) else "i8" if is_integer(case) else "f32"
    result = "i32" if is_integer(case) else dtype
    arguments = f"a: {dtype}[{m}, {k}], b: {dtype}[{k}, {n}]"
    arguments += f", bias: {dtype}[{n}]" if fused else ""
    text = f"func product({arguments}) -> (c: {result}[{m}, {n}]) {{\n  c = {value}\n}}\n"
    entry = peers.compile_nnc(text, "func", "product", threads)
    a, b, bias = map(peers.aligned, operands(case))
    c = peers.aligned(numpy.empty((m, n), "int32" if is_integer(case) else a.dtype))
    many = entry.bind({"a": a, "b": b, "bias": bias, "c": c}, {})

    def records():
        many()
        return record(c)

    return peers.Peer(None, records, many, entry.size)


def prepare_openblas(case, threads):
    m, n, k, fused = parse(case)
    if fused or is_short(case) or is_integer(case):
        return None
    gemm, repeat = peers.openblas(threads), peers.compile_c("harness").repeat_gemm
    a, b, _ = map(peers.aligned, operands(case))
    c = peers.aligned(numpy.empty((m, n), "float32"))
    sizes = [ctypes.c_int64(size) for size in (m, n, k)]

    def many(count=1):
        repeat(gemm, *sizes, *map(peers.pointer, (a, b, c)), ctypes.c_long(count))

    def records():
        many()
        return {"c": c}

    return peers.Peer(None, records, many)


def prepare_torch(case, threads):
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    if is_integer(case):
        a, b, _ = map(torch.from_numpy, operands(case))
        c = torch.empty(a.shape[0], b.shape[1], dtype=torch.int32)

        def multiply():
            torch._int_mm(a, b, out=c)

        return peers.Peer(multiply, lambda: multiply() or record(c))
    dtype = torch.bfloat16 if is_short(case) else torch.float32
    a, b, bias = (torch.from_numpy(array).to(dtype) for array in operands(case, "float32"))
    c = torch.empty(a.shape[0], b.shape[1], dtype=dtype)
    if not parse(case)[3]:

        def run():
            torch.mm(a, b, out=c)

        return peers.Peer(run, lambda: run() or record(c.float()))

    def layer(a, b, bias):
        return torch.nn.functional.gelu(torch.addmm(bias, a, b))

    return peers.Peer(lambda: {"c": layer(a, b, bias).numpy()})


def prepare_jax(case, threads):
    import jax

    if is_integer(case):  # Its products of int8 are loops.
        return None
    fused = parse(case)[3]

    def product(a, b, bias):
        return jax.nn.gelu(a @ b + bias, approximate=False) if fused else a @ b

    arrays = [jax.numpy.asarray(array) for array in operands(case)]
    with peers.compiling():
        call = jax.jit(product).lower(*arrays).compile()

    return peers.Peer(lambda: call(*arrays).block_until_ready(),
                      lambda: record(call(*arrays)))


def prepare_onnx_runtime(case, threads):
    if not is_integer(case):
        return None
    import onnx
    import onnxruntime

    # It has its fast kernels for left factors without a sign: they are moved by 128, and it is told so.
    m, n, k, _ = parse(case)
    inputs = [onnx.helper.make_tensor_value_info("a", onnx.TensorProto.UINT8, [m, k]),
              onnx.helper.make_tensor_value_info("b", onnx.TensorProto.INT8, [k, n])]
    output = onnx.helper.make_tensor_value_info("c", onnx.TensorProto.INT32, [m, n])
    moved = onnx.helper.make_tensor("moved", onnx.TensorProto.UINT8, [], [128])
    node = onnx.helper.make_node("MatMulInteger", ["a", "b", "moved"], ["c"])
    graph = onnx.helper.make_graph([node], "product", inputs, [output], [moved])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])
    model.ir_version = 8
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    with peers.compiling():
        session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                               providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    a, b, _ = operands(case)
    a = (a.astype("int16") + 128).astype("uint8")
    c = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.empty((m, n), "int32"))
    binding.bind_cpu_input("a", a)
    binding.bind_cpu_input("b", b)
    binding.bind_ortvalue_output("c", c)

    def run():
        session.run_with_iobinding(binding)

    return peers.Peer(run, lambda: run() or record(c.numpy()))


PEERS = {"reference": prepare_reference, "nnc": prepare_nnc, "OpenBLAS": prepare_openblas,
         "PyTorch": prepare_torch, "JAX": prepare_jax, "ONNX Runtime": prepare_onnx_runtime}
