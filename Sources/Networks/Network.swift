import Tensors

/// A network with weights: a ``Graph`` that runs.
///
/// `[batch, in, z, y, x]` (2D: `[batch, in, y, x]`) gives logits `[batch, out, z, y, x]`, or `[batch, out]` of a
/// classifier.
public final class Network {
    /// What it was made from; nil for a graph of one's own.
    public let configuration: NetworkConfiguration?
    public let graph: Graph
    /// Of parameters and, without autocast, of signals.
    public let elementType: Tensor.ElementType
    public let device: Device
    /// By node; nil for operations without parameters.
    let layers: [(any Layer)?]
    private lazy var canBeCropped = graph.canBeCropped
    private let main: Schedule
    private let all: Schedule

    /// A network in training mode whose weights are a function of the graph and `seed`.
    ///
    /// - Throws: ``NetworkConfigurationError``, or ``TensorError`` where memory or the device is missing.
    public convenience init(
        _ configuration: NetworkConfiguration, seed: UInt64, device: Device = .cpu,
        elementType: Tensor.ElementType = .float32
    ) throws {
        try self.init(
            configuration: configuration, graph: configuration.graph(), .drawn(seed: seed), device, elementType)
    }

    /// A network whose weights are all 0, to be loaded next.
    public convenience init(toLoad configuration: NetworkConfiguration, device: Device = .cpu) throws {
        try self.init(configuration: configuration, graph: configuration.graph(), .zero, device, .float32)
    }

    /// A network of a graph of one's own.
    public convenience init(
        _ graph: Graph, seed: UInt64, device: Device = .cpu, elementType: Tensor.ElementType = .float32
    ) throws {
        try self.init(configuration: nil, graph: graph, .drawn(seed: seed), device, elementType)
    }

    private convenience init(
        configuration: NetworkConfiguration?, graph: Graph, _ initial: InitialWeights, _ device: Device,
        _ type: Tensor.ElementType
    ) throws {
        let layers = try graph.nodes.map { try graph.layer($0, initial, device: device, type: type) }
        self.init(configuration: configuration, graph: graph, layers: layers, device: device, elementType: type)
    }

    init(
        configuration: NetworkConfiguration?, graph: Graph, layers: [(any Layer)?], device: Device,
        elementType: Tensor.ElementType
    ) {
        self.configuration = configuration
        self.graph = graph
        self.layers = layers
        self.device = device
        self.elementType = elementType
        main = Schedule(graph, outputs: [graph.outputs[0]])
        all = Schedule(graph, outputs: graph.outputs)
    }

    /// The output that counts.
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try run(main, input, nil)[0] }

    /// Every output: the one that counts, then those that only help training.
    ///
    /// - Parameter probe: looks into the pass, or changes it.
    public func outputs(_ input: Tensor, probe: Probe? = nil) throws -> [Tensor] { try run(all, input, probe) }

    /// A part of the output that counts, of which nothing is computed that does not bear on it.
    ///
    /// - Parameter kept: along each axis.
    func callAsFunction(_ input: Tensor, keeping kept: [Range<Int>]) throws -> Tensor {
        guard canBeCropped else { return try self(input).cropped(to: kept) }
        let cropping = Cropping(graph, extents: Array(input.shape.dropFirst(2)), keeping: kept)
        return try run(main, input, nil, cropping)[0]
            .cropped(to: kept, from: cropping.computed[graph.outputs[0]])
    }

    /// How normalizations behave.
    public var mode: Mode = .training {
        didSet {
            for case let normalization as any NormalizationLayer in layers { normalization.mode = mode }
        }
    }

    /// Stores the statistics that the forward passes in ``Mode/population`` have pooled; networks without batch
    /// normalization have none to store.
    public func storePopulationStatistics() throws {
        for case let normalization as BatchNormalization in layers {
            try normalization.storePopulationStatistics()
        }
    }
}

// The forward pass.
extension Network {
    private func run(
        _ schedule: Schedule, _ input: Tensor, _ probe: Probe?, _ cropping: Cropping? = nil
    ) throws -> [Tensor] {
        try requireFit(input)
        var results: [Tensor?] = graph.nodes.map { _ in nil }
        var held = cropping?.computed
        results[0] = graph.dimensions + 2 == input.shape.count ? try input.contiguous(.channelsLast) : input
        for (step, index) in schedule.nodes.enumerated() where index > 0 {
            let node = graph.nodes[index]
            if let begun = results[index], let cropping, let held {
                // What else it puts together.
                for (place, input) in node.inputs.enumerated() {
                    let part = try results[input]?.cropped(to: cropping.computed[index], from: held[input])
                    if let part { try begun.assign(part, channelsFrom: graph.firstChannel(of: place, in: index)) }
                }
            } else {
                var inputs = node.inputs.map { results[$0]! }
                if case .residual = node.operation, probe?.deletes?(node) == true {
                    inputs[1] = try inputs[1].zerosLike()
                }
                if let cropping, let held, node.operation.isJoin {
                    inputs = try zip(node.inputs, inputs).map {
                        try $1.cropped(to: cropping.computed[index], from: held[$0])
                    }
                }
                let inPlace = probe == nil && schedule.inPlace[index]
                let result =
                    graph.outputs.contains(index)
                    ? try head(index, inputs) : try graph.apply(index, layers[index], inputs, inPlace: inPlace)
                results[index] = try probe?.output?(index, node, result) ?? result
            }
            for last in schedule.lastRead[step] { results[last] = nil }
            for early in cropping?.early[index] ?? [] {
                try settle(early, &results, &held, cropping)
            }
        }
        return schedule.outputs.map { results[$0]! }
    }

