import Foundation
import Labeling
import Networks
import Pipeline
import TestSupport
import Testing
import Volumes

/// What people write in a pipeline file is read strictly.
struct PipelineFileTests {
    private let folder = ScratchFolder()

    private static let whole = """
        voxel_size: {z: 40 nm, y: 8 nm, x: 0.009 µm}
        train:
          - image: raw.tif
            labels: labels.h5:/volumes/labels
            mask: mask.tif
            unlabelled: 0
        network: {levels: 3, features: 8, normalization: {group: 4}, strides: [[1, 2, 2], [2, 2, 2]]}
        training: {steps: 1200, patch: [16, 64, 64], seed: 7, optimizer: sgd}
        ensemble: {members: 3, calibration: 1/4}
        consensus: {agree: 2, threshold: 0.98}
        label: {connectivity: 26, min_voxels: 50}
        segment:
          - raw.tif
        """

    private func read(_ text: String) throws -> PipelineFile {
        try folder.write("raw.tif", "")
        let path = try folder.write("larva.yaml", text)
        return try PipelineFile(reading: path)
    }

    @Test func everyKeyIsRead() throws {
        let file = try read(Self.whole)
        #expect(file.name == "larva")
        #expect(file.voxelSize?.size.nanometers == ZYX(40, 8, 9))
        #expect(file.train[0].image.path == folder.path + "/raw.tif")
        #expect(file.train[0].labels.dataset == "/volumes/labels")
        #expect(file.train[0].mask?.title == "mask.tif")
        #expect(file.train[0].unlabelled == .zero)
        #expect(file.network.configuration.levels == 3)
        #expect(file.network.configuration.strides == [[1, 2, 2], [2, 2, 2]])
        #expect(file.training.steps == 1200)
        #expect(file.training.patch == ZYX(16, 64, 64))
        #expect(file.training.optimizer == .sgd)
        #expect(file.ensemble.members == 3)
        #expect(file.ensemble.calibration == 0.25)
        #expect(file.consensus.agree == .atLeast(2))
        #expect(abs((file.consensus.threshold?.probability ?? 0) - 0.98) < 1e-12)
        #expect(file.label.connectivity == .corners)
        #expect(file.label.minimumVoxels == 50)
        #expect(file.segment.map(\.name) == ["raw"])
    }

    @Test func whatIsNotSaidHasItsDefault() throws {
        let file = try read("train: {image: raw.tif, labels: l.tif}\nsegment: raw.tif")
        #expect(file.ensemble.members == 5)
        #expect(file.consensus.agree == .all)
        #expect(file.consensus.threshold == nil)
        #expect(file.label.connectivity == .faces)
        #expect(file.export.formats == [.tiff, .hdf5])
        #expect(file.resultsFolder == folder.path + "/results/larva")
        #expect(file.workFolder == folder.path + "/work/larva")
    }

    /// As `model info` tells them.
    @Test(arguments: [
        ("connectivity: 6", "connectivity: 6, min_voxels: 100"),
        (
            "regrow: {within: 40 nm, votes: majority, above: {logit: 1.5}}, merge: {above: auto}, min_voxels: 7",
            "connectivity: 6, min_voxels: 7, regrow: {within: 40.0 nm, seeds: 30, votes: 3, above: {logit: 1.5}}, "
                + "merge: {above: auto}"
        ),
        (
            "border: drop, min_volume: 1000 nm³, fill_holes: true, smooth: 0.02 µm, connectivity: 4",
            "connectivity: 4, min_voxels: 100, smooth: 20.0 nm, fill_holes: true, min_volume: 1e-06 µm³, border: drop"
        ),
    ])
    func labelSettingsAreWrittenAsTheyAreRead(given: String, text: String) throws {
        func label(_ text: String) throws -> LabelSettings {
            try read(
                "train: {image: raw.tif, labels: l.tif}\nsegment: raw.tif\ntarget: [foreground, affinities]\n"
                    + "label: {\(text)}"
            ).label
        }
        let settings = try label(given)
        #expect(settings.text == text)
        #expect(try label(settings.text) == settings)
    }

