/// What the header of an MRC or CCP4 file says, each field checked: MRC2014 (Cheng et al., J. Struct. Biol. 192, 2015,
/// with its update 20141), and what IMOD adds (bio3d.colorado.edu/imod/doc/mrc_format.txt).
struct MRCHeader {
    static let size = 1024
    /// MRC2014's number of its update, which files of it state.
    static let version = 20141

    let isBigEndian: Bool
    let shape: ZYX<Int>
    /// The volumes of a stack.
    let times: Int
    let voxel: StoredVoxel
    /// The first voxel's first byte.
    let offset: Int
    let voxelSize: StatedVoxelSize
    /// The first voxel's place in nanometres, where the map begins elsewhere than its frame.
    let position: ZYX<Double>?

    /// Whether a file that begins with `bytes` is MRC: `MAP` at byte 208.
    static func recognizes(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 212 else { return false }
        return [Array("MAP ".utf8), Array("MAP\0".utf8)].contains(Array(bytes[208..<212]))
    }

    /// - Parameter bytes: The file's first 1,024 bytes.
    /// - Throws: `FileFault` naming the field at fault.
    init(_ bytes: [UInt8], of path: String) throws {
        guard bytes.count == Self.size else {
            throw FileFault(path, "is truncated within its header (\(bytes.count) of \(Self.size) bytes)")
        }
        isBigEndian = try Self.isBigEndian(bytes, path)
        let fields = FixedHeader(bytes: bytes, isBigEndian: isBigEndian)
        let axes = [64, 68, 72].map(fields.int32)
        guard axes == [1, 2, 3] || axes == [0, 0, 0] else {
            throw FileFault(
                path, "stores its columns, rows and sections along the axes \(axes); expected [1, 2, 3], x, y and z"
            )
        }
        let counts = ZYX(fields.int32(8), fields.int32(4), fields.int32(0))
        guard counts.array.allSatisfy({ $0 > 0 }) else {
            throw FileFault(path, "has the shape \(counts); expected each to be at least 1")
        }
        voxel = try Self.voxel(fields, path)
        (shape, times) = try Self.stack(counts, fields, path)
        let extended = fields.int32(92)
        guard extended >= 0 else {
            throw FileFault(path, "states an extended header of \(extended) bytes; expected 0 or more")
        }
        offset = Self.size + extended
        voxelSize = Self.voxelSize(fields, sections: counts.z)
        position = Self.position(fields, voxelSize)
    }

    /// By the machine stamp; where that is none, by the axes' order, which is small in one byte order alone.
    private static func isBigEndian(_ bytes: [UInt8], _ path: String) throws -> Bool {
        switch bytes[212] {
        case 0x44: return false
        case 0x11: return true
        default: break
        }
        for isBigEndian in [false, true]
        where (1...3).contains(FixedHeader(bytes: bytes, isBigEndian: isBigEndian).int32(64)) {
            return isBigEndian
        }
        throw FileFault(
            path, "has the machine stamp \(Array(bytes[212..<214])); expected [68, 68] or [68, 65], or [17, 17]")
    }

    private static let otherModes = [3: "16-bit complex numbers", 4: "32-bit complex numbers", 16: "RGB colours"]

    private static func voxel(_ fields: FixedHeader, _ path: String) throws -> StoredVoxel {
        let mode = fields.int32(12)
        switch mode {
        case 0: return .plain(try isUnsigned(fields, path) ? .uint8 : .int8)
        case 1: return .plain(.int16)
        case 2: return .plain(.float32)
        case 6: return .plain(.uint16)
        case 12: return .half
        case 101: return .nibble
        default:
            let found = otherModes[mode].map { "mode \(mode), \($0)" } ?? "the unknown mode \(mode)"
            throw FileFault(path, "is of \(found); modes 0, 1, 2, 6, 12 and 101 are read")
        }
    }

    /// `IMOD` at byte 152.
    private static let imodStamp = 1_146_047_817

    /// The bytes of mode 0 are signed in MRC2014. IMOD says in a flag beside its stamp whether its are; a file of
    /// neither whose largest value is said to be above 127 has none that are.
    private static func isUnsigned(_ fields: FixedHeader, _ path: String) throws -> Bool {
        let (stamp, flags) = (fields.int32(152), fields.int32(156))
        guard stamp == imodStamp else { return fields.float32(80) > 127 }
        guard flags & 16 == 0 else {
            throw FileFault(path, "holds two 4-bit values a byte in mode 0; expected mode 101 for such")
        }
        return flags & 1 == 0
    }

    /// In the space groups from 401 on, sections are those of volumes of mz sections each.
    private static func stack(
        _ counts: ZYX<Int>, _ fields: FixedHeader, _ path: String
    ) throws -> (ZYX<Int>, times: Int) {
        guard (401...630).contains(fields.int32(88)) else { return (counts, 1) }
        let sections = fields.int32(36)
        guard sections > 0, counts.z % sections == 0 else {
            throw FileFault(path, "is a stack of \(counts.z) sections in volumes of \(sections) each")
        }
        return (ZYX(sections, counts.y, counts.x), counts.z / sections)
    }

    /// The cell's lengths, in ångström, by the grid's; in a stack of images there is none along z.
    private static func voxelSize(_ fields: FixedHeader, sections: Int) -> StatedVoxelSize {
        let size = ZYX(2, 1, 0).map { axis -> Double? in
            let (grid, length) = (fields.int32(28 + 4 * axis), fields.float32(40 + 4 * axis))
            // The length is in single precision and says no more than its six digits.
            let side = roundedToSingle(length / Double(grid) * 0.1)
            return grid > 0 && length > 0 && side.isFinite ? side : nil
        }
        let isImages = fields.int32(88) == 0 && fields.int32(36) == 1 && sections > 1
        return StatedVoxelSize(nanometers: ZYX(isImages ? nil : size.z, size.y, size.x), unit: .angstrom)
    }

    /// The origin in words 50 to 52, in ångström, of files that say they are MRC2014's: it has had other meanings, and has
    /// in IMOD's. Else from `nxstart`, `nystart` and `nzstart`.
    private static func position(_ fields: FixedHeader, _ voxelSize: StatedVoxelSize) -> ZYX<Double>? {
        let origin = ZYX(204, 200, 196).map { fields.float32($0) * LengthUnit.angstrom.nanometers }
        if [20140, version].contains(fields.int32(108)), fields.int32(152) != imodStamp,
            origin != ZYX(repeating: 0), origin.array.allSatisfy(\.isFinite)
        {
            return origin
        }
        let start = ZYX(24, 20, 16).map(fields.int32)
        guard start != .zero, let size = voxelSize.complete else { return nil }
        return start.zip(size.nanometers) { Double($0) * $1 }
    }
}
