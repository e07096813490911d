import Foundation
import TestSupport
import Testing
import Volumes

/// The containers of the tests (`Data/OMEZarr/make.py`).
private func data(_ name: String) -> String { Bundle.module.bundlePath + "/Data/OMEZarr/" + name }

/// Voxel (z, y, x) of the files in `images`: 1000 (10 t + c) + 100 z + 10 y + x.
private func image(_ shape: ZYX<Int>, channel: Int = 0, time: Int = 0) -> VoxelBuffer {
    var volume = Volume<UInt16>(shape: shape)
    for z in 0..<shape.z {
        for y in 0..<shape.y {
            for x in 0..<shape.x {
                volume[z, y, x] = UInt16(1000 * (10 * time + channel) + 100 * z + 10 * y + x)
            }
        }
    }
    return VoxelBuffer(volume)
}

private func fault(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "no fault"
    } catch let fault as FileFault {
        return fault.description
    } catch {
        return "another error: \(error)"
    }
}

private func files(_ folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: data(folder)))?.filter { $0.hasSuffix(".zarr") }.sorted()
        ?? []
}

@Suite struct ZarrArrayReading {
    static let shape = ZYX(5, 6, 7)

    @Test(arguments: files("v2").map { "v2/" + $0 } + files("v3").map { "v3/" + $0 })
    func everyCodecAndTypeIsReadAsItsWriterMeant(name: String) throws {
        let reader = try VolumeFile.open(data(name))
        #expect(reader.info.shape == Self.shape)
        let whole = try reader.read(Box(Self.shape))
        let kind = (name as NSString).lastPathComponent
        if kind.hasPrefix("sparse") { return }
        if kind.hasPrefix("float16") {
            let expected = TIFFFiles.pattern(.uint64, shape: Self.shape).volume(of: UInt64.self)
            #expect(whole == VoxelBuffer(expected.map { Float($0 >> 54) / 8 - 64 }))
        } else if kind.hasPrefix("bool") {
            let expected = TIFFFiles.pattern(.uint64, shape: Self.shape).volume(of: UInt64.self)
            #expect(whole == VoxelBuffer(expected.map { UInt8($0 >> 63) }))
        } else {
            let type =
                ElementType(rawValue: String(kind.prefix { $0 != "-" }))
                ?? (kind.hasPrefix("fortran-blosc") ? .float32 : kind.hasPrefix("fortran") ? .uint32 : .uint16)
            #expect(whole == TIFFFiles.pattern(type, shape: Self.shape))
        }
    }

    @Test func thereAreFilesOfEachKind() {
        #expect(files("v2").count == 35)
        #expect(files("v3").count == 40)
    }

    @Test(arguments: [
        "v2/zstd", "v2/fortran", "v3/transposed", "v3/sharded-end", "v3/sharded-start", "v3/sharded-nested",
        "v3/sharded-transposed", "v3/sharded-gzip",
    ])
    func everyBoxEqualsTheCrop(name: String) throws {
        for threads in [1, 3] {
            let reader = try OMEZarrReader(path: data(name + ".zarr"), threads: threads)
            let whole = TIFFFiles.pattern(reader.info.elementType, shape: Self.shape)
            for origin in Box(Self.shape).cells(of: ZYX(2, 2, 3)).map(\.origin) {
                for end in Box(Self.shape).cells(of: ZYX(2, 3, 2)).map(\.end) {
                    let box = Box(from: origin, to: end)
                    if box.isEmpty { continue }
                    #expect(try reader.read(box) == whole.cropped(to: box), "\(box)")
                }
            }
        }
    }

