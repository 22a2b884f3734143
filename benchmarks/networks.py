"""A network that all peers build, for a training step or for inference.

A benchmark gives the network as NAME.nn, as a module of PyTorch whose parts bear the names of the .nn
file, and for training as a function of JAX. The first parameters are drawn by the reference, which
runs in f64, and kept in a file with what else the peers share: the inputs, the count of operations,
the network as ONNX. For inference, ONNX Runtime and OpenVINO pack the weights when they load the
network, and nnc when it prepares the parameters: neither is in the times.
"""
import numpy

import peers

STEPS = 3  # of a training, for comparison
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # adam
MOMENTUM = 0.9


def labelled_images(shape, classes):
    """The inputs of a training on images of noise: `shape` is that of the batch."""
    def inputs(random):
        return {"image": random.standard_normal(shape, "float32"),
                "label": random.integers(0, classes, shape[0])}

    return inputs


class Network:
    """A network and what is done with it.

    `inputs(random)` gives the arrays by name: what the network sees, then for training the labels.
    `optimizer` is the name of one and its rate, or None for inference.
    """

    def __init__(self, name, inputs, module, function=None, optimizer=None, program=None):
        self.name, self.inputs, self.module = name, inputs, module
        self.function, self.optimizer = function, optimizer
        self.program = program or name
        self.path = peers.BUILD / f"{name}.npz"
        self.onnx = peers.BUILD / f"{name}.onnx"

    def peers(self):
        """The preparing functions by the names of the peers."""
        found = {"reference": self.prepare_reference, "nnc": self.prepare_nnc,
                 "PyTorch": self.prepare_torch, "torch.compile": self.prepare_compiled}
        if self.optimizer:
            return {**found, "JAX": self.prepare_jax}
        return {**found, "ONNX Runtime": self.prepare_onnx, "OpenVINO": self.prepare_openvino}

    def flops(self, case):
        return int(numpy.load(self.path)["flops"])

    # What is shared.

    def start(self):
        """The inputs and the parameters, by nnc's names."""
        inputs = self.inputs(numpy.random.default_rng(1))
        with numpy.load(self.path) as file:
            return inputs, {name: file[name] for name in file.files if name != "flops"}

    def prepare_reference(self, case, threads):
        import torch
        from torch.utils.flop_counter import FlopCounterMode

        torch.set_num_threads(threads)
        torch.manual_seed(1)
        net = self.module()
        draw_parameters(net)
        with FlopCounterMode(display=False) as counter:
            if self.optimizer:
                self.loss_of(net, *self.tensors()).backward()
            else:
                net.eval()(*self.tensors())
        peers.BUILD.mkdir(parents=True, exist_ok=True)
        numpy.savez(self.path, flops=counter.get_total_flops(), **parameters_of(net))
        if not self.optimizer:
            torch.onnx.export(net.eval(), self.tensors(), self.onnx, dynamo=True, verbose=False)
        return self.prepare_torch(case, threads, dtype="float64")

    def tensors(self, dtype="float32"):
        import torch

        inputs = self.inputs(numpy.random.default_rng(1)).values()
        return tuple(torch.from_numpy(array.astype(dtype) if array.dtype == "float32" else array)
                     for array in inputs)

    def loss_of(self, net, x, label):
        import torch

        logits = net(x)
        return torch.nn.functional.cross_entropy(logits.flatten(0, -2), label.flatten())

    # PyTorch.

    def prepare_torch(self, case, threads, compiled=False, dtype="float32"):
        import torch

        torch.set_num_threads(threads)
        _, parameters = self.start()
        net = self.module().to(getattr(torch, dtype))
        tensors = self.tensors(dtype)
        if not self.optimizer:
            load_parameters(net, parameters)
            return self.torch_inference(net.eval(), tensors, compiled)
        return self.torch_training(net, parameters, tensors, compiled)

    def prepare_compiled(self, case, threads):
        return self.prepare_torch(case, threads, compiled=True)

    def torch_inference(self, net, tensors, compiled):
        import torch

        torch.set_grad_enabled(False)
        if compiled:
            with peers.compiling():
                net = torch.compile(net)
                net(*tensors)
        return peers.Peer(lambda: net(*tensors), lambda: {"output": net(*tensors).numpy()})

    def torch_training(self, net, parameters, tensors, compiled):
        import torch

        name, rate = self.optimizer
        makers = {
            "sgd": lambda p: torch.optim.SGD(p, rate),
            "momentum": lambda p: torch.optim.SGD(p, rate, MOMENTUM),
            "adam": lambda p: torch.optim.Adam(p, rate, (BETA1, BETA2), EPSILON),
        }
        load_parameters(net, parameters)
        optimizer = makers[name](net.parameters())
        loss_of = lambda *tensors: self.loss_of(net, *tensors)
        if compiled:
            with peers.compiling():
                loss_of = torch.compile(loss_of)
                loss_of(*tensors).backward()

        def step():
            optimizer.zero_grad()
            loss = loss_of(*tensors)
            loss.backward()
            optimizer.step()
            return loss.item()

        def records():
            nonlocal optimizer
            load_parameters(net, parameters)
            optimizer = makers[name](net.parameters())
            return {"loss": numpy.array([step() for _ in range(STEPS)])}

        return peers.Peer(step, records)

    # JAX.

    def prepare_jax(self, case, threads):
        import jax
        from jax.example_libraries import optimizers

        inputs, parameters = self.start()
        x, label = map(jax.numpy.asarray, inputs.values())
        statistics = {name: value for name, value in parameters.items() if "running" in name}
        weights = {name: value for name, value in parameters.items() if name not in statistics}
        name, rate = self.optimizer
        initialize, update, parameters_of_state = {
            "sgd": lambda: optimizers.sgd(rate),
            "momentum": lambda: optimizers.momentum(rate, MOMENTUM),
            "adam": lambda: optimizers.adam(rate, BETA1, BETA2, EPSILON),
        }[name]()

        def loss_of(weights, statistics):
            newest = dict(statistics)
            logits = self.function(weights, x, newest)
            logits = logits.reshape(-1, logits.shape[-1])
            scores = jax.nn.log_softmax(logits)
            truth = label.reshape(-1)
            loss = -jax.numpy.mean(scores[jax.numpy.arange(len(truth)), truth])
            return loss, newest

        def step(count, state, statistics):
            weights = parameters_of_state(state)
            (loss, newest), gradient = jax.value_and_grad(loss_of, has_aux=True)(weights, statistics)
            return update(count, gradient, state), newest, loss

        def begin():
            fresh = lambda tree: {name: jax.numpy.array(value) for name, value in tree.items()}
            return initialize(fresh(weights)), fresh(statistics)

        state, count = begin(), 0
        with peers.compiling():
            call = jax.jit(step, donate_argnums=(1, 2)).lower(0, *state).compile()

        def run():
            nonlocal state, count
            *state, loss = jax.block_until_ready(call(count, *state))
            count += 1
            return float(loss)

        def records():
            nonlocal state, count
            state, count = begin(), 0
            return {"loss": numpy.array([run() for _ in range(STEPS)])}

        return peers.Peer(run, records)

    # nnc.

    def prepare_nnc(self, case, threads):
        inputs, parameters = self.start()
        batch = len(next(iter(inputs.values())))
        kind, suffix = ("step", "_step") if self.optimizer else ("forward", "")
        entry = peers.compile_nnc(peers.program(self.program), kind, self.program + suffix, threads,
                                  {"N": batch}, () if self.optimizer else ("--prepare",))
        state = {name: peers.aligned(numpy.empty(count, "float32"))
                 for name, count in entry.state_sizes.items()}
        result = "loss" if self.optimizer else "output"
        size = 1 if self.optimizer else self.output_size(parameters)
        arrays = {**{name: peers.aligned(value) for name, value in inputs.items()}, **state,
                  result: peers.aligned(numpy.zeros(size, "float32"))}

        def reset():
            for name, value in state.items():
                value[...] = parameters[name].reshape(-1) if name in parameters else 0

        reset()  # What is prepared is made of these.
        missing = set(parameters) - set(state)
        if missing:
            raise ValueError(f"{self.program}.nn has no {', '.join(sorted(missing))}")
        many = entry.bind(arrays, {})

        def records():
            reset()
            values = []
            for _ in range(STEPS if self.optimizer else 1):
                many()
                values.append(arrays[result].copy())
            return {result: numpy.concatenate(values)}

        return peers.Peer(None, records, many, entry.size)

    def output_size(self, parameters):
        """How many numbers the network gives, by the file of ONNX."""
        import onnx

        shape = onnx.load(self.onnx, load_external_data=False).graph.output[0].type.tensor_type.shape
        return int(numpy.prod([axis.dim_value for axis in shape.dim]))

    # What reads ONNX.

    def prepare_onnx(self, case, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        with peers.compiling():
            session = onnxruntime.InferenceSession(str(self.onnx), options)
        names = [argument.name for argument in session.get_inputs()]
        feed = dict(zip(names, self.inputs(numpy.random.default_rng(1)).values()))
        return peers.Peer(lambda: {"output": session.run(None, feed)[0]})

    def prepare_openvino(self, case, threads):
        import openvino

        settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_PRECISION_HINT": "f32"}
        core = openvino.Core()
        with peers.compiling():
            compiled = core.compile_model(core.read_model(str(self.onnx)), "CPU", settings)
        request = compiled.create_infer_request()
        inputs = [openvino.Tensor(array) for array in
                  self.inputs(numpy.random.default_rng(1)).values()]
        for index, tensor in enumerate(inputs):
            request.set_input_tensor(index, tensor)

        def records():
            request.infer()
            return {"output": request.get_output_tensor(0).data.copy()}

        return peers.Peer(request.infer, records)


def draw_parameters(net):
    """Weights that keep the size of what goes through, and statistics as after some training."""
    import torch
    from torch import nn

    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1)


def nnc_name(module, name):
    """What nnc calls a part of a module, and whether it is turned around."""
    from torch import nn

    if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
        names = {"weight": "scale", "bias": "shift", "running_var": "running_variance"}
        return names.get(name, name), False
    turned = isinstance(module, nn.Linear) and name == "weight"
    return {"weight": "w", "bias": "b"}.get(name, name), turned


def each_part(net):
    """The tensors of a network with their names in C and whether nnc has them turned around."""
    for path, module in net.named_modules():
        own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
        for name, tensor in own:
            if name == "num_batches_tracked":
                continue
            short, turned = nnc_name(module, name)
            yield "_".join([*path.split("."), short] if path else [short]), tensor, turned


def parameters_of(net):
    return {name: numpy.ascontiguousarray(tensor.detach().numpy().T if turned
                                          else tensor.detach().numpy())
            for name, tensor, turned in each_part(net)}


def load_parameters(net, parameters):
    import torch

    with torch.no_grad():
        for name, tensor, turned in each_part(net):
            value = torch.from_numpy(parameters[name])
            tensor.copy_(value.T if turned else value)
