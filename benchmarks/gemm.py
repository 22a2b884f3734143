"""Products of matrices, square, ragged and tall, alone and with a bias and GELU in one go.

A case is "MxNxK", with "+bias+gelu" behind it where the layer of a transformer is meant.
"""
import ctypes

import numpy

import peers

TITLE = "Matrix products, float32"
TOLERANCE = 1e-4
CASES = (
    "64x64x64", "128x128x128", "256x256x256", "512x512x512", "1024x1024x1024", "2048x2048x2048",
    "129x67x311", "333x500x777", "1000x1000x1000", "1021x1021x1021",
    "4096x64x256", "64x4096x1024", "1x1024x1024", "8x1024x1024", "128x3072x768",
    "64x64x64+bias+gelu", "256x1024x256+bias+gelu", "128x3072x768+bias+gelu",
    "512x2048x512+bias+gelu", "1024x1024x1024+bias+gelu",
)


def parse(case):
    m, n, k = map(int, case.split("+")[0].split("x"))
    return m, n, k, case.endswith("gelu")


def flops(case):
    m, n, k, _ = parse(case)
    return 2 * m * n * k


def operands(case, dtype="float32"):
    m, n, k, _ = parse(case)
    random = numpy.random.default_rng(1)
    arrays = random.normal(size=(m, k)), random.normal(size=(k, n)), random.normal(size=n)
    return [array.astype("float32").astype(dtype) for array in arrays]


def prepare_reference(case, threads):
    import torch

    torch.set_num_threads(threads)
    a, b, bias = (torch.from_numpy(array) for array in operands(case, "float64"))
    fused = parse(case)[3]

    def run():
        c = torch.nn.functional.gelu(a @ b + bias) if fused else a @ b
        return {"c": c.numpy()}

    return peers.Peer(run)


def prepare_nnc(case, threads):
    m, n, k, fused = parse(case)
    value = "gelu(a @ b + bias)" if fused else "a @ b"
    arguments = f"a: f32[{m}, {k}], b: f32[{k}, {n}]" + (f", bias: f32[{n}]" if fused else "")
    text = f"func product({arguments}) -> (c: f32[{m}, {n}]) {{\n  c = {value}\n}}\n"
    entry = peers.compile_nnc(text, "func", "product", threads)
    a, b, bias = map(peers.aligned, operands(case))
    c = peers.aligned(numpy.empty((m, n), "float32"))
    many = entry.bind({"a": a, "b": b, "bias": bias, "c": c}, {})

    def records():
        many()
        return {"c": c}

    return peers.Peer(None, records, many, entry.size)


def prepare_openblas(case, threads):
    m, n, k, fused = parse(case)
    if fused:
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
    a, b, bias = (torch.from_numpy(array) for array in operands(case))
    c = torch.empty(a.shape[0], b.shape[1])
    if not parse(case)[3]:

        def run():
            torch.mm(a, b, out=c)
            return {"c": c.numpy()}

        return peers.Peer(run)

    def layer(a, b, bias):
        return torch.nn.functional.gelu(torch.addmm(bias, a, b))

    return peers.Peer(lambda: {"c": layer(a, b, bias).numpy()})


def prepare_jax(case, threads):
    import jax

    fused = parse(case)[3]

    def product(a, b, bias):
        return jax.nn.gelu(a @ b + bias, approximate=False) if fused else a @ b

    arrays = [jax.numpy.asarray(array) for array in operands(case)]
    with peers.compiling():
        call = jax.jit(product).lower(*arrays).compile()

    return peers.Peer(lambda: call(*arrays).block_until_ready(),
                      lambda: {"c": numpy.asarray(call(*arrays))})


PEERS = {"reference": prepare_reference, "nnc": prepare_nnc, "OpenBLAS": prepare_openblas,
         "PyTorch": prepare_torch, "JAX": prepare_jax}
