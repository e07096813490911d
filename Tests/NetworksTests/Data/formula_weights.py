"""Weights by the formula of FormulaWeights.swift, which describes it."""

import numpy
import torch


def uniform(name, count):
    """`count` numbers in [-1, 1), a function of the name."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) % 2**64
    z = numpy.uint64(seed) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    z = z ^ (z >> numpy.uint64(31))
    return (z >> numpy.uint64(11)).astype(numpy.float64) * 2.0**-52 - 1


def values(name, shape, mean_scale=0.5):
    """A parameter or buffer as an f32 array of `shape`."""
    u = uniform(name, int(numpy.prod(shape)))
    if len(shape) > 1:
        u = u * numpy.sqrt(6 / int(numpy.prod(shape[1:])))
    elif name.endswith(".weight"):
        u = mean_scale + 0.25 * u
    elif name.endswith(".running_var"):
        u = 1 + 0.5 * u
    else:
        u = 0.1 * u
    return u.astype(numpy.float32).reshape(shape)


def formula_input(shape):
    return torch.from_numpy(uniform("input", int(numpy.prod(shape))).astype(numpy.float32).reshape(shape))


def fill(model, mean_scale=0.5):
    """Fills all parameters and buffers of a PyTorch module but the counts of batches."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.dtype.is_floating_point:
                tensor.copy_(torch.from_numpy(values(name, tuple(tensor.shape), mean_scale)))
    return model
