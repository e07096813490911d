// The inner loops of labelling, which Swift cannot compile for more than one kind of processor.
//
// A row of voxels is given or made as bits, 64 voxels a word, the lowest first; bits beyond its width are 0.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Sets a bit for each voxel that is not 0.
void cl_nonzero_u8(const uint8_t *row, size_t width, uint64_t *bits);
void cl_nonzero_u32(const uint32_t *row, size_t width, uint64_t *bits);
void cl_nonzero_u64(const uint64_t *row, size_t width, uint64_t *bits);

/// Sets a bit for each x at which two rows are equal.
void cl_equal_u32(const uint32_t *row, const uint32_t *other, size_t width, uint64_t *bits);
void cl_equal_u64(const uint64_t *row, const uint64_t *other, size_t width, uint64_t *bits);

/// Adds the voxels of a row's runs to the sizes of their components.
///
/// - components: of the runs, in order, the first that of the run before those that start in this row.
void cl_count_row(
    const uint64_t *inside, const uint64_t *starts, const uint32_t *components, size_t width, intptr_t *sizes);

/// Writes a row of labels: those of its runs, and 0 where a voxel is inside of none.
///
/// - labels: of the runs, in order, the first that of the run before those that start in this row; 8 more are readable.
void cl_write_row(
    const uint64_t *inside, const uint64_t *starts, const uint32_t *labels, size_t width, uint32_t *row);
