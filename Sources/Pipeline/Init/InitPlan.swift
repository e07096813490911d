import Foundation
import Labeling
import Networks
import Tensors
import Training
import Volumes

/// What a pipeline for an annotated volume is best begun with: a function of what the volume holds, with
/// nnU-Net's rules (Isensee et al. 2021) where measurements of this program say nothing else.
public struct InitPlan: Sendable {
    public var facts: DataFacts
    public var device: Device
    /// What the networks work at; nil for the images' own voxels.
    public var resolution: VoxelSize?
    public var unlabelled: Unlabelled
    public var target: Target
    public var network: NetworkSettings
    public var training: TrainingConfiguration
    public var label: LabelSettings
    public var ensemble: EnsembleSettings

    public var dimensions: Int { network.configuration.dimensions }
    /// Of the networks.
    public var voxelSize: VoxelSize { resolution ?? facts.voxelSize }

    /// Sections whose voxels are this many times longer hardly belong together.
    public static let sectionAnisotropy = 8.0

    /// The voxels of a training patch to begin with: what trains in minutes on a processor, and nnU-Net's of a GPU.
    public static func usualPatchVoxels(on device: Device) -> Int {
        device == .cpu ? 64 * 64 * 64 : 128 * 128 * 128
    }

    /// - Parameters:
    ///   - dimensions: of the network; nil for what suits the volume.
    ///   - patchVoxels: of a training patch, about.
    public init(_ facts: DataFacts, device: Device, dimensions: Int? = nil, patchVoxels: Int) throws {
        let kind = facts.kind
        self.facts = facts
        self.device = device
        let dimensions = dimensions ?? (Self.wantsSections(facts, patchVoxels) ? 2 : 3)
        unlabelled = facts.unlabelled
        target = Target(Self.heads(facts))
        resolution = Self.resolution(facts, dimensions: dimensions)
        let size = resolution ?? facts.voxelSize

        training = TrainingConfiguration()
        if kind == .dense {
            training.learningRate = 2e-3
            training.foregroundOversampling = 0
        }
        if facts.shape.z > 1, facts.anisotropy > Self.sectionAnisotropy {
            training.augmentation = Augmentation {
                $0.noiseLevel = 0.5
                $0.blur = true
                $0.lowResolution = true
                ($0.rotation, $0.scaling, $0.elastic) = (dimensions == 2, dimensions == 2, dimensions == 2)
            }
        }
        let shape = facts.labelledShape.zip(facts.voxelSize.nanometers.zip(size.nanometers, /)) {
            max(1, Int((Double($0) * $1).rounded()))
        }
        let seen = Array(shape.array.suffix(dimensions))
        let sides = Array(size.nanometers.array.suffix(dimensions))
        let inSection = dimensions == 3 ? patchVoxels : min(patchVoxels, Self.sectionVoxels)
        let extents = PatchShape.extents(ofVoxels: Double(inSection), sides: sides, in: seen)
        let schedule = AxisSchedule(
            sides: sides, patch: extents.map { Int($0.rounded()) },
            levels: (device == .cpu ? 4 : 5) + (dimensions == 2 ? 1 : 0))
        let patch = PatchShape.rounded(extents, toMultiplesOf: schedule.divisors, in: seen)
        // A processor learns more in many steps of single sections than in a quarter as many of four.
        let sections = device == .cpu ? 1 : max(1, min(shape.z, patchVoxels / patch.suffix(2).reduce(1, *)))
        training.patch = ZYX(dimensions == 3 ? patch[0] : sections, patch[dimensions - 2], patch[dimensions - 1])

        network = try NetworkSettings(architecture: "unet", dimensions: dimensions)
        network.configuration.levels = schedule.levels
        // As nnU-Net has; what a processor has time for is less.
        network.configuration.features = device == .cpu ? 16 : 32
        let usual = try network.configuration(voxelSize: size, target: target)
        if !schedule.isUniform || usual.kernels != schedule.kernels || usual.strides != schedule.strides {
            network.configuration.kernels = schedule.kernels
            network.configuration.strides = schedule.strides
        }
        label = Self.label(facts, size, dimensions: dimensions)
        ensemble = EnsembleSettings()
        // A leak that joins all of a section joins little of a strip of it, where thresholds would be chosen too low.
        if label.connectivity == .sides, facts.labelledSections >= 2 * ensemble.members { ensemble.across = 0 }
    }

