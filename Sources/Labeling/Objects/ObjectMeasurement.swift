import CLabeling
import Volumes

/// Measures the objects of a labelled volume block by block, so that no more than a block of it is in memory, and some 250
/// bytes for each object, 40 more for each image and 100 for each pair of objects that touch.
public struct ObjectMeasurement: Sendable {
    /// What lies in a block of the volume.
    public struct Block {
        /// The voxels that are measured.
        public var box: Box
        /// The labels of `region(around: box)`.
        public var labels: Volume<UInt32>
        /// Of `box`; nil where there are none, and then no object has any.
        public var votes: Volume<UInt8>?
        /// Of `box`, in the order of the images' names.
        public var images: [Volume<Double>]

        public init(box: Box, labels: Volume<UInt32>, votes: Volume<UInt8>? = nil, images: [Volume<Double>] = []) {
            (self.box, self.labels, self.votes, self.images) = (box, labels, votes, images)
        }
    }

    private let shape: ZYX<Int>
    private let border: Box
    private let withinSections: Bool
    private let voxelSize: VoxelSize
    private let members: Int
    private let images: [String]
    private let weights: SurfaceWeights
    private var sums: [ObjectSums]
    private var surfaces: [Double]
    /// By image.
    private var intensities: [[IntensitySums]]
    private var contacts = ContactCounts()
    private var hasVotes = true

    /// - Parameters:
    ///   - objects: labels are 1 to this.
    ///   - shape: of the whole volume.
    ///   - border: what objects are cut by; nil for the volume itself.
    ///   - withinSections: whether objects are those of sections, which are cut along y and x alone.
    ///   - members: the most votes there can be.
    ///   - images: names of the images whose values are measured.
    public init(
        objects: Int, shape: ZYX<Int>, border: Box? = nil, withinSections: Bool = false, voxelSize: VoxelSize,
        members: Int = 0, images: [String] = []
    ) {
        self.shape = shape
        self.border = border ?? Box(shape)
        self.withinSections = withinSections
        self.voxelSize = voxelSize
        self.members = members
        self.images = images
        weights = SurfaceWeights(voxelSize.in(.micrometer))
        sums = Array(repeating: ObjectSums(), count: objects)
        surfaces = Array(repeating: 0, count: objects)
        intensities = Array(repeating: Array(repeating: IntensitySums(), count: objects), count: images.count)
    }

    /// The voxels whose labels are needed to measure those of `box`: with their neighbours.
    public func region(around box: Box) -> Box {
        box.withNeighbours(in: shape)
    }

    /// Labels from now on may go up to `count`.
    public mutating func allow(objects count: Int) {
        guard count > sums.count else { return }
        let more = count - sums.count
        sums += Array(repeating: ObjectSums(), count: more)
        surfaces += Array(repeating: 0, count: more)
        for image in intensities.indices { intensities[image] += Array(repeating: IntensitySums(), count: more) }
    }

    /// Adds a block; blocks may come in any order, each voxel once.
    ///
    /// - Throws: `LabelingFault` where shapes differ or a label is beyond the objects.
    public mutating func add(_ block: Block) throws {
        let region = region(around: block.box)
        func check(_ name: String, _ found: ZYX<Int>, _ expected: ZYX<Int>) throws {
            if found != expected { throw LabelingFault.shapesDiffer("a block", expected, name, found) }
        }
        try check("its labels", block.labels.shape, region.shape)
        if let votes = block.votes { try check("its votes", votes.shape, block.box.shape) }
        for image in block.images { try check("its image", image.shape, block.box.shape) }
        precondition(block.images.count == images.count)
        if let highest = block.labels.voxels.max(), Int(highest) > sums.count {
            throw LabelingFault.labelBeyondObjects(label: highest, objects: sums.count)
        }
        hasVotes = hasVotes && block.votes != nil
        addStretches(of: block, region)
        addBoundaries(of: block, region)
    }

    /// Sizes, places, votes and intensities: stretches of one label along x.
    private mutating func addStretches(of block: Block, _ region: Box) {
        let (box, members) = (block.box, members)
        forEachStretch(of: block.labels, in: region, of: box) { label, z, y, x in
            let object = Int(label) - 1
            sums[object].add(z: z, y: y, x: x)
            let stretch = box.place(z, y, x.lowerBound)..<box.place(z, y, x.upperBound)
            block.votes?.voxels.withUnsafeBufferPointer {
                sums[object].add(votes: .init(rebasing: $0[stretch]), members: members)
            }
            for (index, image) in block.images.enumerated() {
                image.voxels.withUnsafeBufferPointer {
                    intensities[index][object].add(.init(rebasing: $0[stretch]))
                }
            }
        }
    }

