// A narrow C interface over libtorch: the operations that Tensors uses and nothing else.
//
// Conventions
//   - A tensor is an opaque handle, owned by the caller and released once with ct_release.
//   - A function that makes a tensor returns NULL on a fault; one that makes none returns 0, or 1 on a fault.
//     ct_fault() then holds the reason, one line, for the calling thread until its next fault.
//   - No C++ exception leaves a function.
//   - Lists of numbers are intptr_t (Swift's Int) with their count.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ct_tensor ct_tensor;

enum { CT_F32 = 0, CT_BF16, CT_F16, CT_F64, CT_I64, CT_I32, CT_I16, CT_I8, CT_U8, CT_BOOL, CT_OTHER = -1 };
enum { CT_CPU = 0, CT_CUDA };
enum { CT_CONTIGUOUS = 0, CT_CHANNELS_LAST };

// Runtime
const char *ct_fault(void);
const char *ct_version(void);
int ct_set_threads(int count);
int ct_threads(void);
/// Keeps the memory of large tensors for those that follow; false where the system cannot.
bool ct_keep_memory(void);
/// Gives back what is kept and not in use.
void ct_release_memory(void);
/// GPUs that libtorch can use; 0 without CUDA. Whoever computes on one asks this first: it sets that convolutions there give
/// the same bytes each time.
int ct_cuda_devices(void);
/// Whether convolutions on a GPU may round f32 to the 10 bits of TF32. Without, cuDNN leaves tensor cores out, of other types
/// too.
int ct_allow_tf32(bool allowed);
/// The major compute capability of the first GPU; 0 where it cannot be known.
int ct_cuda_capability(void);
/// Bytes that are free on the first GPU; 0 where it cannot be known.
size_t ct_cuda_free_memory(void);
bool ct_has_bf16_instructions(void);
intptr_t ct_live_tensors(void);
bool ct_has_fused_convolution(void);

// Lifetime, properties, bytes
void ct_release(ct_tensor *t);
ct_tensor *ct_from_bytes(const void *bytes, size_t byte_count, int type, const intptr_t *shape, size_t rank);
/// On the processor, with whatever memory holds; `pinned` is where a GPU reads while others compute.
ct_tensor *ct_uninitialized(int type, bool pinned, const intptr_t *shape, size_t rank);
/// Where the values lie, in the order they have in memory; NULL where they are not on the processor or
/// have gaps.
void *ct_data(const ct_tensor *t);
ct_tensor *ct_full(double value, int type, int device, const intptr_t *shape, size_t rank);
ct_tensor *ct_full_like(const ct_tensor *t, double value);
/// Of another shape, in the type, the device and, with 4 or 5 axes, the memory format of t.
ct_tensor *ct_uninitialized_like(const ct_tensor *t, const intptr_t *shape, size_t rank);
size_t ct_rank(const ct_tensor *t);
intptr_t ct_size(const ct_tensor *t, size_t axis);
int ct_type(const ct_tensor *t);
int ct_device(const ct_tensor *t);
bool ct_is_channels_last(const ct_tensor *t);
/// Copies the elements in row-major order, whatever the tensor's layout and device.
int ct_read(const ct_tensor *t, void *bytes, size_t byte_count);
/// To a GPU it returns before the copy is done, which what is computed there waits for.
ct_tensor *ct_to_device(const ct_tensor *t, int device);
ct_tensor *ct_to_type(const ct_tensor *t, int type);
ct_tensor *ct_to_format(const ct_tensor *t, int format);
/// Writes `source` into the storage of `t`, keeping its layout, type and device.
int ct_copy_into(ct_tensor *t, const ct_tensor *source);
ct_tensor *ct_clone(const ct_tensor *t);

// Arithmetic
ct_tensor *ct_add(const ct_tensor *a, const ct_tensor *b);
ct_tensor *ct_subtract(const ct_tensor *a, const ct_tensor *b);
ct_tensor *ct_multiply(const ct_tensor *a, const ct_tensor *b);
ct_tensor *ct_divide(const ct_tensor *a, const ct_tensor *b);
ct_tensor *ct_add_scalar(const ct_tensor *a, double b);
ct_tensor *ct_multiply_scalar(const ct_tensor *a, double b);
/// b / a
ct_tensor *ct_divide_scalar_by(double b, const ct_tensor *a);
/// a += scale * b
int ct_add_into(ct_tensor *a, const ct_tensor *b, double scale);
/// a *= b
int ct_multiply_into(ct_tensor *a, double b);
ct_tensor *ct_power(const ct_tensor *a, double exponent);
ct_tensor *ct_square_root(const ct_tensor *a);
ct_tensor *ct_exponential(const ct_tensor *a);
ct_tensor *ct_logarithm(const ct_tensor *a);
ct_tensor *ct_absolute(const ct_tensor *a);
ct_tensor *ct_round(const ct_tensor *a);
ct_tensor *ct_sigmoid(const ct_tensor *a);
ct_tensor *ct_softplus(const ct_tensor *a);
ct_tensor *ct_relu(const ct_tensor *a);
int ct_relu_into(ct_tensor *a);
/// x where it is positive, slope * x elsewhere.
ct_tensor *ct_leaky_relu(const ct_tensor *a, double slope);
int ct_leaky_relu_into(ct_tensor *a, double slope);
ct_tensor *ct_clamp(const ct_tensor *a, double low, double high);
ct_tensor *ct_minimum(const ct_tensor *a, const ct_tensor *b);
ct_tensor *ct_maximum(const ct_tensor *a, const ct_tensor *b);
ct_tensor *ct_greater(const ct_tensor *a, double b);

