import Foundation
import TestSupport
import Testing
import Volumes

private func data(_ name: String) -> String { Bundle.module.bundlePath + "/Data/HDF5/" + name }

/// What `make.py` writes: 20 z + 5 y + x, times `sign`.
private func counting<Element: VoxelElement>(_ type: Element.Type, sign: Double = 1) -> Volume<Element> {
    Volume(shape: ZYX(3, 4, 5), voxels: (0..<60).map { Element.nearest(0 + sign * Double($0))! })
}

private func fault(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "no error"
    } catch {
        #expect(error is FileFault)
        #expect(!"\(error)".contains("\n"))
        return "\(error)"
    }
}

@Suite struct HDF5Reading {
    @Test(
        arguments: ["little", "big"],
        [
            ("u1", ElementType.uint8), ("i1", .int8), ("u2", .uint16), ("i2", .int16), ("u4", .uint32),
            ("i4", .int32), ("u8", .uint64), ("i8", .int64), ("f2", .float32), ("f4", .float32), ("f8", .float64),
        ])
    func everyTypeInEitherByteOrder(order: String, kind: (name: String, type: ElementType)) throws {
        let reader = try HDF5Reader(path: data("types.h5"), dataset: "/\(order)/\(kind.name)")
        #expect(reader.info.elementType == kind.type)
        #expect(reader.info.shape == ZYX(3, 4, 5))
        let values = try reader.read(Box(reader.info.shape))
        let sign = kind.name.hasPrefix("u") ? 1.0 : -1
        func expected<Element: VoxelElement>(_ type: Element.Type) -> VoxelBuffer {
            VoxelBuffer(counting(type, sign: sign))
        }
        #expect(values == expected(kind.type.scalar))
    }

    @Test func booleansAreBytes() throws {
        let reader = try HDF5Reader(path: data("types.h5"), dataset: "bool")
        #expect(reader.info.elementType == .uint8)
        let voxels = try reader.read(Box(reader.info.shape)).volume(of: UInt8.self).voxels
        #expect(voxels == (0..<60).map { $0 % 2 })
    }

    @Test func largeLabelsAreExact() throws {
        let reader = try HDF5Reader(path: data("types.h5"), dataset: "/extreme/u8")
        #expect(try reader.read(Box(reader.info.shape)).volume(of: UInt64.self).voxels == [.max])
    }

    @Test(arguments: [
        ("chunked", "none"), ("gzip", "gzip"), ("shuffle", "shuffle + gzip"), ("fletcher32", "fletcher32"),
        ("all", "shuffle + gzip + fletcher32"), ("scaleoffset", "scaleoffset"), ("leading", "none"),
        ("big", "gzip"), ("link", "gzip"),
    ])
    func everyBoxOfEveryFilter(dataset: String, compression: String) throws {
        let reader = try HDF5Reader(path: data("filters.h5"), dataset: dataset)
        #expect(reader.info.chunk == ZYX(2, 3, 2))
        #expect(reader.info.compression == compression)
        #expect(reader.info.source.hasSuffix("filters.h5:/\(dataset)"))
        let whole = counting(UInt16.self)
        let inner = Box(from: ZYX(1, 2, 1), to: ZYX(3, 4, 4))
        let corner = Box(from: ZYX(2, 0, 4), to: ZYX(3, 1, 5))
        for box in [Box(whole.shape), inner, corner] {
            #expect(try reader.read(box).volume(of: UInt16.self) == whole.cropped(to: box))
        }
    }

    @Test func chunksNeverWrittenHoldTheFillValue() throws {
        let reader = try HDF5Reader(path: data("filters.h5"), dataset: "holes")
        let volume = try reader.read(Box(reader.info.shape)).volume(of: UInt16.self)
        #expect(volume[1, 2, 1] == 31)
        #expect(volume[2, 3, 4] == 7)
    }

