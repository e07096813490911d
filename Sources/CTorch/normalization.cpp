// Normalization: libtorch's, and group norm of channels-last tensors.
#include "support.h"

#include <ATen/TensorIterator.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>

using ct::make;
using ct::optional;

ct_tensor *ct_batch_norm(const ct_tensor *x, const ct_tensor *weight, const ct_tensor *bias,
                         ct_tensor *running_mean, ct_tensor *running_variance, bool training, double momentum,
                         double epsilon) {
    return make([&] {
        return at::batch_norm(x->value, optional(weight), optional(bias), optional(running_mean),
                              optional(running_variance), training, momentum, epsilon, true);
    });
}

#if defined(__x86_64__)
#define VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTORIZED
#endif
#define INLINED static inline __attribute__((always_inline))

// libtorch's own `const_data_ptr<float>` has a name that compilers spell differently: it does not link to every build.
static const float *floats(const at::Tensor &tensor) { return static_cast<const float *>(tensor.const_data_ptr()); }

// bfloat16 is the upper half of a float; c10's conversions do not link from functions with several targets.
INLINED float wide(float value) { return value; }

INLINED float wide(uint16_t value) {
    uint32_t bits = static_cast<uint32_t>(value) << 16;
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

INLINED void narrow(float value, float *result) { *result = value; }

INLINED void narrow(float value, uint16_t *result) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    // To the nearest, to even of two; NaN stays NaN.
    *result = value != value ? 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

// Over a run of channels-last voxels of one sample, Σ (y - b) (x - a) and Σ (y - b) of each channel are added to `dots`
// and `sums`.
template <class Value>
INLINED void add_sums_of(const Value *x, const Value *y, int64_t voxels, int64_t channels, const float *a,
                         const float *b, float *__restrict dots, float *__restrict sums) {
    for (int64_t voxel = 0; voxel < voxels; ++voxel, x += channels, y += channels) {
        for (int64_t c = 0; c < channels; ++c) {
            float centred = wide(y[c]) - b[c];
            dots[c] += centred * (wide(x[c]) - a[c]);
            sums[c] += centred;
        }
    }
}

// What a run is mapped by, channel by channel: slope · (x - mean) + scale · y + offset.
struct factors {
    const float *mean, *slope, *scale, *offset;
};

template <class Value>
INLINED void write_of(const Value *x, const Value *y, int64_t voxels, int64_t channels, factors by,
                      Value *__restrict result) {
    for (int64_t voxel = 0; voxel < voxels; ++voxel, x += channels, y += channels, result += channels)
        for (int64_t c = 0; c < channels; ++c)
            narrow(by.slope[c] * (wide(x[c]) - by.mean[c]) + by.scale[c] * wide(y[c]) + by.offset[c], &result[c]);
}

VECTORIZED static void add_sums(const float *x, const float *y, int64_t voxels, int64_t channels, const float *a,
                                const float *b, float *dots, float *sums) {
    add_sums_of(x, y, voxels, channels, a, b, dots, sums);
}

VECTORIZED static void add_sums(const uint16_t *x, const uint16_t *y, int64_t voxels, int64_t channels,
                                const float *a, const float *b, float *dots, float *sums) {
    add_sums_of(x, y, voxels, channels, a, b, dots, sums);
}

VECTORIZED static void write(const float *x, const float *y, int64_t voxels, int64_t channels, factors by,
                             float *result) {
    write_of(x, y, voxels, channels, by, result);
}

VECTORIZED static void write(const uint16_t *x, const uint16_t *y, int64_t voxels, int64_t channels, factors by,
                             uint16_t *result) {
    write_of(x, y, voxels, channels, by, result);
}

// Calls `body(0..<count)` on libtorch's own threads, which its headers alone give only to what is built with OpenMP.
template <class Body>
static void in_parallel(int64_t count, Body &&body) {
    at::Tensor numbers = at::arange(count, at::kLong);
    auto iterator = at::TensorIterator::nullary_op(numbers);
    auto loop = [&](char **data, const int64_t *strides, int64_t inner, int64_t outer) {
        for (int64_t o = 0; o < outer; ++o)
            for (int64_t i = 0; i < inner; ++i)
                body(*reinterpret_cast<int64_t *>(data[0] + o * strides[1] + i * strides[0]));
    };
    iterator.for_each(loop, 1);
}

namespace {

/// Sums of each channel of each sample, `[sample, channel]`.
struct channel_sums {
    std::vector<double> dots, sums;
};

/// Channels-last tensors of one shape, `[sample, voxel, channel]`; `Value` is bfloat16 as its bits, or float. Voxels are
/// taken in runs, so that sums do not depend on the number of threads and f32 is enough within one.
template <class Value>
struct channels_last_pass {
    const int64_t samples, channels, voxels;

    explicit channels_last_pass(const at::Tensor &x)
        : samples(x.size(0)), channels(x.size(1)), voxels(x.numel() / (x.size(0) * x.size(1))) {}

    /// Of Σ (y - b) (x - a) and Σ (y - b), a and b `[sample, channel]`.
    channel_sums sums(const at::Tensor &x, const at::Tensor &y, const std::vector<float> &a,
                      const std::vector<float> &b) const {
        std::vector<float> parts(samples * runs() * 2 * channels, 0);
        for_each_run([&](int64_t number, int64_t sample, int64_t place, int64_t count) {
            float *dots = &parts[number * 2 * channels];
            add_sums(values(x) + place, values(y) + place, count, channels, &a[sample * channels],
                     &b[sample * channels], dots, dots + channels);
        });
        channel_sums result = {std::vector<double>(samples * channels, 0), std::vector<double>(samples * channels, 0)};
        for (int64_t number = 0; number < samples * runs(); ++number) {
            for (int64_t c = 0; c < channels; ++c) {
                int64_t place = number / runs() * channels + c;
                result.dots[place] += parts[number * 2 * channels + c];
                result.sums[place] += parts[(number * 2 + 1) * channels + c];
            }
        }
        return result;
    }

    /// slope · (x - mean) + scale · y + offset, all factors `[sample, channel]`.
    at::Tensor map(const at::Tensor &x, const at::Tensor &y, factors by) const {
        at::Tensor result = at::empty_like(x);
        auto *target = static_cast<Value *>(result.mutable_data_ptr());
        for_each_run([&](int64_t, int64_t sample, int64_t place, int64_t count) {
            int64_t c = sample * channels;
            write(values(x) + place, values(y) + place, count, channels,
                  {by.mean + c, by.slope + c, by.scale + c, by.offset + c}, target + place);
        });
        return result;
    }

   private:
    static const Value *values(const at::Tensor &x) { return static_cast<const Value *>(x.const_data_ptr()); }

    int64_t run() const { return std::max<int64_t>(1, (1 << 14) / channels); }
    int64_t runs() const { return (voxels + run() - 1) / run(); }

    template <class Body>
    void for_each_run(Body &&body) const {
        in_parallel(samples * runs(), [&](int64_t number) {
            int64_t sample = number / runs(), first = number % runs() * run();
            body(number, sample, (sample * voxels + first) * channels, std::min(run(), voxels - first));
        });
    }
};

/// Group norm (Wu & He 2018) of channels-last tensors on the CPU, two passes forward and two back. libtorch's takes
/// some 10 (8 groups) to 25 times (a group a channel) as long back in bf16, and its variance in f32, E[x²] - E[x]², is off
/// by up to a thousandth.
template <class Value>
struct group_norm {
    const int64_t groups;
    const channels_last_pass<Value> pass;

    group_norm(const at::Tensor &x, int64_t groups) : groups(groups), pass(x) {}

    /// Output, and mean and 1 / √(variance + ε), both `[sample, channel]`.
    std::tuple<at::Tensor, at::Tensor, at::Tensor> forward(const at::Tensor &x, const at::Tensor &weight,
                                                           const at::Tensor &bias, double epsilon) const {
        const int64_t rows = pass.samples * pass.channels;
        at::Tensor mean = at::empty({pass.samples, pass.channels}, at::kFloat), inverse = at::empty_like(mean);
        float *means = mean.mutable_data_ptr<float>(), *inverses = inverse.mutable_data_ptr<float>();
        // About the first voxel, sums of squares lose nothing to a mean that is far from zero.
        at::Tensor first = x.flatten(2).select(2, 0).to(at::kFloat).contiguous();
        std::vector<float> origin(floats(first), floats(first) + rows);
        channel_sums found = pass.sums(x, x, origin, origin);
        for_each_group([&](int64_t begin, int64_t end, double count) {
            double sum = 0, squares = 0;
            for (int64_t c = begin; c < end; ++c) sum += found.sums[c] + origin[c] * static_cast<double>(pass.voxels);
            const double average = sum / count;
            for (int64_t c = begin; c < end; ++c) {
                double shift = average - origin[c];
                squares += found.dots[c] - 2 * shift * found.sums[c] + shift * shift * pass.voxels;
            }
            std::fill(means + begin, means + end, average);
            std::fill(inverses + begin, inverses + end, 1 / std::sqrt(std::max(0.0, squares / count) + epsilon));
        });
        std::vector<float> slope(rows), none(rows, 0), offset(rows);
        for (int64_t row = 0; row < rows; ++row) {
            slope[row] = floats(weight)[row % pass.channels] * inverses[row];
            offset[row] = floats(bias)[row % pass.channels];
        }
        return {pass.map(x, x, {means, slope.data(), none.data(), offset.data()}), mean, inverse};
    }

    /// Of input, weight and bias.
    torch::autograd::variable_list backward(const at::Tensor &x, const at::Tensor &dy, const at::Tensor &weight,
                                            const at::Tensor &mean, const at::Tensor &inverse) const {
        const int64_t rows = pass.samples * pass.channels;
        const float *gamma = floats(weight), *means = floats(mean),
                    *inverses = floats(inverse);
        channel_sums found = pass.sums(x, dy, std::vector<float>(means, means + rows), std::vector<float>(rows, 0));
        std::vector<double> weight_gradient(pass.channels, 0), bias_gradient(pass.channels, 0);
        std::vector<float> scale(rows), slope(rows), offset(rows);
        for_each_group([&](int64_t begin, int64_t end, double count) {
            double dot = 0, sum = 0, inverted = inverses[begin];
            for (int64_t row = begin; row < end; ++row) {
                int64_t c = row % pass.channels;
                dot += found.dots[row] * gamma[c];
                sum += found.sums[row] * gamma[c];
                weight_gradient[c] += found.dots[row] * inverted;
                bias_gradient[c] += found.sums[row];
                scale[row] = gamma[c] * inverted;
            }
            std::fill(&slope[begin], &slope[begin] + (end - begin), -dot * inverted * inverted * inverted / count);
            std::fill(&offset[begin], &offset[begin] + (end - begin), -sum * inverted / count);
        });
        at::Tensor result = pass.map(x, dy, {means, slope.data(), scale.data(), offset.data()});
        return {result, at::tensor(weight_gradient, at::kFloat), at::tensor(bias_gradient, at::kFloat)};
    }

   private:
    /// The `[sample, channel]` of each group, and how many values it has.
    template <class Body>
    void for_each_group(Body &&body) const {
        const int64_t width = pass.channels / groups;
        for (int64_t begin = 0; begin < pass.samples * pass.channels; begin += width)
            body(begin, begin + width, static_cast<double>(width * pass.voxels));
    }
};

template <class Body>
auto with_group_norm(const at::Tensor &x, int64_t groups, Body &&body) {
    return x.scalar_type() == at::kFloat ? body(group_norm<float>(x, groups)) : body(group_norm<uint16_t>(x, groups));
}

struct GroupNorm : torch::autograd::Function<GroupNorm> {
    static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x,
                              const at::Tensor &weight, const at::Tensor &bias, int64_t groups, double epsilon) {
        auto [y, mean, inverse] = with_group_norm(x, groups, [&](auto norm) {
            return norm.forward(x, weight, bias, epsilon);
        });
        context->save_for_backward({x, weight, mean, inverse});
        context->saved_data["groups"] = groups;
        return y;
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                   torch::autograd::variable_list outputs) {
        auto saved = context->get_saved_variables();
        const at::Tensor &x = saved[0];
        at::Tensor dy = outputs[0].to(x.scalar_type()).contiguous(x.suggest_memory_format());
        auto found = with_group_norm(x, context->saved_data["groups"].toInt(), [&](auto norm) {
            return norm.backward(x, dy, saved[1], saved[2], saved[3]);
        });
        return {found[0], found[1], found[2], {}, {}};
    }

    static bool takes(const at::Tensor &x, const ct_tensor *weight, const ct_tensor *bias, int64_t groups) {
        if (!x.is_cpu() || (x.dim() != 4 && x.dim() != 5) || x.numel() == 0) return false;
        if (groups < 1 || x.size(1) % groups != 0) return false;
        if (x.scalar_type() != at::kFloat && x.scalar_type() != at::kBFloat16) return false;
        for (const ct_tensor *one : {weight, bias})
            if (!one || one->value.scalar_type() != at::kFloat || one->value.numel() != x.size(1)) return false;
        return x.is_contiguous(ct::channels_last(x));
    }
};

}  // namespace

ct_tensor *ct_group_norm(const ct_tensor *x, intptr_t groups, const ct_tensor *weight, const ct_tensor *bias,
                         double epsilon) {
    return make([&] {
        if (GroupNorm::takes(x->value, weight, bias, groups))
            return GroupNorm::apply(x->value, weight->value, bias->value, static_cast<int64_t>(groups), epsilon);
        return at::group_norm(x->value, groups, optional(weight), optional(bias), epsilon);
    });
}