    /// Lets go of most of what is held of a result.
    private func settle(
        _ early: Cropping.Early, _ results: inout [Tensor?], _ held: inout [[Range<Int>]]?, _ cropping: Cropping?
    ) throws {
        guard let cropping, let own = held?[early.node], let result = results[early.node] else { return }
        let part = try result.cropped(to: early.box, from: own)
        guard let index = early.concatenation else {
            // A copy, as a part that has no gaps would keep all of it alive.
            results[early.node] = try part.copy()
            held?[early.node] = early.box
            return
        }
        let node = graph.nodes[index]
        let begun =
            try results[index]
            ?? result.uninitialized([result.shape[0], node.channels] + cropping.computed[index].map(\.count))
        for (place, input) in node.inputs.enumerated() where input == early.node {
            try begun.assign(part, channelsFrom: graph.firstChannel(of: place, in: index))
        }
        results[index] = begun
        results[early.node] = nil
    }

    /// Under autocast, too, logits are f32: votes are cast where bf16 has three digits.
    private func head(_ index: Int, _ inputs: [Tensor]) throws -> Tensor {
        try withAutocast(.f32, on: device) {
            let inputs = try elementType == .float64 ? inputs : inputs.map { try $0.to(.float32) }
            return try graph.apply(index, layers[index], inputs, inPlace: false)
        }
    }

    /// An input that fits neither the channels nor the strides would fail deep inside, where nobody knows why.
    private func requireFit(_ input: Tensor) throws {
        let shape = input.shape
        let channels = graph.nodes[0].channels
        guard shape.count == graph.dimensions + 2, shape[1] == channels else {
            throw TensorError.state(
                "network input has shape \(shape), expected [batch, \(channels), \(graph.dimensions) extents]")
        }
        let extents = Array(shape.dropFirst(2))
        do {
            _ = try graph.extents(of: extents)
        } catch let error as MisfittingExtents {
            throw TensorError.state(error.description)
        }
    }
}

extension Graph {
    /// Where the channels of one of its inputs begin in a concatenation.
    fileprivate func firstChannel(of place: Int, in index: Int) -> Int {
        nodes[index].inputs.prefix(place).reduce(0) { $0 + nodes[$1].channels }
    }
}

extension Tensor {
    fileprivate func assign(_ part: Tensor, channelsFrom first: Int) throws {
        try narrowed(axis: 1, to: first..<first + part.shape[1]).assign(part)
    }

    /// - Parameters:
    ///   - box: along each spatial axis, what is wanted.
    ///   - own: what this tensor is of, in the same coordinates.
    fileprivate func cropped(to box: [Range<Int>], from own: [Range<Int>]) throws -> Tensor {
        if box == own { return self }
        return try cropped(
            to: zip(box, own).map { $0.lowerBound - $1.lowerBound..<$0.upperBound - $1.lowerBound })
    }
}

/// The nodes that some outputs need, in order, and when each result can be let go.
private struct Schedule {
    let outputs: [Int]
    let nodes: [Int]
    /// By step: the nodes whose results nobody reads after it.
    private(set) var lastRead: [[Int]]
    let inPlace: [Bool]

    init(_ graph: Graph, outputs: [Int]) {
        self.outputs = outputs
        inPlace = graph.nodesInPlace
        nodes = graph.nodes(neededFor: outputs)
        var last: [Int: Int] = [:]
        for (step, index) in nodes.enumerated() {
            for input in graph.nodes[index].inputs { last[input] = step }
        }
        lastRead = nodes.map { _ in [] }
        for (node, step) in last where !outputs.contains(node) { lastRead[step].append(node) }
    }
}

/// Looks into a forward pass, or changes it.
public struct Probe {
    /// Called with the index, the node and its result; what it gives goes on in its place. Activations are then not
    /// computed in place, so that every result stays as it was seen.
    public var output: ((Int, Graph.Node, Tensor) throws -> Tensor?)?
    /// Which residual blocks, by their node, are left out: only their shortcut goes on.
    public var deletes: ((Graph.Node) -> Bool)?

    public init(
        output: ((Int, Graph.Node, Tensor) throws -> Tensor?)? = nil, deletes: ((Graph.Node) -> Bool)? = nil
    ) {
        self.output = output
        self.deletes = deletes
    }
}

// Parameters and state.
extension Network {
    public var parameters: [NamedTensor] { named { $0.parameters } }
    public var buffers: [NamedTensor] { named { $0.buffers } }

