#pragma once
#include <png.h>
#include <stdint.h>
#include <string.h>

// What Swift cannot call itself: libpng reports errors by longjmp.

/// A PNG file in memory, and what libpng found wrong with it.
typedef struct {
    const uint8_t *bytes;
    size_t count;
    size_t position;
    char message[256];
} cpng_source;

static inline void cpng_take(png_structp png, png_bytep target, size_t count) {
    cpng_source *source = (cpng_source *)png_get_io_ptr(png);
    if (count > source->count - source->position) png_error(png, "the file is truncated");
    memcpy(target, source->bytes + source->position, count);
    source->position += count;
}

static inline void cpng_keep_error(png_structp png, png_const_charp text) {
    cpng_source *source = (cpng_source *)png_get_error_ptr(png);
    strncpy(source->message, text, sizeof source->message - 1);
    png_longjmp(png, 1);
}

static inline void cpng_drop_warning(png_structp png, png_const_charp text) {}

/// Decodes all rows into `pixels`, which has room for `height` rows of `row_bytes`: samples as stored, those of fewer
/// than 8 bits in a byte each, those of 16 bits in little endian. Returns 1 on success; otherwise `message` says why not.
static inline int cpng_decode(cpng_source *source, uint8_t *pixels, uint32_t height, size_t row_bytes) {
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, source, cpng_keep_error, cpng_drop_warning);
    if (png == NULL) return 0;
    png_infop info = png_create_info_struct(png);
    if (info == NULL || setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, &info, NULL);
        return 0;
    }
    png_set_read_fn(png, source, cpng_take);
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    png_read_info(png, info);
    png_set_packing(png);
    png_set_swap(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_rowbytes(png, info) != row_bytes || png_get_image_height(png, info) != height)
        png_error(png, "its header contradicts itself");
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t row = 0; row < height; row++) png_read_row(png, pixels + row * row_bytes, NULL);
    png_destroy_read_struct(&png, &info, NULL);
    return 1;
}
