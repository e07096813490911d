/// A forward pass of which a part of the output is wanted: what does not bear on it is not computed.
///
/// A tile needs its halo where the network is coarse. On the way back to full resolution, where most of the arithmetic is,
/// all but a few voxels of it are for nothing: there, where results are joined, they are cropped first.
struct Cropping {
    /// By node and axis: the voxels of its whole result that are computed.
    let computed: [[Range<Int>]]
    /// By node: what from then on is only joined, and need not be held as it is.
    let early: [[Early]]

    /// A result that is cropped, or put in its place, before it is read.
    struct Early {
        let node: Int
        /// What of it will be read.
        let box: [Range<Int>]
        /// The concatenation that alone will read it: its result begins with this.
        let concatenation: Int?
    }

    /// - Parameters:
    ///   - graph: one that `canBeCropped`.
    ///   - extents: of its input.
    ///   - kept: what is wanted of the first output, along each axis.
    init(_ graph: Graph, extents: [Int], keeping kept: [Range<Int>]) {
        let axes = (0..<graph.dimensions).map { Self.ranges(graph, $0, extent: extents[$0], keeping: kept[$0]) }
        let computed = graph.nodes.indices.map { node in axes.map { $0[node] } }
        self.computed = computed
        early = Self.early(graph, computed)
    }

    /// What is computed along an axis: all, from a join on what its result is needed for.
    private static func ranges(_ graph: Graph, _ axis: Int, extent: Int, keeping kept: Range<Int>) -> [Range<Int>] {
        let needs = graph.needs(
            of: kept.lowerBound...max(kept.lowerBound, kept.upperBound - 1), of: graph.outputs[0], axis, [:])
        let alignments = graph.alignments(axis)
        var ranges: [Range<Int>] = []
        for (index, node) in graph.nodes.enumerated() {
            let sources = node.inputs.map { ranges[$0] }
            guard let source = sources.first else {
                ranges.append(0..<extent)
                continue
            }
            if node.operation.isJoin {
                let all = sources.reduce(source) { $0.clamped(to: $1) }
                let (need, step) = (needs[index] ?? 0...0, alignments[index])
                let (first, end) = (max(0, need.lowerBound) / step * step, (need.upperBound + step) / step * step)
                ranges.append((first..<end).clamped(to: all))
            } else {
                ranges.append(node.operation.range(of: source, axis))
            }
        }
        return ranges
    }

    /// A skip connection is held until the way back joins it, and much of it for nothing.
    private static func early(_ graph: Graph, _ computed: [[Range<Int>]]) -> [[Early]] {
        var readers: [[Int]] = graph.nodes.map { _ in [] }
        for (index, node) in graph.nodes.enumerated() { for input in node.inputs { readers[input].append(index) } }
        var result: [[Early]] = graph.nodes.map { _ in [] }
        for (index, readers) in readers.enumerated() {
            guard let last = readers.last(where: { !graph.nodes[$0].operation.isJoin }) else { continue }
            let joins = readers.filter { $0 > last }
            guard let first = joins.first else { continue }
            let box = joins.dropFirst().reduce(computed[first]) { hull, one in
                zip(hull, computed[one]).map {
                    min($0.lowerBound, $1.lowerBound)..<max($0.upperBound, $1.upperBound)
                }
            }
            func voxels(_ box: [Range<Int>]) -> Int { box.map(\.count).reduce(1, *) }
            // Until then work goes on at a coarser level: there the other inputs take little room.
            let isSkip = voxels(computed[last]) < voxels(computed[index])
            if isSkip, joins.count == 1, case .concatenate = graph.nodes[first].operation {
                result[last].append(Early(node: index, box: box, concatenation: first))
            } else if voxels(box) * 4 < voxels(computed[index]) * 3 {
                // What is copied has to be worth it.
                result[last].append(Early(node: index, box: box, concatenation: nil))
            }
        }
        return result
    }
}

extension Graph {
    /// Whether a voxel of the output depends on its surroundings alone, whatever else the input holds, so that what is
    /// computed can be cropped between operations.
    var canBeCropped: Bool {
        let areLocal = nodes.allSatisfy {
            switch $0.operation {
            case .convolution(let c): c.paddingMode == .zeros
            case .globalAveragePooling, .linear, .crop: false
            default: true
            }
        }
        return areLocal && hasStoredStatistics && (try? margin().allSatisfy { $0 == 0 }) == true
    }

    /// By node, along an axis: what the first voxel of a part of its result must be a multiple of, or strides after it would
    /// see other voxels.
    fileprivate func alignments(_ axis: Int) -> [Int] {
        let scales = scales(axis)
        var coarsest = scales
        for index in nodes.indices.reversed() {
            for input in nodes[index].inputs { coarsest[input] = max(coarsest[input], coarsest[index]) }
        }
        return zip(coarsest, scales).map { $0 / $1 }
    }
}

extension Graph.Operation {
    /// Whether it puts together results that may have been computed to different extents.
    var isJoin: Bool {
        switch self {
        case .add, .residual, .concatenate: true
        default: false
        }
    }

    /// What it makes of a range of its input, along an axis.
    fileprivate func range(of source: Range<Int>, _ axis: Int) -> Range<Int> {
        func reduced(by stride: Int) -> Range<Int> {
            source.lowerBound / stride..<(source.upperBound + stride - 1) / stride
        }
        func enlarged(by factor: Int) -> Range<Int> { source.lowerBound * factor..<source.upperBound * factor }
        return switch self {
        case .convolution(let c): reduced(by: c.stride[axis])
        case .maxPooling(let w), .averagePooling(let w): reduced(by: w.stride[axis])
        case .subsampling(let stride): reduced(by: stride[axis])
        case .transposedConvolution(let c): enlarged(by: c.stride[axis])
        case .upsampling(let factors): enlarged(by: factors[axis])
        default: source
        }
    }
}
