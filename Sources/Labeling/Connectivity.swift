/// Which voxels touch: the number of neighbours a voxel has in three dimensions.
public enum Connectivity: Int, Codable, Sendable, CaseIterable {
    /// Voxels that share a face.
    case faces = 6
    /// Voxels that share a face or an edge.
    case edges = 18
    /// Voxels that share a face, an edge or a corner.
    case corners = 26
}
