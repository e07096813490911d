import Foundation
import TestSupport
import Testing
import Volumes

private func data(_ name: String) -> String { Bundle.module.bundlePath + "/Data/HDF5/" + name }

/// What `make_layouts.py` writes: 20 z + 5 y + x + 60 c + 120 t, every `step`th voxel along y and x.
private func expected(channel: Int = 0, time: Int = 0, step: Int = 1, planes: Int = 3) -> Volume<Int64> {
    let shape = ZYX(planes, (4 + step - 1) / step, (5 + step - 1) / step)
    var volume = Volume<Int64>(shape: shape)
    for z in 0..<shape.z {
        for y in 0..<shape.y {
            for x in 0..<shape.x {
                volume[z, y, x] = Int64(20 * z + 5 * y * step + x * step + 60 * channel + 120 * time)
            }
        }
    }
    return volume
}

private func voxels(_ reader: any VolumeReader) throws -> Volume<Int64> {
    try reader.read(Box(reader.info.shape)).converted(to: Int64.self)
}

private func fault(_ location: String, _ selection: VolumeSelection = VolumeSelection()) -> String {
    do {
        let reader = try VolumeFile.open(data(location), selection)
        _ = try reader.read(Box(reader.info.shape))
        return "no error"
    } catch {
        #expect(error is FileFault)
        #expect(!"\(error)".contains("\n"))
        return "\(error)"
    }
}

@Suite struct HDF5Axis {
    @Test(
        arguments: ["whole", "chunked"],
        ["zyx", "xyz", "yzx", "czyx", "zyxc", "tczyx", "tzyxc", "cxyzt", "yx", "xy"])
    func axisTagsSayWhatAxesMean(storage: String, keys: String) throws {
        let channel = keys.contains("c") ? 1 : 0
        let time = keys.contains("t") ? 1 : 0
        let selection = VolumeSelection(channel: channel, time: time)
        let reader = try VolumeFile.open(data("axes.h5:\(storage)/\(keys)"), selection)
        let whole = expected(channel: channel, time: time, planes: keys.contains("z") ? 3 : 1)
        #expect(reader.info.channels == channel + 1 && reader.info.times == time + 1)
        #expect(try voxels(reader) == whole)
        let part = Box(from: ZYX(whole.shape.z - 1, 1, 1), to: ZYX(whole.shape.z, 3, 4))
        #expect(try reader.read(part).converted(to: Int64.self) == whole.cropped(to: part))
    }

    @Test(arguments: ["czyx", "zyxc", "tczyx", "tzyxc"])
    func withoutTagsTheShorterEndCountsChannels(keys: String) throws {
        let time = keys.contains("t") ? 1 : 0
        let reader = try VolumeFile.open(data("axes.h5:guess/\(keys)"), VolumeSelection(channel: 1, time: time))
        #expect(try voxels(reader) == expected(channel: 1, time: time))
    }

    @Test func axesThatAreGuessedAreTold() throws {
        let note = try VolumeFile.open(data("axes.h5:guess/tczyx"), VolumeSelection(channel: 1, time: 0)).info.notes
            .first
        #expect(
            note?.hasPrefix("its axes have no names and are taken as t 2 × c 2 × z 3 × y 4 × x 5; where") == true)
        #expect(
            fault("axes.h5:guess/zyxc").contains(
                "choose one, as in channel: 0 (its axes have no names and are taken as z"))
        for named in ["chunked/tczyx", "labelled"] {
            let selection = VolumeSelection(channel: 0, time: 0)
            #expect(try VolumeFile.open(data("axes.h5:" + named), selection).info.notes == [])
        }
    }

    @Test func axesThatCannotBeToldAreRefused() {
        #expect(fault("axes.h5:guess/unclear").contains("c 20 × z 3 × y 4 × x 20; expected z, y, x"))
        #expect(fault("axes.h5:guess/colours").contains("c 2 × z 3 × y 4 × x 3; expected z, y, x"))
        #expect(fault("axes.h5:odd/tags").contains("c 2 × x 3 × q 4; expected z, y, x"))
        #expect(fault("axes.h5:guess/czyx", VolumeSelection(channel: 2)).contains("has no channel 2"))
    }

    @Test func dimensionLabelsSayWhatAxesMean() throws {
        #expect(try voxels(VolumeFile.open(data("axes.h5:labelled"))) == expected())
    }

    @Test func axisTagsSayTheVoxelSize() throws {
        let reader = try VolumeFile.open(data("axes.h5:sized"))
        #expect(reader.info.voxelSize.complete == VoxelSize(ZYX(40, 8, 4), .nanometer))
    }
}