    /// Numbers that training changes.
    public var parameterCount: Int { graph.parameterCount() }

    /// All parameters and buffers by name, sharing the network's storage.
    public func stateDictionary() -> [String: Tensor] {
        Dictionary(uniqueKeysWithValues: (parameters + buffers).map { ($0.name, $0.tensor) })
    }

    /// Overwrites parameters and buffers.
    ///
    /// - Throws: ``TensorError/state(_:)`` where a tensor is missing, has another shape, or belongs to no part of
    ///   this network; the network is then unchanged.
    public func load(_ state: [String: Tensor]) throws {
        let own = parameters + buffers
        for (name, tensor) in own.map({ ($0.name, $0.tensor) }) {
            guard let found = state[name] else { throw TensorError.state("tensor '\(name)' is missing") }
            guard found.shape == tensor.shape else {
                throw TensorError.state("tensor '\(name)' has shape \(found.shape), expected \(tensor.shape)")
            }
        }
        let names = Set(own.map(\.name))
        if let stranger = state.keys.filter({ !names.contains($0) }).min() {
            throw TensorError.state("tensor '\(stranger)' belongs to no part of this network")
        }
        for part in own { try part.tensor.assign(state[part.name]!) }
    }

    private func named(_ tensors: (any Layer) -> [NamedTensor]) -> [NamedTensor] {
        zip(graph.nodes, layers).flatMap { node, layer in layer.map { tensors($0).under(node.name) } ?? [] }
    }
}

extension Graph {
    /// The layer of a node; nil for an operation without parameters.
    fileprivate func layer(
        _ node: Node, _ initial: InitialWeights, device: Device, type: Tensor.ElementType
    ) throws -> (any Layer)? {
        let (input, output) = (node.inputs.first.map { nodes[$0].channels } ?? 0, node.channels)
        func weight(_ shape: [Int], _ initialization: Initialization, fanIn: Int, fanOut: Int) throws -> Tensor {
            try initial.weight(
                shape, variance: initialization.variance(fanIn: fanIn, fanOut: fanOut), name: "\(node.name).weight",
                device: device, type: type)
        }
        func zeros() throws -> Tensor { try trainable(.zeros([output], type: type, device: device)) }
        switch node.operation {
        case .convolution(let c):
            let volume = c.kernel.reduce(1, *)
            let weight = try weight(
                [output, input] + c.kernel, c.initialization, fanIn: input * volume, fanOut: output * volume)
            return ConvolutionLayer(weight: weight, bias: c.hasBias ? try zeros() : nil, c)
        case .transposedConvolution(let c):
            // Each output voxel sees one input voxel.
            let weight = try weight(
                [input, output] + c.stride, c.initialization, fanIn: input, fanOut: output * c.stride.reduce(1, *))
            return TransposedConvolutionLayer(
                weight: weight, bias: c.hasBias ? try zeros() : nil, stride: c.stride)
        case .linear:
            let weight = try weight([output, input], .he, fanIn: input, fanOut: output)
            return LinearLayer(weight: weight, bias: try zeros())
        case .normalization(let normalization, let startsAtZero):
            return try normalization.layer(output, startsAtZero: startsAtZero, device: device, type: type)
        default: return nil
        }
    }

    fileprivate func apply(
        _ index: Int, _ layer: (any Layer)?, _ inputs: [Tensor], inPlace: Bool
    ) throws -> Tensor {
        let node = nodes[index]
        let input = inputs[0]
        switch node.operation {
        case .input: return input
        case .convolution, .transposedConvolution, .linear, .normalization: return try layer!(input)
        case .activation(let activation):
            return inPlace ? try activation.applied(inPlaceTo: input) : try activation(input)
        case .maxPooling(let w): return try input.maxPooled(w.size, stride: w.stride, padding: w.padding)
        case .averagePooling(let w): return try input.averagePooled(w.size, stride: w.stride)
        case .globalAveragePooling: return try input.mean(Array(2..<input.shape.count))
        case .upsampling(let factors):
            return try input.resampled(to: zip(input.shape.dropFirst(2), factors).map { $0 * $1 }, .nearest)
        case .subsampling(let stride):
            let kept =
                stride.allSatisfy { $0 == 1 } ? input : try input.maxPooled(stride.map { _ in 1 }, stride: stride)
            let new = node.channels - input.shape[1]
            return new == 0 ? kept : try kept.padded([(0, new)] + stride.map { _ in (0, 0) })
        case .add: return try inputs.dropFirst().reduce(input) { try $0 + $1 }
        case .residual(let scale):
            let sum = try input + inputs[1]
            return scale == 1 ? sum : try sum * scale
        case .concatenate: return try Tensor.concatenate(inputs, axis: 1)
        case .crop:
            return try input.cropped(
                to: zip(input.shape.dropFirst(2), inputs[1].shape.dropFirst(2)).map {
                    ($0 - $1) / 2..<($0 - $1) / 2 + $1
                })
        }
    }
}
