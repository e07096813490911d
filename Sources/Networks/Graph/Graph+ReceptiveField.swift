// What an output voxel depends on: the question every tiling starts from.
extension Graph {
    /// Input voxels, along each axis, between an output voxel's own place and the farthest that it may depend on:
    /// exact, over all alignments with strides. 51 for a U-Net of four levels of two 3-convolutions: 44 by the
    /// convolutions, 7 by the alignment. (Group, layer and instance normalization look at the whole tile besides.)
    public func halo() throws -> [Int] {
        try fields().map { axis in
            axis.map { max($0.position - $0.field.lowerBound, $0.field.upperBound - $0.position) }.max() ?? 0
        }
    }

    /// Input voxels, along each axis, that an output voxel may depend on: of its alignments the one with the most. Of
    /// a classifier, those behind one voxel of the features before its global pooling.
    public func receptiveField() throws -> [Int] { try fields().map { $0.map(\.field.count).max() ?? 0 } }

    /// For each axis and each alignment of an output voxel: its place in the input, and the input it depends on.
    private func fields() throws -> [[(position: Int, field: ClosedRange<Int>)]] {
        let output = spatialOutput
        let margin = try self.margin()
        return (0..<dimensions).map { axis in
            let scale = scales(axis)[output]
            let offsets = cropOffsets(axis)
            return (0..<max(1, totalStride[axis] / scale)).map { voxel in
                let field = needs(of: voxel...voxel, of: output, axis, offsets)[0] ?? voxel...voxel
                return (voxel * scale + margin[axis], field)
            }
        }
    }

    /// The first output, or what global pooling reads on its way there.
    private var spatialOutput: Int {
        nodes.firstIndex { $0.operation == .globalAveragePooling }.map { nodes[$0].inputs[0] } ?? outputs[0]
    }

    /// Input voxels, along each axis, before the first that has an output of its own; 0 for networks that keep
    /// extents.
    public func margin() throws -> [Int] {
        let smallest = try smallestInput()
        let result = try extents(of: smallest)[outputs[0]]
        // Where an output voxel stands for several of the input, the two do not differ by a border.
        guard result.count == dimensions, (0..<dimensions).allSatisfy({ scales($0)[outputs[0]] == 1 }) else {
            return smallest.map { _ in 0 }
        }
        return zip(smallest, result).map { ($0 - $1) / 2 }
    }

    /// What of every node's result a range of one node's depends on, along an axis, from the node back, each operation
    /// widening the range that its readers need; nil where nothing does.
    ///
    /// - Parameter offsets: `cropOffsets` of the axis.
    func needs(
        of range: ClosedRange<Int>, of node: Int, _ axis: Int, _ offsets: [Int: Int]
    ) -> [ClosedRange<Int>?] {
        var needed: [ClosedRange<Int>?] = nodes.map { _ in nil }
        needed[node] = range
        for index in stride(from: node, to: 0, by: -1) {
            guard let range = needed[index] else { continue }
            for (place, input) in nodes[index].inputs.enumerated() {
                var source = nodes[index].operation.reach(range, axis)
                if let offset = offsets[index] {
                    if place == 1 { continue }
                    source = source.lowerBound + offset...source.upperBound + offset
                }
                let other = needed[input] ?? source
                needed[input] =
                    min(other.lowerBound, source.lowerBound)...max(other.upperBound, source.upperBound)
            }
        }
        return needed
    }

    /// Where each crop starts in what it crops, along an axis; the same for every valid input.
    func cropOffsets(_ axis: Int) -> [Int: Int] {
        guard nodes.contains(where: { $0.operation == .crop }), let smallest = try? smallestInput(),
            let extents = try? extents(of: smallest)
        else { return [:] }
        return Dictionary(
            uniqueKeysWithValues: nodes.indices.filter { nodes[$0].operation == .crop }.map {
                ($0, (extents[nodes[$0].inputs[0]][axis] - extents[$0][axis]) / 2)
            })
    }
}

extension Graph.Operation {
    /// The voxels of its (first) input that a range of its output's depends on, along an axis.
    fileprivate func reach(_ range: ClosedRange<Int>, _ axis: Int) -> ClosedRange<Int> {
        func slid(_ size: [Int], _ stride: [Int], _ padding: [Int]) -> ClosedRange<Int> {
            let low = range.lowerBound * stride[axis] - padding[axis]
            return low...range.upperBound * stride[axis] - padding[axis] + size[axis] - 1
        }
        func enlarged(by factor: Int) -> ClosedRange<Int> {
            floorDivide(range.lowerBound, factor)...floorDivide(range.upperBound, factor)
        }
        return switch self {
        case .convolution(let c): slid(c.kernel, c.stride, c.padding)
        case .maxPooling(let w), .averagePooling(let w): slid(w.size, w.stride, w.padding)
        case .subsampling(let stride): range.lowerBound * stride[axis]...range.upperBound * stride[axis]
        case .transposedConvolution(let c): enlarged(by: c.stride[axis])
        case .upsampling(let factors): enlarged(by: factors[axis])
        default: range
        }
    }
}

private func floorDivide(_ a: Int, _ b: Int) -> Int { (a - (a % b + b) % b) / b }
