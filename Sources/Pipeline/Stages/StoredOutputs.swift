import Labeling
import Training
import Volumes

/// The channels of a network's output that are kept of a volume: what objects are made of, and the affinities of
/// nearest neighbours that regions are merged by. The rest has done its part in training.
struct StoredOutputs: Equatable {
    /// Their places in the network's output.
    let places: [Int]
    let channels: [OutputChannel]
    /// The first channels, that objects are made of.
    let head: [OutputChannel]

    init(_ target: Target, voxelSize: VoxelSize, dimensions: Int) {
        let heads = target.channels(voxelSize: voxelSize, dimensions: dimensions)
        let all = heads.flatMap { $0 }
        let head = heads[0].filter { !$0.isAffinity || $0.neighbourAxis != nil }
        let others = heads.dropFirst().flatMap { $0 }.filter { $0.neighbourAxis != nil }
        self.head = head
        channels = head + others
        places = channels.map { all.firstIndex(of: $0) ?? 0 }
    }

    /// Where the affinities of nearest neighbours are kept, along z, y and x.
    var neighbours: ZYX<Int?> {
        func place(_ axis: Int) -> Int? { channels.firstIndex { $0.neighbourAxis == axis } }
        return ZYX(place(0), place(1), place(2))
    }
}
