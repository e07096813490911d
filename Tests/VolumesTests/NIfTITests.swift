import Foundation
import TestSupport
import Testing
import Volumes

/// NIfTI files by nibabel (`Data/NIfTI/make.py`).
struct NIfTITests {
    static let elementTypes = ElementType.allCases

    @Test(arguments: elementTypes, ["little", "big"])
    func readsEveryTypeInBothByteOrders(elementType: ElementType, order: String) throws {
        let reader = try Self.open("\(elementType.rawValue)-\(order).nii")
        let expected = TIFFFiles.pattern(elementType)
        #expect(reader.info.format == "NIfTI-1")
        #expect(reader.info.shape == TIFFFiles.shape)
        #expect(try reader.read(Box(TIFFFiles.shape)) == expected)
        let box = Box(from: ZYX(1, 2, 5), to: ZYX(3, 8, 18))
        #expect(try reader.read(box) == expected.cropped(to: box))
    }

    @Test(arguments: [
        ("two-little.nii", ElementType.int16, "NIfTI-2", "none"), ("two-big.nii", .int16, "NIfTI-2", "none"),
        ("packed.nii.gz", .uint16, "NIfTI-1", "gzip"), ("members.nii.gz", .uint16, "NIfTI-1", "gzip"),
        ("pair.hdr", .uint16, "NIfTI-1", "none"), ("pair.img", .uint16, "NIfTI-1", "none"),
    ])
    func readsEveryKindOfFile(name: String, type: ElementType, format: String, compression: String) throws {
        let reader = try Self.open(name)
        #expect(reader.info.format == format)
        #expect(reader.info.compression == compression)
        // Back to front: a packed file is read from its beginning each time.
        for z in [2, 1, 0] {
            let section = Box(from: ZYX(z, 0, 0), to: ZYX(z + 1, 9, 21))
            #expect(try reader.read(section) == TIFFFiles.pattern(type).cropped(to: section))
        }
    }

    @Test(arguments: ["A.HDR", "A.IMG"])
    func aPairInCapitalLettersIsRead(name: String) throws {
        let scratch = ScratchFolder()
        try Self.copy("pair.hdr", to: scratch.path("A.HDR"))
        try Self.copy("pair.img", to: scratch.path("A.IMG"))
        let reader = try VolumeFile.open(scratch.path(name))
        #expect(try reader.read(Box(TIFFFiles.shape)) == TIFFFiles.pattern(.uint16))
    }

    @Test(arguments: ["pair.hdr.gz", "pair.img.gz"])
    func aPairOfPackedFilesIsRead(name: String) throws {
        let scratch = ScratchFolder()
        for name in ["pair.hdr", "pair.img"] {
            try Self.copy(name, to: scratch.path(name))
            try Self.gzip(scratch.path(name))
        }
        let reader = try VolumeFile.open(scratch.path(name))
        #expect(reader.info.compression == "gzip")
        #expect(try reader.read(Box(TIFFFiles.shape)) == TIFFFiles.pattern(.uint16))
    }

