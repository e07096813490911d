import Foundation
import TestSupport
import Testing
import Volumes

@Suite struct TIFFReaderTests {
    static let boxes = [
        Box(TIFFFiles.shape),
        Box(origin: ZYX(1, 2, 3), shape: ZYX(2, 5, 15)),
        Box(origin: ZYX(2, 8, 20), shape: ZYX(1, 1, 1)),
        Box(origin: ZYX(0, 3, 0), shape: ZYX(3, 4, 21)),
    ]

    @Test(arguments: ElementType.allCases, ["little-strips", "little-tiles", "big-strips", "big-tiles"])
    func readsEveryTypeInEveryLayout(elementType: ElementType, layout: String) throws {
        let reader = try TIFFReader(path: TIFFFiles.path("\(elementType.rawValue)-\(layout)"))
        #expect(reader.info.shape == TIFFFiles.shape)
        #expect(reader.info.elementType == elementType)
        #expect(reader.info.chunk == (layout.hasSuffix("tiles") ? ZYX(1, 9, 16) : ZYX(1, 4, 21)))
        let expected = TIFFFiles.pattern(elementType)
        for box in Self.boxes { #expect(try reader.read(box) == cropped(expected, to: box)) }
    }

    @Test(arguments: ["lzw", "packbits", "zstd", "lzma", "deflate"], ["little", "big"])
    func decodesEveryCompression(compression: String, order: String) throws {
        let reader = try TIFFReader(path: TIFFFiles.path("\(compression)-\(order)"))
        #expect(reader.info.compression == compression)
        #expect(reader.info.format == "TIFF")
        for box in Self.boxes {
            #expect(try reader.read(box) == cropped(TIFFFiles.pattern(.uint16), to: box))
        }
    }

    @Test(arguments: ["little", "big"])
    func readsBigTIFF(order: String) throws {
        let reader = try TIFFReader(path: TIFFFiles.path("bigtiff-\(order)"))
        #expect(reader.info.format == "BigTIFF")
        #expect(try reader.read(Box(TIFFFiles.shape)) == TIFFFiles.pattern(.uint16))
    }

    @Test(arguments: ["imagej-one-directory", "shaped-one-directory"])
    func readsSectionsWithoutDirectories(name: String) throws {
        let reader = try TIFFReader(path: TIFFFiles.path(name))
        #expect(reader.info.shape == TIFFFiles.shape)
        for box in Self.boxes {
            #expect(try reader.read(box) == cropped(TIFFFiles.pattern(.uint16), to: box))
        }
    }

    @Test(arguments: ["swapped-little", "swapped-big", "swapped-bigtiff"])
    func sectionsAreWhereTheirDirectoriesSay(name: String) throws {
        let reader = try TIFFReader(path: TIFFFiles.path(name))
        let stored = TIFFFiles.pattern(.uint16)
        let bytes = [0, 2, 1].flatMap {
            cropped(stored, to: Box(from: ZYX($0, 0, 0), to: ZYX($0 + 1, 9, 21))).bytes
        }
        let expected = VoxelBuffer(elementType: .uint16, shape: TIFFFiles.shape, bytes: bytes)
        for box in Self.boxes { #expect(try reader.read(box) == cropped(expected, to: box)) }
    }

    @Test func thumbnailsBetweenSectionsAreLeftOut() throws {
        let reader = try TIFFReader(path: TIFFFiles.path("thumbnails"))
        for box in Self.boxes { #expect(try reader.read(box) == cropped(TIFFFiles.pattern(.uint16), to: box)) }
    }

    @Test(
        arguments: [
            ("imagej-nm", ZYX(40, 10, 8), LengthUnit.nanometer),
            ("imagej-micron", ZYX(40, 10, 8), .micrometer),
            ("imagej-escaped", ZYX(40, 10, 8), .micrometer),
            ("imagej-no-spacing", ZYX(nil, 10, 8), .micrometer),
            ("ome-nm", ZYX(40, 10, 8), .nanometer),
            ("ome-default-unit", ZYX(40, 10, 8), .micrometer),
            ("centimetre", ZYX(nil, 10, 8), .micrometer),
            ("imagej-pixel", ZYX(nil, nil, nil), .nanometer),
            ("inch", ZYX(nil, nil, nil), .nanometer),
            ("72-dpi-in-centimetre", ZYX(nil, nil, nil), .nanometer),
        ] as [(String, ZYX<Double?>, LengthUnit)])
    func statesTheVoxelSize(name: String, nanometers: ZYX<Double?>, unit: LengthUnit) throws {
        let reader = try TIFFReader(path: TIFFFiles.path(name))
        #expect(reader.info.voxelSize == StatedVoxelSize(nanometers: nanometers, unit: unit))
        #expect(try reader.read(Box(TIFFFiles.shape)) == TIFFFiles.pattern(.uint16))
    }

    @Test(arguments: [
        (
            "complex",
            "page 1 holds complex numbers; integers of 8, 16, 32 or 64 bits, floating point of 16, 32 or 64, and "
                + "unsigned integers of fewer than 32 bits are read"
        ),
        ("ome-rgb", "has 3 channels; choose one, as in channel: 0"),
        ("imagej-hyperstack", "has 2 channels; choose one, as in channel: 0"),
        ("imagej-times", "has 2 times; choose one, as in time: 0"),
        ("ome-XYCZT", "has 2 channels; choose one, as in channel: 0"),
        (
            "shaped-unnamed",
            "holds an array with axes of [2, 3] before y and x, and does not say which are sections, channels or times"
        ),
        ("pages-differ", "page 3 of 3 is y 9 × x 20 uint8, page 1 is y 9 × x 21 uint8"),
        ("loop", "the directory of page 4 cannot be read: the chain of directories loops or is damaged"),
        ("vast", "page 1 claims 20,000,000,000 bytes in strip 1 of 1, which stores 40"),
        ("vast-plain", "section 1 of 3 is truncated (expected 10,000,000,000 bytes, found 936)"),
    ])
    func refusesInOneLine(name: String, problem: String) {
        let path = TIFFFiles.path(name)
        #expect(throws: FileFault(path, problem)) { try TIFFReader(path: path) }
    }

    @Test func namesTheTruncatedSection() throws {
        let scratch = ScratchFolder()
        let stack = try Data(contentsOf: URL(fileURLWithPath: TIFFFiles.path("imagej-one-directory")))
        let path = scratch.path("cut.tif")
        try stack.dropLast(500).write(to: URL(fileURLWithPath: path))
        let size = 9 * 21 * 2
        // What follows the sections in the file is cut too.
        let end = try #require(Self.dataEnd(of: stack))
        let left = stack.count - 500 - (end - 3 * size)
        #expect(
            throws: FileFault(
                path, "section \(left / size + 1) of 3 is truncated (expected 378 bytes, found \(left % size))")
        ) { try TIFFReader(path: path) }
    }

    /// The end of the last of three sections: the first of them begins with the pattern's first values.
    private static func dataEnd(of file: Data) -> Int? {
        let first = TIFFFiles.pattern(.uint16).volume(of: UInt16.self).voxels.prefix(8)
        let bytes = Data(first.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] })
        return file.range(of: bytes).map { $0.lowerBound + 3 * 9 * 21 * 2 }
    }

