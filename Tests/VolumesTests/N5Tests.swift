import Foundation
import TestSupport
import Testing
import Volumes

/// The containers that `Data/N5/make.py` writes.
private func data(_ name: String) -> String { Bundle.module.bundlePath + "/Data/N5/" + name }

/// Voxel (z, y, x) is 100 z + 10 y + x, every `step`th along y and x.
private func expected(step: Int = 1, plus: Int = 0) -> Volume<Int64> {
    var volume = Volume<Int64>(shape: ZYX(5, (6 + step - 1) / step, (7 + step - 1) / step))
    for z in 0..<volume.shape.z {
        for y in 0..<volume.shape.y {
            for x in 0..<volume.shape.x { volume[z, y, x] = Int64(100 * z + (10 * y + x) * step + plus) }
        }
    }
    return volume
}

private func voxels(_ reader: any VolumeReader) throws -> Volume<Int64> {
    try reader.read(Box(reader.info.shape)).converted(to: Int64.self)
}

private func fault(_ location: String) -> String {
    do {
        let reader = try VolumeFile.open(location)
        _ = try reader.read(Box(reader.info.shape))
        return "no fault"
    } catch {
        #expect(error is FileFault)
        return "\(error)"
    }
}

@Suite struct N5Reading {
    @Test(arguments: [
        ("raw", ElementType.uint16, "none"), ("gzip", .uint16, "gzip"), ("zlib", .uint16, "zlib"),
        ("zstd", .int32, "zstd"), ("blosc", .float32, "blosc (lz4)"), ("lz4", .uint16, "lz4"),
    ])
    func eachCompressionIsUndone(name: String, type: ElementType, compression: String) throws {
        let reader = try VolumeFile.open(data(name + ".n5"))
        #expect(reader.info.format == "N5" && reader.info.elementType == type)
        #expect(reader.info.compression == compression)
        #expect(try voxels(reader) == expected())
        let box = Box(from: ZYX(2, 3, 1), to: ZYX(5, 5, 6))
        #expect(try reader.read(box).converted(to: Int64.self) == expected().cropped(to: box))
    }

    @Test func attributesRunFromXToZ() throws {
        let raw = try VolumeFile.open(data("raw.n5")).info
        #expect(raw.voxelSize.complete == VoxelSize(ZYX(40, 8, 4), .nanometer))
        #expect(raw.position == ZYX(400, 80, 40))
        let gzip = try VolumeFile.open(data("gzip.n5")).info
        #expect(gzip.voxelSize.complete == VoxelSize(ZYX(2, 1, 0.5), .micrometer))
        #expect(gzip.position == nil)
        #expect(try VolumeFile.open(data("zlib.n5")).info.voxelSize.complete?.unit == .nanometer)
    }

    @Test func channelsAreChosen() throws {
        let reader = try VolumeFile.open(data("channels.n5"), VolumeSelection(channel: 1))
        #expect(reader.info.channels == 2 && reader.info.notes.isEmpty)
        #expect(try voxels(reader) == expected(plus: 1000))
    }

    @Test(arguments: [(VolumeRole.image, "volumes/raw/s0"), (.labels, "volumes/labels/neuron_ids")])
    func theUsualNamesAreKnown(role: VolumeRole, path: String) throws {
        let reader = try VolumeFile.open(data("cremi.n5"), VolumeSelection(role: role))
        #expect(reader.info.source == data("cremi.n5:" + path))
        #expect(reader.info.voxelSize.complete == VoxelSize(ZYX(40, 4, 4), .nanometer))
        #expect(reader.info.position == (role == .image ? ZYX(0, 0, 0) : ZYX(80, 12, 8)))
        #expect(try voxels(reader) == expected())
    }

    @Test func levelsHaveTheVoxelsOfTheirFactors() throws {
        let reader = try VolumeFile.open(data("cremi.n5:volumes/raw/s1"))
        #expect(try voxels(reader) == expected(step: 2))
        #expect(reader.info.voxelSize.complete == VoxelSize(ZYX(40, 8, 8), .nanometer))
        #expect(reader.info.position == ZYX(0, 2, 2))
        #expect(try VolumeFile.open(data("cremi.n5")).info.source.hasSuffix(":volumes/raw/s0"))
        #expect(try VolumeFile.open(data("cremi.n5:volumes/raw")).info.source.hasSuffix(":volumes/raw/s0"))
    }

    @Test func faultsSayWhatIsThere() {
        let path = data("cremi.n5")
        #expect(
            fault(path + ":volumes/raw/s7")
                == "\(path): has no volume at volumes/raw/s7; it has the levels volumes/raw/s0, volumes/raw/s1 and "
                + "volumes/labels/clefts, volumes/labels/neuron_ids")
        let bzip2 = data("bzip2.n5")
        #expect(fault(bzip2).hasPrefix("\(bzip2)/attributes.json: has the codec bzip2; expected "))
    }

    @Test(arguments: ["raw", "gzip", "blosc", "lz4"])
    func everyTruncationOfABlockIsAFault(name: String) throws {
        let scratch = ScratchFolder()
        let path = scratch.path("cut.n5")
        try FileManager.default.copyItem(atPath: data(name + ".n5"), toPath: path)
        let block = path + "/0/0/0"
        let sound = try Data(contentsOf: URL(fileURLWithPath: block))
        // Without the empty block at its end a stream of lz4 is whole.
        for length in 0..<sound.count - (name == "lz4" ? 21 : 0) {
            try sound[..<length].write(to: URL(fileURLWithPath: block))
            let message = fault(path)
            #expect(message.hasPrefix(block + ": the chunk "), "\(length): \(message)")
        }
    }

    @Test(arguments: [
        (1, UInt8(1), "has the mode 1; expected 0"), (3, 2, "does not begin with a header of its 3 lengths"),
        (7, 3, "leaves out voxels"), (7, 200, "expected at most"), (7, 0, "expected at most"),
    ])
    func headersOfBlocksThatLieAreRefused(offset: Int, value: UInt8, words: String) throws {
        let scratch = ScratchFolder()
        let path = scratch.path("lie.n5")
        try FileManager.default.copyItem(atPath: data("raw.n5"), toPath: path)
        let block = URL(fileURLWithPath: path + "/0/0/0")
        var bytes = try Data(contentsOf: block)
        bytes[offset] = value
        try bytes.write(to: block)
        #expect(fault(path).contains(words), "\(fault(path))")
    }
}