    @Test(arguments: ["v2/sparse", "v2/sparse-uint64", "v3/sparse-nan", "v3/sparse-sharded"])
    func missingChunksAreTheFillValue(name: String) throws {
        let reader = try VolumeFile.open(data(name + ".zarr"))
        let type = reader.info.elementType
        let written = Box(ZYX(2, 2, 4))
        let values = TIFFFiles.pattern(type, shape: Self.shape)
        func expected<Element: VoxelElement>(_ fill: Element) -> VoxelBuffer {
            var volume = Volume<Element>(shape: Self.shape, repeating: fill)
            volume.replace(at: .zero, with: values.volume(of: Element.self).cropped(to: written))
            return VoxelBuffer(volume)
        }
        let whole = try reader.read(Box(Self.shape))
        switch type {
        case .int16: #expect(whole == expected(Int16(-7)))
        case .uint64: #expect(whole == expected(UInt64.max))
        case .int64: #expect(whole == expected(-(Int64(1) << 62) - 1))
        default:
            #expect(type == .float32)
            let volume = whole.volume(of: Float.self)
            let known = values.volume(of: Float.self)
            #expect(volume.voxels.count { $0.isNaN } == Self.shape.count - written.count)
            #expect(volume.cropped(to: written) == known.cropped(to: written))
        }
    }

    @Test(arguments: [
        ("v2/none", "none", ZYX(3, 4, 4)), ("v2/blosc-lz4", "blosc (lz4)", ZYX(3, 6, 4)),
        ("v2/lz4", "lz4", ZYX(3, 6, 4)),
        ("v3/two", "zstd + gzip", ZYX(3, 6, 4)), ("v3/sharded-end", "zstd", ZYX(2, 2, 4)),
        ("v3/sharded-nested", "gzip", ZYX(2, 2, 4)), ("v3/sharded-transposed", "zstd", ZYX(2, 2, 4)),
    ])
    func chunksAndCompressionAreStated(name: String, compression: String, chunk: ZYX<Int>) throws {
        let info = try VolumeFile.open(data(name + ".zarr")).info
        #expect(info.compression == compression)
        #expect(info.chunk == chunk)
        #expect(info.format == (name.hasPrefix("v2") ? "Zarr v2" : "Zarr v3"))
        #expect(info.voxelSize == .none && info.position == nil)
    }
}