    @Test(arguments: [
        ("cremi", ZYX(40.0, 8, 4), LengthUnit.nanometer), ("integers", ZYX(40, 8, 4), .nanometer),
        ("ilastik", ZYX(0.04, 0.008, 0.004), .micrometer), ("agree", ZYX(40, 8, 4), .nanometer),
        ("group/inner", ZYX(30, 6, 3), .nanometer), ("nearest", ZYX(40, 8, 4), .nanometer),
    ])
    func theVoxelSizeIsFound(group: String, size: ZYX<Double>, unit: LengthUnit) throws {
        let reader = try HDF5Reader(path: data("resolution.h5"), dataset: "\(group)/raw")
        #expect(reader.info.voxelSize.complete == VoxelSize(size, unit))
    }

    @Test func theRootMayStateTheVoxelSize() throws {
        let reader = try HDF5Reader(path: data("root.h5"))
        #expect(reader.info.voxelSize.complete == VoxelSize(ZYX(0.04, 0.008, 0.004), .micrometer))
    }

    @Test(arguments: ["none", "malformed"])
    func aVoxelSizeMayBeAbsent(group: String) throws {
        let reader = try HDF5Reader(path: data("resolution.h5"), dataset: "\(group)/raw")
        #expect(reader.info.voxelSize == .none)
    }

    @Test func contradictingVoxelSizesAreShown() {
        let message = fault { _ = try HDF5Reader(path: data("resolution.h5"), dataset: "/contradict/raw") }
        #expect(message.contains("resolution is z 40 × y 8 × x 4 nm"))
        #expect(message.contains("element_size_um is z 0.04 × y 0.004 × x 0.008 µm"))
    }

    @Test func theOnlyVolumeIsFound() throws {
        #expect(try HDF5Reader(path: data("one.h5")).info.source == data("one.h5") + ":/volumes/raw")
    }

    @Test(
        arguments: [
            ("several.h5", nil, "/labels/ids (z 3 × y 4 × x 5 uint32), /raw (z 3 × y 4 × x 5 uint8)"),
            ("none.h5", nil, "/empty (z 0 × y 4 × x 5 uint8), /plane (y 4 × x 5 int64)"),
            ("one.h5", "/volumes/gone", "has no dataset /volumes/gone; it has /channels (c 2"),
            ("one.h5", "/volumes", "has no dataset /volumes; it has /channels (c 2"),
            ("one.h5", "/name", "holds strings"),
            ("one.h5", "/channels", ":/channels: has 2 channels; choose one, as in channel: 0"),
            ("none.h5", "/empty", "has the shape z 0 × y 4 × x 5; expected z, y, x, each at least 1"),
            ("types.h5", "/compound", "holds compound values"),
            ("plugins.h5", "/blosc", "is compressed with blosc (filter 32001)"),
            ("plugins.h5", "/bzip2", "is compressed with bzip2 (filter 307)"),
            ("gone.h5", nil, "No such file or directory"),
        ] as [(String, String?, String)])
    func faultsSayWhatIsThere(file: String, dataset: String?, words: String) {
        let message = fault { _ = try HDF5Reader(path: data(file), dataset: dataset) }
        #expect(message.hasPrefix(data(file)))
        #expect(message.contains(words), "\(message)")
    }

    @Test func truncationIsFound() throws {
        let scratch = ScratchFolder()
        let sound = try Data(contentsOf: URL(fileURLWithPath: data("one.h5")))
        let cut = scratch.path + "/cut.h5"
        try sound.dropLast(sound.count / 3).write(to: URL(fileURLWithPath: cut))
        #expect(fault { _ = try VolumeFile.open(cut) }.contains("truncated file"))
    }

