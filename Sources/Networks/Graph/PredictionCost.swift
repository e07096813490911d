/// What a ``FoldedNetwork`` takes to predict a part of its output.
public struct PredictionCost: Sendable {
    private let graph: Graph
    private let canBeCropped: Bool

    /// - Parameter network: as it is before it is folded.
    public init(of network: Graph) {
        graph = network.folded().graph
        canBeCropped = graph.canBeCropped
    }

    /// Spatial axes of the network.
    public var dimensions: Int { graph.dimensions }

    /// Multiplications with an addition, and numbers alive at the worst moment.
    ///
    /// - Parameters:
    ///   - extents: of the input.
    ///   - kept: what is wanted of the output, along each axis.
    /// - Throws: ``MisfittingExtents``.
    public func callAsFunction(
        of extents: [Int], keeping kept: [Range<Int>]
    ) throws -> (multiplyAdds: Int, liveNumbers: Int) {
        let whole = try graph.extents(of: extents)
        let cropping = canBeCropped ? Cropping(graph, extents: extents, keeping: kept) : nil
        let computed = cropping?.computed.map { $0.map(\.count) } ?? whole
        return (graph.multiplyAdds(computing: computed), Int(mostAlive(computed, cropping)))
    }

    /// By the extents of every node's result, of which each is let go after its last reader.
    private func mostAlive(_ computed: [[Int]], _ cropping: Cropping?) -> Double {
        func numbers(_ node: Int, _ extents: [Int]) -> Double {
            Double(([graph.nodes[node].channels] + extents).saturatedProduct)
        }
        var sizes = graph.nodes.indices.map { numbers($0, computed[$0]) }
        var isBegun = graph.nodes.map { _ in false }
        var (live, worst) = (0.0, 0.0)
        let inPlace = graph.nodesInPlace
        var left = graph.readers
        for index in graph.nodes.indices {
            // In place, an activation takes no room of its own.
            if !inPlace[index], !isBegun[index] { live += sizes[index] }
            worst = max(worst, live)
            for input in graph.nodes[index].inputs {
                left[input] -= 1
                if left[input] == 0, !inPlace[index] { live -= sizes[input] }
            }
            for early in cropping?.early[index] ?? [] {
                let rest: Double
                if let target = early.concatenation {
                    rest = 0
                    if !isBegun[target] { live += sizes[target] }
                    isBegun[target] = true
                } else {
                    rest = numbers(early.node, early.box.map(\.count))
                    live += rest
                }
                worst = max(worst, live)
                live -= sizes[early.node]
                sizes[early.node] = rest
            }
        }
        return worst
    }
}