@Suite struct HDF5Roles {
    @Test(arguments: [
        ("roles.h5", VolumeRole.image, "/raw"), ("roles.h5", .labels, "/label"),
        ("cremi.h5", .image, "/volumes/raw"), ("cremi.h5", .labels, "/volumes/labels/neuron_ids"),
        ("raw-only.h5", .image, "/raw"), ("one.h5", .image, "/volumes/raw"),
    ])
    func theUsualNamesAreKnown(file: String, role: VolumeRole, dataset: String) throws {
        let reader = try VolumeFile.open(data(file), VolumeSelection(role: role))
        #expect(reader.info.source == data(file) + ":" + dataset)
    }

    /// An image of two channels and its mask: whoever does not say what is looked for might want either.
    @Test(arguments: [VolumeSelection(channel: 1), VolumeSelection(channel: 1, role: .image)])
    func channelsCountBesideWhatGoesWithThem(selection: VolumeSelection) throws {
        let problem = fault("raw-channels.h5")
        #expect(problem.contains("has 2 datasets with the axes z, y, x; name one"), "\(problem)")
        let image = try VolumeFile.open(data("raw-channels.h5"), selection)
        #expect(image.info.source == data("raw-channels.h5") + ":/raw")
    }

    @Test func anImageIsNeverTakenForLabels() {
        let message = fault("raw-only.h5", VolumeSelection(role: .labels))
        #expect(message.contains("has no labels by name; name one, of /raw (z 3 × y 4 × x 5 uint8)"), "\(message)")
        let several = fault("roles.h5")
        #expect(
            several.hasSuffix(
                "has 3 datasets with the axes z, y, x; name one, as in roles.h5:/label; it has "
                    + "/label (z 3 × y 4 × x 5 uint64), /raw (z 3 × y 4 × x 5 uint8), "
                    + "/weights (z 3 × y 4 × x 5 float32)"), "\(several)")
    }

    @Test func theOffsetOfLabelsIsTheirPosition() throws {
        let labels = try VolumeFile.open(data("cremi.h5"), VolumeSelection(role: .labels))
        #expect(labels.info.position == ZYX(80, 16, 20))
        #expect(labels.info.elementType == .uint64)
        #expect(try VolumeFile.open(data("cremi.h5:volumes/raw")).info.position == nil)
    }
}

@Suite struct HDF5Storage {
    @Test(arguments: [
        ("twelve", ElementType.uint16, 1), ("three", .int32, -1), ("bits", .uint8, 1),
    ])
    func typesOfUnusualWidthAreConverted(dataset: String, type: ElementType, sign: Int64) throws {
        let reader = try VolumeFile.open(data("odd-types.h5:\(dataset)"))
        #expect(reader.info.elementType == type)
        #expect(try voxels(reader) == expected().map { $0 * sign })
    }

    @Test(arguments: [
        ("lzf.h5:raw", "lzf"), ("plugins.h5:zstd", "zstd"), ("plugins.h5:szip", "szip"),
    ])
    func filtersAreUndone(location: String, compression: String) throws {
        let reader = try VolumeFile.open(data(location))
        #expect(reader.info.compression == compression)
        #expect(try voxels(reader) == expected())
    }

    @Test func filtersCombine() throws {
        let reader = try VolumeFile.open(data("plugins.h5:lzf"))
        let volume = try voxels(reader)
        #expect(reader.info.compression == "shuffle + lzf")
        #expect(volume.voxels == (0..<240).map { Int64($0 / 4) })
        let zeros = try voxels(VolumeFile.open(data("plugins.h5:lzf-fletcher32")))
        #expect(zeros == Volume(shape: ZYX(3, 4, 80)))
    }

