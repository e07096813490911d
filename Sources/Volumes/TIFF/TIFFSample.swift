import CTIFF

/// How a TIFF stores one sample of a pixel, and the voxel type it is read as.
struct TIFFSample: Equatable {
    enum Kind { case unsigned, signed, floating }

    let kind: Kind
    /// 1 to 64; samples of other widths than 8, 16, 32 and 64 are packed without gaps, from the highest bit on, each
    /// row beginning at a byte.
    let bits: Int
    /// The narrowest type that holds every value.
    let elementType: ElementType

    /// Whether a stored sample is an element as it stands.
    var isElement: Bool { bits == 8 * elementType.size }

    /// For example `uint8`, `1 bit`, `half`.
    var name: String {
        if isElement { return elementType.rawValue }
        return kind == .floating ? "half" : "\(bits) bit"
    }

    /// Nil for complex numbers and for widths that are not read.
    init?(format: Int, bits: Int) {
        self.bits = bits
        switch Int32(format) {
        case SAMPLEFORMAT_UINT, SAMPLEFORMAT_VOID:
            kind = .unsigned
            switch bits {
            case 1...8: elementType = .uint8
            case 9...16: elementType = .uint16
            case 17...32: elementType = .uint32
            case 64: elementType = .uint64
            default: return nil
            }
        case SAMPLEFORMAT_INT:
            kind = .signed
            switch bits {
            case 8: elementType = .int8
            case 16: elementType = .int16
            case 32: elementType = .int32
            case 64: elementType = .int64
            default: return nil
            }
        case SAMPLEFORMAT_IEEEFP:
            kind = .floating
            switch bits {
            case 16, 32: elementType = .float32
            case 64: elementType = .float64
            default: return nil
            }
        default: return nil
        }
    }

    /// Puts samples of a row into voxels.
    ///
    /// - Parameters:
    ///   - row: the row's bytes in this machine's order; a width of 24 bits is lowest byte first.
    ///   - first: the index of the first sample wanted.
    ///   - step: the distance of the samples wanted: the number of samples a pixel.
    ///   - target: room for `count` elements.
    func extract(
        _ count: Int, from row: UnsafeRawBufferPointer, first: Int, step: Int, into target: UnsafeMutableRawPointer
    ) {
        guard isElement else {
            if kind == .floating {
                return widenHalves(count, from: row, first: first, step: step, into: target)
            }
            return unpack(count, from: row, first: first, step: step, into: target)
        }
        let size = elementType.size
        if step == 1 {
            let bytes = UnsafeRawBufferPointer(rebasing: row[first * size..<(first + count) * size])
            if let base = bytes.baseAddress { target.copyMemory(from: base, byteCount: bytes.count) }
            return
        }
        switch size {
        case 1: stride(UInt8.self, count, from: row, first: first, step: step, into: target)
        case 2: stride(UInt16.self, count, from: row, first: first, step: step, into: target)
        case 4: stride(UInt32.self, count, from: row, first: first, step: step, into: target)
        default: stride(UInt64.self, count, from: row, first: first, step: step, into: target)
        }
    }

    private func stride<Word: FixedWidthInteger & BitwiseCopyable>(
        _ type: Word.Type, _ count: Int, from row: UnsafeRawBufferPointer, first: Int, step: Int,
        into target: UnsafeMutableRawPointer
    ) {
        let size = MemoryLayout<Word>.size
        for index in 0..<count {
            let value = row.loadUnaligned(fromByteOffset: (first + index * step) * size, as: type)
            target.storeBytes(of: value, toByteOffset: index * size, as: type)
        }
    }

    private func widenHalves(
        _ count: Int, from row: UnsafeRawBufferPointer, first: Int, step: Int, into target: UnsafeMutableRawPointer
    ) {
        for index in 0..<count {
            let half = row.loadUnaligned(fromByteOffset: (first + index * step) * 2, as: UInt16.self)
            target.storeBytes(of: float(half: half), toByteOffset: index * 4, as: Float.self)
        }
    }

    private func unpack(
        _ count: Int, from row: UnsafeRawBufferPointer, first: Int, step: Int, into target: UnsafeMutableRawPointer
    ) {
        for index in 0..<count {
            let sample = first + index * step
            let value = bits == 24 ? threeBytes(row, at: 3 * sample) : packed(row, at: bits * sample)
            switch elementType.size {
            case 1: target.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: index, as: UInt8.self)
            case 2:
                target.storeBytes(of: UInt16(truncatingIfNeeded: value), toByteOffset: 2 * index, as: UInt16.self)
            default: target.storeBytes(of: value, toByteOffset: 4 * index, as: UInt32.self)
            }
        }
    }

    private func threeBytes(_ row: UnsafeRawBufferPointer, at byte: Int) -> UInt32 {
        UInt32(row[byte]) | UInt32(row[byte + 1]) << 8 | UInt32(row[byte + 2]) << 16
    }

    private func packed(_ row: UnsafeRawBufferPointer, at firstBit: Int) -> UInt32 {
        var value: UInt64 = 0
        let last = (firstBit + bits - 1) / 8
        for byte in firstBit / 8...last { value = value << 8 | UInt64(row[byte]) }
        let unused = (last + 1) * 8 - firstBit - bits
        return UInt32(truncatingIfNeeded: value >> UInt64(unused) & (1 << UInt64(bits) - 1))
    }
}

/// The value of an IEEE 754 half, exactly.
func float(half: UInt16) -> Float {
    let sign = UInt32(half & 0x8000) << 16
    let exponent = UInt32(half >> 10 & 0x1F)
    let fraction = UInt32(half & 0x3FF)
    switch exponent {
    case 0:
        // Zero or a subnormal: steps of 2⁻²⁴.
        let magnitude = Float(fraction) * 0x1p-24
        return sign == 0 ? magnitude : -magnitude
    case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
}