@Suite struct OMEImages {
    @Test func channelsAndTimesAreChosen() throws {
        let path = data("images/tczyx.zarr")
        for time in 0..<2 {
            for channel in 0..<3 {
                let reader = try VolumeFile.open(path, VolumeSelection(channel: channel, time: time))
                #expect(reader.info.channels == 3 && reader.info.times == 2)
                #expect(try reader.read(Box(ZYX(3, 4, 5))) == image(ZYX(3, 4, 5), channel: channel, time: time))
            }
        }
        #expect(
            fault { _ = try VolumeFile.open(path) } == "\(path):0: has 3 channels; choose one, as in channel: 0")
        #expect(
            fault { _ = try VolumeFile.open(path, VolumeSelection(channel: 3, time: 0)) }
                == "\(path):0: has no channel 3; it has channels 0 to 2")
    }

    @Test func scalesAndTranslationsOfLevelAndImageAreOne() throws {
        let first = VolumeSelection(channel: 0, time: 0)
        let info = try VolumeFile.open(data("images/tczyx.zarr"), first).info
        #expect(info.voxelSize == StatedVoxelSize(nanometers: ZYX(1000, 500, 250), unit: .micrometer))
        #expect(info.position == ZYX(2000, 4000, 6000))
        #expect(info.format == "OME-Zarr 0.4")
        let second = try VolumeFile.open(data("images/tczyx.zarr:1"), first)
        #expect(second.info.voxelSize == StatedVoxelSize(nanometers: ZYX(1000, 1000, 500), unit: .micrometer))
        #expect(second.info.position == nil)
        #expect(try second.read(Box(ZYX(3, 2, 3))) == image(ZYX(3, 2, 3)))
    }

    @Test(arguments: [
        ("czyx", ZYX(3, 4, 5), ZYX<Double?>(40_000, 8000, 4000)), ("tyx", ZYX(1, 4, 5), ZYX(nil, 8000, 4000)),
        ("yx", ZYX(1, 4, 5), ZYX(nil, 8000, 4000)), ("xyz", ZYX(3, 4, 5), ZYX(40_000, 8000, 4000)),
        ("no-unit", ZYX(3, 4, 5), ZYX(nil, nil, nil)),
    ])
    func everySubsetOfTheAxesIsAVolume(name: String, shape: ZYX<Int>, size: ZYX<Double?>) throws {
        let path = data("images/\(name).zarr")
        let selection = VolumeSelection(channel: name == "czyx" ? 1 : nil, time: name == "tyx" ? 1 : nil)
        let reader = try VolumeFile.open(path, selection)
        #expect(reader.info.shape == shape)
        #expect(reader.info.voxelSize.nanometers == size)
        #expect(
            try reader.read(Box(shape)) == image(shape, channel: selection.channel ?? 0, time: selection.time ?? 0))
    }

    @Test(arguments: [
        ("", "s0", ZYX(3, 4, 5), 8.0), (":s0", "s0", ZYX(3, 4, 5), 8), (":s1", "s1", ZYX(3, 2, 3), 16),
        (":/s1/", "s1", ZYX(3, 2, 3), 16), (":labels/cells", "labels/cells/s0", ZYX(3, 4, 5), 8),
        (":labels/cells/s1", "labels/cells/s1", ZYX(3, 2, 3), 16), (":labels", "labels/cells/s0", ZYX(3, 4, 5), 8),
        ("/labels/cells/s1", "labels/cells/s1", ZYX(3, 2, 3), 16), ("/s1", "s1", ZYX(3, 2, 3), 16),
    ])
    func aPathInAContainerIsReadExactly(place: String, array: String, shape: ZYX<Int>, x: Double) throws {
        let reader = try VolumeFile.open(data("images/labelled.zarr" + place))
        #expect(reader.info.source.hasSuffix("images/labelled.zarr:" + array))
        #expect(reader.info.shape == shape)
        #expect(reader.info.voxelSize.nanometers == ZYX<Double?>(40, x, x))
        #expect(reader.info.voxelSize.unit == (array.hasPrefix("labels") ? .nanometer : .micrometer))
        let places: [String: ZYX<Double>] = [
            "labels/cells/s0": ZYX(80, 16, -24), "labels/cells/s1": ZYX(80, 20, -20),
        ]
        #expect(reader.info.position == places[array])
        #expect(try reader.read(Box(shape)) == image(shape))
    }

    @Test func theOnlySeriesOfAConversionIsRead() throws {
        let reader = try VolumeFile.open(data("images/one-series.zarr"))
        #expect(reader.info.source.hasSuffix("one-series.zarr:0/0"))
        #expect(try reader.read(Box(ZYX(3, 4, 5))) == image(ZYX(3, 4, 5)))
        let path = data("images/two-series.zarr")
        #expect(
            fault { _ = try VolumeFile.open(path) }
                == "\(path): has 2 series; name one, as in two-series.zarr:0; it has 0, 1")
        #expect(try VolumeFile.open(path + ":1").info.source == path + ":1/0")
    }

    @Test func oneOfSeveralArraysMustBeNamed() throws {
        let path = data("images/several.zarr")
        #expect(
            fault { _ = try VolumeFile.open(path) }
                == "\(path): has 2 volumes; name one, as in several.zarr:raw; it has raw, volumes/truth")
        #expect(
            fault { _ = try VolumeFile.open(path + ":main") }
                == "\(path): has no volume at main; it has raw, volumes/truth")
        #expect(try VolumeFile.open(path + ":volumes").info.source == path + ":volumes/truth")
    }
}

@Suite struct ZarrNames {
    @Test func labelsBesideAnImageAreFoundByTheirRole() throws {
        let path = data("images/labelled.zarr")
        #expect(try VolumeFile.open(path, VolumeSelection(role: .labels)).info.source == path + ":labels/cells/s0")
        #expect(try VolumeFile.open(path, VolumeSelection(role: .image)).info.source == path + ":s0")
        let several = data("images/several.zarr")
        #expect(try VolumeFile.open(several, VolumeSelection(role: .image)).info.source == several + ":raw")
    }