    @Test func networkSettingsAreRead() throws {
        func expect(
            _ text: String, patch: String = "[32, 64, 64]", _ architecture: String = "unet", dimensions: Int = 3,
            _ change: (inout NetworkConfiguration) -> Void
        ) throws {
            let file = try read(
                "train: {image: raw.tif, labels: l.tif}\nsegment: raw.tif\nnetwork: {\(text)}\n"
                    + "training: {patch: \(patch)}")
            let expected = try NetworkConfiguration(architecture, dimensions: dimensions, change)
            #expect(file.network.configuration == expected)
        }
        try expect("architecture: residual-unet, order: linear-relu, residual_scale: 1/sqrt2", "residual-unet") {
            $0.order = .linearActivation
            $0.residualScale = 0.5.squareRoot()
        }
        try expect("architecture: residual-unet, order: conv-norm-relu, zero_last_norm: true", "residual-unet") {
            $0.order = .original
            $0.zeroLastNorm = true
        }
        try expect("normalization: {ghost: 2}") { $0.normalization = .ghost(virtualBatch: 2) }
        try expect("normalization: {group: 4}") { $0.normalization = .group(groups: 4) }
        try expect("normalization: layer") { $0.normalization = .layer }
        try expect("architecture: dense-unet, growth: 12, blocks: [2, 3, 4, 5]", "dense-unet") {
            $0.growth = 12
            $0.blocks = [2, 3, 4, 5]
        }
        try expect("padding: valid, dimensions: 2", patch: "[1, 92, 92]", dimensions: 2) { $0.padding = .valid }
        try expect("architecture: resnet-unet, encoder: resnet-50, initialization: glorot", "resnet-unet") {
            $0.encoder = "resnet-50"
            $0.initialization = .glorot
        }
        try expect("architecture: nnunet, deep_supervision: false, levels: 4", "nnunet") {
            $0.deepSupervision = false
            $0.levels = 4
        }
    }