    /// Bytes of the file, inverted one after the other.
    @Test(arguments: ["zstd", "lzf", "lzf-fletcher32"])
    func damagedChunksAreFaults(dataset: String) throws {
        let folder = ScratchFolder()
        let sound = try Data(contentsOf: URL(fileURLWithPath: data("plugins.h5")))
        let path = folder.path("damaged.h5")
        var faults = 0
        for offset in stride(from: 2048, to: sound.count, by: 97) {
            var bytes = sound
            bytes[offset] ^= 0xFF
            try bytes.write(to: URL(fileURLWithPath: path))
            do {
                let reader = try HDF5Reader(path: path, dataset: dataset)
                _ = try reader.read(Box(reader.info.shape.zip(ZYX(3, 4, 80), min)))
            } catch {
                #expect(error is FileFault)
                faults += 1
            }
        }
        #expect(faults > 0)
    }
}

extension HDF5Storage {
    /// libhdf5 1.10's H5Dread_chunk would copy that much into room for the chunk's 24 bytes.
    @Test func chunksWithoutFiltersThatClaimToBeLargerAreHarmless() throws {
        let folder = ScratchFolder()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: data("filters.h5")))
        // A key of the B-tree: size, filter mask, and the first chunk's place along four axes.
        let key = Data([24, 0, 0, 0] + [UInt8](repeating: 0, count: 36))
        var start = bytes.startIndex
        while let found = bytes.range(of: key, in: start..<bytes.endIndex) {
            bytes[found.lowerBound + 1] = 0x40
            start = found.upperBound
        }
        #expect(start > 0)
        let path = folder.path("large.h5")
        try bytes.write(to: URL(fileURLWithPath: path))
        for _ in 0..<20 {
            let reader = try HDF5Reader(path: path, dataset: "chunked")
            #expect(try voxels(reader) == expected())
        }
    }
}

@Suite struct HDF5Links {
    @Test(arguments: ["inside", "up", "own/group/soft", "external", "virtual"])
    func otherFilesOfTheFolderAreRead(dataset: String) throws {
        #expect(try voxels(VolumeFile.open(data("links.h5:\(dataset)"))) == expected())
    }

    @Test(arguments: [
        ("outside", "needs the file ../../HDF5Tests.swift, which is missing"),
        ("absolute", "needs the file /etc/passwd, which is outside its folder"),
        ("missing", "needs the file gone.h5, which is missing; expected it beside this one"),
        ("a", "links that lead in a circle"), ("relative/soft", "has no dataset /relative/soft"),
        ("external-outside", "needs the file /etc/hostname, which is outside its folder"),
        ("virtual-missing", "needs the file gone.h5, which is missing"),
        ("virtual-outside", "needs the file /etc/passwd, which is outside its folder"),
        ("virtual-external", "values in files that are not HDF5"),
    ])
    func filesOutsideTheFolderAreNotOpened(dataset: String, words: String) {
        let message = fault("links.h5:\(dataset)")
        #expect(message.contains(words), "\(message)")
    }

    @Test func filesOutsideTheFolderAreReadWhereThatIsAllowed() throws {
        let scratch = ScratchFolder()
        try FileManager.default.createDirectory(atPath: scratch.path("HDF5"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: data("links.h5"), toPath: scratch.path("HDF5/links.h5"))
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path("HDF5/one.h5"), withDestinationPath: data("one.h5"))
        for dataset in ["inside", "up", "virtual"] {
            let location = scratch.path("HDF5/links.h5:" + dataset)
            #expect(throws: FileFault.self) { try VolumeFile.open(location) }
            let reader = try VolumeFile.open(location, VolumeSelection(allowsExternalLinks: true))
            #expect(try voxels(reader) == expected())
        }
    }

    @Test func groupsThatLieInEachOtherAreRefused() {
        #expect(fault("circle.h5").contains("its groups lie in each other without end"))
    }

