import Volumes

/// What the objects of a block are the connected regions of.
public enum BlockContents: Sendable {
    /// Of voxels that are not 0.
    case mask(Volume<UInt8>)
    /// Of equal labels other than 0.
    case labels(Volume<UInt32>)
    /// Of the graph of these edges; those of a block's first planes lead to the blocks before.
    case edges(EdgeMasks)

    /// The regions of the block by itself.
    func components(
        connectivity: Connectivity, minimumVoxels: Int = 1, threads: Int = 1
    ) throws -> Components {
        switch self {
        case .mask(let mask):
            try connectedComponents(
                of: mask, connectivity: connectivity, minimumVoxels: minimumVoxels, threads: threads)
        case .labels(let labels):
            try connectedComponents(
                ofLabels: labels, connectivity: connectivity, minimumVoxels: minimumVoxels, threads: threads)
        case .edges(let edges):
            try connectedComponents(ofEdges: edges, minimumVoxels: minimumVoxels, threads: threads)
        }
    }

    var shape: ZYX<Int> {
        switch self {
        case .mask(let mask): mask.shape
        case .labels(let labels): labels.shape
        case .edges(let edges): edges.x.shape
        }
    }
}
