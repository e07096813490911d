extension NIfTIHeader {
    /// The first bytes of a `.nii` file in little endian, up to its voxels: the header, NIfTI-2's where an extent is beyond
    /// the 16 bits of NIfTI-1, and the four bytes that say that no extensions follow.
    ///
    /// Lengths are in millimetres where the voxel size is, else in micrometres: NIfTI has no smaller unit. The sform is the
    /// frame of `contents`, else the first voxel stands at `position`, at 0 without one; the qform says the same where the
    /// axes are not turned.
    static func bytes(of contents: VolumeFile.Contents) -> [UInt8] {
        let fields = Fields(contents)
        return contents.shape.array.allSatisfy { $0 <= Int(Int16.max) } ? one(fields) : two(fields)
    }

    /// What the header says, along x, y and z.
    private struct Fields {
        let extents: [Int]
        let type: Int
        let bits: Int
        /// `xyzt_units`.
        let unit: Int
        let sizes: [Double]
        let rows: [[Double]]
        let isUpright: Bool

        init(_ contents: VolumeFile.Contents) {
            extents = contents.shape.array.reversed()
            // Every type has a code.
            type = types.first { $0.value == contents.elementType }!.key
            bits = 8 * contents.elementType.size
            let frame = contents.frame ?? Self.frame(of: contents)
            unit = frame.unit.map { $0 == .millimeter ? 2 : 3 } ?? 0
            sizes = frame.sizes
            rows = frame.rows
            isUpright = frame.isUpright
        }

        private static func frame(of contents: VolumeFile.Contents) -> VolumeFrame {
            let unit: LengthUnit = contents.voxelSize?.unit == .millimeter ? .millimeter : .micrometer
            let sizes: [Double] = contents.voxelSize?.in(unit).array.reversed() ?? [1, 1, 1]
            let place = contents.voxelSize == nil ? nil : contents.position
            let origin: [Double] = place?.map { $0 / unit.nanometers }.array.reversed() ?? [0, 0, 0]
            return VolumeFrame(
                rows: (0..<3).map { row in (0..<3).map { $0 == row ? sizes[row] : 0 } + [origin[row]] },
                unit: contents.voxelSize == nil ? nil : unit)
        }

        /// `dim`: their number first, 1 along those that there are not.
        var dimensions: [Int] { [3] + extents + [1, 1, 1, 1] }
        /// `pixdim`: first that z is not turned around.
        var pixelSizes: [Double] { [1] + sizes + [1, 1, 1, 1] }
    }

    /// The code of a form whose frame is that of the microscope.
    private static let scannerFrame = 1

    private static func one(_ fields: Fields) -> [UInt8] {
        let size = Version.one.size
        var bytes = [UInt8](repeating: 0, count: size + 4)
        bytes.put(Int32(size), at: 0)
        for (index, extent) in fields.dimensions.enumerated() { bytes.put(Int16(extent), at: 40 + 2 * index) }
        bytes.put(Int16(fields.type), at: 70)
        bytes.put(Int16(fields.bits), at: 72)
        for (index, length) in fields.pixelSizes.enumerated() { bytes.put(Float(length), at: 76 + 4 * index) }
        bytes.put(Float(bytes.count), at: 108)
        bytes.put(Float(1), at: 112)
        bytes[123] = UInt8(fields.unit)
        bytes.put(Int16(fields.isUpright ? scannerFrame : 0), at: 252)
        bytes.put(Int16(scannerFrame), at: 254)
        for (row, values) in fields.rows.enumerated() {
            if fields.isUpright { bytes.put(Float(values[3]), at: 268 + 4 * row) }
            for (column, value) in values.enumerated() { bytes.put(Float(value), at: 280 + 16 * row + 4 * column) }
        }
        bytes.replaceSubrange(344..<348, with: Array("n+1\0".utf8))
        return bytes
    }

    private static func two(_ fields: Fields) -> [UInt8] {
        let size = Version.two.size
        var bytes = [UInt8](repeating: 0, count: size + 4)
        bytes.put(Int32(size), at: 0)
        bytes.replaceSubrange(4..<12, with: magicOfTwo)
        bytes.put(Int16(fields.type), at: 12)
        bytes.put(Int16(fields.bits), at: 14)
        for (index, extent) in fields.dimensions.enumerated() { bytes.put(Int64(extent), at: 16 + 8 * index) }
        for (index, length) in fields.pixelSizes.enumerated() { bytes.put(length, at: 104 + 8 * index) }
        bytes.put(Int64(bytes.count), at: 168)
        bytes.put(1.0, at: 176)
        bytes.put(Int32(fields.isUpright ? scannerFrame : 0), at: 344)
        bytes.put(Int32(scannerFrame), at: 348)
        for (row, values) in fields.rows.enumerated() {
            if fields.isUpright { bytes.put(values[3], at: 376 + 8 * row) }
            for (column, value) in values.enumerated() { bytes.put(value, at: 400 + 32 * row + 8 * column) }
        }
        bytes.put(Int32(fields.unit), at: 500)
        return bytes
    }
}