    @Test func aMissingLevelIsToldWithThoseThatAreThere() {
        let path = data("images/labelled.zarr")
        #expect(
            fault { _ = try VolumeFile.open(path + ":s7") }
                == "\(path): has no volume at s7; it has the levels s0, s1 and labels/cells")
    }

    @Test(arguments: [("v2/none", ".zattrs"), ("v3/none", "zarr.json")])
    func resolutionAndOffsetOfAPlainArrayAreKnown(name: String, file: String) throws {
        let scratch = ScratchFolder()
        let path = scratch.path("a.zarr")
        try FileManager.default.copyItem(atPath: data(name + ".zarr"), toPath: path)
        let own = #""resolution": [40, 4, 8], "offset": [80, 16, 24]"#
        func write(_ attributes: String) throws {
            var text = "{\(attributes)}"
            if file == "zarr.json" {
                let sound = try String(contentsOfFile: data(name + ".zarr/zarr.json"), encoding: .utf8)
                text = sound.replacing("\"attributes\": {}", with: "\"attributes\": {\(attributes)}")
            }
            try text.write(toFile: path + "/" + file, atomically: true, encoding: .utf8)
        }
        try write(own)
        #expect(try VolumeFile.open(path).info.voxelSize.complete == VoxelSize(ZYX(40, 4, 8), .nanometer))
        #expect(try VolumeFile.open(path).info.position == ZYX(80, 16, 24))
        try write(own + #", "units": ["um", "um", "um"]"#)
        #expect(try VolumeFile.open(path).info.voxelSize.complete == VoxelSize(ZYX(40, 4, 8), .micrometer))
        #expect(try VolumeFile.open(path).info.position == ZYX(80_000, 16_000, 24_000))
        for unsound in [#""units": "inch", "# + own, #""resolution": [40, 0, 8], "offset": [1, 2]"#] {
            try write(unsound)
            #expect(try VolumeFile.open(path).info.voxelSize == .none)
            #expect(try VolumeFile.open(path).info.position == nil)
        }
    }

    @Test func axesWithoutNamesAreTold() throws {
        let scratch = ScratchFolder()
        let path = scratch.path("a.zarr")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let metadata = """
            {"zarr_format": 2, "shape": [2, 3, 4, 5], "chunks": [2, 3, 4, 5], "dtype": "|u1", "compressor": null,
             "filters": null, "fill_value": 7, "order": "C"}
            """
        try metadata.write(toFile: path + "/.zarray", atomically: true, encoding: .utf8)
        let note =
            "its axes, 2 × 3 × 4 × 5, have no names and are taken as c, z, y, x; where they are others, name them by "
            + "_ARRAY_DIMENSIONS in .zattrs"
        #expect(try VolumeFile.open(path, VolumeSelection(channel: 1)).info.notes == [note])
        #expect(
            fault { _ = try VolumeFile.open(path) }
                == "\(path): has 2 channels; choose one, as in channel: 0 (\(note))")
        try #"{"_ARRAY_DIMENSIONS": ["t", "z", "y", "x"]}"#
            .write(toFile: path + "/.zattrs", atomically: true, encoding: .utf8)
        #expect(try VolumeFile.open(path, VolumeSelection(time: 1)).info.notes == [])
    }

    @Test(arguments: [("a.ome.zarr.zip", "zarr.json", " -d '%/a.ome.zarr'"), ("b.zip", "b.zarr/.zgroup", "")])
    func aZippedContainerIsToldWithTheWayToUnpackIt(name: String, member: String, target: String) throws {
        let scratch = ScratchFolder()
        let path = scratch.path(name)
        let header: [UInt8] = Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 0, count: 22)
        try Data(header + [UInt8(member.utf8.count), 0, 0, 0] + Array(member.utf8)).write(
            to: URL(fileURLWithPath: path))
        let rest = target.replacing("%", with: scratch.path)
        #expect(
            throws: FileFault(path, "is a zipped Zarr, which is not read; unpack it with: unzip '\(path)'\(rest)")
        ) { try VolumeFile.open(path) }
    }
}

