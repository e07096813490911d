import Foundation
import TestSupport
import Testing
import Volumes

/// TIFFs of several channels, times and samples a pixel, and of values that are not a voxel's as they are stored.
@Suite struct TIFFChannelTests {
    /// The sections of one channel at one time of `hyper` in `make.py`.
    private func plane(_ type: ElementType, channels: Int, channel: Int, time: Int = 0) -> VoxelBuffer {
        let first = (time * channels + channel) * 3
        let planes = TIFFFiles.pattern(type, shape: ZYX(first + 3, 9, 21))
        return cropped(planes, to: Box(origin: ZYX(first, 0, 0), shape: TIFFFiles.shape))
    }

    @Test(arguments: [
        "imagej-hyperstack", "imagej-hyperstack-one-directory", "ome-XYZCT", "ome-XYCZT", "ome-XYCTZ", "ome-XYTZC",
        "shaped-axes",
    ])
    func choosesChannelAndTime(name: String) throws {
        for channel in 0..<2 {
            for time in 0..<2 {
                let selection = VolumeSelection(channel: channel, time: time)
                let reader = try TIFFReader(path: TIFFFiles.path(name), selection)
                #expect(reader.info.shape == TIFFFiles.shape)
                #expect(reader.info.channels == 2 && reader.info.times == 2)
                let expected = plane(.uint16, channels: 2, channel: channel, time: time)
                for box in TIFFReaderTests.boxes { #expect(try reader.read(box) == cropped(expected, to: box)) }
            }
        }
    }

    @Test func zeissFilesHaveTheirChannelsInSamplesAndThumbnailsBetween() throws {
        for (channel, time) in [(0, 0), (2, 0), (1, 1)] {
            let reader = try TIFFReader(path: TIFFFiles.path("lsm"), VolumeSelection(channel: channel, time: time))
            #expect(reader.info.channels == 3 && reader.info.times == 2)
            #expect(reader.info.voxelSize.complete == VoxelSize(ZYX(0.04, 0.01, 0.008), .micrometer))
            let expected = plane(.uint16, channels: 3, channel: channel, time: time)
            for box in TIFFReaderTests.boxes { #expect(try reader.read(box) == cropped(expected, to: box)) }
        }
    }

    @Test func planesOfAMetaMorphStackFollowEachOther() throws {
        let reader = try TIFFReader(path: TIFFFiles.path("stk"))
        #expect(reader.info.shape == TIFFFiles.shape)
        #expect(try reader.read(Box(TIFFFiles.shape)) == TIFFFiles.pattern(.uint16))
    }

    @Test(arguments: [
        ("stk-no-distance", "is a MetaMorph stack of 3 planes without a distance between them"),
        ("lsm-other-channels", "is a Zeiss LSM file of 1 sections, 4 channels and 1 times with 3 samples a pixel"),
        ("lsm-line-scan", "is a Zeiss LSM file of a scan of kind 2, "),
        ("lsm-two-channels", "cannot be read as a TIFF: "),
    ])
    func otherFilesOfMicroscopesAreNamedWithTheWayToReadThem(name: String, problem: String) throws {
        let scratch = ScratchFolder()
        let path = scratch.path("a.lsm")
        try FileManager.default.copyItem(atPath: TIFFFiles.path(name), toPath: path)
        let fault = #expect(throws: FileFault.self) { try VolumeFile.open(path, VolumeSelection(channel: 0)) }
        let found = fault?.problem ?? ""
        #expect(found.hasPrefix(problem))
        #expect(found.hasSuffix("; turn it into OME-Zarr with: bioformats2raw '\(path)' '\(path).zarr'"))
    }

    @Test func pagesOfColoursWithoutAMeaningAreTold() throws {
        let note =
            "its 3 pages of 3 samples have no names and are taken as sections of 3 channels; where they are others, "
            + "write it anew as OME-TIFF or as an ImageJ hyperstack"
        let channel = VolumeSelection(channel: 0)
        #expect(try TIFFReader(path: TIFFFiles.path("rgb"), channel).info.notes == [note])
        #expect(try TIFFReader(path: TIFFFiles.path("ome-rgb"), channel).info.notes == [])
        #expect(
            throws: FileFault(TIFFFiles.path("rgb"), "has 3 channels; choose one, as in channel: 0 (\(note))")
        ) { try TIFFReader(path: TIFFFiles.path("rgb")) }
    }

    @Test func aTimeSeriesHasOneChannel() throws {
        let reader = try TIFFReader(path: TIFFFiles.path("imagej-times"), VolumeSelection(time: 1))
        #expect(try reader.read(Box(TIFFFiles.shape)) == plane(.uint8, channels: 1, channel: 0, time: 1))
        #expect(
            throws: FileFault(TIFFFiles.path("imagej-times"), "has no time 2; it has times 0 to 1")
        ) { try TIFFReader(path: TIFFFiles.path("imagej-times"), VolumeSelection(time: 2)) }
    }

