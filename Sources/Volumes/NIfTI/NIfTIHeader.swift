/// What the header of a NIfTI-1 or NIfTI-2 file says, each field checked (nifti1.h and nifti2.h, the standard's own
/// descriptions).
///
/// Not by libnifti2 3.0.1: it uses a NIfTI-2 header's `dim[0]` unchecked as an index and then crashes, writes to standard
/// error whatever its debug level, and leaves sizes unchecked.
struct NIfTIHeader {
    enum Version: Int {
        case one = 1
        case two = 2

        /// `sizeof_hdr`.
        var size: Int { self == .one ? 348 : 540 }
    }

    let version: Version
    let isBigEndian: Bool
    /// Whether the voxels are in a file of their own, `.img` beside `.hdr`.
    let isPair: Bool
    let shape: ZYX<Int>
    let times: Int
    let channels: Int
    let voxel: StoredVoxel
    /// The first voxel's first byte.
    let offset: Int
    let voxelSize: StatedVoxelSize
    let frame: VolumeFrame?
    /// What `pixdim` says of the voxel size where the frame says otherwise, which is then taken.
    let contradicted: StatedVoxelSize?

    /// A header has at most so many bytes.
    static let largestSize = Version.two.size

    /// Whether a file that begins with `bytes` is NIfTI, by the magic of its version.
    static func recognizes(_ bytes: [UInt8]) -> Bool { kind(of: bytes) != nil }

    /// - Parameter bytes: The file's first bytes.
    /// - Throws: `FileFault` naming the field at fault.
    init(_ bytes: [UInt8], of path: String) throws {
        guard let (version, isPair) = Self.kind(of: bytes), bytes.count >= version.size else {
            throw FileFault(path, "is truncated within its header (found \(bytes.count) bytes)")
        }
        let little = FixedHeader(bytes: bytes, isBigEndian: false)
        isBigEndian = little.int32(0) != version.size
        let fields = FixedHeader(bytes: bytes, isBigEndian: isBigEndian)
        guard fields.int32(0) == version.size else {
            throw FileFault(path, "states a header of \(little.int32(0)) bytes; expected \(version.size)")
        }
        self.version = version
        self.isPair = isPair
        let dimensions = try Self.dimensions(fields, version, path)
        shape = ZYX(dimensions[2], dimensions[1], dimensions[0])
        times = dimensions[3]
        channels = dimensions[4]
        voxel = try Self.voxel(fields, version, path)
        offset = try Self.offset(fields, version, isPair: isPair, path)
        frame = Self.frame(fields, version)
        let stated = Self.voxelSize(fields, version)
        let framed = frame?.voxelSize
        let agrees = framed.map { stated.complete?.agrees(with: $0, tolerance: 0.001) ?? false } ?? true
        voxelSize = agrees ? stated : StatedVoxelSize(framed!)
        contradicted = agrees ? nil : stated
    }

    // nifti2.h: the magic ends with what a transfer as text would change.
    static let magicOfTwo = Array("n+2\0\r\n\u{1A}\n".utf8)
    private static let magicOfTwoPair = Array("ni2\0\r\n\u{1A}\n".utf8)

    private static func kind(of bytes: [UInt8]) -> (Version, isPair: Bool)? {
        guard bytes.count >= Version.one.size else { return nil }
        switch (Array(bytes[344..<348]), Array(bytes[4..<12])) {
        case (Array("n+1\0".utf8), _): return (.one, false)
        case (Array("ni1\0".utf8), _): return (.one, true)
        case (_, magicOfTwo): return (.two, false)
        case (_, magicOfTwoPair): return (.two, true)
        default: return nil
        }
    }

    /// x, y, z, time and channel, 1 where there are fewer.
    private static func dimensions(_ fields: FixedHeader, _ version: Version, _ path: String) throws -> [Int] {
        let values = (0...7).map { version == .one ? fields.int16(40 + 2 * $0) : fields.int64(16 + 8 * $0) }
        guard (1...7).contains(values[0]) else {
            throw FileFault(path, "states \(values[0]) dimensions; expected 1 to 7")
        }
        let sizes = values[1...values[0]]
        let named = "[\(sizes.map(String.init).joined(separator: ", "))]"
        guard sizes.allSatisfy({ $0 > 0 }) else {
            throw FileFault(path, "has the dimensions \(named); expected each to be at least 1")
        }
        guard sizes.dropFirst(5).allSatisfy({ $0 == 1 }) else {
            throw FileFault(path, "has the dimensions \(named); expected x, y, z, time and channel")
        }
        return Array((sizes + [1, 1, 1, 1]).prefix(5))
    }

    /// The element types by `datatype`, and what else it can say.
    static let types: [Int: ElementType] = [
        2: .uint8, 256: .int8, 512: .uint16, 4: .int16, 768: .uint32, 8: .int32, 1280: .uint64, 1024: .int64,
        16: .float32, 64: .float64,
    ]
    private static let otherTypes = [
        0: "unknown values", 1: "1-bit values", 32: "64-bit complex numbers", 128: "RGB colours",
        1536: "128-bit floating-point numbers", 1792: "128-bit complex numbers", 2048: "256-bit complex numbers",
        2304: "RGBA colours",
    ]

