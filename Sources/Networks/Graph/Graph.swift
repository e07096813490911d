/// A network as a description: operations in the order they run, each reading results of earlier ones.
///
/// A graph has no weights, so that its shapes, parameters, cost and receptive field can be told of a network of any
/// size at once; ``Network`` gives it weights and runs it.
public struct Graph: Equatable, Sendable {
    public struct Node: Equatable, Sendable {
        /// Of its parameters in files, such as `encoder.0.1.convolution`; of a sum, the block it ends. Empty for
        /// operations that nobody refers to.
        public let name: String
        public let operation: Graph.Operation
        /// Earlier nodes, by index.
        public let inputs: [Int]
        /// Of its result.
        public let channels: Int
    }

    /// Spatial axes: 2 or 3.
    public let dimensions: Int
    public internal(set) var nodes: [Node]
    /// The results, by node: first the one that counts, then those that only help training, from fine to coarse.
    public internal(set) var outputs: [Int]

    /// - Throws: ``NetworkConfigurationError`` where two nodes of one name have parameters.
    init(dimensions: Int, nodes: [Node], outputs: [Int]) throws {
        self.dimensions = dimensions
        self.nodes = nodes
        self.outputs = outputs
        let names = nodes.filter { $0.operation.hasParameters }.map(\.name)
        if let double = Dictionary(grouping: names, by: { $0 }).first(where: { $1.count > 1 || $0.isEmpty }) {
            throw NetworkConfigurationError(
                field: "architecture", found: "\(double.value.count) layers named '\(double.key)'",
                expected: "one of which every layer has a name of its own")
        }
    }

    /// How many nodes and outputs read each node's result.
    var readers: [Int] {
        var readers = nodes.map { _ in 0 }
        for node in nodes { for input in node.inputs { readers[input] += 1 } }
        for output in outputs { readers[output] += 1 }
        return readers
    }

    /// The ends of the residual blocks, in the order they run.
    public var residualBlocks: [Node] { nodes.filter { if case .residual = $0.operation { true } else { false } } }
}

extension Graph.Operation {
    var hasParameters: Bool {
        switch self {
        case .convolution, .transposedConvolution, .linear: true
        case .normalization: true
        default: false
        }
    }
}
