import Foundation
import Labeling
import Networks
import Tensors
import Training
import Volumes

/// A pipeline file, read and checked: what people write, with every default filled in.
public struct PipelineFile: Sendable {
    /// The file, as it was named on the command line.
    public var path: String
    /// The folder that relative paths start from.
    public var folder: String
    public var name: String
    public var voxelSize: VoxelSizeSetting?
    /// What members come from, or where there is something to learn from, start from.
    public var model: ModelFile?
    /// The voxel size that the networks work at; nil: that of the images to learn from, or of the model.
    public var resolution: VoxelSize?
    public var train: [TrainingEntry]
    public var target: Target
    public var network: NetworkSettings
    public var training: TrainingConfiguration
    public var ensemble: EnsembleSettings
    public var prediction: PredictionSettings
    public var consensus: ConsensusSettings
    public var label: LabelSettings
    public var segment: [VolumeEntry]
    public var export: ExportSettings
    public var evaluation: EvaluationSettings
    public var execution: ExecutionSettings
    /// What people should know of the folders that were searched, in one sentence each: sections that were joined to a
    /// volume, files that are not read.
    public var notes: [String] = []
    /// The line of every key that the file gives, by dotted name.
    var lines: [String: Int]

    /// Whether members are trained; otherwise those of the model predict.
    public var learns: Bool { !train.isEmpty }

    /// Where results go: `results/NAME` beside the file.
    public var resultsFolder: String { "\(folder)/results/\(name)" }
    /// Where stages are cached unless the command line says otherwise: `work/NAME` beside the file.
    public var workFolder: String { "\(folder)/work/\(name)" }

    /// The network for voxels of this size, with an output for each channel of the target.
    ///
    /// - Throws: `PipelineFault` where the target lacks affinities that objects are made of or regions merged by.
    func network(voxelSize: VoxelSize) throws -> NetworkConfiguration {
        try checkNeighbours(voxelSize)
        return try network.configuration(voxelSize: voxelSize, target: target)
    }

    /// The resolution that the networks work at: the file's, that of a model that only predicts, or that of the images to
    /// learn from.
    ///
    /// - Parameter size: of those images; nil where it is not known.
    func workingResolution(learningFrom size: VoxelSize?) -> WorkingResolution? {
        (resolution ?? (learns ? size : model?.description.voxelSize)).map {
            WorkingResolution(size: $0, dimensions: network.configuration.dimensions)
        }
    }

    /// `larva.yaml:21` for a key that the file gives.
    func place(of name: String) -> String? {
        lines[name].map { "\((path as NSString).lastPathComponent):\($0)" }
    }
}

/// A voxel size stated in the pipeline file.
public struct VoxelSizeSetting: Codable, Equatable, Sendable {
    public var size: VoxelSize
    /// Whether it replaces what a file says; without it a contradiction is an error.
    public var replaces: Bool
}

/// How members predict.
public struct PredictionSettings: Codable, Equatable, Sendable {
    /// Whether logits are means over all mirrorings of the image, which takes 8 times as long (4 in 2D).
    public var mirror = false
    /// Whether logits are means over quarters of a turn within sections, which takes 4 times as long, with `mirror` twice as
    /// long as that alone.
    public var rotate = false
    /// The part of a window, of the training patch's shape, that the next shares with it; logits are blended. nil for tiles
    /// that compute each voxel once.
    public var overlap: Double?

    public init() {}

    /// Models of earlier versions know but the first.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        mirror = try values.decodeIfPresent(Bool.self, forKey: .mirror) ?? false
        rotate = try values.decodeIfPresent(Bool.self, forKey: .rotate) ?? false
        overlap = try values.decodeIfPresent(Double.self, forKey: .overlap)
    }

    /// The parts of a window that the next may share with it.
    static let overlaps = 0...0.875
}

/// What volumes with truth are scored by, beside the scores themselves.
public struct EvaluationSettings: Codable, Equatable, Sendable {
    /// Whether each member, their mean and their agreement are scored at every threshold.
    public var thresholds = false
}

/// What of a volume's labels is not annotated.
public enum Unlabelled: String, Codable, Sendable {
    /// Nothing: 0 is outside of every object.
    case none
    case zero = "0"
    /// Sections without a label; in the others 0 is outside of every object.
    case sections
}

/// One annotated volume.
public struct TrainingEntry: Sendable {
    /// One an input of the network, all of one shape.
    public var images: [SourceLocation]
    public var labels: SourceLocation
    /// Nonzero where the annotation counts.
    public var mask: SourceLocation?
    public var unlabelled: Unlabelled
    /// The voxel of the image that the first one of the labels lies on, where the file says it.
    public var place: ZYX<Int>?
    var line: Int?

    /// The first input, by which people know the volume.
    public var image: SourceLocation { images[0] }
}

/// One volume to segment.
public struct VolumeEntry: Sendable {
    /// Its results' folder below the pipeline's, for example `plate1/volume-a`.
    public var name: String
    /// One an input of the network, all of one shape.
    public var images: [SourceLocation]
    /// Labels to score the result against.
    public var truth: SourceLocation?
    /// Further volumes whose values are measured at the objects.
    public var measured: [SourceLocation] = []
    /// A mask: objects with a voxel in it are dropped.
    public var exclusion: SourceLocation?
    /// Outside of it, in voxels of the files, nothing is predicted and there are no objects; nil for everywhere.
    public var roi: CropRange?
    /// Whether every time point of the files is a volume of its own; how many there are only the files say.
    public var isEveryTime = false
    public var line: Int?