    @Test func aSymbolicLinkOutOfTheFolderIsNotFollowed() throws {
        let folder = ScratchFolder()
        try FileManager.default.copyItem(atPath: data("links.h5"), toPath: folder.path("links.h5"))
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("one.h5"), withDestinationPath: data("one.h5"))
        for dataset in ["inside", "virtual"] {
            #expect(throws: FileFault.self) { try VolumeFile.open(folder.path("links.h5:") + dataset) }
        }
    }
}

@Suite struct HDF5Microscopes {
    @Test(arguments: [0, 1], [0, 1])
    func imarisIsReadWithoutItsPadding(channel: Int, time: Int) throws {
        let reader = try VolumeFile.open(data("small.ims"), VolumeSelection(channel: channel, time: time))
        #expect(reader.info.format == "Imaris")
        #expect(reader.info.channels == 2 && reader.info.times == 2)
        #expect(try voxels(reader) == expected(channel: channel, time: time))
        let size = try #require(reader.info.voxelSize.complete)
        #expect(size.agrees(with: VoxelSize(ZYX(0.4, 0.8, 0.5), .micrometer), tolerance: 1e-9))
        let position = try #require(reader.info.position)
        #expect(position.zip(ZYX(-800, 20_400, 10_250)) { abs($0 - $1) < 1e-6 } == ZYX(repeating: true))
    }

    @Test func imarisHasLevels() throws {
        let level = "small.ims:/DataSet/ResolutionLevel 1"
        let reader = try VolumeFile.open(data(level), VolumeSelection(channel: 1, time: 0))
        #expect(try voxels(reader) == expected(channel: 1, step: 2))
        let named = try VolumeFile.open(data(level + "/TimePoint 1/Channel 0/Data"))
        #expect(try voxels(named) == expected(time: 1, step: 2))
        #expect(
            named.info.voxelSize.complete?.agrees(with: VoxelSize(ZYX(0.4, 1.6, 2.5 / 3), .micrometer)) == true)
        #expect(fault("small.ims", VolumeSelection(channel: 0)).contains("has 2 times; choose one"))
    }

    @Test func bigDataViewerKeepsUnsignedValuesAndItsSizesInXML() throws {
        let reader = try VolumeFile.open(data("viewer.h5"), VolumeSelection(channel: 1, time: 1))
        #expect(reader.info.elementType == .uint16)
        #expect(try voxels(reader) == expected(channel: 1, time: 1).map { $0 * 200 })
        #expect(reader.info.voxelSize.complete == VoxelSize(ZYX(3, 0.8, 0.4), .micrometer))
        for location in ["viewer.h5:1", "viewer.h5:t00001/s00/1/cells"] {
            let level = try VolumeFile.open(data(location), VolumeSelection(channel: 0, time: 1))
            #expect(try voxels(level) == expected(time: 1, step: 2).map { $0 * 200 })
            #expect(level.info.voxelSize.complete == VoxelSize(ZYX(2, 1.6, 0.8), .micrometer))
        }
    }
}

@Suite struct VendorFiles {
    @Test(arguments: [
        ("a.czi", [UInt8]("ZISRAWFILE".utf8), "Zeiss CZI"),
        ("b.lif", [0x70, 0, 0, 0, 9, 9, 0, 0, 0x2A], "Leica LIF"),
        ("c.nd2", [0xDA, 0xCE, 0xBE, 0x0A], "Nikon ND2"), ("d.ND2", [0, 0, 0, 12], "Nikon ND2"),
        ("e.oib", [0xD0, 0xCF, 0x11, 0xE0], "Olympus OIB"), ("f.oif", [0xFF, 0xFE], "Olympus OIF"),
        ("g's.vsi", [0x49, 0x49, 42, 0], "Olympus VSI"),
    ])
    func aVendorsFileIsNamedWithTheWayToReadIt(name: String, bytes: [UInt8], format: String) throws {
        let folder = ScratchFolder()
        let path = folder.path(name)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let quoted = "'" + path.replacing("'", with: "'\\''")
        #expect(
            throws: FileFault(
                path,
                "is \(format.hasPrefix("O") ? "an" : "a") \(format) file, which is not read; turn it into OME-Zarr with: "
                    + "bioformats2raw \(quoted)' \(quoted).zarr'")
        ) { try VolumeFile.open(path) }
    }
}
