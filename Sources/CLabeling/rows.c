#include "clabeling.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTORIZED
#endif

typedef uint8_t u8x64 __attribute__((ext_vector_type(64)));
typedef uint32_t u32x16 __attribute__((ext_vector_type(16)));
typedef uint64_t u64x8 __attribute__((ext_vector_type(8)));
typedef bool boolx64 __attribute__((ext_vector_type(64)));
typedef bool boolx16 __attribute__((ext_vector_type(16)));
typedef bool boolx8 __attribute__((ext_vector_type(8)));

/// A loop over the words of a row, `LANES` voxels at a time as far as whole words go, then voxel by voxel.
#define WORDS(LANES, MASK, BITS, COMPARED, SINGLE)                                                   \
    size_t x = 0;                                                                                    \
    for (; x + 64 <= width; x += 64) {                                                               \
        uint64_t word = 0;                                                                           \
        for (size_t lane = 0; lane < 64; lane += LANES) {                                            \
            size_t at = x + lane;                                                                    \
            MASK mask = __builtin_convertvector(COMPARED, MASK);                                     \
            BITS part;                                                                               \
            memcpy(&part, &mask, sizeof part);                                                       \
            word |= (uint64_t)part << lane;                                                          \
        }                                                                                            \
        bits[x / 64] = word;                                                                         \
    }                                                                                                \
    if (x < width) {                                                                                 \
        uint64_t word = 0;                                                                           \
        for (size_t at = x; at < width; ++at) word |= (uint64_t)(SINGLE) << (at - x);                \
        bits[x / 64] = word;                                                                         \
    }

#define LOAD(VECTOR, POINTER) ({ VECTOR v; memcpy(&v, POINTER, sizeof v); v; })

VECTORIZED void cl_nonzero_u8(const uint8_t *row, size_t width, uint64_t *bits) {
    WORDS(64, boolx64, uint64_t, LOAD(u8x64, row + at) != 0, row[at] != 0)
}

VECTORIZED void cl_nonzero_u32(const uint32_t *row, size_t width, uint64_t *bits) {
    WORDS(16, boolx16, uint16_t, LOAD(u32x16, row + at) != 0, row[at] != 0)
}

VECTORIZED void cl_nonzero_u64(const uint64_t *row, size_t width, uint64_t *bits) {
    WORDS(8, boolx8, uint8_t, LOAD(u64x8, row + at) != 0, row[at] != 0)
}

VECTORIZED void cl_equal_u32(const uint32_t *row, const uint32_t *other, size_t width, uint64_t *bits) {
    WORDS(16, boolx16, uint16_t, LOAD(u32x16, row + at) == LOAD(u32x16, other + at),
          row[at] == other[at])
}

VECTORIZED void cl_equal_u64(const uint64_t *row, const uint64_t *other, size_t width, uint64_t *bits) {
    WORDS(8, boolx8, uint8_t, LOAD(u64x8, row + at) == LOAD(u64x8, other + at),
          row[at] == other[at])
}

VECTORIZED void cl_count_row(
    const uint64_t *inside, const uint64_t *starts, const uint32_t *components, size_t width, intptr_t *sizes) {
    for (size_t word = 0; word * 64 < width; ++word) {
        uint64_t in = inside[word], start = starts[word];
        // Where the stretches of runs within the word begin and end.
        uint64_t first = in & (start | ~(in << 1)), last = in & (start >> 1 | ~(in >> 1));
        // A stretch at the word's first voxel that starts no run is of the run before.
        const uint32_t *component = components + (in & ~start & 1 ? 0 : 1);
        for (; first; first &= first - 1, last &= last - 1) {
            sizes[*component++] += __builtin_ctzll(last) - __builtin_ctzll(first) + 1;
        }
        components += __builtin_popcountll(start);
    }
}

/// Writes the voxels from `x` to `end`, within a word, and gives the labels of what follows.
static inline const uint32_t *write_voxels(
    uint64_t inside, uint64_t starts, const uint32_t *labels, size_t x, size_t end, uint32_t *row) {
    // Without branches, for where runs are short they cannot be predicted.
    for (; x < end; ++x) {
        labels += starts >> (x & 63) & 1;
        row[x] = *labels & (uint32_t)-(int32_t)(inside >> (x & 63) & 1);
    }
    return labels;
}

/// Whether all of a word is of one run, or of none.
static inline bool is_uniform(uint64_t inside, uint64_t starts) {
    return inside == 0 || (inside == ~UINT64_C(0) && (starts & ~UINT64_C(1)) == 0);
}

static inline void fill(uint32_t *row, uint32_t label) {
    for (size_t x = 0; x < 64; ++x) row[x] = label;
}

static void write_row(
    const uint64_t *inside, const uint64_t *starts, const uint32_t *labels, size_t width, uint32_t *row) {
    for (size_t word = 0; word * 64 < width; ++word) {
        size_t x = word * 64;
        if (x + 64 <= width && is_uniform(inside[word], starts[word])) {
            labels += starts[word] & 1;
            fill(row + x, inside[word] ? *labels : 0);
        } else {
            labels = write_voxels(inside[word], starts[word], labels, x, x + 64 < width ? x + 64 : width, row);
        }
    }
}

#if defined(__x86_64__)

/// For 7 bits, the number of those set up to each of 8 places, the first of which has none.
static uint8_t counts[128][8];

__attribute__((constructor)) static void make_counts(void) {
    for (int bits = 0; bits < 128; ++bits) {
        for (int place = 1; place < 8; ++place) counts[bits][place] = counts[bits][place - 1] + (bits >> (place - 1) & 1);
    }
}

/// Eight voxels at a time, which are of at most eight runs: those labels in the order that the starts say.
__attribute__((target("avx2,popcnt"))) static void write_row_avx2(
    const uint64_t *inside, const uint64_t *starts, const uint32_t *labels, size_t width, uint32_t *row) {
    const __m256i places = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    for (size_t word = 0; word * 64 < width; ++word) {
        size_t x = word * 64;
        uint64_t in = inside[word], start = starts[word];
        if (x + 64 > width) {
            write_voxels(in, start, labels, x, width, row);
        } else if (is_uniform(in, start)) {
            labels += start & 1;
            fill(row + x, in ? *labels : 0);
        } else {
            for (size_t end = x + 64; x < end; x += 8, in >>= 8, start >>= 8) {
                labels += start & 1;
                unsigned later = start >> 1 & 127;
                __m256i order = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)counts[later]));
                __m256i own = _mm256_permutevar8x32_epi32(_mm256_loadu_si256((const __m256i *)labels), order);
                __m256i isIn = _mm256_and_si256(_mm256_set1_epi32((int)(in & 255)), places);
                isIn = _mm256_cmpeq_epi32(isIn, places);
                _mm256_storeu_si256((__m256i *)(row + x), _mm256_and_si256(own, isIn));
                labels += __builtin_popcount(later);
            }
        }
    }
}

#endif

void cl_write_row(
    const uint64_t *inside, const uint64_t *starts, const uint32_t *labels, size_t width, uint32_t *row) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return write_row_avx2(inside, starts, labels, width, row);
#endif
    write_row(inside, starts, labels, width, row);
}