    /// The first input, which pictures show and by which people know the volume.
    public var image: SourceLocation { images[0] }

    /// Changes the place of each of its files.
    mutating func changeSources(_ change: (inout SourceLocation) throws -> Void) rethrows {
        for index in images.indices { try change(&images[index]) }
        for index in measured.indices { try change(&measured[index]) }
        if var source = truth {
            try change(&source)
            truth = source
        }
        if var source = exclusion {
            try change(&source)
            exclusion = source
        }
    }
}

public struct EnsembleSettings: Codable, Equatable, Sendable {
    public var members = 5
    /// The fraction of the annotation that no member sees; 0 for none.
    public var calibration = 1.0 / 6
    /// The axis that the annotation is cut across, 0 for z; nil: each volume's longest.
    public var across: Int?
}

public struct ConsensusSettings: Equatable, Sendable {
    public var agree = AgreementRule.all
    /// nil: chosen on the calibration block.
    public var threshold: Threshold?
}

public struct LabelSettings: Codable, Equatable, Sendable {
    public var connectivity = Connectivity.faces
    public var minimumVoxels = 100
    /// nil: objects are the components.
    public var regrow: Regrowth?
    /// nil: grown regions are not merged.
    public var merge: Merging?
    /// nil: objects are left as they are made.
    public var finish: Finish?

    /// What is done to objects once they are made, on the grid of the volume's file.
    public struct Finish: Codable, Equatable, Sendable {
        /// Whether what one object encloses becomes part of it.
        public var fillHoles = false
        /// The radius within which a voxel takes the label that most have; in nanometres, nil for none.
        public var smoothing: Double?
        /// Smaller objects are dropped; in µm³.
        public var minimumVolume: Double?
        /// Whether objects that touch the border of the volume are dropped.
        public var dropsBorder = false

        public init() {}
    }

    /// Components grow back into the voxels that the consensus dropped.
    public struct Regrowth: Codable, Equatable, Sendable {
        /// At most this far, in nanometres; nil: `usualReach` times the shortest side of a voxel.
        public var within: Double?
        /// Components of fewer voxels do not grow.
        public var seeds = 30
        /// Only where the consensus reaches this, or with `votes` so many members do; nil for everywhere.
        public var above: Threshold?
        /// Only where so many members reach `above`, or the threshold of the consensus; nil for everywhere.
        public var votes: Int?

        /// What the consensus must reach; nil for anything.
        var floor: Threshold? { votes == nil ? above : nil }
        /// What counts as a vote for growth; nil for what does for the consensus.
        var voteThreshold: Threshold? { votes == nil ? nil : above }

        /// In voxels.
        static let usualReach = 16.0

        /// How far, in nanometres.
        func reach(_ voxelSize: VoxelSize) -> Double {
            within ?? Self.usualReach * (voxelSize.nanometers.array.min() ?? 1)
        }
    }

    /// Neighbouring regions become one while the mean affinity over their face exceeds a probability.
    public struct Merging: Codable, Equatable, Sendable {
        /// nil: chosen on the calibration block, together with the threshold.
        public var above: Double?

        public init(above: Double?) { self.above = above }

        enum CodingKeys: CodingKey { case above }

        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            above = try? values.decode(Double.self, forKey: .above)
        }

        /// `auto` is written out, for a key tells it from no merging.
        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            if let above {
                try values.encode(above, forKey: .above)
            } else {
                try values.encode("auto", forKey: .above)
            }
        }
    }

    /// Whether the calibration has something of it to choose.
    var isCalibrated: Bool { merge.map { $0.above == nil } ?? false }

    /// What a threshold is chosen with: as objects are made.
    var making: LabelSettings {
        var settings = self
        settings.finish = nil
        return settings
    }

    /// With what a calibration chose; nil for no merging.
    func merging(above chosen: Double?) -> LabelSettings {
        guard isCalibrated else { return self }
        var settings = self
        settings.merge = chosen.map { Merging(above: $0) }
        return settings
    }
}

public struct ExportSettings: Codable, Equatable, Sendable {
    public enum Format: String, Codable, CaseIterable, Sendable {
        case tiff, hdf5
        case omeZarr = "ome-zarr"
    }

    public var formats: [Format] = [.tiff, .hdf5]
}

public struct ExecutionSettings: Equatable, Sendable {
    public enum Arithmetic: String, Codable, CaseIterable, Sendable {
        case auto, f32, bf16, f16
    }

    public var device = Device.Choice.auto
    public var precision = Arithmetic.auto
    /// nil: as many as there are processors.
    public var threads: Int?
    /// Members that are trained side by side; nil: one a GPU, on the processor one.
    public var membersAtOnce: Int?
    /// Bytes; nil: half of what is free.
    public var memory: Int?
    /// Whether HDF5 files may name others outside their folders.
    public var externalLinks = false
}