    /// Surfaces and contacts: pairs of neighbouring voxels, the second of them before the first, with different labels.
    private mutating func addBoundaries(of block: Block, _ region: Box) {
        let (box, shape, weights) = (block.box, shape, weights)
        var bits = [UInt64](repeating: 0, count: (box.shape.x + 63) / 64)
        block.labels.voxels.withUnsafeBufferPointer { labels in
            guard let labels = labels.baseAddress else { return }
            for z in box.origin.z..<box.end.z {
                for y in box.origin.y..<box.end.y {
                    let row = labels + region.place(z, y, box.origin.x)
                    for (direction, offset) in SurfaceWeights.offsets.enumerated() {
                        let area = weights.areas[direction]
                        // Beyond the volume there is nothing: before it, and by the opposite way behind it.
                        for sign in [1, -1] {
                            let step = ZYX(sign * offset.z, sign * offset.y, sign * offset.x)
                            for x in columns(beyond: shape, from: box, z, y, step) { addSurface(row[x], area) }
                        }
                        guard z + offset.z >= 0, (0..<shape.y).contains(y + offset.y) else { continue }
                        let first = box.origin.x + offset.x < 0 ? 1 : 0
                        let end = box.shape.x - (box.end.x - 1 + offset.x >= shape.x ? 1 : 0)
                        guard first < end else { continue }
                        let other = labels + region.place(z + offset.z, y + offset.y, box.origin.x + offset.x)
                        cl_equal_u32(row + first, other + first, end - first, &bits)
                        for word in 0..<(end - first + 63) / 64 {
                            let valid = UInt64.max >> UInt64(max(0, 64 - (end - first - word * 64)))
                            var rest = ~bits[word] & valid
                            while rest != 0 {
                                let x = first + word * 64 + rest.trailingZeroBitCount
                                rest &= rest &- 1
                                addSurface(row[x], area)
                                addSurface(other[x], area)
                                if direction < 3, row[x] != 0, other[x] != 0 {
                                    contacts.add(row[x], other[x], axis: direction)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    @inline(__always)
    private mutating func addSurface(_ label: UInt32, _ area: Double) {
        if label != 0 { surfaces[Int(label) - 1] += area }
    }

    /// The table of all that was added.
    ///
    /// - Parameters:
    ///   - names: label k is named `names[k - 1]`; nil: k.
    ///   - classes: that of label k at k - 1.
    public func finish(names: [UInt64]? = nil, classes: [UInt32]? = nil) -> ObjectTable {
        let sides = voxelSize.in(.micrometer)
        let faces = ZYX(sides.y * sides.x, sides.z * sides.x, sides.z * sides.y)
        func name(_ label: Int) -> UInt64 { names?[label - 1] ?? UInt64(label) }
        var touching = [(count: Int, area: Double)](repeating: (0, 0), count: sums.count)
        var pairs: [ObjectTable.Contact] = []
        for pair in contacts.pairs {
            let area = pair.faces.map(Double.init).zip(faces, *).array.reduce(0, +)
            for label in [pair.first, pair.second] {
                touching[Int(label) - 1].count += 1
                touching[Int(label) - 1].area += area
            }
            let (one, other) = (name(Int(pair.first)), name(Int(pair.second)))
            pairs.append(ObjectTable.Contact(first: min(one, other), second: max(one, other), area: area))
        }
        let rows = sums.indices.compactMap { object -> ObjectTable.Row? in
            let sum = sums[object]
            guard sum.voxels > 0 else { return nil }
            return ObjectTable.Row(
                label: name(object + 1), voxels: sum.voxels, centroid: sum.centroid, box: sum.box,
                agreement: hasVotes ? sum.agreement : nil, classLabel: classes?[object],
                touchesBorder: sum.box.touchesBorder(of: border, withinSections: withinSections),
                surfaceArea: surfaces[object],
                axes: PrincipalAxes(covariance: sum.covariance(voxelSize: sides)),
                neighbours: touching[object].count, contactArea: touching[object].area,
                intensities: intensities.map { $0[object].intensity })
        }
        return ObjectTable(
            rows: names == nil ? rows : rows.sorted { $0.label < $1.label }, voxelSize: voxelSize, images: images,
            contacts: pairs.sorted { ($0.first, $0.second) < ($1.first, $1.second) })
    }
}

/// The voxels, from the box's first on, of a row of it from which a step leads out of the volume.
private func columns(beyond shape: ZYX<Int>, from box: Box, _ z: Int, _ y: Int, _ step: ZYX<Int>) -> Range<Int> {
    guard (0..<shape.z).contains(z + step.z), (0..<shape.y).contains(y + step.y) else { return 0..<box.shape.x }
    if step.x < 0, box.origin.x == 0 { return 0..<1 }
    if step.x > 0, box.end.x == shape.x { return box.shape.x - 1..<box.shape.x }
    return 0..<0
}

extension Box {
    /// Whether an object that this box just holds may go on beyond `whole`, which holds it: along all axes, or where objects
    /// are those of sections, or there is one section alone, along y and x.
    package func touchesBorder(of whole: Box, withinSections: Bool) -> Bool {
        let axes = withinSections || whole.shape.z == 1 ? 1...2 : 0...2
        return axes.contains {
            origin.array[$0] <= whole.origin.array[$0] || end.array[$0] >= whole.end.array[$0]
        }
    }
}
