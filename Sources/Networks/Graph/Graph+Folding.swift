extension Graph {
    /// A graph rewritten for prediction: what each of its nodes was made of.
    public struct Folded: Sendable {
        public let graph: Graph
        /// By node of the new graph.
        let origins: [Origin]

        struct Origin: Sendable {
            /// In the graph that was folded.
            let node: Int
            /// The batch normalization that a convolution took up.
            var normalization: Int?
        }
    }

    /// The graph of the output that counts alone, in which a convolution takes up the normalization by stored
    /// statistics and the activation that alone read it.
    public func folded() -> Folded {
        let needed = nodes(neededFor: [outputs[0]])
        let soleReader = soleReaders(among: needed)
        var folded: [Node] = []
        var origins: [Folded.Origin] = []
        var places: [Int: Int] = [:]
        for index in needed where places[index] == nil {
            let node = nodes[index]
            var operation = node.operation
            var origin = Folded.Origin(node: index)
            places[index] = folded.count
            if case .convolution(var convolution) = operation {
                var last = index
                if let next = soleReader[last], case .normalization(let normalization, _) = nodes[next].operation,
                    normalization.hasStoredStatistics
                {
                    origin.normalization = next
                    convolution.hasBias = true
                    last = next
                    places[last] = folded.count
                }
                if let next = soleReader[last], case .activation(let activation) = nodes[next].operation {
                    convolution.activation = activation
                    places[next] = folded.count
                }
                operation = .convolution(convolution)
            }
            folded.append(
                Node(
                    name: node.name, operation: operation, inputs: node.inputs.map { places[$0]! },
                    channels: node.channels))
            origins.append(origin)
        }
        var graph = self
        graph.nodes = folded
        graph.outputs = [places[outputs[0]]!]
        return Folded(graph: graph, origins: origins)
    }

    /// Whether prediction goes by stored statistics alone, so that no voxel sees its tile.
    public var hasStoredStatistics: Bool {
        nodes.allSatisfy {
            if case .normalization(let normalization, _) = $0.operation {
                normalization.hasStoredStatistics
            } else {
                true
            }
        }
    }

    /// The input and whatever some nodes depend on, in order.
    func nodes(neededFor outputs: [Int]) -> [Int] {
        var needed = Set(outputs).union([0])
        for index in nodes.indices.reversed() where needed.contains(index) { needed.formUnion(nodes[index].inputs) }
        return needed.sorted()
    }

    /// The node that alone reads a node's result, which is no output itself.
    private func soleReaders(among needed: [Int]) -> [Int?] {
        var readers: [[Int]] = nodes.map { _ in [] }
        for index in needed { for input in nodes[index].inputs { readers[input].append(index) } }
        readers[outputs[0]] = []
        return readers.map { $0.count == 1 ? $0[0] : nil }
    }
}
