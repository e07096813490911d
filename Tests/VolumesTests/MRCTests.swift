import Foundation
import TestSupport
import Testing
import Volumes

/// MRC files by mrcfile (`Data/MRC/make.py`).
struct MRCTests {
    @Test(arguments: [ElementType.int8, .int16, .uint16, .float32], ["little", "big"])
    func readsEveryTypeInBothByteOrders(elementType: ElementType, order: String) throws {
        let reader = try Self.open("\(elementType.rawValue)-\(order).mrc")
        let expected = TIFFFiles.pattern(elementType)
        #expect(reader.info.format == "MRC")
        #expect(reader.info.shape == TIFFFiles.shape)
        #expect(try reader.read(Box(TIFFFiles.shape)) == expected)
        let box = Box(from: ZYX(1, 2, 5), to: ZYX(3, 8, 18))
        #expect(try reader.read(box) == expected.cropped(to: box))
    }

    @Test func aPackedFileIsRead() throws {
        let reader = try Self.open("packed.mrc.gz")
        #expect(reader.info.compression == "gzip")
        #expect(reader.info.voxelSize.complete?.nanometers == ZYX(0.4, 0.3, 0.2))
        #expect(try reader.read(Box(TIFFFiles.shape)) == TIFFFiles.pattern(.int16))
    }

    @Test(arguments: ["half.mrc", "half-big.mrc"])
    func halfPrecisionIsReadAsFloat(name: String) throws {
        let reader = try Self.open(name)
        let values = try reader.read(Box(TIFFFiles.shape)).volume(of: Float.self)
        #expect(values == TIFFFiles.pattern(.uint8).volume(of: UInt8.self).map { Float($0) / 8 - 16 })
    }

    @Test(arguments: [0..<21, 1..<20, 4..<5, 5..<6, 20..<21])
    func fourBitsAreReadAsBytes(columns: Range<Int>) throws {
        let box = Box(from: ZYX(0, 1, columns.lowerBound), to: ZYX(3, 9, columns.upperBound))
        let values = try Self.open("nibbles.mrc").read(box).volume(of: UInt8.self)
        let pattern = TIFFFiles.pattern(.uint8).volume(of: UInt8.self).map { $0 >> 4 }
        #expect(values == pattern.cropped(to: box))
    }

    @Test(arguments: [
        ("imod-unsigned.mrc", ElementType.uint8), ("imod-signed.mrc", .int8), ("largest-255.mrc", .uint8),
        ("int8-little.mrc", .int8),
    ])
    func bytesAreSignedOrNotAsTheFileSays(name: String, type: ElementType) throws {
        let reader = try Self.open(name)
        #expect(reader.info.elementType == type)
        #expect(try reader.read(Box(TIFFFiles.shape)) == TIFFFiles.pattern(type))
    }

    @Test(arguments: ["extended.mrc", "no-stamp.mrc"])
    func voxelsAreFoundBehindAnExtendedHeaderAndWithoutAStamp(name: String) throws {
        #expect(try Self.open(name).read(Box(TIFFFiles.shape)) == TIFFFiles.pattern(.int16))
    }

    @Test(arguments: [0, 1])
    func volumesOfAStackAreTimes(time: Int) throws {
        let reader = try Self.open("volumes.mrc", VolumeSelection(time: time))
        #expect(reader.info.shape == TIFFFiles.shape)
        #expect(reader.info.times == 2)
        #expect(reader.info.voxelSize.complete == VoxelSize(ZYX(repeating: 10), .angstrom))
        let values = try reader.read(Box(TIFFFiles.shape)).volume(of: Int16.self)
        #expect(values == TIFFFiles.pattern(.int16).volume(of: Int16.self).map { $0 &+ Int16(10 * time) })
    }

    @Test(
        arguments: [
            ("int16-little.mrc", [0.85, 0.85, 0.85]), ("extended.mrc", [0.4, 0.3, 0.2]),
            ("images.mrc", [nil, 1, 1]),
            ("int16-big.mrc", [nil, nil, nil]),
        ] as [(String, [Double?])])
    func voxelSizesAreRead(name: String, nanometers: [Double?]) throws {
        let found = try Self.open(name).info.voxelSize
        #expect(found.unit == .angstrom)
        for (found, expected) in zip(found.nanometers.array, nanometers) {
            #expect((found == nil) == (expected == nil))
            // Cells are kept in single precision.
            #expect(abs((found ?? 0) - (expected ?? 0)) < 1e-6)
        }
    }

    @Test func thePositionIsThatOfTheFirstColumnRowAndSection() throws {
        let place = try #require(try Self.open("start.mrc").info.position)
        for (found, expected) in zip(place.array, [25.5, -1.7, 0.85]) { #expect(abs(found - expected) < 1e-5) }
        #expect(try Self.open("int16-little.mrc").info.position == nil)
    }

    @Test(arguments: [
        (
            "axes.mrc",
            "stores its columns, rows and sections along the axes [3, 2, 1]; expected [1, 2, 3], x, y and z"
        ),
        ("complex.mrc", "is of mode 4, 32-bit complex numbers; modes 0, 1, 2, 6, 12 and 101 are read"),
        ("imod-nibbles.mrc", "holds two 4-bit values a byte in mode 0; expected mode 101 for such"),
    ])
    func otherKindsAreNamed(name: String, problem: String) {
        #expect(throws: FileFault(Self.path(name), problem)) { try Self.open(name) }
    }

    @Test(arguments: [
        (12, [77], "is of the unknown mode 77; modes 0, 1, 2, 6, 12 and 101 are read"),
        (0, [0, 0, 0, 0], "has the shape z 3 × y 9 × x 0; expected each to be at least 1"),
        (95, [0xFF], "states an extended header of -16777216 bytes; expected 0 or more"),
        (93, [1], "is truncated: expected 1,134 bytes of voxels at byte 1,280, found 878"),
        (
            2, [0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0x7F],
            "is truncated: expected more than 2⁶³ bytes of voxels at byte 1,024, found 1,134"
        ),
        (88, [0x91, 1, 0, 0], "is a stack of 3 sections in volumes of 2 each"),
        (212, [1, 1, 0, 0, 0, 0], "has the machine stamp [1, 1]; expected [68, 68] or [68, 65], or [17, 17]"),
    ])
    func headersThatCannotBeAreRefused(offset: Int, bytes: [UInt8], problem: String) throws {
        let scratch = ScratchFolder()
        var file = try Data(contentsOf: URL(fileURLWithPath: Self.path("int16-little.mrc")))
        file.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        if problem.contains("volumes of 2") { file[36] = 2 }
        if problem.contains("machine stamp") { file[64] = 0 }
        let path = scratch.path("a.mrc")
        try file.write(to: URL(fileURLWithPath: path))
        #expect(throws: FileFault(path, problem)) { try VolumeFile.open(path) }
    }

    private static func open(
        _ name: String, _ selection: VolumeSelection = VolumeSelection()
    ) throws -> any VolumeReader {
        try VolumeFile.open(path(name), selection)
    }

    private static func path(_ name: String) -> String {
        Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Data/MRC")?.path ?? name
    }
}
