// What every file of this target needs: the handle, the guard against exceptions, conversions of arguments.
#pragma once
#include "ctorch.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <atomic>
#include <optional>
#include <utility>
#include <vector>

namespace ct {

extern std::atomic<intptr_t> live;

/// Remembers the exception in flight as this thread's fault: libtorch's first line, without its stack.
void remember_fault() noexcept;

}  // namespace ct

struct ct_tensor {
    at::Tensor value;

    explicit ct_tensor(at::Tensor v) : value(std::move(v)) { ++ct::live; }
    ~ct_tensor() { --ct::live; }
    ct_tensor(const ct_tensor &) = delete;
    ct_tensor &operator=(const ct_tensor &) = delete;
};

namespace ct {

/// Runs `body`, which gives a tensor, and wraps the result; NULL and a remembered fault if it throws.
template <class Body>
ct_tensor *make(Body &&body) noexcept {
    try {
        return new ct_tensor(body());
    } catch (...) {
        remember_fault();
        return nullptr;
    }
}

/// Runs `body`; 0, or 1 and a remembered fault if it throws.
template <class Body>
int attempt(Body &&body) noexcept {
    try {
        body();
        return 0;
    } catch (...) {
        remember_fault();
        return 1;
    }
}

static_assert(sizeof(intptr_t) == sizeof(int64_t));

inline at::IntArrayRef list(const intptr_t *numbers, size_t count) {
    return at::IntArrayRef(reinterpret_cast<const int64_t *>(numbers), count);
}

inline std::optional<at::Tensor> optional(const ct_tensor *t) {
    return t ? std::optional<at::Tensor>(t->value) : std::nullopt;
}

inline std::vector<at::Tensor> values(const ct_tensor *const *tensors, size_t count) {
    std::vector<at::Tensor> result;
    result.reserve(count);
    for (size_t i = 0; i < count; ++i) result.push_back(tensors[i]->value);
    return result;
}

at::ScalarType scalar_type(int type);
int type_code(at::ScalarType type);
at::Device device(int device);
at::DeviceType device_type(int device);
at::MemoryFormat channels_last(const at::Tensor &t);

}  // namespace ct