// Reductions. Without axes (axis_count 0) they reduce to a scalar.
ct_tensor *ct_sum(const ct_tensor *a, const intptr_t *axes, size_t axis_count, bool keep);
ct_tensor *ct_mean(const ct_tensor *a, const intptr_t *axes, size_t axis_count, bool keep);
ct_tensor *ct_largest(const ct_tensor *a, const intptr_t *axes, size_t axis_count, bool keep);
ct_tensor *ct_smallest(const ct_tensor *a, const intptr_t *axes, size_t axis_count, bool keep);

// Shapes
ct_tensor *ct_concatenate(const ct_tensor *const *tensors, size_t count, intptr_t axis);
ct_tensor *ct_narrow(const ct_tensor *a, intptr_t axis, intptr_t start, intptr_t length);
ct_tensor *ct_pad(const ct_tensor *a, const intptr_t *amounts, size_t count, double value);
ct_tensor *ct_reflect(const ct_tensor *a, const intptr_t *amounts, size_t count);
ct_tensor *ct_wrap(const ct_tensor *a, const intptr_t *amounts, size_t count);
ct_tensor *ct_flip(const ct_tensor *a, const intptr_t *axes, size_t count);
ct_tensor *ct_reshape(const ct_tensor *a, const intptr_t *shape, size_t rank);
ct_tensor *ct_permute(const ct_tensor *a, const intptr_t *axes, size_t rank);

// Layers. `rank` is the number of spatial axes, 2 or 3; every list has that many entries. NULL stands for no bias,
// no scale, no running statistics.
ct_tensor *ct_convolution(const ct_tensor *x, const ct_tensor *weight, const ct_tensor *bias, const intptr_t *stride,
                          const intptr_t *padding, const intptr_t *dilation, size_t rank, intptr_t groups);
/// Convolution, bias and (with `relu`) ReLU in one oneDNN call. Inference on the CPU alone.
ct_tensor *ct_fused_convolution(const ct_tensor *x, const ct_tensor *weight, const ct_tensor *bias,
                                const intptr_t *stride, const intptr_t *padding, const intptr_t *dilation,
                                size_t rank, intptr_t groups, bool relu);
ct_tensor *ct_transposed_convolution(const ct_tensor *x, const ct_tensor *weight, const ct_tensor *bias,
                                     const intptr_t *stride, const intptr_t *padding,
                                     const intptr_t *output_padding, const intptr_t *dilation, size_t rank,
                                     intptr_t groups);
ct_tensor *ct_max_pool(const ct_tensor *x, const intptr_t *kernel, const intptr_t *stride, const intptr_t *padding,
                       size_t rank);
ct_tensor *ct_average_pool(const ct_tensor *x, const intptr_t *kernel, const intptr_t *stride, size_t rank);
/// x · weightᵀ + bias
ct_tensor *ct_linear(const ct_tensor *x, const ct_tensor *weight, const ct_tensor *bias);
ct_tensor *ct_upsample_nearest(const ct_tensor *x, const intptr_t *size, size_t rank);
ct_tensor *ct_upsample_linear(const ct_tensor *x, const intptr_t *size, size_t rank);
ct_tensor *ct_batch_norm(const ct_tensor *x, const ct_tensor *weight, const ct_tensor *bias,
                         ct_tensor *running_mean, ct_tensor *running_variance, bool training, double momentum,
                         double epsilon);
ct_tensor *ct_group_norm(const ct_tensor *x, intptr_t groups, const ct_tensor *weight, const ct_tensor *bias,
                         double epsilon);
ct_tensor *ct_cross_entropy_with_logits(const ct_tensor *logits, const ct_tensor *target, const ct_tensor *weight);

// Autograd
int ct_set_requires_gradient(ct_tensor *t, bool wanted);
bool ct_requires_gradient(const ct_tensor *t);
/// Sets *gradient to a new handle, or to NULL where there is none yet.
int ct_gradient(const ct_tensor *t, ct_tensor **gradient);
int ct_clear_gradient(ct_tensor *t);
int ct_backward(const ct_tensor *t);
/// Back from any tensor, `gradient` being that of what is asked for with respect to it; with `keep` the graph stays
/// for another pass.
int ct_backward_from(const ct_tensor *t, const ct_tensor *gradient, bool keep);
/// The same from several tensors at once.
int ct_backward_from_all(const ct_tensor *const *tensors, const ct_tensor *const *gradients, size_t count);
/// Makes ct_gradient know the gradient of a tensor that is no leaf.
int ct_retain_gradient(ct_tensor *t);
ct_tensor *ct_detach(const ct_tensor *t);
/// Both return what was set before.
bool ct_set_gradients_enabled(bool enabled);
bool ct_gradients_enabled(void);

// Autocast
typedef struct { bool enabled; int type; } ct_autocast_state;
/// `type` is that of a half's size, or f32 for none.
ct_autocast_state ct_autocast_enter(int device, int type);
void ct_autocast_leave(int device, ct_autocast_state previous);

// Optimizers: one step over `count` parameters, in place, with libtorch's fused kernels.
int ct_sgd_step(ct_tensor *const *parameters, const ct_tensor *const *gradients, ct_tensor *const *momenta,
                size_t count, double rate, double momentum, double decay, bool nesterov, bool first);
int ct_adamw_step(ct_tensor *const *parameters, const ct_tensor *const *gradients, ct_tensor *const *means,
                  ct_tensor *const *squares, ct_tensor *const *steps, size_t count, double rate, double beta1,
                  double beta2, double decay, double epsilon);
/// Divides the gradients, in place, by `scale`, then scales them so that their joint Euclidean norm is at most `limit`;
/// gives the norm between.
int ct_clip_gradients(const ct_tensor *const *parameters, size_t count, double scale, double limit, double *norm);

#ifdef __cplusplus
}
#endif
