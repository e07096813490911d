// Lifetime, properties, bytes in and out, conversions.
#include "support.h"

#include <cstring>

namespace ct {

at::ScalarType scalar_type(int type) {
    switch (type) {
        case CT_F32: return at::kFloat;
        case CT_BF16: return at::kBFloat16;
        case CT_F16: return at::kHalf;
        case CT_F64: return at::kDouble;
        case CT_I64: return at::kLong;
        case CT_I32: return at::kInt;
        case CT_I16: return at::kShort;
        case CT_I8: return at::kChar;
        case CT_U8: return at::kByte;
        case CT_BOOL: return at::kBool;
        default: TORCH_CHECK(false, "element type ", type, " is unknown");
    }
}

int type_code(at::ScalarType type) {
    switch (type) {
        case at::kFloat: return CT_F32;
        case at::kBFloat16: return CT_BF16;
        case at::kHalf: return CT_F16;
        case at::kDouble: return CT_F64;
        case at::kLong: return CT_I64;
        case at::kInt: return CT_I32;
        case at::kShort: return CT_I16;
        case at::kChar: return CT_I8;
        case at::kByte: return CT_U8;
        case at::kBool: return CT_BOOL;
        default: return CT_OTHER;
    }
}

at::DeviceType device_type(int device) { return device == CT_CUDA ? at::kCUDA : at::kCPU; }

at::Device device(int device) {
    return device == CT_CUDA ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
}

at::MemoryFormat channels_last(const at::Tensor &t) {
    switch (t.dim()) {
        case 4: return at::MemoryFormat::ChannelsLast;
        case 5: return at::MemoryFormat::ChannelsLast3d;
        default: return at::MemoryFormat::Contiguous;
    }
}

}  // namespace ct

using ct::attempt;
using ct::list;
using ct::make;

void ct_release(ct_tensor *t) { delete t; }

ct_tensor *ct_from_bytes(const void *bytes, size_t byte_count, int type, const intptr_t *shape, size_t rank) {
    return make([&] {
        at::Tensor t = at::empty(list(shape, rank), at::dtype(ct::scalar_type(type)));
        TORCH_CHECK(t.nbytes() == byte_count, "shape ", t.sizes(), " needs ", t.nbytes(), " bytes, found ",
                    byte_count);
        if (byte_count) std::memcpy(t.mutable_data_ptr(), bytes, byte_count);
        return t;
    });
}

ct_tensor *ct_uninitialized(int type, bool pinned, const intptr_t *shape, size_t rank) {
    return make([&] {
        return at::empty(list(shape, rank), at::dtype(ct::scalar_type(type)).pinned_memory(pinned));
    });
}

ct_tensor *ct_full(double value, int type, int device, const intptr_t *shape, size_t rank) {
    return make([&] {
        return at::full(list(shape, rank), value, at::dtype(ct::scalar_type(type)).device(ct::device(device)));
    });
}

ct_tensor *ct_full_like(const ct_tensor *t, double value) {
    return make([&] { return at::full_like(t->value, value); });
}

ct_tensor *ct_uninitialized_like(const ct_tensor *t, const intptr_t *shape, size_t rank) {
    return make([&] { return at::empty(list(shape, rank), t->value.options(), t->value.suggest_memory_format()); });
}

size_t ct_rank(const ct_tensor *t) { return static_cast<size_t>(t->value.dim()); }

intptr_t ct_size(const ct_tensor *t, size_t axis) { return t->value.sizes()[axis]; }

int ct_type(const ct_tensor *t) { return ct::type_code(t->value.scalar_type()); }

int ct_device(const ct_tensor *t) { return t->value.is_cuda() ? CT_CUDA : CT_CPU; }

bool ct_is_channels_last(const ct_tensor *t) {
    return t->value.dim() >= 4 && t->value.is_contiguous(ct::channels_last(t->value));
}

void *ct_data(const ct_tensor *t) {
    return t->value.is_cpu() && t->value.is_non_overlapping_and_dense() ? t->value.data_ptr() : nullptr;
}

int ct_read(const ct_tensor *t, void *bytes, size_t byte_count) {
    return attempt([&] {
        at::NoGradGuard guard;
        at::Tensor source = t->value.detach();
        TORCH_CHECK(source.nbytes() == byte_count, "reading ", source.nbytes(), " bytes into a buffer of ",
                    byte_count);
        // The copy to row-major order writes straight into the caller's buffer.
        at::Tensor target = at::from_blob(bytes, source.sizes(), at::dtype(source.scalar_type()));
        if (byte_count) target.copy_(source);
    });
}

ct_tensor *ct_to_device(const ct_tensor *t, int device) {
    return make([&] { return t->value.to(ct::device(device), /*non_blocking=*/device == CT_CUDA); });
}

ct_tensor *ct_to_type(const ct_tensor *t, int type) {
    return make([&] { return t->value.to(ct::scalar_type(type)); });
}

ct_tensor *ct_to_format(const ct_tensor *t, int format) {
    return make([&] {
        if (format != CT_CHANNELS_LAST) return t->value.contiguous();
        at::Tensor result = t->value.contiguous(ct::channels_last(t->value));
        if (result.dim() < 4 || result.suggest_memory_format() == ct::channels_last(result)) return result;
        // With one channel both formats are the same; a convolution takes what the strides say, and with those of the other
        // format makes two copies of its result.
        return result.as_strided(result.sizes(), result.dim() == 5 ? c10::get_channels_last_strides_3d(result.sizes())
                                                                   : c10::get_channels_last_strides_2d(result.sizes()));
    });
}

int ct_copy_into(ct_tensor *t, const ct_tensor *source) {
    return attempt([&] {
        at::NoGradGuard guard;
        TORCH_CHECK(t->value.sizes() == source->value.sizes(), "copying shape ", source->value.sizes(),
                    " into shape ", t->value.sizes());
        t->value.copy_(source->value);
    });
}

ct_tensor *ct_clone(const ct_tensor *t) {
    return make([&] { return t->value.clone(); });
}