@Suite struct HostileZarr {
    private let scratch: ScratchFolder

    init() throws { scratch = ScratchFolder() }

    /// A copy of a container with one text in one of its files replaced.
    private func altered(_ name: String, _ file: String, _ found: String, _ replacement: String) throws -> String {
        let path = scratch.path(UUID().uuidString + ".zarr")
        try FileManager.default.copyItem(atPath: data(name), toPath: path)
        let text = try String(contentsOfFile: path + "/" + file, encoding: .utf8)
        let compact = text.filter { !$0.isWhitespace }
        #expect(compact.contains(found), "\(compact)")
        try compact.replacingOccurrences(of: found, with: replacement)
            .write(toFile: path + "/" + file, atomically: true, encoding: .utf8)
        return path
    }

    private func readWhole(_ path: String) -> String {
        fault {
            let reader = try VolumeFile.open(path)
            _ = try reader.read(Box(reader.info.shape))
        }
    }

    @Test(arguments: ["../outside", "a/../../outside", "/etc", ".", "labels/../.."])
    func pathsThatLeaveTheContainerAreRefused(escape: String) throws {
        let path = try altered(
            "images/labelled.zarr", "zarr.json", "\"path\":\"s0\"", "\"path\":\"\(escape)\"")
        try FileManager.default.copyItem(atPath: data("v3/none.zarr"), toPath: scratch.path("outside"))
        let message = readWhole(path)
        #expect(message.contains("expected one within it") || message.contains("without . and .."), "\(message)")
        #expect(fault { _ = try VolumeFile.open(path + ":../outside") }.contains("without . and .."))
    }

    @Test func linksThatLeaveTheContainerAreRefused() throws {
        let path = scratch.path("links.zarr")
        try FileManager.default.copyItem(atPath: data("v3/none.zarr"), toPath: path)
        let chunk = path + "/c/0/0/0"
        try FileManager.default.moveItem(atPath: chunk, toPath: scratch.path("chunk"))
        try FileManager.default.createSymbolicLink(atPath: chunk, withDestinationPath: scratch.path("chunk"))
        #expect(readWhole(path) == "\(path)/c/0/0/0: is a link out of \(path), which is not followed")
        try FileManager.default.removeItem(atPath: chunk)
        try FileManager.default.moveItem(atPath: scratch.path("chunk"), toPath: path + "/elsewhere")
        try FileManager.default.createSymbolicLink(atPath: chunk, withDestinationPath: "../../../elsewhere")
        #expect(readWhole(path) == "no fault")
        try FileManager.default.removeItem(atPath: chunk)
        mkfifo(chunk, 0o600)
        #expect(readWhole(path) == "\(path)/c/0/0/0: is not a regular file")
    }

    @Test func linksInCirclesEnd() throws {
        let path = scratch.path("circle.zarr")
        try FileManager.default.copyItem(atPath: data("images/several.zarr"), toPath: path)
        try FileManager.default.createSymbolicLink(atPath: path + "/round", withDestinationPath: ".")
        #expect(fault { _ = try VolumeFile.open(path) }.contains("name one"))
    }

