// Which extents go in, and which come out.
extension Graph {
    /// The spatial extents of every node's result for an input of extents `input`; empty after global pooling.
    ///
    /// - Throws: ``MisfittingExtents`` where an operation cannot be applied, such as the pooling of an odd extent.
    public func extents(of input: [Int]) throws -> [[Int]] {
        var extents: [[Int]] = []
        for node in nodes {
            let sources = node.inputs.map { extents[$0] }
            func fault(_ problem: String) -> MisfittingExtents {
                MisfittingExtents(input: input, node: node.name, operation: node.operation.description, problem)
            }
            let result = try node.operation.extents(of: sources, input: input, fault)
            guard result.allSatisfy({ $0 > 0 }) else { throw fault("nothing is left of extents \(sources[0])") }
            extents.append(result)
        }
        return extents
    }

    /// The product of all reductions along each axis: valid inputs are ``smallestInput`` and multiples of this more.
    public var totalStride: [Int] {
        (0..<dimensions).map { axis in scales(axis).reduce(1) { max($0, $1) } }
    }

    /// Input voxels for one of each output's, along each axis.
    public var outputScales: [[Int]] {
        let scales = (0..<dimensions).map(scales)
        return outputs.map { output in scales.map { $0[output] } }
    }

    /// Input voxels for one of each node's, along an axis.
    func scales(_ axis: Int) -> [Int] {
        var scales: [Int] = []
        for node in nodes {
            let source = node.inputs.first.map { scales[$0] } ?? 1
            switch node.operation {
            case .convolution(let c): scales.append(source * c.stride[axis])
            case .maxPooling(let w), .averagePooling(let w): scales.append(source * w.stride[axis])
            case .subsampling(let stride): scales.append(source * stride[axis])
            case .transposedConvolution(let c): scales.append(source / c.stride[axis])
            case .upsampling(let factors): scales.append(source / factors[axis])
            default: scales.append(source)
            }
        }
        return scales
    }

    /// The smallest extents that every operation can be applied to.
    ///
    /// - Throws: ``MisfittingExtents`` where there are none up to 4,096.
    public func smallestInput() throws -> [Int] {
        // Axes are independent, so each is sought with the others at what has been found for it, or in step.
        var extent = 1
        var last: (any Error)?
        var found = Array(repeating: 0, count: dimensions)
        var open = Set(0..<dimensions)
        while !open.isEmpty, extent <= 4_096 {
            for axis in open {
                do {
                    _ = try alongAxis(axis).extents(of: [extent])
                    found[axis] = extent
                    open.remove(axis)
                } catch { last = error }
            }
            extent += 1
        }
        if let last, !open.isEmpty { throw last }
        return found
    }

    /// In words, the extents that the network can be applied to: `multiples of [8, 8, 8]`.
    public func fittingExtents() throws -> String {
        let (smallest, stride) = (try smallestInput(), totalStride)
        return zip(smallest, stride).allSatisfy { $0 % $1 == 0 && $0 <= $1 }
            ? "multiples of \(stride)" : "\(smallest) or that and multiples of \(stride) more"
    }

    /// The first normalization that has a single value to take statistics of, for `samples` inputs of these extents, in
    /// words; nil where all have more. What is normalized over one value is 0.
    ///
    /// - Throws: ``MisfittingExtents``.
    public func normalizationOfOneValue(for input: [Int], samples: Int) throws -> String? {
        let extents = try extents(of: input)
        for (node, extents) in zip(nodes, extents) {
            guard case .normalization(let kind, _) = node.operation else { continue }
            let voxels = extents.reduce(1, *)
            let values =
                switch kind {
                case .none: Int.max
                case .batch: samples * voxels
                case .ghost(let part): (samples % part == 0 ? min(part, samples) : samples % part) * voxels
                case .layer: node.channels * voxels
                case .group(let groups): node.channels / groups * voxels
                case .instance: voxels
                }
            if values == 1 { return "\(node.name) (\(kind))" }
        }
        return nil
    }

    /// This graph with one spatial axis.
    func alongAxis(_ axis: Int) -> Graph {
        var graph = self
        graph.nodes = nodes.map {
            Node(name: $0.name, operation: $0.operation.alongAxis(axis), inputs: $0.inputs, channels: $0.channels)
        }
        return graph
    }
}

/// Extents that a network cannot be applied to: where it fails, in one line.
public struct MisfittingExtents: Error, Equatable, CustomStringConvertible {
    public let input: [Int]
    public let node: String
    public let operation: String
    public let problem: String

    init(input: [Int], node: String, operation: String, _ problem: String) {
        self.input = input
        self.node = node
        self.operation = operation
        self.problem = problem
    }

    public var description: String {
        let place = node.isEmpty ? operation : "\(node) (\(operation))"
        return "an input of extents \(input) does not suit the network: at \(place), \(problem)"
    }
}

extension Graph.Operation {
    fileprivate func extents(
        of sources: [[Int]], input: [Int], _ fault: (String) -> MisfittingExtents
    ) throws -> [Int] {
        func slid(_ size: [Int], _ stride: [Int], _ padding: [Int]) -> [Int] {
            sources[0].indices.map { axis in
                let room = sources[0][axis] + 2 * padding[axis] - size[axis]
                return room < 0 ? 0 : room / stride[axis] + 1
            }
        }
        switch self {
        case .input: return input
        case .convolution(let c): return slid(c.kernel, c.stride, c.padding)
        case .transposedConvolution(let c): return zip(sources[0], c.stride).map { $0 * $1 }
        case .upsampling(let factors): return zip(sources[0], factors).map { $0 * $1 }
        case .subsampling(let stride): return zip(sources[0], stride).map { ($0 + $1 - 1) / $1 }
        case .maxPooling(let window):
            if window.size == window.stride, !zip(sources[0], window.size).allSatisfy({ $0 % $1 == 0 }) {
                throw fault("extents \(sources[0]) are no multiples of \(window.size)")
            }
            return slid(window.size, window.stride, window.padding)
        case .averagePooling(let window): return slid(window.size, window.stride, window.padding)
        case .globalAveragePooling: return []
        case .crop:
            guard zip(sources[0], sources[1]).allSatisfy({ $0 >= $1 && ($0 - $1) % 2 == 0 }) else {
                throw fault("extents \(sources[0]) have no middle of \(sources[1])")
            }
            return sources[1]
        case .add, .residual, .concatenate:
            guard sources.allSatisfy({ $0 == sources[0] }) else {
                throw fault("extents \(sources.map { "\($0)" }.joined(separator: " and ")) differ")
            }
            return sources[0]
        case .linear, .normalization, .activation: return sources[0]
        }
    }

    fileprivate func alongAxis(_ axis: Int) -> Graph.Operation {
        func pick(_ list: [Int]) -> [Int] { [list[axis]] }
        func pick(_ w: Window) -> Window {
            Window(size: pick(w.size), stride: pick(w.stride), padding: pick(w.padding))
        }
        switch self {
        case .convolution(var c):
            (c.kernel, c.stride, c.padding) = (pick(c.kernel), pick(c.stride), pick(c.padding))
            return .convolution(c)
        case .transposedConvolution(var c):
            c.stride = pick(c.stride)
            return .transposedConvolution(c)
        case .maxPooling(let w): return .maxPooling(pick(w))
        case .averagePooling(let w): return .averagePooling(pick(w))
        case .upsampling(let factors): return .upsampling(pick(factors))
        case .subsampling(let stride): return .subsampling(pick(stride))
        default: return self
        }
    }
}
