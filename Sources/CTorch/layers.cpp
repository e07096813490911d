// Convolutions, pooling, resampling and the loss that networks are made of.
#include "support.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <string>

using ct::list;
using ct::make;
using ct::optional;

static void check_rank(size_t rank) {
    TORCH_CHECK(rank == 2 || rank == 3, "convolutions and pooling take 2 or 3 spatial axes, found ", rank);
}

// Convolution

// By rank, and not at::convolution: autocast on the CPU knows these names only.
ct_tensor *ct_convolution(const ct_tensor *x, const ct_tensor *weight, const ct_tensor *bias, const intptr_t *stride,
                          const intptr_t *padding, const intptr_t *dilation, size_t rank, intptr_t groups) {
    return make([&] {
        check_rank(rank);
        auto s = list(stride, rank), p = list(padding, rank), d = list(dilation, rank);
        return rank == 2 ? at::conv2d(x->value, weight->value, optional(bias), s, p, d, groups)
                         : at::conv3d(x->value, weight->value, optional(bias), s, p, d, groups);
    });
}

ct_tensor *ct_transposed_convolution(const ct_tensor *x, const ct_tensor *weight, const ct_tensor *bias,
                                     const intptr_t *stride, const intptr_t *padding,
                                     const intptr_t *output_padding, const intptr_t *dilation, size_t rank,
                                     intptr_t groups) {
    return make([&] {
        check_rank(rank);
        auto s = list(stride, rank), p = list(padding, rank), o = list(output_padding, rank),
             d = list(dilation, rank);
        return rank == 2 ? at::conv_transpose2d(x->value, weight->value, optional(bias), s, p, o, groups, d)
                         : at::conv_transpose3d(x->value, weight->value, optional(bias), s, p, o, groups, d);
    });
}

// The oneDNN operator that torch.compile emits for the CPU. It is private to libtorch, so it is used only if it is
// there under exactly this signature.
static std::optional<c10::OperatorHandle> find_fused_convolution() {
    static const char *expected =
        "mkldnn::_convolution_pointwise(Tensor X, Tensor W, Tensor? B, SymInt[] padding, SymInt[] stride, "
        "SymInt[] dilation, SymInt groups, str attr, Scalar?[] scalars, str? algorithm) -> Tensor Y";
    static const char *expected_older =
        "mkldnn::_convolution_pointwise(Tensor X, Tensor W, Tensor? B, int[] padding, int[] stride, "
        "int[] dilation, int groups, str attr, Scalar?[] scalars, str? algorithm) -> Tensor Y";
    auto handle = c10::Dispatcher::singleton().findSchema({"mkldnn::_convolution_pointwise", ""});
    if (!handle || !at::hasMKLDNN()) return std::nullopt;
    std::string found = c10::toString(handle->schema());
    if (found != expected && found != expected_older) return std::nullopt;
    if (!handle->hasKernelForDispatchKey(c10::DispatchKey::CPU)) return std::nullopt;
    return handle;
}

static const std::optional<c10::OperatorHandle> &fused_convolution() {
    static const std::optional<c10::OperatorHandle> handle = find_fused_convolution();
    return handle;
}

bool ct_has_fused_convolution(void) {
    bool found = false;
    ct::attempt([&] { found = fused_convolution().has_value(); });
    return found;
}

ct_tensor *ct_fused_convolution(const ct_tensor *x, const ct_tensor *weight, const ct_tensor *bias,
                                const intptr_t *stride, const intptr_t *padding, const intptr_t *dilation,
                                size_t rank, intptr_t groups, bool relu) {
    return make([&] {
        check_rank(rank);
        TORCH_CHECK(fused_convolution(), "this libtorch has no fused convolution");
        TORCH_CHECK(!at::GradMode::is_enabled(), "a fused convolution has no gradient: use it without gradients");
        torch::jit::Stack stack;
        torch::jit::push(stack, x->value, weight->value, optional(bias), list(padding, rank), list(stride, rank),
                         list(dilation, rank), static_cast<int64_t>(groups), std::string(relu ? "relu" : "none"),
                         c10::List<std::optional<at::Scalar>>(), std::optional<std::string>(""));
        fused_convolution()->callBoxed(stack);
        return torch::jit::pop(stack).toTensor();
    });
}

// Pooling and resampling

ct_tensor *ct_max_pool(const ct_tensor *x, const intptr_t *kernel, const intptr_t *stride, const intptr_t *padding,
                       size_t rank) {
    return make([&] {
        check_rank(rank);
        auto k = list(kernel, rank), s = list(stride, rank), p = list(padding, rank);
        return rank == 2 ? at::max_pool2d(x->value, k, s, p) : at::max_pool3d(x->value, k, s, p);
    });
}

ct_tensor *ct_average_pool(const ct_tensor *x, const intptr_t *kernel, const intptr_t *stride, size_t rank) {
    return make([&] {
        check_rank(rank);
        auto k = list(kernel, rank), s = list(stride, rank);
        return rank == 2 ? at::avg_pool2d(x->value, k, s) : at::avg_pool3d(x->value, k, s);
    });
}

ct_tensor *ct_linear(const ct_tensor *x, const ct_tensor *weight, const ct_tensor *bias) {
    return make([&] { return at::linear(x->value, weight->value, optional(bias)); });
}

ct_tensor *ct_upsample_nearest(const ct_tensor *x, const intptr_t *size, size_t rank) {
    return make([&] {
        check_rank(rank);
        auto s = list(size, rank);
        return rank == 2 ? at::upsample_nearest2d(x->value, s) : at::upsample_nearest3d(x->value, s);
    });
}

ct_tensor *ct_upsample_linear(const ct_tensor *x, const intptr_t *size, size_t rank) {
    return make([&] {
        check_rank(rank);
        auto s = list(size, rank);
        return rank == 2 ? at::upsample_bilinear2d(x->value, s, false) : at::upsample_trilinear3d(x->value, s, false);
    });
}

// Loss

ct_tensor *ct_cross_entropy_with_logits(const ct_tensor *logits, const ct_tensor *target, const ct_tensor *weight) {
    return make([&] {
        return at::binary_cross_entropy_with_logits(logits->value, target->value, optional(weight), std::nullopt,
                                                    at::Reduction::Mean);
    });
}
