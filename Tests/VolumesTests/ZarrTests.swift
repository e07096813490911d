import Foundation
import TestSupport
import Testing
import Volumes

private func data(_ name: String) -> String { Bundle.module.bundlePath + "/Data/Zarr/" + name }

/// Voxels that differ from their neighbours in every byte.
private func voxels(_ shape: ZYX<Int>, _ type: ElementType, salt: Int = 0) -> VoxelBuffer {
    let bytes = (0..<shape.count * type.size).map { UInt8(truncatingIfNeeded: ($0 + salt) &* 0x9E37_79B1 >> 11) }
    return VoxelBuffer(elementType: type, shape: shape, bytes: bytes)
}

private func crop(_ buffer: VoxelBuffer, to box: Box) -> VoxelBuffer {
    func cropped<Element: VoxelElement>(_ type: Element.Type) -> VoxelBuffer {
        VoxelBuffer(buffer.volume(of: type).cropped(to: box))
    }
    return cropped(buffer.elementType.scalar)
}

private func fill(_ store: BlockStore, channel: Int = 0, with whole: VoxelBuffer) throws {
    for box in store.shards { try store.writeShard(box, channel: channel, crop(whole, to: box), threads: 2) }
}

@Suite struct ZarrRoundTrips {
    @Test(arguments: ElementType.allCases)
    func everyTypeComesBack(type: ElementType) throws {
        let scratch = ScratchFolder()
        let whole = voxels(ZYX(9, 7, 13), type)
        let store = try BlockStore.create(
            at: scratch.path + "/a/b.zarr",
            .init(shape: whole.shape, elementType: type, shard: ZYX(4, 8, 8), chunk: ZYX(2, 2, 4)))
        #expect(store.shards.count == 6)
        #expect(store.shards.allSatisfy { !store.hasShard($0) })
        try fill(store, with: whole)
        #expect(store.shards.allSatisfy { store.hasShard($0) })
        let reader = try BlockStore.open(at: scratch.path + "/a/b.zarr")
        #expect(reader.layout == store.layout)
        #expect(try reader.read(Box(whole.shape)) == whole)
    }

    @Test(arguments: [
        (ZYX(1, 1, 1), ZYX(4, 4, 4), ZYX(2, 2, 2)), (ZYX(5, 1, 9), ZYX(4, 4, 4), ZYX(4, 4, 4)),
        (ZYX(7, 11, 3), ZYX(2, 6, 2), ZYX(1, 3, 2)), (ZYX(4, 4, 4), ZYX(4, 4, 4), ZYX(1, 1, 1)),
    ])
    func everyBoxEqualsTheCrop(shape: ZYX<Int>, shard: ZYX<Int>, chunk: ZYX<Int>) throws {
        let scratch = ScratchFolder()
        let whole = voxels(shape, .uint16)
        let store = try BlockStore.create(
            at: scratch.path + "/s", .init(shape: shape, elementType: .uint16, shard: shard, chunk: chunk))
        try fill(store, with: whole)
        for origin in Box(shape).cells(of: ZYX(1, 2, 2)).map(\.origin) {
            for end in Box(shape).cells(of: ZYX(3, 3, 2)).map(\.end) {
                let box = Box(from: origin, to: end)
                if box.isEmpty { continue }
                #expect(try store.read(box, threads: 2) == crop(whole, to: box), "\(box)")
            }
        }
    }

