import Foundation
import TestSupport
import Testing
import Volumes

/// A JSON file, compared as a value.
private func json(_ path: String) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
}

private func json(text: String) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
}

/// Labels in blocks of z 5 × y 7 × x 9 voxels, and background among them.
private func labels(_ shape: ZYX<Int>) -> Volume<UInt32> {
    var volume = Volume<UInt32>(shape: shape)
    for z in 0..<shape.z {
        for y in 0..<shape.y {
            for x in 0..<shape.x where (x + y) % 4 != 0 {
                volume[z, y, x] = UInt32((z / 5 * 100 + y / 7) * 100 + x / 9)
            }
        }
    }
    return volume
}

/// Writes both volumes in slabs of `planes`.
private func write(
    _ image: VoxelBuffer?, _ cells: VoxelBuffer?, to path: String, voxelSize: VoxelSize? = nil,
    position: ZYX<Double>? = nil, version: OMEZarrVersion = .v0_5, planes: Int = 7
) throws {
    var parts: [OMEZarrWriter.Part: VoxelBuffer] = [:]
    parts[.image] = image
    parts[.labels("cells")] = cells
    let shape = try #require(parts.values.first).shape
    let writer = try OMEZarrWriter(
        path: path, shape: shape, parts: parts.mapValues(\.elementType), voxelSize: voxelSize, position: position,
        version: version, threads: 2)
    for slab in Box(shape).cells(of: ZYX(planes, shape.y, shape.x)) {
        for (part, voxels) in parts { try writer.write(voxels.cropped(to: slab), atZ: slab.origin.z, to: part) }
    }
    try writer.finish()
}

/// The next level by the definition, voxel by voxel.
private func reduced<Element: VoxelElement>(
    _ volume: Volume<Element>, by step: ZYX<Int>, _ one: ([Element]) -> Element
) -> Volume<Element> {
    let shape = step.cells(covering: volume.shape)
    var result = Volume<Element>(shape: shape)
    for cell in Box(volume.shape).cells(of: step) {
        let place = cell.origin.zip(step, /)
        result[place.z, place.y, place.x] = one(volume.cropped(to: cell).voxels)
    }
    return result
}

private func mode(_ block: [UInt32]) -> UInt32 {
    let counts = Dictionary(grouping: block) { $0 }.mapValues(\.count)
    let most = counts.values.max()
    let best = counts.filter { $0.value == most }.keys.sorted()
    return best.first { $0 != 0 } ?? 0
}

private func read(_ location: String) throws -> VoxelBuffer {
    let reader = try VolumeFile.open(location)
    return try reader.read(Box(reader.info.shape))
}

@Suite struct OMEZarrWriting {
    private let scratch: ScratchFolder

    init() throws { scratch = ScratchFolder() }

