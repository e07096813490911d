import Volumes

/// Connected regions of a volume, numbered.
public struct Components: Sendable, Equatable {
    /// 0 outside, else 1 … `count`, ordered by an object's first voxel in z, y, x order.
    public var labels: Volume<UInt32>
    public var count: Int
    /// Voxels of each object: label k has `sizes[k - 1]`.
    public var sizes: [Int]
}

/// Labels the connected regions of the voxels of a mask that are not 0.
///
/// Runs along x are joined with a union-find forest (He, Chao and Suzuki 2008) slab by slab in z, one a thread,
/// then across the slabs' borders. The result does not depend on the number of threads. Beside the labels it
/// takes about a third of a byte a voxel and four bytes a run.
///
/// - Parameters:
///   - minimumVoxels: smaller regions are removed; those that stay are numbered consecutively.
///   - threads: the most threads to use.
/// - Throws: `LabelingFault.tooManyObjects` where 32 bits cannot number them (labels never wrap).
public func connectedComponents(
    of mask: Volume<UInt8>, connectivity: Connectivity, minimumVoxels: Int = 1, threads: Int = 1
) throws -> Components {
    try mask.voxels.withUnsafeBufferPointer { voxels in
        guard let start = voxels.baseAddress, !voxels.isEmpty else { return emptyComponents(mask.shape) }
        return try connectedComponents(
            in: MaskRuns(mask: start), shape: mask.shape, connectivity: connectivity,
            minimumVoxels: minimumVoxels, threads: threads)
    }
}

/// Labels the connected regions of equal labels other than 0: a label in two pieces becomes two objects.
///
/// For the labels of a crop, whose objects may meet only outside of it. Else as for a mask.
public func connectedComponents(
    ofLabels labels: Volume<UInt32>, connectivity: Connectivity, minimumVoxels: Int = 1, threads: Int = 1
) throws -> Components {
    try componentsOfLabels(labels, connectivity, minimumVoxels, threads)
}

/// Labels the connected regions of equal labels other than 0, as for 32-bit labels.
public func connectedComponents(
    ofLabels labels: Volume<UInt64>, connectivity: Connectivity, minimumVoxels: Int = 1, threads: Int = 1
) throws -> Components {
    try componentsOfLabels(labels, connectivity, minimumVoxels, threads)
}

private func componentsOfLabels<Label: ComparedLabel>(
    _ labels: Volume<Label>, _ connectivity: Connectivity, _ minimumVoxels: Int, _ threads: Int
) throws -> Components {
    try labels.voxels.withUnsafeBufferPointer { voxels in
        guard let start = voxels.baseAddress, !voxels.isEmpty else { return emptyComponents(labels.shape) }
        return try connectedComponents(
            in: LabelRuns(labels: start, width: labels.shape.x), shape: labels.shape, connectivity: connectivity,
            minimumVoxels: minimumVoxels, threads: threads)
    }
}

func emptyComponents(_ shape: ZYX<Int>) -> Components {
    Components(labels: Volume(shape: shape), count: 0, sizes: [])
}

func connectedComponents<Source: RunSource>(
    in source: Source, shape: ZYX<Int>, connectivity: Connectivity, minimumVoxels: Int, threads: Int
) throws -> Components {
    let slabs = try makeSlabs(shape, threads)
    inParallel(slabs.count) { part in
        slabs[part].joinRuns(in: source, connectivity: connectivity)
        slabs[part].numberComponents()
    }
    let numbering = try number(slabs, in: source, connectivity, minimumVoxels)
    let voxels = [UInt32](unsafeUninitializedCapacity: shape.count) { target, count in
        guard let start = target.baseAddress else { return }
        preferHugePages(start, bytes: shape.count * 4)
        numbering.labels.withUnsafeBufferPointer { labels in
            guard let first = labels.baseAddress else {
                start.initialize(repeating: 0, count: shape.count)
                return
            }
            inParallel(slabs.count) { slabs[$0].write(first + numbering.offsets[$0], to: start) }
        }
        count = shape.count
    }
    return Components(
        labels: Volume(shape: shape, voxels: voxels), count: numbering.sizes.count, sizes: numbering.sizes)
}

/// One slab a thread, or more where a slab would have more runs than 32 bits count.
private func makeSlabs(_ shape: ZYX<Int>, _ threads: Int) throws -> [RunSlab] {
    let most = Int(UInt32.max)
    guard shape.y * shape.x <= most else { throw LabelingFault.sectionTooLarge(shape) }
    let fewest = (shape.z + most / (shape.y * shape.x) - 1) / (most / (shape.y * shape.x))
    return evenRanges(of: 0..<shape.z, parts: max(threads, fewest)).map {
        RunSlab(sections: $0, height: shape.y, width: shape.x)
    }
}

/// The final labels of the slabs' components.
private struct Numbering {
    /// The label of component k of slab s is `labels[offsets[s] + k]`; 0 where it is removed.
    var labels: [UInt32]
    var offsets: [Int]
    /// Voxels of each label.
    var sizes: [Int]
}

private func number<Source: RunSource>(
    _ slabs: [RunSlab], in source: Source, _ connectivity: Connectivity, _ minimumVoxels: Int
) throws -> Numbering {
    var offsets: [Int] = []
    var sizes: [Int] = []
    for slab in slabs {
        offsets.append(sizes.count)
        sizes.append(contentsOf: slab.sizes)
    }
    var first = Array(0..<sizes.count)
    for part in slabs.indices.dropFirst() {
        slabs[part].joinComponents(with: slabs[part - 1], in: source, connectivity: connectivity) {
            join(&first, offsets[part] + Int($0), offsets[part - 1] + Int($1))
        }
    }
    // A component comes after the one that stands for it, so one pass finds the whole object.
    for component in first.indices {
        first[component] = first[first[component]]
        if first[component] != component { sizes[first[component]] += sizes[component] }
    }
    var labels = [UInt32](repeating: 0, count: sizes.count)
    var kept: [Int] = []
    for component in first.indices {
        if first[component] != component {
            labels[component] = labels[first[component]]
        } else if sizes[component] >= minimumVoxels {
            kept.append(sizes[component])
            labels[component] = UInt32(truncatingIfNeeded: kept.count)
        }
    }
    guard kept.count <= Int(UInt32.max) else { throw LabelingFault.tooManyObjects(kept.count) }
    return Numbering(labels: labels, offsets: offsets, sizes: kept)
}

private func join(_ first: inout [Int], _ one: Int, _ other: Int) {
    func root(_ component: Int) -> Int {
        var component = component
        while first[component] != component {
            first[component] = first[first[component]]
            component = first[component]
        }
        return component
    }
    let roots = (root(one), root(other))
    first[max(roots.0, roots.1)] = min(roots.0, roots.1)
}