    @Test func channelsAreApart() throws {
        let scratch = ScratchFolder()
        let layout = BlockStore.Layout(
            shape: ZYX(3, 5, 4), channels: 3, elementType: .int16, shard: ZYX(2, 4, 4), chunk: ZYX(2, 2, 4),
            voxelSize: VoxelSize(ZYX(0.04, 0.008, 0.004), .micrometer),
            attributes: ["logit_scale": 0.0078125, "names": ["inside", "edge"], "count": 7, "none": .null])
        let store = try BlockStore.create(at: scratch.path + "/s", layout)
        for channel in 0..<3 {
            try fill(store, channel: channel, with: voxels(layout.shape, .int16, salt: channel))
        }
        let opened = try BlockStore.open(at: scratch.path + "/s")
        #expect(opened.layout == layout)
        for channel in 0..<3 {
            let reader = BlockStoreReader(opened, channel: channel)
            #expect(reader.info.voxelSize.complete == layout.voxelSize)
            #expect(try reader.read(Box(layout.shape)) == voxels(layout.shape, .int16, salt: channel))
        }
    }

    @Test func severalThreadsReadAtOnce() throws {
        let scratch = ScratchFolder()
        let whole = voxels(ZYX(16, 16, 16), .uint32)
        let store = try BlockStore.create(
            at: scratch.path + "/s",
            .init(shape: whole.shape, elementType: .uint32, shard: ZYX(8, 8, 8), chunk: ZYX(4, 4, 4)))
        try fill(store, with: whole)
        DispatchQueue.concurrentPerform(iterations: 32) { index in
            let box = Box(from: ZYX(index % 8, 0, index % 3), to: ZYX(16, 16, 16))
            #expect((try? store.read(box, threads: 3)) == crop(whole, to: box))
        }
    }

    @Test func creatingAgainGoesOnWithTheShardsThere() throws {
        let scratch = ScratchFolder()
        var layout = BlockStore.Layout(
            shape: ZYX(4, 4, 8), elementType: .uint8, shard: ZYX(4, 4, 4), chunk: ZYX(2, 2, 2))
        let first = try BlockStore.create(at: scratch.path + "/s", layout)
        try first.writeShard(first.shards[1], voxels(ZYX(4, 4, 4), .uint8))
        let again = try BlockStore.create(at: scratch.path + "/s", layout)
        #expect(again.shards.map { again.hasShard($0) } == [false, true])
        layout.attributes = ["threshold": 1]
        #expect(throws: DamagedStore.self) { try BlockStore.create(at: scratch.path + "/s", layout) }
    }
}

@Suite struct ZarrOfOthers {
    @Test func zarrPythonsStoreIsRead() throws {
        let store = try BlockStore.open(at: data("plain.zarr"))
        #expect(store.layout.shape == ZYX(5, 6, 7))
        #expect(store.layout.shard == ZYX(4, 4, 8))
        #expect(store.layout.chunk == ZYX(2, 2, 4))
        #expect(store.layout.voxelSize == VoxelSize(ZYX(40, 8, 4), .nanometer))
        let volume = try store.read(Box(store.layout.shape)).volume(of: UInt16.self)
        for z in 0..<5 {
            for y in 0..<6 {
                for x in 0..<7 { #expect(volume[z, y, x] == UInt16(1000 * z + 100 * y + x + 1)) }
            }
        }
    }

    @Test func zarrPythonsChannelsAreRead() throws {
        let store = try BlockStore.open(at: data("channels.zarr"))
        #expect(store.layout.channels == 2)
        #expect(store.layout.attributes == ["logit_scale": 0.0078125])
        #expect(store.layout.voxelSize == VoxelSize(ZYX(0.5, 0.25, 0.125), .micrometer))
        for channel in 0..<2 {
            let volume = try store.read(Box(store.layout.shape), channel: channel).volume(of: Int16.self)
            for z in 0..<3 {
                for y in 0..<5 {
                    for x in 0..<4 {
                        #expect(volume[z, y, x] == Int16(1000 * channel + 100 * z + 10 * y + x - 1234))
                    }
                }
            }
        }
    }
}

@Suite struct ZarrDamage {
    private let scratch: ScratchFolder
    private let whole = voxels(ZYX(4, 3, 5), .uint16)
    private let store: BlockStore
    private let shard: String

