#pragma once
#include <zlib.h>

// inflateInit2 and deflateInit2 are macros, which Swift cannot call.

/// Prepares `stream` for gzip members (RFC 1952).
static inline int czlib_start_gzip(z_stream *stream) {
    return inflateInit2(stream, 16 + MAX_WBITS);
}

/// Prepares `stream` for Deflate without a frame (RFC 1951).
static inline int czlib_start_deflate(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
}
