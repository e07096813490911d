import Foundation
import Volumes

/// What an annotated volume holds, as far as it decides how it is learnt from.
public struct DataFacts: Codable, Equatable, Sendable {
    /// Of the image, in voxels.
    public var shape: ZYX<Int>
    /// Of the box of the image that has labels, in voxels.
    public var labelledShape: ZYX<Int>
    public var voxelSize: VoxelSize
    /// Ids other than 0, where the annotation counts.
    public var objects: Int
    /// The ids, ascending, where there are no more than ``mostClasses``.
    public var ids: [UInt64]
    /// Connected pieces of one id (faces), of ``smallestPiece`` voxels or more.
    public var pieces: Int
    /// The median of the voxels of an object; of a piece where the labels are no instances.
    public var medianVoxels: Int
    /// The share of 0 in the sections that have labels.
    public var zeros: Double
    /// The share of the objects' voxels that share a face with another object.
    public var touching: Double
    /// How far the mean intensity within objects is from that between them (0, or where they touch), in standard
    /// deviations of the image.
    public var contrast: Double
    /// Sections of z that have labels.
    public var labelledSections: Int
    /// Sections in the longest run of such.
    public var thickness: Int
    public var hasMask: Bool
    /// Whether 0 is said to mean "not annotated".
    public var zeroIsUnlabelled: Bool
    /// Whether a file states another voxel size than was given.
    public var isSizeContradicted: Bool
    /// Why most of the image may look alike to a network, in words; nil for no reason.
    public var imageDoubt: String?

    /// More ids are objects.
    static let mostClasses = 32
    /// What is smaller is noise.
    static let smallestPiece = 8

    public init(
        shape: ZYX<Int>, labelledShape: ZYX<Int>? = nil, voxelSize: VoxelSize, objects: Int, ids: [UInt64] = [],
        pieces: Int, medianVoxels: Int, zeros: Double, touching: Double, contrast: Double = 1,
        labelledSections: Int? = nil, thickness: Int? = nil, hasMask: Bool = false, zeroIsUnlabelled: Bool = false,
        isSizeContradicted: Bool = false
    ) {
        self.shape = shape
        self.labelledShape = labelledShape ?? shape
        self.voxelSize = voxelSize
        self.objects = objects
        self.ids = ids
        self.pieces = pieces
        self.medianVoxels = medianVoxels
        self.zeros = zeros
        self.touching = touching
        self.contrast = contrast
        self.labelledSections = labelledSections ?? self.labelledShape.z
        self.thickness = thickness ?? self.labelledSections
        self.hasMask = hasMask
        self.zeroIsUnlabelled = zeroIsUnlabelled
        self.isSizeContradicted = isSizeContradicted
    }

    /// What labels stand for.
    public enum Kind: Equatable, Sendable {
        /// Objects that fill the volume.
        case dense
        /// Objects apart from one another, or touching here and there.
        case blobs
        /// Objects of one number.
        case mask
        /// Each number many objects of a kind.
        case classes
    }

    public var kind: Kind {
        if objects == 1 { return .mask }
        if !ids.isEmpty, pieces >= 3 * objects * (isAnnotatedInSections ? labelledSections : 1) { return .classes }
        if zeroIsUnlabelled || zeros < 0.3 || (zeros < 0.5 && touching > 0.05) { return .dense }
        return .blobs
    }

    /// Whether single sections are annotated, with others between them that are not.
    public var isAnnotatedInSections: Bool { sections.areSingle }

    /// Whether sections without labels are not annotated, rather than empty: where single ones are annotated, and where
    /// objects fill all others, so that these say nothing of what is outside.
    public var isAnnotatedInPart: Bool { isAnnotatedInSections || (kind == .dense && sections.areFilledInPart) }

    /// What is taken for not annotated: sections without labels are no background where `isAnnotatedInPart`.
    public var unlabelled: Unlabelled {
        if zeroIsUnlabelled { return .zero }
        if hasMask || !isAnnotatedInPart { return .none }
        return sections.areFilledInPart ? .zero : .sections
    }

    private var sections: LabelledSections {
        LabelledSections(count: labelledSections, thickness: thickness, depth: labelledShape.z, zeros: zeros)
    }

    /// The diameter of the sphere of an object's median volume, in nanometres.
    public var diameter: Double {
        let volume = Double(medianVoxels) * voxelSize.nanometers.array.reduce(1, *)
        return cbrt(6 * volume / .pi)
    }

    /// How much longer a voxel is along z than along the shorter of y and x.
    public var anisotropy: Double {
        voxelSize.nanometers.z / min(voxelSize.nanometers.y, voxelSize.nanometers.x)
    }
}