    @Test(arguments: [
        ("network: {architecture: unat}", 1, "unknown architecture 'unat'; did you mean 'unet'?"),
        ("network: {architecture: resnet-50}", 1, "{architecture: resnet-unet, encoder: resnet-50}"),
        ("network: {architecture: plain-56}", 1, "to segment, write {architecture: residual-unet}"),
        ("network: residual-unet", 1, "network must be a mapping: {architecture: residual-unet}"),
        ("network: {normalization: {ghost: 4}}", 1, "{ghost: 4} is more than the samples of a step, 2"),
        ("network: {normalization: {group: 5}}", 1, "(encoder.0.0.normalization has 16), found {group: 5}"),
        (
            "network: {blocks: [1, 2]}", 1,
            "network.blocks must be a number, or one for each of 4 levels, found [1, 2]"
        ),
        (
            "network: {normalization: layer, statistics: running}", 1,
            "network.statistics is of batch and ghost batch norm, which predict with stored statistics; layer norm has none"
        ),
        ("network: {order: relu-linear}", 1, "network.order is of residual blocks, and network.block is plain"),
        (
            "network: {block: residual, growth: 4}", 1,
            "network.growth is of dense blocks, and network.block is residual"
        ),
        (
            "network: {architecture: nnunet}\ntraining: {patch: [32, 32, 32]}\nvoxel_size: {z: 1 nm, y: 1 nm, x: 1 nm}",
            2,
            "leaves a single value for encoder.5.0.normalization (instance norm) to normalize over"
        ),
        ("network: {statistics: averages}", 1, "network.statistics must be"),
        (
            "network: {architecture: unet, growth: 4}", 1,
            "network.growth is of dense blocks, and network.block is plain"
        ),
        ("network: {architecture: resnet-unet, encoder: resnet-51}", 1, "network.encoder must be one of resnet-18"),
        (
            "network:\n  architecture: bottleneck-unet\n  order: linear-relu", 3,
            "network.order must be norm-relu-conv"
        ),
        ("network: {normalization: {ghost: 0}}", 1, "network.normalization.ghost must be at least 1, found 0"),
        ("network: {normalization: bach}", 1, "{group: GROUPS}, found 'bach'; did you mean 'batch'?"),
        ("network: {kernels: [[3, 3, 3]]}", 1, "network.kernels must have one [z, y, x] a level, 4 in all"),
        ("network: {dimensions: 4}", 1, "network.dimensions must be 2 or 3, found '4'"),
        ("nework: {levels: 3}", 1, "unknown key 'nework'; did you mean 'network'?"),
        ("network: {level: 3}", 1, "unknown key 'level' in 'network'; did you mean 'levels'?"),
        ("training: {colour: red}", 1, "unknown key 'colour' in 'training'; known are steps"),
        ("name: x\ntraining:\n  batch: 2\n  steps: 0", 4, "training.steps must be at least 1, found 0"),
        ("training: {steps: many}", 1, "training.steps must be a whole number of at least 1, found 'many'"),
        ("training: {patch: [32, 32]}", 1, "training.patch must be three whole numbers [z, y, x]"),
        (
            "training: {patch: [30, 64, 64]}\nnetwork: {strides: [[2,2,2],[2,2,2],[1,2,2]]}", 1,
            "training.patch must be multiples of [4, 8, 8] along z, y and x for this network, found z 30 × y 64 × x 64"
        ),
        (
            "training: {averaging: 0.9}\nnetwork: {statistics: running, strides: [[2,2,2],[2,2,2],[2,2,2]]}", 1,
            "training.averaging must be none with running statistics"
        ),
        ("training: {optimizer: sgd, momentum: 1}", 1, "training.momentum must be"),
        ("ensemble: {members: 0}", 1, "ensemble.members must be at least 1, found 0"),
        ("ensemble: {calibration: 0}", 1, "consensus.threshold needs a value"),
        ("consensus: {agree: some}", 1, "consensus.agree must be all, majority, mean or a number of members"),
        ("consensus: {agree: 6}", 1, "consensus.agree must be from 1 to the 5 members, found 6"),
        ("consensus: {threshold: 1.5}", 1, "consensus.threshold must be from 0.0 to 1.0, found 1.5"),
        (
            "label: {connectivity: 5}", 1,
            "label.connectivity must be 4 or 8 (within sections), 6, 18 or 26, found '5'"
        ),
        ("voxel_size: {z: 40 nm, y: 8 nm}", 1, "voxel_size lacks x"),
        ("resolution: {z: 40 nm, y: 8 nm}", 1, "resolution lacks x"),
        ("resolution: {z: 40 nm, y: 8 nm, x: 8 nm, replace: true}", 1, "unknown key 'replace'"),
        ("resolution: fine", 1, "resolution must be"),
        ("voxel_size: {z: 40, y: 8 nm, x: 8 nm}", 1, "voxel_size.z must be a length above 0 with its unit"),
        ("voxel_size: {z: 40 pixel, y: 8 nm, x: 8 nm}", 1, "voxel_size.z must be a length above 0 with its unit"),
        ("name: a\nname: b", 1, "the key 'name' is given twice"),
        (
            "target: inside", 1,
            "target must be foreground, boundary, affinities, {affinities: [1, 4, 9]} or {classes: [1, 2]}, found 'inside'"
        ),
        ("predict: {overlap: 0.9}", 1, "predict.overlap must"),
        ("label: {smooth: 20}", 1, "label.smooth must be a length"),
        ("label: {regrow: {seeds: 3}}", 1, "label.regrow must be a distance"),
        ("label: {regrow: {votes: most}}", 1, "label.regrow.votes must be a whole number"),
        ("execution: {device: gpu}", 1, "execution.device must be auto, cpu, cuda, found 'gpu'"),
        ("export: {formats: [tiff, png]}", 1, "must be tiff, hdf5, ome-zarr, found 'png'"),
        ("name: [a", 2, "not valid YAML"),
        ("segment:\n  - a.tif\n    truth: b.tif\n", 3, "an item that is to have keys begins with one"),
        ("network:\n  levels: 3\n    features: 8\n", 3, "is the line indented farther than those beside it?"),
        ("voxel_size: [2, 1, 1]", 1, "must be a length for each axis, such as {z: 40 nm, y: 8 nm, x: 8 nm}"),
        ("train:\n\t- image: a.tif\n", 2, "lines are indented by spaces, not by tabs"),
        ("train:\n  - image: a.tif\n  labels: b.tif\n", 3, "the keys of an item stand below its first key"),
        ("train: {image: a.tif\nsegment: c\n", 2, "a bracket of a line before it may be left open"),
    ])
    func aFaultNamesItsLineAndWhatWasExpected(text: String, line: Int, problem: String) throws {
        let rest = "\ntrain: {image: raw.tif, labels: l.tif}\nsegment: raw.tif\n"
        let fault = try #require(throws: PipelineFault.self) { try read(text + rest) }
        #expect(fault.line == line, "\(fault)")
        #expect(fault.problem.contains(problem), "\(fault)")
        #expect(!fault.description.contains("\n"))
    }

    @Test(arguments: [
        ("train: {image: raw.tif, labels: l.tif}", "the key 'segment' is missing"),
        ("segment: raw.tif", "the key 'train' is missing"), ("", "the file is empty"),
    ])
    func trainAndSegmentAreNeeded(text: String, problem: String) throws {
        let fault = try #require(throws: PipelineFault.self) { try read(text) }
        #expect(fault.problem.contains(problem), "\(fault)")
    }

    /// What a model of an earlier version says of prediction is still read.
    @Test(arguments: [(#"{"mirror": true}"#, true), ("{}", false)])
    func settingsOfPredictionMayLackWhatIsNew(json: String, mirrors: Bool) throws {
        var expected = PredictionSettings()
        expected.mirror = mirrors
        #expect(try JSONDecoder().decode(PredictionSettings.self, from: Data(json.utf8)) == expected)
    }
}
