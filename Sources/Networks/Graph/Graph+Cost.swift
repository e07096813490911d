// What a network costs: numbers to learn, arithmetic, memory.
extension Graph {
    /// Numbers that training changes.
    ///
    /// - Parameter countingNormalization: false leaves out scales and shifts, as some papers do.
    public func parameterCount(countingNormalization: Bool = true) -> Int {
        nodes.indices.reduce(0) { sum, index in
            if case .normalization = nodes[index].operation, !countingNormalization { return sum }
            return sum + parameterCount(of: index)
        }
    }

    /// Numbers that training changes in one node.
    public func parameterCount(of index: Int) -> Int {
        let node = nodes[index]
        let (input, output) = (node.inputs.first.map { nodes[$0].channels } ?? 0, node.channels)
        return switch node.operation {
        case .convolution(let c): input * output * c.kernel.reduce(1, *) + (c.hasBias ? output : 0)
        case .transposedConvolution(let c): input * output * c.stride.reduce(1, *) + (c.hasBias ? output : 0)
        case .linear: input * output + output
        case .normalization: 2 * output
        default: 0
        }
    }

    /// Multiplications with an addition, of convolutions and matrices, for one input of these extents.
    public func multiplyAdds(of input: [Int]) throws -> Int {
        multiplyAdds(computing: try extents(of: input))
    }

    /// By the extents that are computed of every node's result.
    func multiplyAdds(computing extents: [[Int]]) -> Int {
        nodes.indices.reduce(0) { $0.addingSaturated(multiplyAdds(of: $1, extents)) }
    }

    /// Those of one node, by the extents of all.
    func multiplyAdds(of index: Int, _ extents: [[Int]]) -> Int {
        let node = nodes[index]
        let input = node.inputs.first.map { nodes[$0].channels } ?? 0
        let voxels = extents[index].saturatedProduct
        return switch node.operation {
        case .convolution(let c): ([input, node.channels, voxels] + c.kernel).saturatedProduct
        // Each output voxel reads one of the input.
        case .transposedConvolution: [input, node.channels, voxels].saturatedProduct
        case .linear: input * node.channels
        default: 0
        }
    }

    /// Which nodes may write into what they read: activations whose input nobody else reads, made by an operation that
    /// does not need its own result for its gradient.
    var nodesInPlace: [Bool] {
        let readers = readers
        return nodes.map { node in
            guard case .activation = node.operation, readers[node.inputs[0]] == 1 else { return false }
            switch nodes[node.inputs[0]].operation {
            case .convolution, .transposedConvolution, .normalization, .add, .residual, .concatenate: return true
            default: return false
            }
        }
    }
}

extension [Int] {
    /// The product, or the largest number there is.
    var saturatedProduct: Int {
        reduce(1) {
            let (product, overflow) = $0.multipliedReportingOverflow(by: $1)
            return overflow ? .max : product
        }
    }
}

extension Int {
    fileprivate func addingSaturated(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
