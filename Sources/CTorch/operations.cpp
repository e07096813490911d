// Arithmetic, reductions, shapes.
#include "support.h"

using ct::attempt;
using ct::list;
using ct::make;

// Arithmetic

ct_tensor *ct_add(const ct_tensor *a, const ct_tensor *b) {
    return make([&] { return a->value + b->value; });
}

ct_tensor *ct_subtract(const ct_tensor *a, const ct_tensor *b) {
    return make([&] { return a->value - b->value; });
}

ct_tensor *ct_multiply(const ct_tensor *a, const ct_tensor *b) {
    return make([&] { return a->value * b->value; });
}

ct_tensor *ct_divide(const ct_tensor *a, const ct_tensor *b) {
    return make([&] { return a->value / b->value; });
}

ct_tensor *ct_add_scalar(const ct_tensor *a, double b) {
    return make([&] { return a->value + b; });
}

ct_tensor *ct_multiply_scalar(const ct_tensor *a, double b) {
    return make([&] { return a->value * b; });
}

ct_tensor *ct_divide_scalar_by(double b, const ct_tensor *a) {
    return make([&] { return b / a->value; });
}

int ct_add_into(ct_tensor *a, const ct_tensor *b, double scale) {
    return attempt([&] { a->value.add_(b->value, scale); });
}

int ct_multiply_into(ct_tensor *a, double b) {
    return attempt([&] { a->value.mul_(b); });
}

ct_tensor *ct_power(const ct_tensor *a, double exponent) {
    return make([&] { return a->value.pow(exponent); });
}

ct_tensor *ct_square_root(const ct_tensor *a) {
    return make([&] { return a->value.sqrt(); });
}

ct_tensor *ct_exponential(const ct_tensor *a) {
    return make([&] { return a->value.exp(); });
}

ct_tensor *ct_logarithm(const ct_tensor *a) {
    return make([&] { return a->value.log(); });
}

ct_tensor *ct_absolute(const ct_tensor *a) {
    return make([&] { return a->value.abs(); });
}

ct_tensor *ct_round(const ct_tensor *a) {
    return make([&] { return a->value.round(); });
}

ct_tensor *ct_sigmoid(const ct_tensor *a) {
    return make([&] { return a->value.sigmoid(); });
}

ct_tensor *ct_softplus(const ct_tensor *a) {
    return make([&] { return at::softplus(a->value); });
}

ct_tensor *ct_relu(const ct_tensor *a) {
    return make([&] { return a->value.relu(); });
}

int ct_relu_into(ct_tensor *a) {
    return attempt([&] { a->value.relu_(); });
}

ct_tensor *ct_leaky_relu(const ct_tensor *a, double slope) {
    return make([&] { return at::leaky_relu(a->value, slope); });
}

int ct_leaky_relu_into(ct_tensor *a, double slope) {
    return attempt([&] { at::leaky_relu_(a->value, slope); });
}

ct_tensor *ct_clamp(const ct_tensor *a, double low, double high) {
    return make([&] { return a->value.clamp(low, high); });
}

ct_tensor *ct_minimum(const ct_tensor *a, const ct_tensor *b) {
    return make([&] { return at::minimum(a->value, b->value); });
}

ct_tensor *ct_maximum(const ct_tensor *a, const ct_tensor *b) {
    return make([&] { return at::maximum(a->value, b->value); });
}

ct_tensor *ct_greater(const ct_tensor *a, double b) {
    return make([&] { return a->value.gt(b); });
}

// Reductions

ct_tensor *ct_sum(const ct_tensor *a, const intptr_t *axes, size_t axis_count, bool keep) {
    return make([&] { return axis_count ? a->value.sum(list(axes, axis_count), keep) : a->value.sum(); });
}

ct_tensor *ct_mean(const ct_tensor *a, const intptr_t *axes, size_t axis_count, bool keep) {
    return make([&] { return axis_count ? a->value.mean(list(axes, axis_count), keep) : a->value.mean(); });
}

ct_tensor *ct_largest(const ct_tensor *a, const intptr_t *axes, size_t axis_count, bool keep) {
    return make([&] { return axis_count ? a->value.amax(list(axes, axis_count), keep) : a->value.max(); });
}

ct_tensor *ct_smallest(const ct_tensor *a, const intptr_t *axes, size_t axis_count, bool keep) {
    return make([&] { return axis_count ? a->value.amin(list(axes, axis_count), keep) : a->value.min(); });
}

// Shapes

ct_tensor *ct_concatenate(const ct_tensor *const *tensors, size_t count, intptr_t axis) {
    return make([&] { return at::cat(ct::values(tensors, count), axis); });
}

ct_tensor *ct_narrow(const ct_tensor *a, intptr_t axis, intptr_t start, intptr_t length) {
    return make([&] { return a->value.narrow(axis, start, length); });
}

ct_tensor *ct_pad(const ct_tensor *a, const intptr_t *amounts, size_t count, double value) {
    return make([&] { return at::constant_pad_nd(a->value, list(amounts, count), value); });
}

ct_tensor *ct_reflect(const ct_tensor *a, const intptr_t *amounts, size_t count) {
    return make([&] { return at::pad(a->value, list(amounts, count), "reflect"); });
}

ct_tensor *ct_wrap(const ct_tensor *a, const intptr_t *amounts, size_t count) {
    return make([&] { return at::pad(a->value, list(amounts, count), "circular"); });
}

ct_tensor *ct_flip(const ct_tensor *a, const intptr_t *axes, size_t count) {
    return make([&] { return a->value.flip(list(axes, count)); });
}

ct_tensor *ct_reshape(const ct_tensor *a, const intptr_t *shape, size_t rank) {
    return make([&] { return a->value.reshape(list(shape, rank)); });
}

ct_tensor *ct_permute(const ct_tensor *a, const intptr_t *axes, size_t rank) {
    return make([&] { return a->value.permute(list(axes, rank)); });
}
