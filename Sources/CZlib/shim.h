#pragma once
#include <zlib.h>

// inflateInit2 is a macro, which Swift cannot call.

/// Prepares `stream` for gzip members (RFC 1952).
static inline int czlib_start_gzip(z_stream *stream) {
    return inflateInit2(stream, 16 + MAX_WBITS);
}
