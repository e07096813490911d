import Networks
import Tensors

/// Where the paths of a graph can be told apart: at its outputs, at whatever a sum or a concatenation reads, and at the
/// place where they end.
struct Stations {
    /// A node's result that gradients come to next, and whether by the branch of a residual block.
    struct Step {
        let node: Int
        let isBranch: Bool
    }

    private let graph: Graph
    let place: Int
    let nodes: Set<Int>
    /// By node: from its result to the place, the number of paths by length.
    private var counts: [[Double]] = []

    init(_ graph: Graph, place: Int) {
        self.graph = graph
        self.place = place
        let read = graph.nodes.filter(\.operation.isJoin).flatMap(\.inputs)
        nodes = Set(read).union(graph.outputs).union([0, place])
        for index in graph.nodes.indices { counts.append(index == place ? [1] : sum(steps(from: index))) }
    }

    /// From the loss to the place, by length.
    var pathCounts: [Double] { sum(outputs) }

    /// The first steps back from the loss.
    var outputs: [Step] { Set(graph.outputs).sorted().map { Step(node: $0, isBranch: false) } }

    /// The steps back from a node's result. Apart from joins an operation has one input that gradients go to.
    func steps(from index: Int) -> [Step] {
        let node = graph.nodes[index]
        guard let first = node.inputs.first else { return [] }
        guard node.operation.isJoin else {
            return nodes.contains(first) ? [Step(node: first, isBranch: false)] : steps(from: first)
        }
        return Set(node.inputs).sorted().map {
            Step(node: $0, isBranch: node.operation.isResidual && $0 != first)
        }
    }

    /// How many paths a step starts that pass `length` branches, its own included.
    func count(_ step: Step, length: Int) -> Double {
        let left = step.isBranch ? length - 1 : length
        return counts[step.node].indices.contains(left) ? counts[step.node][left] : 0
    }

    private func sum(_ steps: [Step]) -> [Double] {
        let longest = steps.map { counts[$0.node].count + ($0.isBranch ? 1 : 0) }.max() ?? 0
        return (0..<longest).map { length in steps.reduce(0) { $0 + count($1, length: length) } }
    }
}

/// Which paths of a length are followed.
enum PathChoice {
    case every
    /// One of them, each as likely as any other.
    case random(CounterRandom)
}

/// Sends gradients back along single paths, through one forward pass that is cut at the ``Stations``.
final class PathTracer {
    private let stations: Stations
    /// By station: the result as it was computed, and its copy that the rest of the network reads.
    private var computed: [Int: Tensor] = [:]
    private var read: [Int: Tensor] = [:]
    /// Of the loss, by output.
    private var gradients: [Int: Tensor] = [:]

    init(
        _ network: Network, _ stations: Stations, input: Tensor, loss: ([Tensor]) throws -> Tensor
    ) throws {
        self.stations = stations
        let input = try input.asLeaf()
        read[0] = input
        let probe = Probe(output: { [self] index, _, result in
            guard stations.nodes.contains(index) else { return nil }
            computed[index] = result
            read[index] = try result.asLeaf()
            return read[index]
        })
        try loss(network.outputs(input, probe: probe)).backward()
        for output in stations.outputs { gradients[output.node] = try read[output.node]?.takeGradient() }
    }

    /// Follows paths through `length` branches; `arrive` is given the gradient at the end of each.
    func follow(length: Int, _ choice: PathChoice, arrive: (Tensor) throws -> Void) throws {
        try go(stations.outputs, { gradients[$0]! }, length: length, choice, turn: 0, arrive)
    }

    private func go(
        _ steps: [Stations.Step], _ gradient: (Int) -> Tensor, length: Int, _ choice: PathChoice, turn: UInt64,
        _ arrive: (Tensor) throws -> Void
    ) throws {
        for step in chosen(steps, length: length, choice, turn: turn) {
            let arrived = gradient(step.node)
            if step.node == stations.place {
                try arrive(arrived)
                continue
            }
            let next = stations.steps(from: step.node)
            try computed[step.node]!.backward(from: arrived, keeping: true)
            let gradients = try Dictionary(
                uniqueKeysWithValues: next.map { ($0.node, try read[$0.node]!.takeGradient()) })
            try go(
                next, { gradients[$0]! }, length: step.isBranch ? length - 1 : length, choice, turn: turn + 1,
                arrive)
        }
    }

    private func chosen(
        _ steps: [Stations.Step], length: Int, _ choice: PathChoice, turn: UInt64
    ) -> [Stations.Step] {
        let open = steps.filter { stations.count($0, length: length) > 0 }
        guard case .random(let random) = choice else { return open }
        let counts = open.map { stations.count($0, length: length) }
        var left = random.uniform(turn) * counts.reduce(0, +)
        for (step, count) in zip(open, counts) {
            if left < count { return [step] }
            left -= count
        }
        return Array(open.suffix(1))
    }
}

extension Graph.Operation {
    var isResidual: Bool { if case .residual = self { true } else { false } }

    /// Whether gradients go on to several inputs.
    fileprivate var isJoin: Bool {
        switch self {
        case .residual, .add, .concatenate: true
        default: false
        }
    }
}

extension Tensor {
    /// The same values as a variable of their own.
    func asLeaf() throws -> Tensor {
        let leaf = try detached()
        try leaf.setRequiresGradient(true)
        return leaf
    }

    /// The gradient that has come to this leaf, which forgets it.
    func takeGradient() throws -> Tensor {
        defer { try? clearGradient() }
        return try gradient()?.detached() ?? detached().zerosLike()
    }
}