    @Test(arguments: ElementType.allCases, OMEZarrVersion.allCases)
    func everyTypeComesBack(type: ElementType, version: OMEZarrVersion) throws {
        let path = scratch.path("\(type).zarr")
        let image = TIFFFiles.pattern(type, shape: ZYX(9, 11, 13))
        try write(image, type.isInteger ? image : nil, to: path, version: version)
        #expect(try read(path) == image)
        if type.isInteger { #expect(try read(path + ":labels/cells") == image) }
        let info = try VolumeFile.open(path).info
        #expect(info.format == "OME-Zarr \(version.rawValue)")
        #expect(info.compression == (version == .v0_5 ? "zstd" : "blosc (zstd)"))
        #expect(info.voxelSize == .none)
    }

    @Test(arguments: OMEZarrVersion.allCases)
    func levelsAreTheMeanAndTheModeOfTheirBlocks(version: OMEZarrVersion) throws {
        let path = scratch.path("levels.zarr")
        let shape = ZYX(7, 270, 301)
        let image = TIFFFiles.pattern(.uint16, shape: shape)
        let cells = labels(shape)
        try write(
            image, VoxelBuffer(cells), to: path, voxelSize: VoxelSize(ZYX(16, 8, 8), .nanometer),
            position: ZYX(100, -50, 0), version: version)
        // In plane first, to cubes of 16 nm; it is small enough then.
        let step = ZYX(1, 2, 2)
        let expected = reduced(image.volume(of: UInt16.self), by: step) { block in
            UInt16((block.reduce(0) { $0 + Int($1) } + block.count / 2) / block.count)
        }
        #expect(try read(path + ":s1") == VoxelBuffer(expected))
        #expect(try read(path + ":labels/cells/s1") == VoxelBuffer(reduced(cells, by: step, mode)))
        #expect(try read(path) == image && read(path + ":labels/cells") == VoxelBuffer(cells))
        for part in ["", "labels/cells/"] {
            let info = try VolumeFile.open(path + ":\(part)s1").info
            #expect(info.voxelSize.complete == VoxelSize(ZYX(16, 16, 16), .nanometer))
            #expect(info.position == ZYX(100, -46, 4))
            #expect(fault { _ = try VolumeFile.open(path + ":\(part)s2") }.contains("has no volume at"))
        }
    }

    @Test func cubesAreHalvedAlongAllAxesAndOddEndsStandAlone() throws {
        let path = scratch.path("cubes.zarr")
        let shape = ZYX(259, 33, 65)
        let image = TIFFFiles.pattern(.int8, shape: shape)
        let cells = labels(shape)
        try write(image, VoxelBuffer(cells), to: path, planes: 50)
        let step = ZYX(2, 2, 2)
        let expected = reduced(image.volume(of: Int8.self), by: step) { block in
            Int8((block.reduce(0.0) { $0 + Double($1) } / Double(block.count) + 0.5).rounded(.down))
        }
        #expect(expected.shape == ZYX(130, 17, 33))
        #expect(try read(path + ":s1") == VoxelBuffer(expected))
        #expect(try read(path + ":labels/cells/s1") == VoxelBuffer(reduced(cells, by: step, mode)))
    }

    @Test func extremesOf64BitsAreAveragedWithoutOverflow() throws {
        let path = scratch.path("extremes.zarr")
        let shape = ZYX(1, 2, 140_000)
        let high = Volume<UInt64>(shape: shape, repeating: .max)
        try write(VoxelBuffer(high), nil, to: path)
        #expect(try read(path + ":s1") == VoxelBuffer(Volume<UInt64>(shape: ZYX(1, 1, 70_000), repeating: .max)))
        let low = Volume<Int64>(shape: shape, repeating: .min)
        try write(VoxelBuffer(low), nil, to: path)
        #expect(try read(path + ":s1") == VoxelBuffer(Volume<Int64>(shape: ZYX(1, 1, 70_000), repeating: .min)))
    }

    @Test func largeArraysAreShardedAndSlabsOfAnyThicknessGiveTheSameBytes() throws {
        let shape = ZYX(520, 66, 520)
        let image = TIFFFiles.pattern(.uint8, shape: ZYX(40, 11, 21))
        var large = VoxelBuffer(Volume<UInt8>(shape: shape))
        large.bytes.withUnsafeMutableBytes { target in
            for index in target.indices { target[index] = image.bytes[index / 977 % image.bytes.count] }
        }
        var digests: Set<[String: Data]> = []
        for planes in [1, 64, 75, 520] {
            let path = scratch.path("sharded-\(planes)/volume.zarr")
            try write(large, nil, to: path, voxelSize: VoxelSize(ZYX(40, 8, 8), .nanometer), planes: planes)
            #expect(try json(path + "/s0/zarr.json")["codecs"]?.array?.first?["name"] == "sharding_indexed")
            #expect(try read(path) == large)
            let files = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
            #expect(files.contains("s0/c/1/0/1") && !files.contains("s0/c/1/1/0"))
            digests.insert(
                Dictionary(
                    uniqueKeysWithValues: files.compactMap { name in
                        (try? Data(contentsOf: URL(fileURLWithPath: path + "/" + name))).map { (name, $0) }
                    }))
        }
        #expect(digests.count == 1)
    }

    @Test func metadataOfVersion05AreTheseWordForWord() throws {
        let path = scratch.path("words.zarr")
        let shape = ZYX(2, 300, 500)
        try write(
            VoxelBuffer(Volume<UInt8>(shape: shape)), VoxelBuffer(Volume<UInt32>(shape: shape)), to: path,
            voxelSize: VoxelSize(ZYX(0.05, 0.01, 0.01), .micrometer))
        func multiscale(_ name: String, _ type: String, _ description: String) -> String {
            """
            {"name": "\(name)", "type": "\(type)", "metadata": {"description": "\(description)"},
             "axes": [{"name": "z", "type": "space", "unit": "micrometer"},
                      {"name": "y", "type": "space", "unit": "micrometer"},
                      {"name": "x", "type": "space", "unit": "micrometer"}],
             "datasets": [
               {"path": "s0", "coordinateTransformations": [{"type": "scale", "scale": [0.05, 0.01, 0.01]}]},
               {"path": "s1", "coordinateTransformations": [
                 {"type": "scale", "scale": [0.05, 0.02, 0.02]},
                 {"type": "translation", "translation": [0, 0.005, 0.005]}]}]}
            """
        }
        let image = multiscale("words", "mean", "mean of each block of voxels of the level before")
        #expect(
            try json(path + "/zarr.json")
                == json(
                    text: """
                        {"zarr_format": 3, "node_type": "group",
                         "attributes": {"ome": {"version": "0.5", "multiscales": [\(image)]}}}
                        """))
        #expect(
            try json(path + "/labels/zarr.json")
                == json(
                    text: """
                        {"zarr_format": 3, "node_type": "group",
                         "attributes": {"ome": {"version": "0.5", "labels": ["cells"]}}}
                        """))
        let cells = multiscale(
            "cells", "mode",
            "most frequent label of each block of voxels of the level before; "
                + "of labels equally frequent the smallest that is not 0")
        #expect(
            try json(path + "/labels/cells/zarr.json")
                == json(
                    text: """
                        {"zarr_format": 3, "node_type": "group",
                         "attributes": {"ome": {"version": "0.5", "multiscales": [\(cells)],
                                                "image-label": {"source": {"image": "../../"}}}}}
                        """))
        #expect(
            try json(path + "/labels/cells/s1/zarr.json")
                == json(
                    text: """
                        {"zarr_format": 3, "node_type": "array", "shape": [2, 150, 250], "data_type": "uint32",
                         "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 64, 64]}},
                         "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
                         "fill_value": 0, "dimension_names": ["z", "y", "x"], "attributes": {},
                         "codecs": [{"name": "bytes", "configuration": {"endian": "little"}},
                                    {"name": "zstd", "configuration": {"level": 1, "checksum": false}},
                                    {"name": "crc32c"}]}
                        """))
    }

    @Test func metadataOfVersion04AreTheseWordForWord() throws {
        let path = scratch.path("words.ome.zarr")
        let shape = ZYX(3, 4, 5)
        try write(
            nil, VoxelBuffer(Volume<UInt16>(shape: shape)), to: path,
            voxelSize: VoxelSize(ZYX(40, 8, 8), .nanometer), position: ZYX(80, 16, 0), version: .v0_4)
        #expect(try json(path + "/.zgroup") == json(text: "{\"zarr_format\": 2}"))
        #expect(!FileManager.default.fileExists(atPath: path + "/.zattrs"))
        #expect(try json(path + "/labels/.zattrs") == json(text: "{\"labels\": [\"cells\"]}"))
        let attributes = try json(path + "/labels/cells/.zattrs")
        #expect(attributes["image-label"] == ["version": "0.4"])
        #expect(
            try attributes["multiscales"]?.array?.first
                == json(
                    text: """
                        {"version": "0.4", "name": "cells", "type": "mode", "metadata": {"description":
                           "most frequent label of each block of voxels of the level before; of labels equally \
                        frequent the smallest that is not 0"},
                         "axes": [{"name": "z", "type": "space", "unit": "nanometer"},
                                  {"name": "y", "type": "space", "unit": "nanometer"},
                                  {"name": "x", "type": "space", "unit": "nanometer"}],
                         "datasets": [{"path": "s0", "coordinateTransformations": [
                           {"type": "scale", "scale": [40, 8, 8]},
                           {"type": "translation", "translation": [80, 16, 0]}]}]}
                        """))
        #expect(
            try json(path + "/labels/cells/s0/.zarray")
                == json(
                    text: """
                        {"zarr_format": 2, "shape": [3, 4, 5], "chunks": [3, 4, 5], "dtype": "<u2", "fill_value": 0,
                         "order": "C", "filters": null, "dimension_separator": "/",
                         "compressor": {"id": "blosc", "cname": "zstd", "clevel": 1, "shuffle": 1, "blocksize": 0}}
                        """))
        // A container without an image opens at its only labels.
        #expect(try VolumeFile.open(path).info.source == path + ":labels/cells/s0")
    }

    @Test func aContainerIsCompleteOrAbsent() throws {
        let path = scratch.path("absent.zarr")
        let slab = VoxelBuffer(Volume<UInt8>(shape: ZYX(2, 4, 5)))
        func writer() throws -> OMEZarrWriter {
            try OMEZarrWriter(
                path: path, shape: ZYX(4, 4, 5), parts: [.image: .uint8, .labels("a"): .uint8], voxelSize: nil)
        }
        do {
            let writer = try writer()
            try writer.write(slab, atZ: 0, to: .image)
            try writer.write(slab, atZ: 2, to: .image)
            #expect(scratch.contents.allSatisfy { $0.hasSuffix(".partial") } && scratch.contents.count == 1)
            let message = fault { try writer.finish() }
            #expect(message == "\(path): cannot be completed: 0 of 4 planes of labels/a were written")
        }
        #expect(scratch.contents.isEmpty)
        try write(slab, nil, to: path)
        _ = try writer()
        #expect(scratch.contents == ["absent.zarr"])
        #expect(try read(path) == slab)
        let other = VoxelBuffer(Volume<UInt8>(shape: ZYX(1, 2, 3), repeating: 7))
        try write(other, nil, to: path + "/")
        #expect(scratch.contents == ["absent.zarr"])
        #expect(try read(path) == other)
    }

    /// A stopped conversion is a writer that goes.
    @Test(arguments: ["kept.zarr", "kept.zarr:labels/a", "kept.h5:/a", "kept.h5", "kept.tif"])
    func aWriterThatGoesLeavesWhatWasThere(location: String) throws {
        let slab = VoxelBuffer(Volume<UInt8>(shape: ZYX(4, 5, 6), repeating: 7))
        let contents = VolumeFile.Contents(shape: ZYX(4, 5, 6), elementType: .uint8, voxelSize: nil)
        func finish(_ location: String) throws {
            let writer = try VolumeFile.create(scratch.path(location), contents)
            try writer.write(slab, atZ: 0)
            try writer.finish()
        }
        if location.hasPrefix("kept.zarr:") { try finish("kept.zarr") }
        try finish(location)
        func files() -> [String: Data] {
            let names = FileManager.default.enumerator(atPath: scratch.path(""))?.compactMap { $0 as? String } ?? []
            return names.reduce(into: [:]) { $0[$1] = FileManager.default.contents(atPath: scratch.path($1)) }
        }
        let before = files()
        #expect(throws: OccupiedPlace.self) { _ = try VolumeFile.create(scratch.path(location), contents) }
        for sections in [0, 2] {
            let writer = try VolumeFile.create(scratch.path(location), contents, replaces: true)
            let part = slab.cropped(to: Box(ZYX(max(sections, 1), 5, 6)))
            if sections > 0 { try writer.write(part, atZ: 0) }
            #expect(throws: FileFault.self) { try writer.finish() }
        }
        #expect(files() == before)
    }

    /// Whatever the file of the labels says: voxel for voxel they are the image's.
    @Test func addedLabelsAreWhereTheirImageIs() throws {
        let path = scratch.path("placed.zarr")
        func write(_ location: String, _ size: VoxelSize?, _ position: ZYX<Double>?) throws -> [String] {
            let writer = try VolumeFile.create(
                location,
                VolumeFile.Contents(shape: ZYX(2, 3, 4), elementType: .uint8, voxelSize: size, position: position))
            try writer.write(VoxelBuffer(Volume<UInt8>(shape: ZYX(2, 3, 4))), atZ: 0)
            try writer.finish()
            return writer.notes
        }
        let size = VoxelSize(ZYX(40, 8, 8), .nanometer)
        _ = try write(path, size, ZYX(400, 80, 16))
        #expect(try write(path + ":labels/silent", nil, nil).isEmpty)
        let notes = try write(path + ":labels/other", VoxelSize(ZYX(1, 1, 1), .micrometer), nil)
        #expect(
            notes == ["the labels get the voxel size of their image, z 40 × y 8 × x 8 nm, not z 1 × y 1 × x 1 µm"])
        for name in ["silent", "other"] {
            let info = try VolumeFile.open(path + ":labels/" + name).info
            #expect(info.voxelSize.complete == size && info.position == ZYX(400, 80, 16))
        }
    }

    @Test func whatIsNoContainerIsNotReplaced() throws {
        let slab = VoxelBuffer(Volume<UInt8>(shape: ZYX(1, 2, 3)))
        let folder = scratch.path("folder.zarr")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try write(slab, nil, to: folder)
        let other = scratch.path("other")
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        try Data([1]).write(to: URL(fileURLWithPath: other + "/thesis.txt"))
        #expect(fault { try write(slab, nil, to: other) }.contains("is a folder with other files"))
        #expect(fault { try write(slab, nil, to: other + "/thesis.txt") }.contains("is a file"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: other) == ["thesis.txt"])
        #expect(fault { try write(slab, nil, to: other + "/thesis.txt/a.zarr") }.contains("Not a directory"))
    }

    @Test(arguments: ["", "..", "a/b", ".hidden", "__x", "a\nb"])
    func labelsNeedAFoldersName(name: String) throws {
        let message = fault {
            _ = try OMEZarrWriter(
                path: scratch.path("a.zarr"), shape: ZYX(1, 1, 1), parts: [.labels(name): .uint8], voxelSize: nil)
        }
        #expect(message.contains("expected a folder's name") && !message.contains("\n"))
        #expect(scratch.contents.isEmpty)
    }

    private func fault(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "no fault"
        } catch {
            return (error as? FileFault)?.description ?? "another error: \(error)"
        }
    }
}