    /// Voxels of a 2D patch along y and x, about.
    private static let sectionVoxels = 256 * 256

    private static func wantsSections(_ facts: DataFacts, _ patchVoxels: Int) -> Bool {
        facts.labelledShape.z <= 2 || facts.anisotropy > sectionAnisotropy
            || facts.isAnnotatedInSections && !isTaughtByTurns(facts, patchVoxels)
    }

    /// Whether patches of single sections, turned in all ways, say of every axis what they say of y and x: voxels are cubes, and
    /// so are patches.
    private static func isTaughtByTurns(_ facts: DataFacts, _ patchVoxels: Int) -> Bool {
        let sides = facts.voxelSize.nanometers.array
        // Sections that are resampled would be lost.
        return (sides.max() ?? 0) <= 1.001 * (sides.min() ?? 0) && resolution(facts, dimensions: 3) == nil
            && facts.labelledShape.array.allSatisfy { $0 * $0 * $0 >= patchVoxels }
    }

    private static func heads(_ facts: DataFacts) -> [Target.Head] {
        switch facts.kind {
        case .dense: [.boundary, .affinities(Target.usualDistances)]
        case .blobs, .mask: [.foreground]
        case .classes: [.classes(facts.ids.map(UInt32.init(clamping:)))]
        }
    }

    /// Objects longer than the network sees become as long as half of that; axes whose voxels are long already
    /// stay as they are (nnU-Net's low resolution). What fills a volume is told apart by its boundaries, which
    /// are as thin whatever the objects' size.
    private static func resolution(_ facts: DataFacts, dimensions: Int) -> VoxelSize? {
        guard facts.kind != .dense else { return nil }
        let sides = facts.voxelSize.nanometers.array.suffix(dimensions)
        let shortest = sides.min() ?? 1
        let factor = min(facts.diameter / shortest / Double(seenVoxels / 2), largestFactor).rounded(.down)
        guard facts.diameter / shortest > Double(seenVoxels), factor >= 2 else { return nil }
        var size = facts.voxelSize
        size.nanometers = size.nanometers.map { max($0, factor * shortest) }
        if dimensions == 2 { size.nanometers.z = facts.voxelSize.nanometers.z }
        return size
    }

    /// About what a U-Net of four levels sees around a voxel, and the length of a patch.
    private static let seenVoxels = 64
    /// Resampling goes no farther.
    private static let largestFactor = Resampling.largestFactor

    private static func label(_ facts: DataFacts, _ size: VoxelSize, dimensions: Int) -> LabelSettings {
        var label = LabelSettings()
        let shrinking = facts.voxelSize.nanometers.zip(size.nanometers, /).array.reduce(1, *)
        let tenth = Double(facts.medianVoxels) * shrinking / 10
        // Of what fills a volume, most objects are cut by its border, and of a mask many pieces are specks.
        let least = facts.kind == .dense || facts.kind == .mask ? LabelSettings().minimumVoxels : 8
        label.minimumVoxels = Int(min(1_000, max(Double(least), tenth)).rounded())
        if dimensions == 2, facts.shape.z > 1, facts.anisotropy > sectionAnisotropy { label.connectivity = .sides }
        if facts.kind == .blobs {
            // What all agree on tells objects apart; how far they reach most know better than the least sure one.
            label.regrow = LabelSettings.Regrowth(seeds: label.minimumVoxels)
            label.regrow?.votes = EnsembleSettings().members / 2 + 1
            label.regrow?.above = Threshold(probability: 0.5)
        }
        guard facts.kind == .dense else { return label }
        let shortest = size.nanometers.array.suffix(dimensions).min() ?? 1
        // What a boundary leaves of an object is in pieces, of which in 3D the larger are enough to find it.
        let seeds = dimensions == 3 ? Int(min(300, max(30, tenth)).rounded()) : 30
        label.regrow = LabelSettings.Regrowth(within: 10 * shortest, seeds: seeds)
        label.merge = LabelSettings.Merging(above: nil)
        return label
    }
}