    @Test(arguments: [
        ("v2/none", ".zarray", "\"chunks\":[3,4,4]", "\"chunks\":[100000,100000,100000]", "at most 1 GiB"),
        ("v2/none", ".zarray", "\"chunks\":[3,4,4]", "\"chunks\":[9e18,9e18,9e18]", "whole numbers"),
        ("v2/none", ".zarray", "\"chunks\":[3,4,4]", "\"chunks\":[0,4,4]", "whole numbers"),
        ("v2/none", ".zarray", "\"chunks\":[3,4,4]", "\"chunks\":[4,4]", "expected 3, as of its shape"),
        (
            "v2/none", ".zarray", "\"chunks\":[3,4,4]", "\"chunks\":[300,400,400]",
            "holds 96 bytes instead of 96,000,000"
        ),
        ("v2/none", ".zarray", "\"shape\":[5,6,7]", "\"shape\":[-5,6,7]", "whole numbers"),
        ("v2/none", ".zarray", "\"shape\":[5,6,7]", "\"shape\":[1e12,1e12,1e12]", "addressed"),
        ("v2/none", ".zarray", "\"shape\":[5,6,7]", "\"shape\":[5]", "expected 1"),
        ("v2/none", ".zarray", "\"dtype\":\"<u2\"", "\"dtype\":\"<c8\"", "the dtype <c8"),
        ("v2/none", ".zarray", "\"dtype\":\"<u2\"", "\"dtype\":[[\"a\",\"<u2\"]]", "several fields"),
        ("v2/none", ".zarray", "\"fill_value\":0", "\"fill_value\":-1", "cannot hold"),
        ("v2/none", ".zarray", "\"fill_value\":0", "\"fill_value\":[1]", "cannot hold"),
        ("v2/none", ".zarray", "\"filters\":null", "\"filters\":[{\"id\":\"delta\"}]", "the filter delta"),
        ("v2/none", ".zarray", "\"compressor\":null", "\"compressor\":{\"id\":\"jpeg\\n2k\"}", "the codec jpeg?2k"),
        ("v2/none", ".zarray", "{", "[[[[", "damaged"),
        ("v2/zstd", ".zarray", "\"chunks\":[3,4,4]", "\"chunks\":[300,400,400]", "states a size of 96 bytes"),
        ("v2/gzip", ".zarray", "\"chunks\":[3,6,4]", "\"chunks\":[3,6,2]", "holds more than"),
        ("v2/zlib", ".zarray", "\"chunks\":[3,6,4]", "\"chunks\":[3,6,2]", "holds more than"),
        ("v2/lz4", ".zarray", "\"chunks\":[3,6,4]", "\"chunks\":[3,6,2]", "states a size of 144 bytes"),
        ("v2/blosc-lz4", ".zarray", "\"chunks\":[3,6,4]", "\"chunks\":[3,6,2]", "states a size of 144 bytes"),
        ("v3/sharded-end", "zarr.json", "[2,2,4]", "[3,2,4]", "no multiple"),
        ("v3/sharded-end", "zarr.json", "[4,4,8]", "[4000000,4000000,8000000]", "chunks in a shard"),
        ("v3/sharded-end", "zarr.json", "[4,4,8]", "[400,400,800]", "fewer than its index"),
        ("v3/sharded-end", "zarr.json", "[4,4,8]", "[4,4,4]", "wrong checksum"),
        ("v3/none", "zarr.json", "\"attributes\":{}", "\"future\":{}", "the extension future"),
        ("v3/none", "zarr.json", "\"little\"", "\"middle\"", "endian"),
        ("v3/none", "zarr.json", "\"bytes\"", "\"vlen-utf8\"", "the codec vlen-utf8"),
        ("v3/none", "zarr.json", "\"uint16\"", "\"complex64\"", "the data_type complex64"),
        ("v3/transposed", "zarr.json", "[2,0,1]", "[2,0,7]", "no permutation"),
        ("v3/transposed", "zarr.json", "[2,0,1]", "[2,0,0]", "no permutation"),
    ])
    func metadataThatLieAreRefused(
        name: String, file: String, found: String, replacement: String, words: String
    ) throws {
        let path = try altered(name + ".zarr", file, found, replacement)
        let message = readWhole(path)
        #expect(message.hasPrefix(path) && message.contains(words), "\(message)")
        #expect(!message.contains("\n"))
    }

