"""Writes the PNG files of the tests with imagecodecs, and those that it cannot write by the specification; run it in this
folder. All are checked with imagecodecs. Values follow `pattern` of ../TIFF/make.py, which TIFFFiles.swift repeats.
"""
import struct
import zlib

import imagecodecs
import numpy as np


def pattern(dtype, shape):
    z, y, x = np.indices(shape, dtype=np.uint64)
    hashed = (z * 7919 + y * 104729 + x * 1299709 + 1) * np.uint64(0x9E3779B97F4A7C15)
    return (hashed >> np.uint64(64 - 8 * np.dtype(dtype).itemsize)).astype(dtype)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def rows(image, bits):
    """Unfiltered rows of a grey image."""
    if bits == 16:
        packed = image.astype(">u2")[..., None].view(np.uint8).reshape(len(image), -1)
    else:
        digits = (image[..., None] >> np.arange(bits)[::-1]) & 1
        packed = np.packbits(digits.astype(np.uint8).reshape(len(image), -1), axis=1)
    return b"".join(b"\0" + row.tobytes() for row in packed)


def png(image, bits, colour=0, adam7=False, palette=None):
    height, width = image.shape
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    parts = [image[y::dy, x::dx] for y, x, dy, dx in passes] if adam7 else [image]
    data = b"".join(rows(part, bits) for part in parts if part.size)
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(adam7))
    extra = chunk(b"PLTE", palette) if palette else b""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(data))
            + chunk(b"IEND", b""))


def write(name, data):
    open(name + ".png", "wb").write(data)


u8, u16 = pattern("uint8", (4, 9, 21)), pattern("uint16", (4, 9, 21))
write("grey8", imagecodecs.png_encode(u8[0]))
write("grey16", imagecodecs.png_encode(u16[0]))
write("rgb8", imagecodecs.png_encode(np.ascontiguousarray(np.moveaxis(u8[:3], 0, -1))))
write("rgba16", imagecodecs.png_encode(np.ascontiguousarray(np.moveaxis(u16, 0, -1))))
for bits in (1, 2, 4):
    write(f"grey{bits}", png(u8[0] >> (8 - bits), bits))
write("interlaced8", png(u8[0], 8, adam7=True))
write("interlaced16", png(u16[0], 16, adam7=True))
assert (imagecodecs.png_decode(open("interlaced16.png", "rb").read()) == u16[0]).all()
write("palette", png(u8[0] >> 4, 4, colour=3, palette=bytes(range(48))))
assert (imagecodecs.png_decode(open("grey2.png", "rb").read()) == (u8[0] >> 6) * 85).all()

# Refused: more pixels than the bytes hold, and a damaged stream.
write("vast", png(u8[0], 8).replace(struct.pack(">II", 21, 9), struct.pack(">II", 20000, 20000)))
damaged = bytearray(png(u8[0], 8))
damaged[60] ^= 255
write("damaged", damaged)

# A series: sections 0, 1 and 2 of the pattern, whose natural order is not that of their letters.
for number, section in ((2, 0), (9, 1), (10, 2)):
    write(f"slice_{number}", imagecodecs.png_encode(u8[section]))
