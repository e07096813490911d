import Inference
import Networks
import Tensors
import Volumes

/// The network of a pipeline before it is trained, with what memory and time are planned by.
struct PlannedNetwork {
    let configuration: NetworkConfiguration
    let graph: Graph
    /// The input that it is trained on.
    let patch: ZYX<Int>
    let voxelSize: VoxelSize
    let outputs: StoredOutputs
    /// What a prediction's tiles must know of it.
    let geometry: TileGeometry

    /// - Throws: what is wrong with the network, in one line.
    init(_ configuration: NetworkConfiguration, patch: ZYX<Int>, voxelSize: VoxelSize, _ file: PipelineFile) throws
    {
        self.configuration = configuration
        self.patch = patch
        self.voxelSize = voxelSize
        graph = try configuration.graph()
        try file.checkPrediction(with: graph)
        outputs = StoredOutputs(file.target, voxelSize: voxelSize, dimensions: configuration.dimensions)
        geometry = try TileGeometry(graph, patch: patch, averaging: file.prediction.averaging(outputs))
    }

    /// What tiles take while so many members predict them.
    func tileCost(members: Int, precision: Precision) -> TileCost {
        TileCost(graph, geometry, precision: precision, members: members, channels: outputs.channels.count)
    }
}

extension PredictionSettings {
    /// nil where voxels are looked at once.
    func averaging(_ outputs: StoredOutputs) -> PredictionAveraging? {
        self == PredictionSettings()
            ? nil
            : PredictionAveraging(
                neighbourAxes: outputs.channels.map(\.neighbourAxis), mirrors: mirror, turns: rotate,
                overlap: overlap)
    }
}

extension Plan {
    /// The network that the volumes to learn from ask for, or the model's.
    ///
    /// - Returns: nil where the first of those volumes cannot be opened, or its voxel size is not known, which ingest will say.
    /// - Throws: `PipelineFault` or `FileFault`, in one line, where the network does not suit it.
    func network() throws -> PlannedNetwork? {
        guard let patch = members.first?.patch else { return nil }
        guard let first = data.parts.first?.image.source else {
            return try file.model.map {
                try PlannedNetwork(
                    $0.description.network, patch: patch, voxelSize: resolution ?? $0.description.voxelSize, file)
            }
        }
        guard let resolution, let firstShape else { return nil }
        let configuration = try file.network(voxelSize: resolution)
        try file.check(configuration, against: firstShape, of: first.ingest.source.title)
        return try PlannedNetwork(configuration, patch: patch, voxelSize: resolution, file)
    }
}
