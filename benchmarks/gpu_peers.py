"""The functions of gpu_kernels.nn in PyTorch on a GPU, eager and compiled: what a call takes, as FOLDER/run of
utils/gpu-check prints it for ours. Says so, with status 0, where there is no PyTorch or no GPU."""
import sys
import time

try:
    import torch
except ImportError:
    sys.exit(print("pytorch: not installed"))
if not torch.cuda.is_available():
    sys.exit(print("pytorch: no GPU"))
torch.backends.cuda.matmul.allow_tf32 = False


def normal(*shape, dtype=torch.float32):
    return torch.rand(shape, device="cuda", dtype=dtype) * 2 - 1


def normalize(x, scale, shift):
    return torch.nn.functional.layer_norm(x, (4096,), scale, shift)


def attention(query, key, value):
    return torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)


def attention_gradients(query, key, value, derivative):
    return torch.autograd.grad(attention(query, key, value), (query, key, value), derivative)


def heads(count, dtype=torch.float32, is_trained=False):
    return tuple(normal(4, 8, 2048, 64, dtype=dtype).requires_grad_(is_trained) for _ in range(count))


CASES = {
    "product": (torch.matmul, lambda: (normal(4096, 4096), normal(4096, 4096))),
    "product_bf16": (torch.matmul, lambda: (normal(4096, 4096, dtype=torch.bfloat16),
                                            normal(4096, 4096, dtype=torch.bfloat16))),
    "product_relu": (lambda x, w, b: torch.relu(torch.addmm(b, x, w)),
                     lambda: (normal(4096, 1024), normal(1024, 4096), normal(4096))),
    "softmax_rows": (lambda x: torch.softmax(x, 1), lambda: (normal(8192, 4096),)),
    "normalize": (normalize, lambda: (normal(8192, 4096), normal(4096), normal(4096))),
    "elementwise": (lambda x, y: torch.tanh(x * 2 + y) * torch.sigmoid(y),
                    lambda: (normal(33554432), normal(33554432))),
    "total": (torch.sum, lambda: (normal(33554432),)),
    "attention": (attention, lambda: heads(3)),
    "attention_bf16": (attention, lambda: heads(3, torch.bfloat16)),
    "attention_gradients": (attention_gradients,
                            lambda: heads(3, is_trained=True) + (normal(4, 8, 2048, 64),)),
}


def seconds(function, arguments):
    for _ in range(3):
        function(*arguments)
    count = 0
    torch.cuda.synchronize()
    begin = time.perf_counter()
    while time.perf_counter() - begin < 0.1:
        for _ in range(10):
            function(*arguments)
        torch.cuda.synchronize()
        count += 10
    return (time.perf_counter() - begin) / count


for name, (function, make) in CASES.items():
    arguments = make()
    for mode, called in ("eager", function), ("compiled", torch.compile(function)):
        try:
            print(f"{1e6 * seconds(called, arguments):10.2f} us  {name}, pytorch {mode}")
        except Exception as problem:  # a compiler that is not there
            print(f"           {name}, pytorch {mode}: {str(problem).splitlines()[0]}")
