import Foundation
import Pipeline
import TestSupport
import Testing
import Volumes

/// Which files `train:` and `segment:` mean, and which belong together.
struct VolumeNamesTests {
    private let folder = ScratchFolder()

    private func read(train: String = "  - {image: raw.tif, labels: l.tif}", segment: String, files: [String])
        throws
        -> PipelineFile
    {
        for file in files + ["raw.tif"] { try folder.write(file, "") }
        return try PipelineFile(
            reading: folder.write("larva.yaml", "train:\n\(train)\nsegment:\n\(segment)\n"))
    }

    private func volumes(_ segment: String, files: [String]) throws -> [VolumeEntry] {
        try read(segment: segment, files: files).segment
    }

    private func training(_ train: String, files: [String], segment: String = "raw.tif") throws -> [TrainingEntry] {
        try read(train: train, segment: "  - \(segment)", files: files).train
    }

    /// `name: image + image | truth`
    private func text(_ entry: VolumeEntry) -> String {
        "\(entry.name): " + entry.images.map(\.subject).joined(separator: " + ")
            + (entry.truth.map { " | \($0.subject)" } ?? "")
    }

    private func text(_ entry: TrainingEntry) -> String {
        entry.images.map(\.subject).joined(separator: " + ") + " | \(entry.labels.subject)"
    }

    // MARK: Folders and patterns

