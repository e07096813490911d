import Foundation
import TestSupport
import Testing
import Volumes

@Suite struct ImageSeriesTests {
    static let shape = ZYX(1, 9, 21)

    static func png(_ name: String) -> String {
        Bundle.module.url(forResource: name, withExtension: "png", subdirectory: "Data/PNG")?.path ?? name
    }

    /// Copies of test files under other names, in a folder of their own.
    private func folder(_ files: [(source: String, name: String)]) throws -> ScratchFolder {
        let scratch = ScratchFolder()
        for file in files {
            try FileManager.default.copyItem(atPath: file.source, toPath: scratch.path(file.name))
        }
        return scratch
    }

    private static let sections = [("slice_2", 0), ("slice_9", 1), ("slice_10", 2)]

    @Test(
        arguments: [
            ("grey8", .uint8, 0), ("grey16", .uint16, 0), ("interlaced8", .uint8, 0), ("interlaced16", .uint16, 0),
            ("grey1", .uint8, 7), ("grey2", .uint8, 6), ("grey4", .uint8, 4), ("palette", .uint8, 4),
        ] as [(String, ElementType, Int)])
    func readsEveryKindOfGreyPNG(name: String, type: ElementType, shift: Int) throws {
        let reader = try VolumeFile.open(Self.png(name))
        #expect(reader.info.shape == Self.shape)
        #expect(reader.info.format == "PNG")
        var expected = TIFFFiles.pattern(type, shape: Self.shape)
        if shift > 0 { expected = VoxelBuffer(expected.volume(of: UInt8.self).map { $0 >> UInt8(shift) }) }
        #expect(try reader.read(Box(Self.shape)) == expected)
        let box = Box(origin: ZYX(0, 2, 3), shape: ZYX(1, 5, 15))
        #expect(try reader.read(box) == cropped(expected, to: box))
    }

    @Test(arguments: [("rgb8", .uint8, 3), ("rgba16", .uint16, 4)] as [(String, ElementType, Int)])
    func coloursOfAPNGAreChannels(name: String, type: ElementType, channels: Int) throws {
        let planes = TIFFFiles.pattern(type, shape: ZYX(channels, 9, 21))
        for channel in 0..<channels {
            let reader = try VolumeFile.open(Self.png(name), VolumeSelection(channel: channel))
            #expect(reader.info.channels == channels)
            let plane = Box(origin: ZYX(channel, 0, 0), shape: Self.shape)
            #expect(try reader.read(Box(Self.shape)) == cropped(planes, to: plane))
        }
    }