    @Test func aFlippedByteIsFoundByItsChecksumAndItsChunkNamed() throws {
        let scratch = ScratchFolder()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: data("filters.h5")))
        // The chunk at z 2:4, y 0:3, x 4:6 in little endian; beyond the volume it is zeros. It is there
        // with and without a checksum, so every copy is altered.
        let chunk = Data([44, 0, 0, 0, 49, 0, 0, 0, 54, 0, 0, 0] + [UInt8](repeating: 0, count: 12))
        var start = bytes.startIndex
        while let found = bytes.range(of: chunk, in: start..<bytes.endIndex) {
            bytes[found.lowerBound] ^= 1
            start = found.upperBound
        }
        #expect(start > 0)
        let damaged = scratch.path + "/damaged.h5"
        try bytes.write(to: URL(fileURLWithPath: damaged))
        let other = try HDF5Reader(path: damaged, dataset: "fletcher32")
        let message = fault { _ = try other.read(Box(other.info.shape)) }
        #expect(message.hasPrefix(damaged + ":/fletcher32: the chunk at z 2:3, y 0:3, x 4:5 "), "\(message)")
        #expect(message.contains("Fletcher32"), "\(message)")
    }

    @Test func severalThreadsMayReadWithReadersOfTheirOwn() {
        DispatchQueue.concurrentPerform(iterations: 16) { _ in
            let reader = try? HDF5Reader(path: data("filters.h5"), dataset: "all")
            let volume = try? reader?.read(Box(ZYX(3, 4, 5))).volume(of: UInt16.self)
            #expect(volume == counting(UInt16.self))
        }
    }
}

@Suite struct HDF5Writing {
    @Test(arguments: ElementType.allCases)
    func everyTypeComesBack(type: ElementType) throws {
        let scratch = ScratchFolder()
        let path = scratch.path + "/results/labels.h5"
        let shape = ZYX(37, 70, 131)
        let bytes = (0..<shape.count * type.size).map {
            UInt8(truncatingIfNeeded: ($0 / 7) &* 0x9E37_79B1 >> 9) & 0x3F
        }
        let whole = VoxelBuffer(elementType: type, shape: shape, bytes: bytes)
        let size = VoxelSize(ZYX(0.04, 0.008, 0.004), .micrometer)
        let writer = try HDF5Writer(
            path: path, dataset: "/volumes/labels", shape: shape, elementType: type, voxelSize: size, threads: 2)
        let plane = shape.y * shape.x * type.size
        var z = 0
        for planes in [1, 20, 16] {
            let part = Array(bytes[z * plane..<(z + planes) * plane])
            try writer.write(
                VoxelBuffer(elementType: type, shape: ZYX(planes, shape.y, shape.x), bytes: part), atZ: z)
            z += planes
            #expect(!FileManager.default.fileExists(atPath: path))
        }
        try writer.finish()
        #expect(
            try FileManager.default.subpathsOfDirectory(atPath: scratch.path).sorted() == [
                "results", "results/labels.h5",
            ])
        let reader = try HDF5Reader(path: path)
        #expect(reader.info.source == path + ":/volumes/labels")
        #expect(reader.info.voxelSize.complete?.agrees(with: size, tolerance: 1e-12) == true)
        #expect(reader.info.compression == "shuffle + gzip")
        #expect(try reader.read(Box(shape)) == whole)
    }

    /// The planes of a row of chunks are in memory at a time: 128 MiB of them at most, or one.
    @Test(arguments: [
        (ZYX(512, 512, 512), 16), (ZYX(5, 512, 512), 5), (ZYX(2048, 2048, 2048), 8), (ZYX(100, 16_384, 16_384), 1),
    ])
    func chunksOfLargePlanesAreFlat(shape: ZYX<Int>, depth: Int) {
        #expect(HDF5Writer.chunk(of: shape, .uint32) == ZYX(depth, 64, 64))
    }

    @Test func aWriterThatDoesNotFinishLeavesNothing() throws {
        let scratch = ScratchFolder()
        let path = scratch.path + "/labels.h5"
        do {
            let writer = try HDF5Writer(
                path: path, shape: ZYX(2, 3, 4), elementType: .uint8, voxelSize: nil)
            try writer.write(VoxelBuffer(Volume<UInt8>(shape: ZYX(1, 3, 4))), atZ: 0)
            #expect(fault { try writer.finish() }.contains("1 of 2 planes"))
        }
        #expect(scratch.contents.isEmpty)
    }

    @Test func aFolderThatCannotBeMadeIsAFault() throws {
        let message = fault {
            _ = try HDF5Writer(
                path: data("one.h5") + "/labels.h5", shape: ZYX(1, 1, 1), elementType: .uint8, voxelSize: nil)
        }
        #expect(message.contains("Not a directory"), "\(message)")
    }
}