    init() throws {
        scratch = ScratchFolder()
        store = try BlockStore.create(
            at: scratch.path + "/s",
            .init(shape: whole.shape, elementType: .uint16, shard: ZYX(4, 4, 8), chunk: ZYX(2, 2, 4)))
        try fill(store, with: whole)
        shard = store.shardFile(store.shards[0])
    }

    private func whatReadingFinds() -> (any Error)? {
        do {
            _ = try store.read(Box(whole.shape), threads: 2)
            return nil
        } catch {
            return error
        }
    }

    private func expectDamage(at path: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let error = whatReadingFinds()
        let damage = error as? DamagedStore
        #expect(damage?.path == path, "\(String(describing: error))", sourceLocation: sourceLocation)
        #expect(damage?.description.contains("\n") == false, sourceLocation: sourceLocation)
    }

    @Test func everyFlippedByteOfAShardIsFound() throws {
        let sound = try Data(contentsOf: URL(fileURLWithPath: shard))
        #expect(sound.count > 8 * 16 + 4)
        for index in sound.indices {
            for flip in [UInt8(0x01), 0x80] {
                var damaged = sound
                damaged[index] ^= flip
                try damaged.write(to: URL(fileURLWithPath: shard))
                expectDamage(at: shard)
            }
        }
        try sound.write(to: URL(fileURLWithPath: shard))
        #expect(whatReadingFinds() == nil)
    }

    @Test func everyTruncationOfAShardIsFound() throws {
        let sound = try Data(contentsOf: URL(fileURLWithPath: shard))
        for length in sound.indices {
            try sound[..<length].write(to: URL(fileURLWithPath: shard))
            expectDamage(at: shard)
        }
        try (sound + [0]).write(to: URL(fileURLWithPath: shard))
        expectDamage(at: shard)
    }

    @Test func aMissingShardIsDamage() throws {
        try FileManager.default.removeItem(atPath: shard)
        expectDamage(at: shard)
        #expect(!store.hasShard(store.shards[0]))
    }

    @Test(arguments: [0, 1])
    func flippedMetadataNeverTrapAndSayWhere(file: Int) throws {
        let path = store.metadataFiles[file]
        let sound = try Data(contentsOf: URL(fileURLWithPath: path))
        for index in sound.indices {
            var damaged = sound
            damaged[index] ^= [0x01, 0x10, 0x80, 0xFF][index % 4]
            try damaged.write(to: URL(fileURLWithPath: path))
            // A changed digit may be a sound store of another shape: the manifest's digest finds that.
            do {
                _ = try BlockStore.open(at: scratch.path + "/s")
            } catch {
                #expect((error as? DamagedStore)?.path == path)
            }
            #expect(throws: DamagedStore.self) { try BlockStore.create(at: scratch.path + "/s", store.layout) }
        }
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: DamagedStore(path: path, problem: "is missing")) {
            try BlockStore.open(at: scratch.path + "/s")
        }
    }

    @Test(arguments: [
        ("\"data_type\" : \"uint16\"", "\"data_type\" : \"complex64\""),
        ("\"endian\" : \"little\"", "\"endian\" : \"big\""), ("\"zstd\"", "\"gzip\""),
        ("\"crc32c\"", "\"adler32\""), ("\"end\"", "\"start\""), ("\"zarr_format\" : 3", "\"zarr_format\" : 2"),
        ("\"regular\"", "\"rectangular\""), ("\"array\"", "\"group\""),
    ])
    func otherLayoutsAreRefused(found: String, replacement: String) throws {
        let path = store.metadataFiles[1]
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains(found))
        try text.replacingOccurrences(of: found, with: replacement)
            .write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: DamagedStore.self) { try BlockStore.open(at: scratch.path + "/s") }
    }

    @Test func aDiskThatRefusesIsAFileFault() throws {
        let folder = scratch.path + "/file"
        try Data([1]).write(to: URL(fileURLWithPath: folder))
        #expect(throws: FileFault.self) { try BlockStore.create(at: folder + "/s", store.layout) }
    }
}
