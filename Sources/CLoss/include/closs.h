// The inner loops of the losses of segmentation, which Swift cannot compile for more than one kind of processor.
#pragma once
#include <stddef.h>

/// Sums of a channel over its voxels: of w, of w·ce, of p·t, p and t where w is not 0, and of w·ce·(p - t)².
enum { CL_WEIGHTS, CL_ENTROPY, CL_OVERLAP, CL_PROBABILITIES, CL_TARGETS, CL_FOCAL, CL_SUMS };

/// The most channels that there can be.
enum { CL_CHANNELS = 64 };

/// What the derivative of a loss is made of, each a value a channel.
typedef struct {
    const float *entropy, *overlap, *total, *focal;
} cl_factors;

/// Adds the sums over `voxels` voxels to `sums`, a row of `channels` for each.
///
/// An answer is the voxel's weight w, negative where the target t is 0; p is the sigmoid of the logit, and ce the
/// cross-entropy, max(x, 0) - t·x + log(1 + exp(-|x|)). Values lie voxel by voxel, all channels of a voxel together.
void cl_add_sums(const float *logits, const float *answers, size_t voxels, size_t channels, double *sums);

/// Writes the derivative by each logit:
/// entropy·w·(p - t) + (total - overlap·t)·p·(1 - p) where w is not 0 + focal·d/dx w·ce·(p - t)².
void cl_write_gradient(
    const float *logits, const float *answers, size_t voxels, size_t channels, cl_factors factors, float *gradient);
