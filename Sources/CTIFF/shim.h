#pragma once
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <unistd.h>

// What Swift cannot call itself: handlers that take a va_list, and libtiff's variadic tag functions.

/// The first error libtiff reported since `text` was last emptied.
typedef struct {
    char text[512];
} ctiff_message;

static inline int ctiff_keep_error(TIFF *tiff, void *user, const char *module, const char *format, va_list values) {
    ctiff_message *message = (ctiff_message *)user;
    if (message->text[0] == 0) vsnprintf(message->text, sizeof message->text, format, values);
    return 1;
}

static inline int ctiff_drop_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list values) {
    return 1;
}

/// A few kilobytes of a file.
typedef struct {
    uint64_t from;
    size_t count;
    uint8_t bytes[4096];
} ctiff_window;

/// A file to read, of which two windows are kept: libtiff reads a directory in many small pieces, and values that all
/// directories share elsewhere.
typedef struct {
    int descriptor;
    uint64_t position;
    ctiff_window windows[2];
    int last_used;
} ctiff_file;

static inline ssize_t ctiff_pread(int descriptor, void *target, size_t size, uint64_t position) {
    ssize_t count;
    do count = pread(descriptor, target, size, (off_t)position);
    while (count < 0 && errno == EINTR);
    return count;
}

/// The window that holds the file's byte at its position, or NULL.
static inline ctiff_window *ctiff_find_window(ctiff_file *file) {
    for (int index = 0; index < 2; index++) {
        ctiff_window *window = &file->windows[index];
        if (file->position < window->from || file->position - window->from >= window->count) continue;
        file->last_used = index;
        return window;
    }
    return NULL;
}

static inline tmsize_t ctiff_read(thandle_t handle, void *target, tmsize_t size) {
    ctiff_file *file = (ctiff_file *)handle;
    tmsize_t done = 0;
    while (done < size) {
        ctiff_window *window = ctiff_find_window(file);
        ssize_t count;
        if (window != NULL) {
            uint64_t skipped = file->position - window->from;
            count = (ssize_t)(window->count - skipped);
            if (count > size - done) count = size - done;
            memcpy((char *)target + done, window->bytes + skipped, (size_t)count);
        } else if (size - done >= (tmsize_t)sizeof window->bytes) {
            count = ctiff_pread(file->descriptor, (char *)target + done, (size_t)(size - done), file->position);
        } else {
            window = &file->windows[1 - file->last_used];
            count = ctiff_pread(file->descriptor, window->bytes, sizeof window->bytes, file->position);
            window->from = file->position;
            window->count = count > 0 ? (size_t)count : 0;
            if (count > 0) continue;
        }
        if (count < 0) return -1;
        if (count == 0) break;
        done += count;
        file->position += (uint64_t)count;
    }
    return done;
}

static inline tmsize_t ctiff_write_nothing(thandle_t handle, void *source, tmsize_t size) { return 0; }

static inline toff_t ctiff_size(thandle_t handle) {
    struct stat status;
    return fstat(((ctiff_file *)handle)->descriptor, &status) == 0 ? (toff_t)status.st_size : 0;
}

static inline toff_t ctiff_seek(thandle_t handle, toff_t offset, int whence) {
    ctiff_file *file = (ctiff_file *)handle;
    if (whence == SEEK_CUR) offset += file->position;
    if (whence == SEEK_END) offset += ctiff_size(handle);
    file->position = offset;
    return offset;
}

static inline int ctiff_close(thandle_t handle) {
    int result = close(((ctiff_file *)handle)->descriptor);
    free(handle);
    return result;
}

/// Options under which a handle prints nothing and no single allocation of libtiff exceeds `largest` bytes.
static inline TIFFOpenOptions *ctiff_options(int64_t largest, ctiff_message *message) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (options == NULL) return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, largest);
    TIFFOpenOptionsSetErrorHandlerExtR(options, ctiff_keep_error, message);
    TIFFOpenOptionsSetWarningHandlerExtR(options, ctiff_drop_warning, NULL);
    return options;
}

/// A handle for reading an open file descriptor, which it then owns. NULL on failure: the descriptor stays the caller's.
static inline TIFF *ctiff_open_reading(int descriptor, const char *name, int64_t largest, ctiff_message *message) {
    TIFFOpenOptions *options = ctiff_options(largest, message);
    ctiff_file *file = (ctiff_file *)calloc(1, sizeof(ctiff_file));
    TIFF *tiff = NULL;
    if (options != NULL && file != NULL) {
        file->descriptor = descriptor;
        // "m": no memory map, or a file that shrinks while it is read kills the process. "c": strips as stored.
        tiff = TIFFClientOpenExt(
            name, "rmc", file, ctiff_read, ctiff_write_nothing, ctiff_seek, ctiff_close, ctiff_size, NULL, NULL,
            options);
    }
    if (tiff == NULL) free(file);
    TIFFOpenOptionsFree(options);
    return tiff;
}

/// Reads `size` bytes from `offset` of a handle that `ctiff_open_reading` made; 0 where they are not all there.
static inline int ctiff_read_at(TIFF *tiff, uint64_t offset, void *target, tmsize_t size) {
    ctiff_file *file = (ctiff_file *)TIFFClientdata(tiff);
    file->position = offset;
    return ctiff_read(file, target, size) == size;
}

/// A handle for writing an open file descriptor, which it then owns. NULL on failure: the descriptor stays the caller's.
static inline TIFF *ctiff_open_writing(int descriptor, const char *name, const char *mode, ctiff_message *message) {
    TIFFOpenOptions *options = ctiff_options(0, message);
    if (options == NULL) return NULL;
    TIFF *tiff = TIFFFdOpenExt(descriptor, name, mode, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

static inline int ctiff_get_uint16(TIFF *tiff, uint32_t tag, uint16_t *value) {
    return TIFFGetFieldDefaulted(tiff, tag, value);
}

static inline int ctiff_get_uint32(TIFF *tiff, uint32_t tag, uint32_t *value) {
    return TIFFGetFieldDefaulted(tiff, tag, value);
}

static inline int ctiff_get_float(TIFF *tiff, uint32_t tag, float *value) {
    return TIFFGetField(tiff, tag, value);
}

static inline int ctiff_get_string(TIFF *tiff, uint32_t tag, const char **value) {
    return TIFFGetField(tiff, tag, value);
}

static inline int ctiff_set_uint16(TIFF *tiff, uint32_t tag, uint16_t value) {
    return TIFFSetField(tiff, tag, (int)value);
}

static inline int ctiff_set_uint32(TIFF *tiff, uint32_t tag, uint32_t value) {
    return TIFFSetField(tiff, tag, value);
}

static inline int ctiff_set_double(TIFF *tiff, uint32_t tag, double value) {
    return TIFFSetField(tiff, tag, value);
}

static inline int ctiff_set_string(TIFF *tiff, uint32_t tag, const char *value) {
    return TIFFSetField(tiff, tag, value);
}

static inline void ctiff_get_subsampling(TIFF *tiff, uint16_t *horizontal, uint16_t *vertical) {
    TIFFGetFieldDefaulted(tiff, TIFFTAG_YCBCRSUBSAMPLING, horizontal, vertical);
}

static inline void ctiff_decode_jpeg_as_rgb(TIFF *tiff) {
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
}