    @Test(arguments: ["\"scale\":[NaN,8,4]", "\"scale\":[1e300,8,4]", "\"scale\":[-40,8,4]", "\"scale\":[0,8,4]"])
    func aScaleThatNoVoxelHasIsUnstated(scale: String) throws {
        let path = try altered(
            "images/no-unit.zarr", ".zattrs", "\"type\":\"space\"", "\"type\":\"space\",\"unit\":\"nm\"")
        let text = try String(contentsOfFile: path + "/.zattrs", encoding: .utf8)
        let sound = try VolumeFile.open(path).info.voxelSize.nanometers
        #expect(sound == ZYX(40, 8, 4))
        let pattern = try Regex("\"scale\":\\[40(.0)?,8(.0)?,4(.0)?\\]")
        #expect(text.contains(pattern))
        try text.replacing(pattern, with: scale).write(toFile: path + "/.zattrs", atomically: true, encoding: .utf8)
        #expect(try VolumeFile.open(path).info.voxelSize.nanometers == ZYX(nil, 8, 4))
    }

    /// A sound array but for the bytes of a name that is nobody's.
    @Test func bytesThatAreNoTextAreNoTrap() throws {
        let path = scratch.path("text.zarr")
        try FileManager.default.copyItem(atPath: data("v2/none.zarr"), toPath: path)
        let file = URL(fileURLWithPath: path + "/.zarray")
        let sound = try Data(contentsOf: file)
        for bytes in [[0xFF, 0x80, 0x7F, 0x80], [0xC0], [0xED, 0xA0, 0x80], [0xF0, 0x9F]] as [[UInt8]] {
            try (Data("{\"".utf8) + bytes + Data("\": \"".utf8) + bytes + Data("\",".utf8) + sound.dropFirst())
                .write(to: file)
            #expect(readWhole(path) == "no fault")
            try (Data("{".utf8) + bytes + sound.dropFirst()).write(to: file)
            #expect(readWhole(path) == "\(path)/.zarray: is damaged: expected a JSON object")
        }
        for deep in ["[", "{\"a\":", "{\"zarr_format\":["] {
            try Data(String(repeating: deep, count: 200_000).utf8).write(to: file)
            #expect(readWhole(path) == "\(path)/.zarray: is damaged: expected a JSON object")
        }
    }

    @Test(arguments: [
        #"{"\u0078\n\"\/": 1, "a": [], "b": {}, "c": [true, false, null, -0.5e+2, NaN, -Infinity],"#,
        #"{"\ud83d\ude00": "\ud83d", "é": {"must_understand": false},"#,
    ])
    func allOfJSONIsUnderstood(start: String) throws {
        let path = scratch.path("json.zarr")
        try FileManager.default.copyItem(atPath: data("v2/none.zarr"), toPath: path)
        let file = path + "/.zarray"
        let sound = try String(contentsOfFile: file, encoding: .utf8)
        try (start + sound.dropFirst()).write(toFile: file, atomically: true, encoding: .utf8)
        #expect(readWhole(path) == "no fault")
    }

    @Test(arguments: ["v2/blosc-lz4", "v2/blosc-zstd", "v2/gzip", "v3/sharded-nested"])
    func everyTruncationOfAChunkIsAFault(name: String) throws {
        let path = scratch.path("cut.zarr")
        try FileManager.default.copyItem(atPath: data(name + ".zarr"), toPath: path)
        let chunk = [path + "/0/0/0", path + "/0.0.0", path + "/c/0/0/0"].first {
            FileManager.default.fileExists(atPath: $0)
        }
        let file = URL(fileURLWithPath: try #require(chunk))
        let sound = try Data(contentsOf: file)
        for length in 0..<sound.count {
            try sound[..<length].write(to: file)
            let message = readWhole(path)
            #expect(message.hasPrefix(file.path + ": the chunk "), "\(length): \(message)")
        }
        try sound.write(to: file)
        #expect(readWhole(path) == "no fault")
    }
}