    @Test(arguments: ["deflate-little", "uint16-big-strips", "float32-little-tiles", "ome-nm"])
    func neverTrapsOnFilesCutAnywhere(name: String) throws {
        let scratch = ScratchFolder()
        let path = scratch.path("cut.tif")
        let whole = try Data(contentsOf: URL(fileURLWithPath: TIFFFiles.path(name)))
        for length in stride(from: 0, to: whole.count - 1, by: 41) {
            try whole.prefix(length).write(to: URL(fileURLWithPath: path))
            do {
                let reader = try TIFFReader(path: path)
                _ = try reader.read(Box(reader.info.shape))
            } catch let fault as FileFault {
                #expect(!fault.description.contains("\n"))
            }
        }
    }

    @Test(arguments: ["deflate-little", "uint16-big-strips", "float32-little-tiles", "ome-nm"])
    func neverTrapsOnDamagedFiles(name: String) throws {
        let scratch = ScratchFolder()
        let path = scratch.path("damaged.tif")
        let whole = try Data(contentsOf: URL(fileURLWithPath: TIFFFiles.path(name)))
        var state: UInt64 = 1
        for _ in 0..<60 {
            var damaged = whole
            for _ in 0..<4 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                damaged[Int(state >> 33) % damaged.count] = UInt8(truncatingIfNeeded: state >> 24)
            }
            try damaged.write(to: URL(fileURLWithPath: path))
            do {
                let reader = try TIFFReader(path: path)
                guard reader.info.shape.count < 1 << 20 else { continue }
                _ = try reader.read(Box(reader.info.shape))
            } catch let fault as FileFault {
                #expect(!fault.description.contains("\n"))
            }
        }
    }

    @Test func missingFilesAndFoldersAreFaults() {
        #expect(throws: FileFault("none.tif", "cannot be opened: No such file or directory")) {
            try TIFFReader(path: "none.tif")
        }
        #expect(throws: FileFault("/", "is not a regular file")) { try TIFFReader(path: "/") }
    }
}
