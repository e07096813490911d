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
        let extents = try extents(of: input)
        return nodes.indices.reduce(0) { $0.addingSaturated(multiplyAdds(of: $1, extents)) }
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

    /// Numbers alive at once, for each input voxel, at the worst moment of a prediction that lets go of every result
    /// after its last reader.
    public var liveNumbersPerVoxel: Double {
        let scales = (0..<dimensions).map(scales)
        return mostAlive(
            nodes.indices.map { index in
                scales.reduce(Double(nodes[index].channels)) { $0 / Double($1[index]) }
            })
    }

    /// What ``FoldedNetwork`` takes to predict a part of the output, this being its graph: multiplications with an addition,
    /// and numbers alive at the worst moment.
    ///
    /// - Parameters:
    ///   - extents: of the input.
    ///   - kept: what is wanted of the output, along each axis.
    /// - Throws: ``MisfittingExtents``.
    public func predictionCost(
        of extents: [Int], keeping kept: [Range<Int>]
    ) throws -> (multiplyAdds: Int, liveNumbers: Int) {
        let whole = try self.extents(of: extents)
        let cropping = canBeCropped ? Cropping(self, extents: extents, keeping: kept) : nil
        let computed = cropping?.computed.map { $0.map(\.count) } ?? whole
        func numbers(_ node: Int, _ extents: [Int]) -> Double {
            Double(([nodes[node].channels] + extents).saturatedProduct)
        }
        let alive = mostAlive(nodes.indices.map { numbers($0, computed[$0]) }) { step in
            cropping?.shrunk[step].map { ($0.node, numbers($0.node, $0.to.map(\.count))) } ?? []
        }
        return (nodes.indices.reduce(0) { $0.addingSaturated(multiplyAdds(of: $1, computed)) }, Int(alive))
    }

    /// - Parameters:
    ///   - sizes: of the nodes' results.
    ///   - shrunk: the results that are replaced after a node has run, and their sizes then.
    private func mostAlive(
        _ sizes: [Double], shrunk: (_ step: Int) -> [(node: Int, size: Double)] = { _ in [] }
    ) -> Double {
        var sizes = sizes
        var (live, worst) = (0.0, 0.0)
        let inPlace = nodesInPlace
        var left = readers
        for index in nodes.indices {
            // In place, an activation takes no room of its own.
            let isInPlace = inPlace[index]
            if !isInPlace { live += sizes[index] }
            worst = max(worst, live)
            for input in nodes[index].inputs {
                left[input] -= 1
                if left[input] == 0, !isInPlace { live -= sizes[input] }
            }
            for (node, size) in shrunk(index) {
                worst = max(worst, live + size)
                live += size - sizes[node]
                sizes[node] = size
            }
        }
        return worst
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
