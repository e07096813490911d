#include "closs.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#define VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTORIZED
#endif

// Voxels are taken in groups whose channels fill vectors whole, and summed in f32 over runs of groups.
enum { group_voxels = 16, group_size = group_voxels * CL_CHANNELS, run_groups = 64 };

typedef struct {
    float probability, softplus;
} voxel;

/// 1 / (1 + exp(-x)) and log(1 + exp(-|x|)), to some 1e-7.
static inline __attribute__((always_inline)) voxel voxel_at(float x) {
    // exp(-|x|) as 2^k · 2^f, f in [0, 1).
    float y = -fabsf(x) * 1.44269504f;
    y = y < -120.0f ? -120.0f : y;
    int32_t k = (int32_t)(y - 1.0f) + (y == (float)(int32_t)y);
    float f = y - (float)k;
    float m = 1.0f + f * (0.693147182f + f * (0.240226462f + f * (0.0555032702f + f * (0.00961813f
              + f * (0.00133335f + f * 0.00015469f)))));
    int32_t bits = (k + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    float e = m * power;
    float small = e / (1.0f + e);
    // log(1 + e) = 2 artanh(e / (2 + e)), whose argument is at most 1/3.
    float u = e / (2.0f + e);
    float s = u * u;
    float log = 2.0f * u * (1.0f + s * (0.333333333f + s * (0.2f + s * (0.142857143f + s * (0.111111111f
                + s * (0.0909090909f + s * 0.0769230769f))))));
    return (voxel){x >= 0 ? 1.0f - small : small, log};
}

VECTORIZED static void add_run(const float *logits, const float *answers, size_t groups, size_t size, float *sums) {
    float *weights = sums, *entropy = sums + group_size, *overlap = sums + 2 * group_size;
    float *probabilities = sums + 3 * group_size, *targets = sums + 4 * group_size, *focal = sums + 5 * group_size;
    for (size_t group = 0; group < groups; ++group) {
        const float *restrict x = logits + group * size, *restrict a = answers + group * size;
        for (size_t i = 0; i < size; ++i) {
            voxel v = voxel_at(x[i]);
            float weight = fabsf(a[i]);
            float counts = a[i] != 0 ? 1.0f : 0.0f;
            float target = a[i] > 0 ? 1.0f : 0.0f;
            float cross_entropy = weight * (v.softplus + (x[i] > 0 ? x[i] : 0.0f) - target * x[i]);
            float wrong = target - v.probability;
            weights[i] += weight;
            entropy[i] += cross_entropy;
            overlap[i] += v.probability * target;
            probabilities[i] += v.probability * counts;
            targets[i] += target;
            focal[i] += cross_entropy * wrong * wrong;
        }
    }
}

void cl_add_sums(const float *logits, const float *answers, size_t voxels, size_t channels, double *sums) {
    float rows[CL_SUMS * group_size];
    size_t done = 0;
    while (done < voxels) {
        size_t left = voxels - done;
        size_t groups = left / group_voxels < run_groups ? left / group_voxels : run_groups;
        // Voxels that fill no group are one of their own.
        size_t size = (groups > 0 ? group_voxels : left) * channels;
        if (groups == 0) groups = 1;
        memset(rows, 0, sizeof rows);
        add_run(logits + done * channels, answers + done * channels, groups, size, rows);
        for (size_t sum = 0; sum < CL_SUMS; ++sum)
            for (size_t i = 0; i < size; ++i) sums[sum * channels + i % channels] += rows[sum * group_size + i];
        done += groups * size / channels;
    }
}

VECTORIZED static void write_group(
    const float *restrict x, const float *restrict a, size_t size, const float *restrict entropy,
    const float *restrict overlap, const float *restrict total, const float *restrict focal, float *restrict gradient) {
    for (size_t i = 0; i < size; ++i) {
        voxel v = voxel_at(x[i]);
        float weight = fabsf(a[i]);
        float counts = a[i] != 0 ? 1.0f : 0.0f;
        float target = a[i] > 0 ? 1.0f : 0.0f;
        float p = v.probability;
        float wrong = fabsf(target - p);
        float cross_entropy = v.softplus + (x[i] > 0 ? x[i] : 0.0f) - target * x[i];
        float dice = (total[i] - overlap[i] * target) * counts * p * (1.0f - p);
        // Of (1 - q)² · (-log q) by the logit of q, the probability of the right answer.
        float slope = weight * wrong * wrong * (wrong + 2.0f * (1.0f - wrong) * cross_entropy);
        gradient[i] = entropy[i] * weight * (p - target) + dice + focal[i] * (target > 0 ? -slope : slope);
    }
}

void cl_write_gradient(
    const float *logits, const float *answers, size_t voxels, size_t channels, cl_factors factors, float *gradient) {
    float rows[4][group_size];
    const float *sources[4] = {factors.entropy, factors.overlap, factors.total, factors.focal};
    for (size_t row = 0; row < 4; ++row)
        for (size_t i = 0; i < group_voxels * channels; ++i) rows[row][i] = sources[row][i % channels];
    for (size_t done = 0; done < voxels; done += group_voxels) {
        size_t count = voxels - done < group_voxels ? voxels - done : group_voxels;
        size_t first = done * channels;
        write_group(logits + first, answers + first, count * channels, rows[0], rows[1], rows[2], rows[3], gradient + first);
    }
}
