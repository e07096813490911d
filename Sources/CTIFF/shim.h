#pragma once
#include <stdarg.h>
#include <stdio.h>
#include <tiffio.h>

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

/// A handle on an open file descriptor, which it then owns, that prints nothing.
/// No single allocation of libtiff exceeds `largest` bytes. NULL on failure: the descriptor stays the caller's.
static inline TIFF *ctiff_open(
    int descriptor, const char *name, const char *mode, int64_t largest, ctiff_message *message
) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (options == NULL) return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, largest);
    TIFFOpenOptionsSetErrorHandlerExtR(options, ctiff_keep_error, message);
    TIFFOpenOptionsSetWarningHandlerExtR(options, ctiff_drop_warning, NULL);
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