    private static func voxel(_ fields: FixedHeader, _ version: Version, _ path: String) throws -> StoredVoxel {
        let code = fields.int16(version == .one ? 70 : 12)
        guard let type = types[code] else {
            throw FileFault(
                path,
                "holds \(otherTypes[code] ?? "values of the unknown type \(code)"); "
                    + "expected integers or floating-point numbers of 8 to 64 bits")
        }
        let bits = fields.int16(version == .one ? 72 : 14)
        guard bits == type.size * 8 else {
            throw FileFault(path, "states \(bits) bits a voxel of \(type.rawValue); expected \(type.size * 8)")
        }
        let slope = version == .one ? fields.float32(112) : fields.float64(176)
        let intercept = version == .one ? fields.float32(116) : fields.float64(184)
        // nifti1.h: no scaling where the slope is 0; NaN is what programs write that mean the same.
        if slope == 0 || slope.isNaN || (slope == 1 && intercept == 0) { return .plain(type) }
        guard slope.isFinite, intercept.isFinite else {
            throw FileFault(path, "scales values by \(slope) and adds \(intercept); expected finite numbers")
        }
        return .scaled(type, slope: slope, intercept: intercept)
    }

    private static func offset(
        _ fields: FixedHeader, _ version: Version, isPair: Bool, _ path: String
    ) throws -> Int {
        // Four bytes after the header say whether extensions follow.
        let least = isPair ? 0 : version.size + 4
        let stated = version == .one ? Int(exactly: fields.float32(108)) : fields.int64(168)
        guard let stated, stated >= least else {
            let found = stated.map(String.init) ?? "\(fields.float32(108))"
            throw FileFault(path, "states that its voxels begin at byte \(found); expected \(least) or more")
        }
        return stated
    }

    /// `xyzt_units`, and how many nanometres a unit has; metres are told in millimetres.
    private static func unit(_ fields: FixedHeader, _ version: Version) -> (name: LengthUnit, nanometers: Double)? {
        let codes = version == .one ? Int(fields.bytes[123]) : fields.int32(500)
        switch codes & 7 {
        case 1: return (.millimeter, 1e9)
        case 2: return (.millimeter, 1e6)
        case 3: return (.micrometer, 1e3)
        default: return nil
        }
    }

    /// `pixdim` of x, y and z.
    private static func sizes(_ fields: FixedHeader, _ version: Version) -> [Double] {
        (1...3).map { axis in
            // A size in single precision says no more than its six digits.
            version == .one ? roundedToSingle(fields.float32(76 + 4 * axis)) : fields.float64(104 + 8 * axis)
        }
    }

    private static func voxelSize(_ fields: FixedHeader, _ version: Version) -> StatedVoxelSize {
        guard let unit = unit(fields, version) else { return .none }
        let sizes = sizes(fields, version).map { value -> Double? in
            let nanometers = value * unit.nanometers
            return value > 0 && nanometers.isFinite ? nanometers : nil
        }
        return StatedVoxelSize(nanometers: ZYX(sizes[2], sizes[1], sizes[0]), unit: unit.name)
    }

    /// The sform, else the qform, else what `pixdim` says without a unit; nil where that is nothing.
    private static func frame(_ fields: FixedHeader, _ version: Version) -> VolumeFrame? {
        let number = { (one: Int, two: Int, index: Int) in
            version == .one ? roundedToSingle(fields.float32(one + 4 * index)) : fields.float64(two + 8 * index)
        }
        let code = { (one: Int, two: Int) in version == .one ? fields.int16(one) : fields.int32(two) }
        let unit = unit(fields, version)
        let sizes = sizes(fields, version)
        let sform = (0..<3).map { row in (0..<4).map { number(280, 400, row * 4 + $0) } }
        var rows: [[Double]]
        if code(254, 348) > 0, VolumeFrame(rows: sform, unit: nil).isSound {
            rows = sform
        } else if code(252, 344) > 0 {
            // pixdim[0], -1, turns z around.
            let turned = [sizes[0], sizes[1], number(76, 104, 0) < 0 ? -sizes[2] : sizes[2]]
            rows = rotation((0..<3).map { number(256, 352, $0) }).enumerated().map { row, directions in
                zip(directions, turned).map { $0 * $1 } + [number(268, 376, row)]
            }
        } else if unit == nil, sizes != [1, 1, 1] {
            rows = (0..<3).map { row in (0..<4).map { $0 == row ? sizes[row] : 0 } }
        } else {
            return nil
        }
        if let unit {
            // Metres are told in millimetres.
            let factor = unit.nanometers / unit.name.nanometers
            rows = rows.map { $0.map { $0 * factor } }
        }
        let frame = VolumeFrame(rows: rows, unit: unit?.name)
        return frame.isSound ? frame : nil
    }

    /// The rotation of a unit quaternion whose first part is not negative, given the other three (nifti1.h, method 2).
    private static func rotation(_ parts: [Double]) -> [[Double]] {
        let (b, c, d) = (parts[0], parts[1], parts[2])
        let a = max(0, 1 - b * b - c * c - d * d).squareRoot()
        return [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    }
}