    @Test func aFolderIsReadWholeAndMirrored() throws {
        let found = try volumes(
            "  - plates/",
            files: [
                "plates/b/v10.tif", "plates/b/v9.h5", "plates/a.ome.tif", "plates/notes.txt", "plates/c.NII.GZ",
                "plates/d.zarr/0/zarr.json", "plates/d.zarr/thumbnail.tif", "plates/.hidden.tif",
            ])
        #expect(
            found.map(text) == [
                "a: plates/a.ome.tif", "b/v9: plates/b/v9.h5", "b/v10: plates/b/v10.tif", "c: plates/c.NII.GZ",
                "d: plates/d.zarr",
            ])
        #expect(found[1].image.path == folder.path + "/plates/b/v9.h5")
    }

    @Test func ownResultsAreNoVolumes() throws {
        let found = try volumes("  - ./", files: ["v/a.tif", "results/larva/a/labels.tif", "work/larva/x.h5"])
        #expect(found.map(\.name) == ["raw", "v/a"])
    }

    @Test func aPatternMirrorsTheFoldersThatItsStarsStandFor() throws {
        let files = ["v/fish1/raw.tif", "v/fish2/raw.tif", "v/x1.tif", "v/x2.tif", "v/x3.tif"]
        #expect(try volumes("  - v/*/raw.tif", files: files).map(\.name) == ["fish1/raw", "fish2/raw"])
        #expect(try volumes("  - \"v/x[13].tif\"", files: files).map(\.name) == ["x1", "x3"])
        #expect(try volumes("  - \"v/x[!13].tif\"", files: files).map(\.name) == ["x2"])
        #expect(try volumes("  - \"r*.tif\"", files: files).map(text) == ["raw: raw.tif"])
        #expect(try volumes("  - \(folder.path)/v/*2.tif", files: files).map(text) == ["x2: v/x2.tif"])
    }

    @Test func imagesPairWithTheirTruthByWhatTheStarStandsFor() throws {
        let found = try volumes(
            "  - {image: \"v/*-raw.tif\", truth: \"v/*-labels.h5:/labels\"}",
            files: ["v/one-raw.tif", "v/one-labels.h5", "v/two-raw.tif", "v/two-labels.h5"])
        #expect(
            found.map(text) == [
                "one-raw: v/one-raw.tif | v/one-labels.h5:/labels",
                "two-raw: v/two-raw.tif | v/two-labels.h5:/labels",
            ])
    }

    /// Paths above the pipeline file, and folders with characters that patterns use.
    @Test func patternsReachBesideThePipelineFile() throws {
        for name in ["v [1]/a-raw.tif", "v [1]/a-seg.tif", "v [1]/sub/larva.yaml"] { try folder.write(name, "") }
        let file = try PipelineFile(
            reading: folder.write(
                "v [1]/sub/larva.yaml",
                "train: {image: \"../*-raw.tif\", labels: \"../*-seg.tif\"}\nsegment: ../a-raw.tif\n"))
        #expect(file.train.map(\.image.path) == [folder.path + "/v [1]/a-raw.tif"])
        #expect(file.train.map(\.labels.path) == [folder.path + "/v [1]/a-seg.tif"])
    }

    @Test func trainingPairsByPatternToo() throws {
        let found = try training(
            "  - {image: \"v/*-raw.tif\", labels: \"v/*-labels.h5:/labels\", mask: \"v/*-mask.tif\", unlabelled: 0}",
            files: [
                "v/a-raw.tif", "v/a-labels.h5", "v/a-mask.tif", "v/b-raw.tif", "v/b-labels.h5", "v/b-mask.tif",
            ])
        #expect(
            found.map(text) == [
                "v/a-raw.tif | v/a-labels.h5:/labels", "v/b-raw.tif | v/b-labels.h5:/labels",
            ])
        #expect(found.map(\.mask?.title) == ["v/a-mask.tif", "v/b-mask.tif"])
        #expect(found.map(\.unlabelled) == [.zero, .zero])
    }

    // MARK: Sections, and files that are not read

    private func writeTIFF(_ name: String, sections: Int) throws {
        try folder.write(name, "")
        let volume = Volume<UInt8>(shape: ZYX(sections, 4, 4))
        let writer = try TIFFWriter(
            path: folder.path + "/" + name, flavor: .imageJ, shape: volume.shape, elementType: .uint8,
            voxelSize: nil)
        try writer.write(VoxelBuffer(volume), atZ: 0)
        try writer.finish()
    }

    @Test func aFolderOfNumberedSectionsIsOneVolume() throws {
        for number in [8, 9, 10] { try writeTIFF("v/em.1/z\(number).tif", sections: 1) }
        for number in 1...2 { try writeTIFF("v/whole/w\(number).tif", sections: 3) }
        let files = [
            "v/p/s_01.png", "v/p/s_02.png", "v/p/readme.txt", "v/odd/s_01.png", "v/odd/other.png", "v/x.h5",
        ]
        let file = try read(segment: "  - v", files: files)
        #expect(
            file.segment.map(text) == [
                "em.1: v/em.1", "odd/other: v/odd/other.png", "odd/s_01: v/odd/s_01.png", "p: v/p",
                "whole/w1: v/whole/w1.tif", "whole/w2: v/whole/w2.tif", "x: v/x.h5",
            ])
        #expect(
            file.notes == [
                "v/em.1: 3 numbered sections are read as one volume",
                "v/p: 2 numbered sections are read as one volume",
                "1 file of .txt is not read: no format of volumes known here (v/p/readme.txt)",
            ])
        #expect(try volumes("  - v/p/", files: []).map(text) == ["p: v/p"])
        #expect(
            try volumes("  - v/[op]*/*.png", files: []).map(\.name) == [
                "odd/other", "odd/s_01", "p/s_01", "p/s_02",
            ])
        #expect(try volumes("  - v/whole/*.tif", files: []).map(\.name) == ["w1", "w2"])
    }

    @Test func aPatternOfNumberedSectionsIsOneVolume() throws {
        for number in [8, 9, 10] { try writeTIFF("v/em.1/z\(number).tif", sections: 1) }
        let files = ["v/p/s_01.png", "v/p/s_02.png", "v/p/s_03.jpg", "t/1.png", "t/2.png", "t/3.png"]
        let file = try read(
            train: "  - {image: [\"v/em.1/z*.tif\", v/p], labels: \"t/*.png\", mask: m.h5}",
            segment:
                "  - {image: [\"v/p/*.png\", v/em.1]}\n  - {image: [\"v/em.1/*\", \"t/?.png\"], truth: \"t/[1-3].png\"}",
            files: files
        )
        #expect(file.train.map(text) == ["v/em.1 + v/p | t/*.png"])
        #expect(file.train.map(\.mask?.title) == ["m.h5"])
        #expect(file.segment.map(text) == ["p: v/p + v/em.1", "em.1: v/em.1 + t/?.png | t/[1-3].png"])
        #expect(
            file.notes == [
                "v/em.1: 3 numbered sections are read as one volume",
                "v/p: 2 numbered sections are read as one volume",
            ])
    }

    /// A part of a folder's sections; the folder's name is no pattern.
    @Test func aPatternOfSomeSectionsStaysOne() throws {
        let folder = ScratchFolder()
        for name in ["raw.tif", "a [1]/1.png", "a [1]/2.png", "a [1]/3.png"] { try folder.write(name, "") }
        let path = folder.path + "/a [1]"
        let file = try PipelineFile(
            reading: folder.write(
                "a [1]/p.yaml",
                "train: {image: \"[12].png\", labels: ../raw.tif}\nsegment: \"../a [[]1]/[23].png\"\n"))
        #expect(file.train[0].image.path == path.replacingOccurrences(of: "[", with: "\\[") + "/[12].png")
        #expect(file.train[0].image.title == "[12].png")
        #expect(file.segment.map(\.name) == ["a [1]"])
        #expect(throws: PipelineFault.self) {
            try PipelineFile(
                reading: folder.write(
                    "a [1]/q.yaml", "train: {image: ../raw.tif, labels: \"x*.tif\"}\nsegment: ../raw.tif\n"))
        }
    }

    @Test func sectionsPairWithThoseOfTheirLabels() throws {
        let files = [
            "d/images/1.png", "d/images/2.png", "d/masks/1.png", "d/masks/2.png", "s/a/1.png", "s/a/2.png",
        ]
        let found = try read(
            train: "  - d", segment: "  - d/images", files: files + ["s/a_masks/1.png", "s/a_masks/2.png"])
        #expect(found.train.map(text) == ["d/images | d/masks"])
        #expect(found.segment.map(text) == ["images: d/images | d/masks"])
        #expect(try volumes("  - s", files: []).map(text) == ["a: s/a | s/a_masks"])
    }

    /// A 2D network takes images one by one.
    @Test func numberedImagesAreVolumesOfTheirOwnInTwoDimensions() throws {
        for file in ["raw.tif", "v/1.png", "v/2.png"] { try folder.write(file, "") }
        let file = try PipelineFile(
            reading: folder.write(
                "larva.yaml",
                "train: {image: raw.tif, labels: l.tif}\nsegment: v\nnetwork: {dimensions: 2}\n"))
        #expect(file.segment.map(\.name) == ["1", "2"])
        #expect(file.notes == ["v: 2 numbered images are read as a volume each ({image: v} makes them one)"])
    }

    @Test func filesThatAreNotReadAreToldOnceAKind() throws {
        let files = [
            "v/a.tif", "v/1.czi", "v/sub/2.CZI", "v/x.lif", "v/n.n5/attributes.json", "v/t1.txt", "v/t2.txt",
            "v/t3.txt",
            "v/t4.txt", "v/README", "v/pair.hdr", "v/pair.img", "v/.hidden.txt", "v/plain/.zgroup",
        ]
        // Of a file that is named by itself nothing is said of those beside it.
        let file = try read(segment: "  - v\n  - w/b.tif", files: files + ["w/b.tif", "w/c.czi"])
        #expect(file.segment.map(\.name) == ["a", "n", "pair", "plain", "b"])
        #expect(
            file.notes == [
                "1 file without an ending is not read: no format of volumes known here (v/README)",
                "2 files of .czi are not read: Zeiss CZI, which bioformats2raw turns into OME-Zarr "
                    + "(bioformats2raw 'v/1.czi' 'v/1.zarr')",
                "1 file of .lif is not read: Leica LIF, which bioformats2raw turns into OME-Zarr "
                    + "(bioformats2raw 'v/x.lif' 'v/x.zarr')",
                "4 files of .txt are not read: no format of volumes known here (v/t1.txt, v/t2.txt, v/t3.txt, …)",
            ])
    }

    // MARK: Pairs that are found unasked

    struct Layout: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var files: [String]
        /// As the file below names it.
        var folder = "d"
        var pairs: [String]
        var names: [String]
    }

    static let layouts = [
        Layout(
            testDescription: "nnU-Net",
            files: [
                "d/imagesTr/a_0000.nii.gz", "d/imagesTr/b_0000.nii.gz", "d/labelsTr/a.nii.gz",
                "d/labelsTr/b.nii.gz",
                "d/dataset.json",
            ],
            pairs: [
                "d/imagesTr/a_0000.nii.gz | d/labelsTr/a.nii.gz", "d/imagesTr/b_0000.nii.gz | d/labelsTr/b.nii.gz",
            ], names: ["imagesTr/a", "imagesTr/b"]),
        Layout(
            testDescription: "nnU-Net, two channels, the folder of images named",
            files: [
                "d/imagesTr/a_0000.tif", "d/imagesTr/a_0001.tif", "d/imagesTr/a_b_0000.tif",
                "d/imagesTr/a_b_0001.tif", "d/labelsTr/a.tif", "d/labelsTr/a_b.tif",
            ], folder: "d/imagesTr",
            pairs: [
                "d/imagesTr/a_0000.tif + d/imagesTr/a_0001.tif | d/labelsTr/a.tif",
                "d/imagesTr/a_b_0000.tif + d/imagesTr/a_b_0001.tif | d/labelsTr/a_b.tif",
            ], names: ["a", "a_b"]),
        Layout(
            testDescription: "Cellpose",
            files: ["d/a.tif", "d/a_masks.tif", "d/sub/b_img.png", "d/sub/b_masks.png"],
            pairs: ["d/a.tif | d/a_masks.tif", "d/sub/b_img.png | d/sub/b_masks.png"], names: ["a", "sub/b_img"]),
        Layout(
            testDescription: "images beside masks",
            files: ["d/images/x/a.tif", "d/images/b.tif", "d/masks/x/a.h5", "d/masks/b.tif"],
            pairs: ["d/images/b.tif | d/masks/b.tif", "d/images/x/a.tif | d/masks/x/a.h5"],
            names: ["images/b", "images/x/a"]),
        Layout(
            testDescription: "images beside labels, with other names",
            files: ["d/e/images/a.tif", "d/e/Labels/a_labels.tif"], folder: "d/e/images",
            pairs: ["d/e/images/a.tif | d/e/Labels/a_labels.tif"], names: ["a"]),
    ]

    @Test(arguments: layouts)
    func pairsAreFoundUnasked(layout: Layout) throws {
        #expect(
            try training("  - \(layout.folder)/", files: layout.files, segment: layout.folder).map(text)
                == layout.pairs)
        #expect(
            try read(train: "  - \(layout.folder)/", segment: "  - \(layout.folder)/", files: []).segment.map(text)
                == zip(layout.names, layout.pairs).map { "\($0): \($1)" })
    }

    @Test func aSegmentedFolderNeedsNoTruth() throws {
        let found = try volumes("  - d/", files: ["d/a.tif", "d/b.tif", "d/b_masks.tif"])
        #expect(found.map(text) == ["a: d/a.tif", "b: d/b.tif | d/b_masks.tif"])
    }

    /// nnU-Net's test images are there to be segmented, not to be learnt from.
    @Test func imagesTsAreNotTrainedOn() throws {
        let files = ["d/imagesTr/a_0000.tif", "d/labelsTr/a.tif", "d/imagesTs/b_0000.tif"]
        let file = try read(train: "  - d", segment: "  - d/imagesTs", files: files)
        #expect(file.train.map(text) == ["d/imagesTr/a_0000.tif | d/labelsTr/a.tif"])
        #expect(file.segment.map(text) == ["b: d/imagesTs/b_0000.tif"])
    }

    @Test func labelsOfAnImageAloneAreFoundBesideIt() throws {
        let files = ["d/a.tif", "d/a_masks.h5", "d/b.tif"]
        #expect(try training("  - d/a.tif", files: files).map(text) == ["d/a.tif | d/a_masks.h5"])
    }

    // MARK: Channels and time

    @Test(arguments: [
        ("image: v/a.tif", "v/a.tif"),
        ("image: v/a.tif, channel: 2", "v/a.tif, channel 2"),
        ("image: v/a.tif, channels: [0, 2], time: 4", "v/a.tif, channel 0, time 4 + v/a.tif, channel 2, time 4"),
        ("image: [v/a.tif, v/b.tif]", "v/a.tif + v/b.tif"),
        ("image: [\"v/?.tif\", v/c.h5:/raw], channel: 1", "v/a.tif, channel 1 + v/c.h5:/raw, channel 1"),
    ])
    func inputsAreListed(entry: String, inputs: String) throws {
        let files = ["v/a.tif", "w/b.tif", "v/c.h5"]
        for file in files { try folder.write(file, "") }
        if entry.contains("v/b.tif") { try folder.write("v/b.tif", "") }
        let file = try read(
            train: "  - {\(entry), labels: l.tif}", segment: "  - {\(entry), truth: t.tif}", files: [])
        let time = entry.contains("time: 4") ? ", time 4" : ""
        #expect(file.train.map(text) == ["\(inputs) | l.tif\(time)"])
        #expect(file.segment.map(text) == ["a: \(inputs) | t.tif\(time)"])
        #expect(file.network.configuration.inputChannels == file.train[0].images.count)
    }

    @Test func everyTimePointIsAskedForByAll() throws {
        let found = try volumes("  - {image: a.tif, time: all}", files: ["a.tif"])
        #expect(found[0].isEveryTime && found[0].image.selection.time == nil)
    }

    @Test(arguments: [
        (["channel: 0", "channel: 2"], ["a/c0", "a/c2"]), (["time: 3", "time: 10"], ["a/t03", "a/t10"]),
        (["channel: 0, time: 1", "channel: 1, time: 1"], ["a/c0", "a/c1"]),
        (
            ["channel: 0, time: 0", "channel: 0, time: 1", "channel: 1, time: 1"],
            ["a/c0/t0", "a/c0/t1", "a/c1/t1"]
        ),
    ])
    func channelsAndTimesOfOneFileAreNamedApart(keys: [String], names: [String]) throws {
        let entries = keys.map { "  - {image: a.tif, \($0)}" }.joined(separator: "\n")
        #expect(try volumes(entries, files: ["a.tif"]).map(\.name) == names)
    }

    // MARK: What is refused

    @Test(arguments: [
        ("nothing-here.tif", "there is no file or folder nothing-here.tif"),
        ("\"none*.tif\"", "no file matches none*.tif"),
        ("empty/", "the folder empty/ holds no volume (tif, tiff,"),
        ("empty/", "1 file of .czi is not read: Zeiss CZI"),
        (
            "{image: raw.tif, channel: 1}\n  - {image: raw.tif, channel: 1}",
            "raw.tif, channel 1 would both write to 'raw'"
        ),
        ("a/v.tif\n  - b/v.tif", "a/v.tif and b/v.tif would both write to 'v'"),
        ("c/", "c/w.h5 and c/w.tif would both write to 'w'"),
        ("A/x.tif\n  - A/X.h5", "A/x.tif and A/X.h5 would both write to 'X'"),
        ("r/report.html.tif", "r/report.html.tif would write to 'report.html', which names something else"),
        ("{image: \"w/*-raw.tif\", truth: \"w/*-labels.tif\"}", "has no truth: there is no file w/x-labels.tif"),
        ("{image: w/x-raw.tif, truth: \"w/*-labels.tif\"}", "no file matches w/*-labels.tif"),
        ("m/", "m/images/q.tif has two files of labels"),
        ("{image: raw.tif, channel: -1}", "segment[0].channel must be at least 0, found -1"),
        ("{image: raw.tif, channels: [1, 1]}", "each once"),
        ("{image: raw.tif, channels: [0, 1]}", "raw.tif has 2 inputs, but raw.tif has 1 input"),
        ("{image: [raw.tif, raw.tif], channels: [0, 1]}", "lists both several images and several channels"),
        ("{image: raw.tif, channel: 0, channels: [1]}", "has both 'channel' and 'channels'"),
        ("{image: raw.tif, time: first}", "must be a number counted from 0, or all, found 'first'"),
        ("n/", "is channel 2, but channel 1 of it is not there"),
    ])
    func whatCannotBeSegmentedIsRefusedBeforeAnyWork(segment: String, problem: String) throws {
        let files = [
            "a/v.tif", "b/v.tif", "empty/cells.czi", "w/x-raw.tif", "c/w.tif", "c/w.h5", "A/x.tif", "A/X.h5",
            "r/report.html.tif", "m/images/q.tif", "m/masks/q.tif", "m/labels/q.tif", "n/imagesTs/c_0000.tif",
            "n/imagesTs/c_0002.tif",
        ]
        let fault = try #require(throws: PipelineFault.self) { try volumes("  - \(segment)", files: files) }
        #expect(fault.problem.contains(problem), "\(fault)")
    }

    @Test(arguments: [
        ("d/", "d/b.tif has no labels: there is no b_masks"),
        (
            "only/",
            "only/ holds no image with labels: found 4 volumes (only/a.tif, only/b.tif, only/c.tif, …), and looked for "
                + "NAME_masks beside NAME (also _cp_masks"
        ),
        ("{image: d/a.tif}", "lacks 'labels'"),
        (
            "{image: d/a.tif, labels: l.tif, time: all}",
            "train[0].time must be a number counted from 0, found 'all'"
        ),
        ("only-ts/", "only-ts/ holds no image with labels"),
        ("{image: \"d/*.tif\", labels: \"d/*_seg.tif\"}", "d/a.tif has no labels: there is no file d/a_seg.tif"),
        ("{image: [\"d/?.tif\", \"e/*.tif\"], labels: l.tif}", "'*' for which"),
    ])
    func whatCannotBeLearntFromIsRefused(train: String, problem: String) throws {
        let files =
            ["d/a.tif", "d/a_masks.tif", "d/b.tif", "only-ts/imagesTs/a_0000.tif"]
            + ["a", "b", "c", "d"].map { "only/\($0).tif" }
        let fault = try #require(throws: PipelineFault.self) { try training("  - \(train)", files: files) }
        #expect(fault.problem.contains(problem), "\(fault)")
    }
}
