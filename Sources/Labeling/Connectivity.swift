/// Which voxels touch: the number of neighbours a voxel has, in its section or in three dimensions.
public enum Connectivity: Int, Codable, Sendable, CaseIterable {
    /// Voxels of one section that share a side; each section has objects of its own.
    case sides = 4
    /// Voxels of one section that share a side or a corner.
    case sidesAndCorners = 8
    /// Voxels that share a face.
    case faces = 6
    /// Voxels that share a face or an edge.
    case edges = 18
    /// Voxels that share a face, an edge or a corner.
    case corners = 26

    /// Whether no object reaches from one section into another.
    public var isWithinSections: Bool { self == .sides || self == .sidesAndCorners }
}