@Suite struct VolumeFiles {
    @Test(arguments: [
        ("one.h5", "/volumes/raw"), ("one.h5:/volumes/raw", "/volumes/raw"),
        ("several.h5:/labels/ids", "/labels/ids"), ("several.h5:raw", "/raw"), ("userblock.h5", "/raw"),
    ])
    func locationsAreSplit(location: String, dataset: String) throws {
        let reader = try VolumeFile.open(data(location))
        let file = location.split(separator: ":")[0]
        #expect(reader.info.source == data(String(file)) + ":" + dataset)
    }

    @Test func theContentCountsNotTheName() throws {
        let scratch = ScratchFolder()
        let path = scratch.path + "/a: b.tif"
        try FileManager.default.copyItem(atPath: data("one.h5"), toPath: path)
        #expect(try VolumeFile.open(path).info.format == "HDF5")
        #expect(try VolumeFile.open(path + ":/volumes/raw").info.format == "HDF5")
    }

    @Test(arguments: [
        (" NUMPY", "looks like NumPy"), ("version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        ("hello", "begins with 68 65 6c 6c 6f"), ("", "is empty"),
    ])
    func otherFilesAreNamed(content: String, words: String) throws {
        let scratch = ScratchFolder()
        let path = scratch.path + "/volume.tif"
        try Data(content.unicodeScalars.map { UInt8($0.value) }).write(to: URL(fileURLWithPath: path))
        let message = fault { _ = try VolumeFile.open(path) }
        #expect(message.hasPrefix(path + ": ") && message.contains(words), "\(message)")
        #expect(message.contains("expected an HDF5, TIFF"))
    }

    /// Found by fuzzing: faults of the only dataset of a file, of which libhdf5 knows no more than its message.
    @Test(arguments: [843..<867])
    func aDamagedHeaderOfTheOnlyDatasetIsAFaultOfTheFile(damage: Range<Int>) throws {
        let scratch = ScratchFolder()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: data("raw-only.h5")))
        bytes.replaceSubrange(damage, with: [UInt8](repeating: 255, count: damage.count))
        let path = scratch.path + "/raw-only.h5"
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(throws: FileFault.self) { try VolumeFile.open(path) }
    }

    @Test func aFaultStaysOneLine() {
        #expect("\(FileFault("a.tif", "has SizeZ 1\n2"))" == "a.tif: has SizeZ 1\u{FFFD}2")
    }

    @Test func whatIsNoFileIsNamed() throws {
        let scratch = ScratchFolder()
        #expect(fault { _ = try VolumeFile.open(scratch.path) }.contains("is an empty folder"))
        #expect(fault { _ = try VolumeFile.open(scratch.path + "/no") }.contains("there is no such file"))
        #expect(
            fault { _ = try VolumeFile.open(scratch.path + "/no.h5:/raw") }
                == scratch.path + "/no.h5: there is no such file")
        mkfifo(scratch.path + "/pipe", 0o600)
        #expect(fault { _ = try VolumeFile.open(scratch.path + "/pipe") }.contains("not a regular file"))
    }

    @Test func aTIFFHasNoDatasets() throws {
        let scratch = ScratchFolder()
        let path = scratch.path + "/volume"
        try Data([0x49, 0x49, 42, 0, 8, 0, 0, 0]).write(to: URL(fileURLWithPath: path))
        #expect(fault { _ = try VolumeFile.open(path + ":/raw") }.contains("leave out :/raw"))
    }
}
