import Foundation
import Pipeline
import TestSupport
import Testing

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
        #expect(found.map(\.zeroIsUnlabelled) == [true, true])
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

    // MARK: What is refused

    @Test(arguments: [
        ("nothing-here.tif", "there is no file or folder nothing-here.tif"),
        ("\"none*.tif\"", "no file matches none*.tif"),
        ("empty/", "the folder empty/ holds no volume"),
        ("a/v.tif\n  - b/v.tif", "a/v.tif and b/v.tif would both write to 'v'"),
        ("c/", "c/w.h5 and c/w.tif would both write to 'w'"),
        ("A/x.tif\n  - A/X.h5", "A/x.tif and A/X.h5 would both write to 'X'"),
        ("r/report.html.tif", "r/report.html.tif would write to 'report.html', which names something else"),
        ("{image: \"w/*-raw.tif\", truth: \"w/*-labels.tif\"}", "has no truth: there is no file w/x-labels.tif"),
        ("{image: w/x-raw.tif, truth: \"w/*-labels.tif\"}", "'*' for which the pattern of the image gives nothing"),
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
            "a/v.tif", "b/v.tif", "empty/readme.txt", "w/x-raw.tif", "c/w.tif", "c/w.h5", "A/x.tif", "A/X.h5",
            "r/report.html.tif", "m/images/q.tif", "m/masks/q.tif", "m/labels/q.tif", "n/imagesTs/c_0000.tif",
            "n/imagesTs/c_0002.tif",
        ]
        let fault = try #require(throws: PipelineFault.self) { try volumes("  - \(segment)", files: files) }
        #expect(fault.problem.contains(problem), "\(fault)")
    }

    @Test(arguments: [
        ("d/", "d/b.tif has no labels"),
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
        let files = ["d/a.tif", "d/a_masks.tif", "d/b.tif", "only-ts/imagesTs/a_0000.tif"]
        let fault = try #require(throws: PipelineFault.self) { try training("  - \(train)", files: files) }
        #expect(fault.problem.contains(problem), "\(fault)")
    }
}