    @Test func aHeaderWithoutItsImageIsAFault() throws {
        let scratch = ScratchFolder()
        try Self.copy("pair.hdr", to: scratch.path("pair.hdr"))
        #expect(throws: FileFault(scratch.path("pair.img"), "there is no such file")) {
            try VolumeFile.open(scratch.path("pair.hdr"))
        }
    }

    @Test func aPackedVolumeLargerThanTheBufferIsReadInAnyOrder() throws {
        let shape = ZYX(40, 100, 90)
        let volume = TIFFFiles.pattern(.uint8, shape: shape)
        let scratch = ScratchFolder()
        var file = try Data(contentsOf: URL(fileURLWithPath: Self.path("uint8-little.nii"))).prefix(352)
        for (index, size) in [90, 100, 40].enumerated() { file[42 + 2 * index] = UInt8(size) }
        file.append(contentsOf: volume.bytes)
        let plain = scratch.path("large.nii")
        try file.write(to: URL(fileURLWithPath: plain))
        try Self.gzip(plain)
        let reader = try VolumeFile.open(plain + ".gz")
        for box in Box(shape).cells(of: ZYX(17, 60, 50)).reversed() {
            #expect(try reader.read(box) == volume.cropped(to: box))
        }
        #expect(try reader.read(Box(shape)) == volume)
    }

    @Test func scaledValuesAreFloats() throws {
        let reader = try Self.open("scaled.nii")
        #expect(reader.info.elementType == .float32)
        let values = try reader.read(Box(TIFFFiles.shape)).volume(of: Float.self)
        #expect(values == TIFFFiles.pattern(.int16).volume(of: Int16.self).map { Float($0) * 0.5 - 3 })
    }

    @Test(arguments: 0..<3, 0..<2)
    func channelsAndTimesAreChosen(time: Int, channel: Int) throws {
        let reader = try Self.open("times-channels.nii", VolumeSelection(channel: channel, time: time))
        #expect(reader.info.times == 3)
        #expect(reader.info.channels == 2)
        let values = try reader.read(Box(TIFFFiles.shape)).volume(of: UInt8.self)
        let pattern = TIFFFiles.pattern(.uint8).volume(of: UInt8.self)
        #expect(values == pattern.map { $0 &+ UInt8(time + 10 * channel) })
    }

    @Test func severalVolumesAreToldApart() {
        #expect(throws: FileFault(Self.path("times-channels.nii"), "has 2 channels; choose one, as in channel: 0"))
        {
            try Self.open("times-channels.nii")
        }
    }

    @Test func aPlaneIsOneSection() throws {
        let reader = try Self.open("plane.nii")
        let plane = Box(ZYX(1, 9, 21))
        #expect(reader.info.shape == plane.shape)
        #expect(try reader.read(plane) == TIFFFiles.pattern(.uint8).cropped(to: plane))
    }

    @Test(arguments: [
        ("millimetre.nii", VoxelSize(ZYX(1.5, 0.5, 0.25), .millimeter)),
        ("metre.nii", VoxelSize(ZYX(1500, 500, 250), .millimeter)),
        ("two-little.nii", VoxelSize(ZYX(4, 3, 2), .micrometer)),
        ("two-big.nii", VoxelSize(ZYX(4, 3, 2), .micrometer)),
        ("no-unit.nii", nil),
    ])
    func voxelSizesAreRead(name: String, size: VoxelSize?) throws {
        #expect(try Self.open(name).info.voxelSize.complete == size)
    }

    /// The rows are those of nibabel's `affine`.
    @Test(arguments: [
        ("placed.nii", "RAS", ZYX(30_000.0, -20_000, 10_000), [[2, 0, 0, 10], [0, 3, 0, -20], [0, 0, 4, 30]]),
        ("flipped.nii", "LAS", ZYX(30_000, -20_000, -10_000), [[-2, 0, 0, 10], [0, 3, 0, -20], [0, 0, 4, 30]]),
        ("turned.nii", "ALS", ZYX(30_000, -10_000, -20_000), [[0, -3, 0, 10], [2, 0, 0, -20], [0, 0, 4, 30]]),
        (
            "turned-qform.nii", "ALI", ZYX(-30_000, -10_000, -20_000),
            [[0, -3, 0, 10], [2, 0, 0, -20], [0, 0, -4, 30]]
        ),
    ])
    func framesAreRead(name: String, axes: String, position: ZYX<Double>, rows: [[Double]]) throws {
        let info = try Self.open(name).info
        let frame = try #require(info.frame)
        #expect(frame.axes == axes && frame.unit == .micrometer)
        for (found, expected) in zip(frame.rows.joined(), rows.joined()) { #expect(abs(found - expected) < 1e-5) }
        let place = try #require(info.position)
        #expect(place.zip(position) { abs($0 - $1) < 1 }.array.allSatisfy { $0 })
    }

    /// Fields of a header of single precision, with what is read then.
    @Test(
        arguments: [
            // pixdim of z unlike the sform.
            ("placed.nii", [88: 2], "RAS", ZYX(4.0, 3, 2), true),
            // A sform with a hair of shear.
            ("placed.nii", [284: 1e-7], "RAS", ZYX(4, 3, 2), false),
            // A sform of a step that leads nowhere: the qform counts.
            ("turned-qform.nii", [254: 1, 280: 0, 296: 0, 312: 0], "ALI", ZYX(4, 3, 2), false),
        ] as [(String, [Int: Float], String, ZYX<Double>, Bool)])
    func oddFormsAreUnderstood(
        name: String, fields: [Int: Float], axes: String, size: ZYX<Double>, isTold: Bool
    ) throws {
        let scratch = ScratchFolder()
        var file = try Data(contentsOf: URL(fileURLWithPath: Self.path(name)))
        for (offset, value) in fields {
            let bytes =
                offset == 254
                ? withUnsafeBytes(of: Int16(value), Array.init) : withUnsafeBytes(of: value, Array.init)
            file.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
        let path = scratch.path("a.nii")
        try file.write(to: URL(fileURLWithPath: path))
        let info = try VolumeFile.open(path).info
        let frame = try #require(info.frame)
        #expect(frame.axes == axes && frame.isUpright == (axes == "RAS"))
        #expect(info.voxelSize.complete == VoxelSize(size, .micrometer))
        #expect(info.notes.isEmpty != isTold, "\(info.notes)")
    }

    @Test func aSizeWithoutUnitIsANote() throws {
        let info = try Self.open("no-unit.nii").info
        #expect(
            info.notes == ["its voxel size of z 1.5 × y 0.5 × x 0.25 has no unit, so that it counts as not stated"])
        #expect(info.position == nil)
        #expect(try Self.open("uint8-little.nii").info.notes.isEmpty)
    }

    @Test func scaledValuesOfManyBitsAreDoubles() throws {
        let reader = try Self.open("scaled-int32.nii")
        #expect(reader.info.elementType == .float64)
        let values = try reader.read(Box(TIFFFiles.shape)).volume(of: Double.self)
        #expect(values == TIFFFiles.pattern(.int32).volume(of: Int32.self).map { Double($0) * 0.5 - 3 })
    }

    @Test(arguments: [
        ("colour.nii", "holds RGB colours; expected integers or floating-point numbers of 8 to 64 bits"),
        (
            "complex.nii",
            "holds 64-bit complex numbers; expected integers or floating-point numbers of 8 to 64 bits"
        ),
    ])
    func otherTypesAreNamed(name: String, problem: String) {
        #expect(throws: FileFault(Self.path(name), problem)) { try Self.open(name) }
    }

    @Test(arguments: [
        (40, [9], "states 9 dimensions; expected 1 to 7"),
        (42, [0, 0], "has the dimensions [0, 9, 3]; expected each to be at least 1"),
        (
            40, [6, 0, 21, 0, 9, 0, 3, 0, 1, 0, 1, 0, 2, 0],
            "has the dimensions [21, 9, 3, 1, 1, 2]; expected x, y, z, time and channel"
        ),
        (72, [16], "states 16 bits a voxel of uint8; expected 8"),
        (
            70, [99],
            "holds values of the unknown type 99; expected integers or floating-point numbers of 8 to 64 bits"
        ),
        (108, [0, 0, 0, 0], "states that its voxels begin at byte 0; expected 352 or more"),
        (108, [0, 0, 0xC0, 0x7F], "states that its voxels begin at byte nan; expected 352 or more"),
        (112, [0, 0, 0, 0x40, 0, 0, 0x80, 0x7F], "scales values by 2.0 and adds inf; expected finite numbers"),
        (0, [0], "states a header of 256 bytes; expected 348"),
        (
            42, [0xFF, 0x7F, 0xFF, 0x7F, 0xFF, 0x7F],
            "is truncated: expected 35,181,150,961,663 bytes of voxels at byte 352, found 567"
        ),
    ])
    func headersThatCannotBeAreRefused(offset: Int, bytes: [UInt8], problem: String) throws {
        let scratch = ScratchFolder()
        var file = try Data(contentsOf: URL(fileURLWithPath: Self.path("uint8-little.nii")))
        file.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        let path = scratch.path("a.nii")
        try file.write(to: URL(fileURLWithPath: path))
        #expect(throws: FileFault(path, problem)) { try VolumeFile.open(path) }
    }

    /// Where libnifti2 crashes.
    @Test func aCountOfDimensionsInAllBitsIsRefused() throws {
        let scratch = ScratchFolder()
        var file = try Data(contentsOf: URL(fileURLWithPath: Self.path("two-little.nii")))
        file.replaceSubrange(16..<24, with: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])
        let path = scratch.path("a.nii")
        try file.write(to: URL(fileURLWithPath: path))
        #expect(throws: FileFault(path, "states 9223372036854775807 dimensions; expected 1 to 7")) {
            try VolumeFile.open(path)
        }
    }

    /// Sizes whose product is beyond 64 bits, and rows whose bytes are.
    @Test(arguments: [24, 32, 40, 48, 56])
    func sizesBeyondEveryFileAreRefused(offset: Int) throws {
        let scratch = ScratchFolder()
        var file = try Data(contentsOf: URL(fileURLWithPath: Self.path("two-little.nii")))
        file[16] = 5
        for place in [offset, 32] {
            file.replaceSubrange(place..<place + 8, with: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])
        }
        let path = scratch.path("a.nii")
        try file.write(to: URL(fileURLWithPath: path))
        #expect(
            throws: FileFault(
                path, "is truncated: expected more than 2⁶³ bytes of voxels at byte 544, found 1,134")
        ) {
            try VolumeFile.open(path, VolumeSelection(channel: 0, time: 0))
        }
    }

    @Test(arguments: ["cut.nii.gz", "altered.nii.gz"])
    func damagedPackedFilesAreFaults(name: String) throws {
        let problem =
            name == "cut.nii.gz"
            ? "is truncated: its gzip data end after" : "is damaged: its gzip data are not sound near byte"
        let fault = #expect(throws: FileFault.self) {
            let reader = try NIfTIReader(path: Self.path(name))
            _ = try reader.read(Box(reader.info.shape))
        }
        #expect(fault?.problem.hasPrefix(problem) == true)
    }

    @Test func everyTruncationOfAPackedFileIsToldAsSuch() throws {
        let scratch = ScratchFolder()
        let path = scratch.path("cut.nii.gz")
        let sound = try Data(contentsOf: URL(fileURLWithPath: Self.path("packed.nii.gz")))
        for length in 2..<sound.count {
            try sound[..<length].write(to: URL(fileURLWithPath: path))
            let fault = #expect(throws: FileFault.self) {
                let reader = try VolumeFile.open(path)
                _ = try reader.read(Box(reader.info.shape))
            }
            #expect(
                fault?.file == path && fault?.problem.hasPrefix("is truncated: its gzip data end after ") == true)
        }
    }

    /// The header is read before the damage is.
    @Test func aDamagedPackedFileIsKnownByItsHeader() throws {
        let scratch = ScratchFolder()
        let path = scratch.path("a.nii")
        try
            (Data(contentsOf: URL(fileURLWithPath: Self.path("uint16-little.nii")))
            + Data((0..<100_000).map { _ in .random(in: 0...255) }))
            .write(to: URL(fileURLWithPath: path))
        try Self.gzip(path)
        let sound = try Data(contentsOf: URL(fileURLWithPath: path + ".gz"))
        try sound.dropLast(50_000).write(to: URL(fileURLWithPath: path + ".gz"))
        let reader = try VolumeFile.open(path + ".gz")
        #expect(reader.info.format == "NIfTI-1" && reader.info.compression == "gzip")
    }

    @Test func aPackedFileCannotClaimMoreThanItCouldHold() throws {
        let scratch = ScratchFolder()
        var file = try Data(contentsOf: URL(fileURLWithPath: Self.path("uint8-little.nii")))
        file.replaceSubrange(42..<48, with: [0xFF, 0x7F, 0xFF, 0x7F, 0xFF, 0x7F])
        let path = scratch.path("a.nii")
        try file.write(to: URL(fileURLWithPath: path))
        try Self.gzip(path)
        let fault = #expect(throws: FileFault.self) { try VolumeFile.open(path + ".gz") }
        #expect(fault?.problem.contains("bytes of voxels at byte 352, found at most ") == true)
    }

    private static func copy(_ name: String, to target: String) throws {
        try FileManager.default.copyItem(atPath: path(name), toPath: target)
    }

    /// Packs a file by the program of that name, which adds `.gz` to the file's.
    private static func gzip(_ path: String) throws {
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        gzip.arguments = ["gzip", path]
        try gzip.run()
        gzip.waitUntilExit()
    }

    private static func open(
        _ name: String, _ selection: VolumeSelection = VolumeSelection()
    ) throws -> any VolumeReader {
        try VolumeFile.open(path(name), selection)
    }

    private static func path(_ name: String) -> String {
        Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Data/NIfTI")?.path ?? name
    }
}