    @Test(
        arguments: [
            ("rgb", .uint8, 3), ("rgb-planar", .uint8, 3), ("rgb-planar-deflate", .uint8, 3),
            ("rgba-tiles", .uint16, 4),
            ("rgb-webp", .uint8, 3), ("imagej-rgb", .uint8, 3), ("ome-rgb", .uint8, 3),
        ] as [(String, ElementType, Int)])
    func samplesAreChannels(name: String, type: ElementType, channels: Int) throws {
        for channel in 0..<channels {
            let reader = try TIFFReader(path: TIFFFiles.path(name), VolumeSelection(channel: channel))
            #expect(reader.info.channels == channels)
            let expected = plane(type, channels: channels, channel: channel)
            for box in TIFFReaderTests.boxes { #expect(try reader.read(box) == cropped(expected, to: box)) }
        }
    }

    @Test func readsAnOMETIFFInSeveralFiles() throws {
        for part in ["ome-part1", "ome-part2"] {
            for channel in 0..<2 {
                let reader = try TIFFReader(path: TIFFFiles.path(part), VolumeSelection(channel: channel))
                #expect(try reader.read(Box(TIFFFiles.shape)) == plane(.uint16, channels: 2, channel: channel))
            }
        }
    }

    @Test func namesTheMissingFileOfAnOMETIFF() throws {
        let scratch = ScratchFolder()
        let path = scratch.path("ome-part1.tif")
        try FileManager.default.copyItem(atPath: TIFFFiles.path("ome-part1"), toPath: path)
        #expect(throws: FileFault(path, "has section 2 in ome-part2.tif, which is not beside it")) {
            try TIFFReader(path: path, VolumeSelection(channel: 0))
        }
        let text = try Data(contentsOf: URL(fileURLWithPath: path))
        var elsewhere = text
        while let name = elsewhere.range(of: Data("ome-part2.tif".utf8)) {
            elsewhere.replaceSubrange(name, with: Data("../../etc/pas".utf8))
        }
        try elsewhere.write(to: URL(fileURLWithPath: path))
        #expect(
            throws: FileFault(path, "refers to the file \"../../etc/pas\", which is not a name in its own folder")
        ) { try TIFFReader(path: path, VolumeSelection(channel: 0)) }
    }

    @Test(
        arguments: [
            ("uint64-predictor-little", .uint64), ("uint64-predictor-big", .uint64), ("bit-order", .uint16),
            ("padded-strip", .uint16), ("lerc", .uint8), ("palette", .uint8), ("imagej-colours", .uint8),
            ("depth", .uint16), ("depth-shaped", .uint16), ("two-arrays", .uint16),
        ] as [(String, ElementType)])
    func readsValuesAsTheyAreStored(name: String, type: ElementType) throws {
        let reader = try TIFFReader(path: TIFFFiles.path(name))
        #expect(reader.info.shape == TIFFFiles.shape)
        let expected = TIFFFiles.pattern(type)
        for box in TIFFReaderTests.boxes { #expect(try reader.read(box) == cropped(expected, to: box)) }
    }

    @Test func pagesOfOtherArraysAreTold() throws {
        #expect(
            try TIFFReader(path: TIFFFiles.path("two-arrays")).info.notes == [
                "only the first of the arrays it holds is read; 2 of its 5 pages belong to others"
            ])
        #expect(try TIFFReader(path: TIFFFiles.path("depth-shaped")).info.notes == [])
    }

    @Test(arguments: ["bits", "bits-white", "bits-order"])
    func masksOfOneBitAreZerosAndOnes(name: String) throws {
        let reader = try TIFFReader(path: TIFFFiles.path(name))
        #expect(reader.info.elementType == .uint8)
        let expected = VoxelBuffer(TIFFFiles.pattern(.uint8).volume(of: UInt8.self).map { $0 > 127 ? UInt8(1) : 0 })
        for box in TIFFReaderTests.boxes { #expect(try reader.read(box) == cropped(expected, to: box)) }
    }

    @Test(arguments: ["half", "half-big", "half-predictor", "half-predictor-big"])
    func halvesBecomeSingles(name: String) throws {
        let reader = try TIFFReader(path: TIFFFiles.path(name))
        #expect(reader.info.elementType == .float32)
        let halves = TIFFFiles.pattern(.uint16).volume(of: UInt16.self)
        let expected = VoxelBuffer(halves.map { Float(Float16(bitPattern: $0 & 0xBFFF)) })
        for box in TIFFReaderTests.boxes { #expect(try reader.read(box) == cropped(expected, to: box)) }
    }

    @Test func decodesJPEG() throws {
        let shape = ZYX(3, 16, 16)
        let grey = try TIFFReader(path: TIFFFiles.path("jpeg")).read(Box(shape)).volume(of: UInt8.self)
        for z in 0..<3 { #expect(grey[z, 5, 7] == UInt8(20 + 20 * z)) }
        // Y 200, Cb 100, Cr 50 by JFIF's formula.
        for (channel, value) in [91, 255, 150].enumerated() {
            let reader = try TIFFReader(path: TIFFFiles.path("jpeg-rgb"), VolumeSelection(channel: channel))
            let colour = try reader.read(Box(shape)).volume(of: UInt8.self)
            #expect(colour.voxels.allSatisfy { Int($0) == value })
        }
    }
}
