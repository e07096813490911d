/// What a network costs and sees, in numbers.
public struct NetworkSummary: Codable, Equatable, Sendable {
    public var name: String
    public var dimensions: Int
    public var purpose: Architecture.Purpose
    /// Numbers that training changes.
    public var parameters: Int
    /// Multiplications with an addition for one input of extents ``input``.
    public var multiplyAdds: Int
    public var input: [Int]
    /// Input voxels, along each axis, that an output voxel may depend on; of a classifier, a voxel of its last features.
    public var receptiveField: [Int]
    /// The smallest extents that it can be applied to; others are multiples of ``stride`` more.
    public var smallestTile: [Int]
    public var stride: [Int]

    /// - Parameter input: extents to count multiplications for; nil for those that are usual for the architecture, or
    ///   the next larger ones that the network can take.
    /// - Throws: ``NetworkConfigurationError``, or ``MisfittingExtents`` for an input that the network cannot take.
    public init(_ configuration: NetworkConfiguration, input: [Int]? = nil) throws {
        let architecture = try Architecture.named(configuration.architecture)
        let graph = try configuration.graph()
        name = configuration.architecture
        dimensions = configuration.dimensions
        purpose = architecture.purpose
        parameters = graph.parameterCount()
        receptiveField = try graph.receptiveField()
        smallestTile = try graph.smallestInput()
        stride = graph.totalStride
        let usual = architecture.usualInput(dimensions: configuration.dimensions)
        let fitting = zip(usual, zip(smallestTile, stride)).map { wanted, fit in
            fit.0 + max(0, (wanted - fit.0 + fit.1 - 1) / fit.1) * fit.1
        }
        self.input = input ?? ((try? graph.extents(of: usual)) == nil ? fitting : usual)
        multiplyAdds = try graph.multiplyAdds(of: self.input)
    }

    enum CodingKeys: String, CodingKey {
        case name, dimensions, purpose, parameters, input, stride
        case multiplyAdds = "multiply_adds"
        case receptiveField = "receptive_field"
        case smallestTile = "smallest_tile"
    }
}

/// A row of a network's table of layers.
public struct LayerDescription: Codable, Equatable, Sendable {
    public var index: Int
    /// Of its parameters in files; empty where it has none.
    public var name: String
    public var operation: String
    /// The layers it reads, by index.
    public var inputs: [Int]
    public var channels: Int
    /// Empty after global pooling.
    public var extents: [Int]
    public var parameters: Int
    public var multiplyAdds: Int

    enum CodingKeys: String, CodingKey {
        case index, name, operation, inputs, channels, extents, parameters
        case multiplyAdds = "multiply_adds"
    }
}

extension Graph {
    /// Every layer, in the order they run, for an input of these extents.
    public func layerTable(of input: [Int]) throws -> [LayerDescription] {
        let extents = try extents(of: input)
        return nodes.indices.map { index in
            let node = nodes[index]
            return LayerDescription(
                index: index, name: node.name, operation: node.operation.description, inputs: node.inputs,
                channels: node.channels, extents: extents[index], parameters: parameterCount(of: index),
                multiplyAdds: multiplyAdds(of: index, extents))
        }
    }
}