    @Test func refusesPNGsThatClaimOrHoldTheWrongBytes() throws {
        #expect(
            throws: FileFault(Self.png("vast"), "claims y 20000 × x 20000 pixels in a file of 266 bytes")
        ) { try VolumeFile.open(Self.png("vast")) }
        let damaged = try VolumeFile.open(Self.png("damaged"))
        #expect(throws: FileFault.self) { try damaged.read(Box(Self.shape)) }
    }

    @Test(arguments: ["", "/*.png", "/slice_*"])
    func readsSlicesInNaturalOrder(pattern: String) throws {
        let scratch = try folder(Self.sections.map { (Self.png($0.0), $0.0 + ".png") })
        let reader = try VolumeFile.open(scratch.path + pattern)
        #expect(reader.info.shape == TIFFFiles.shape)
        #expect(reader.info.format == "series of PNG files")
        #expect(reader.info.source == scratch.path + pattern)
        let expected = TIFFFiles.pattern(.uint8)
        for box in TIFFReaderTests.boxes { #expect(try reader.read(box) == cropped(expected, to: box)) }
    }

    @Test(
        arguments: [
            (["s1", "s2", "s3"], []), (["s08", "s10", "s12"], []),
            (["s1", "s2", "s4"], ["the numbering of the slices, 1 to 4, has gaps: 1 missing (3)"]),
            (["s3", "s9"], ["the numbering of the slices, 3 to 9, has gaps: 5 missing (4 to 8)"]),
            (
                ["s10", "s20", "s30", "s60"],
                ["the numbering of the slices, 10 to 60 in steps of 10, has gaps: 2 missing (40 to 50)"]
            ),
            (
                ["z1_c0", "z1_c1", "z2_c0", "z2_c1"],
                ["the slices' names count more than one thing (z1_c0.png to z2_c1.png)"]
            ),
            (["7_s1", "7_s2", "8_s3"], []),
            (
                ["s1", "t2"],
                ["the slices' names follow no one pattern (s1.png, t2.png); they are in natural order"]
            ),
        ] as [([String], [String])])
    func notesGapsInTheNumbering(names: [String], notes: [String]) throws {
        let scratch = try folder(names.map { (Self.png("grey8"), $0 + ".png") })
        #expect(try VolumeFile.open(scratch.path).info.notes == notes)
    }

    @Test func readsSlicesOfTIFFWithTheirVoxelSize() throws {
        let scratch = ScratchFolder()
        let pattern = TIFFFiles.pattern(.uint16)
        for z in 0..<3 {
            let writer = try TIFFWriter(
                path: scratch.path("z\(z).tif"), flavor: .ome, shape: Self.shape, elementType: .uint16,
                voxelSize: VoxelSize(ZYX(40, 10, 8), .nanometer))
            try writer.write(cropped(pattern, to: Box(origin: ZYX(z, 0, 0), shape: Self.shape)), atZ: 0)
            try writer.finish()
        }
        let reader = try VolumeFile.open(scratch.path("z?.tif"))
        #expect(reader.info.voxelSize.complete == VoxelSize(ZYX(40, 10, 8), .nanometer))
        #expect(try reader.read(Box(TIFFFiles.shape)) == pattern)
    }

    @Test func refusesASliceThatIsNotLikeTheFirst() throws {
        let files = [(Self.png("grey8"), "1.png"), (Self.png("grey16"), "2.png")]
        let scratch = try folder(files)
        #expect(
            throws: FileFault(
                scratch.path("2.png"),
                "is y 9 × x 21 uint16, and 1.png is y 9 × x 21 uint8; the slices of a volume are alike")
        ) { try VolumeFile.open(scratch.path) }
    }

    @Test func refusesPNGAmongTIFF() throws {
        let scratch = try folder([(Self.png("grey8"), "1.png"), (TIFFFiles.path("uint8-little-strips"), "2.tif")])
        let folder = scratch.path
        let problem =
            "holds both PNG and TIFF files; name those that are meant, as in \((folder as NSString).lastPathComponent)/*.png"
        #expect(throws: FileFault(folder, problem)) { try VolumeFile.open(folder) }
        #expect(try VolumeFile.open(folder + "/*.png").info.shape == Self.shape)
    }

    @Test func saysWhatAFolderHoldsThatIsNoVolume() throws {
        let scratch = ScratchFolder()
        try FileManager.default.createDirectory(atPath: scratch.path("2/1"), withIntermediateDirectories: true)
        func problem(_ folder: String) -> String? {
            #expect(throws: FileFault.self) { try VolumeFile.open(folder) }?.problem
        }
        let expected = "expected TIFF or PNG files of one section each"
        #expect(problem(scratch.path("2/1")) == "is an empty folder; \(expected)")
        try FileManager.default.copyItem(
            atPath: Bundle.module.bundlePath + "/Data/README.md", toPath: scratch.path("2/a.md"))
        #expect(
            problem(scratch.path("2"))?.hasPrefix("is a folder without TIFF or PNG files (it holds 1, a.md); ")
                == true)
        let volume = Bundle.module.bundlePath + "/Data/NIfTI/packed.nii.gz"
        try FileManager.default.copyItem(atPath: volume, toPath: scratch.path("2/b.nii.gz"))
        #expect(problem(scratch.path("2")) == "is a folder of whole volumes, such as b.nii.gz; name one of them")
    }

    @Test func refusesAStackAmongSlicesAndAPatternOfNothing() throws {
        let scratch = try folder([(TIFFFiles.path("ome-nm"), "stack.tif")])
        #expect(
            throws: FileFault(
                scratch.path("stack.tif"),
                "has 3 sections, and the files of a folder or a pattern are taken for one section each; "
                    + "name the file itself where it is a whole volume")
        ) { try VolumeFile.open(scratch.path) }
        #expect(
            throws: FileFault(
                scratch.path("*.png"), "matches no file; expected TIFF or PNG files of one section each")
        ) { try VolumeFile.open(scratch.path("*.png")) }
    }
}
